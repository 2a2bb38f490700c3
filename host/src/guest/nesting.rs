//! Types of components inside one another. Parsers read them by recursion, so that thirty thousand bytes of them would end the
//! host's stack, and the host with it. They are counted before any parser sees them.

use wasmparser::{Parser, Payload};

/// Component and instance types inside other types, in one section: ordinary components have a handful.
pub(super) const MAX_NESTED: u64 = 200;

/// How many component or instance types a section of types may have inside of others, never fewer than it has.
///
/// Each begins with the same two bytes: a declaration of a type, and what kind of type it is. The same bytes elsewhere, such as a
/// name of one letter, count as well.
pub(super) fn nested(section: &[u8]) -> u64 {
    let begins = |pair: &&[u8]| matches!(pair, [0x01, 0x41 | 0x42]);
    section.windows(2).filter(begins).count() as u64
}

/// Whether a component, such as the one that says what type a core module wants to have, can be given to a parser.
pub(crate) fn is_parsable(component: &[u8]) -> bool {
    let mut depth = 0;
    for payload in Parser::new(0).parse_all(component) {
        match payload {
            Ok(Payload::Version { .. }) => depth += 1,
            Ok(Payload::End(_)) => depth -= 1,
            Ok(Payload::ComponentTypeSection(section)) => {
                let types = component.get(section.range());
                if types.is_none_or(|types| nested(types) > MAX_NESTED) {
                    return false;
                }
            }
            Ok(_) => {}
            // What is malformed here is so for everybody, who gets no further.
            Err(_) => return true,
        }
        if depth > super::MAX_DEPTH {
            return false;
        }
    }
    true
}
