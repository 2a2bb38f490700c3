//! Defaults: what a new context has where it says nothing.

use super::declaration::Declaration;
use crate::value::Value;

/// Gives every absent key that has a default this default, in every map that is present.
pub(super) fn fill(declared: &Declaration, value: &mut Value) {
    match value {
        Value::Map(map) => {
            for (key, field) in declared.fields.iter().flat_map(|fields| &fields.by_key) {
                if let (None, Some(default)) = (map.get(key), &field.default) {
                    map.insert(key.clone(), default.clone());
                }
                if field.has_defaults() {
                    map.modify(key, |value| fill(field, value));
                }
            }
        }
        Value::List(list) => {
            if let Some(items) = declared.items.as_ref().filter(|items| items.has_defaults()) {
                for index in 0..list.len() as u64 {
                    list.modify(index, |element| fill(items, element));
                }
            }
        }
        _ => {}
    }
}
