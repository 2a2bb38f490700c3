//! Exit codes: one per kind of ending, the same in every verb.

use theus_core::code::ErrorKind;

/// Committed, or the dry run passed, or there was nothing to refuse.
pub(super) const OK: u8 = 0;

/// The host itself failed.
pub(super) const HOST: u8 = 1;

/// The exit code of an ending. 10 and 11 are reserved for stores on other machines.
pub(super) fn code(kind: ErrorKind) -> u8 {
    match kind {
        ErrorKind::Usage => 2,
        ErrorKind::Contract => 3,
        ErrorKind::AuditBlock => 4,
        ErrorKind::AuditAbort => 5,
        ErrorKind::Interlock => 6,
        ErrorKind::Failure => 7,
        ErrorKind::Trap => 8,
        ErrorKind::Limit => 9,
        // `Host`, and kinds that a later core adds: a failure of this program until it learns better.
        _ => HOST,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use theus_core::code::Code;

    #[test]
    fn every_kind_has_an_exit_code_of_its_own() {
        let kinds: BTreeSet<_> = Code::ALL.iter().map(|it| it.kind().name()).collect();
        let codes: BTreeSet<_> = Code::ALL.iter().map(|it| code(it.kind())).collect();
        assert_eq!(kinds.len(), codes.len());
        assert_eq!(code(ErrorKind::Failure), 7);
        assert_eq!(code(ErrorKind::Host), HOST);
    }
}
