//! Generators that the property tests share.

use crate::value::{List, Map, Value};
use proptest::prelude::*;

/// A value of any kind, a few levels deep.
pub(crate) fn any_value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Nil),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        any::<u64>().prop_map(Value::unsigned),
        any::<f64>().prop_map(Value::float),
        Just(Value::float(f64::NAN)),
        "[a-zß\\\\\"]{0,30}".prop_map(Value::from),
        prop::collection::vec(any::<u8>(), 0..20).prop_map(Value::from),
    ];
    scalar.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6)
                .prop_map(|items| Value::List(items.into_iter().collect::<List>())),
            prop::collection::btree_map(any_key(), inner, 0..6)
                .prop_map(|entries| Value::Map(entries.into_iter().collect::<Map>())),
        ]
    })
}

/// A map key: plain, reserved, private or in need of quotes.
pub(crate) fn any_key() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[a-d]",
        2 => prop_oneof!["sig_", "cmd_", "meta_", "heavy_", "_"].prop_flat_map(|prefix| {
            "[a-b]{0,1}".prop_map(move |rest| format!("{prefix}{rest}"))
        }),
        1 => "[ .\\[\"@ü]{0,3}",
        // What the JSON form has a meaning for.
        1 => prop_oneof!["\\$bytes", "\\$float", "\\$map"],
    ]
}
