//! Advice: what a contract and a policy lack, collected from what permissive mode let pass.
//!
//! The advice for a process is one block to paste: whole lists, what is declared already and what is missing, in the spelling
//! of the Rust attribute.

use crate::contract::Contract;
use crate::guard::{Lacking, Violation};
use crate::path::Path;
use crate::pattern::PathPattern;
use crate::policy::{Narrowed, PolicyList};
use std::fmt;

/// What one process did beyond its grant, and the lines that would grant it.
#[derive(Clone, Debug)]
pub struct Advice {
    process: String,
    contract: [Lines; 2],
    /// The lists that the policy narrows; the others follow the contract.
    policy: [Option<Lines>; 2],
    remedies: Vec<String>,
    omitted: usize,
}

/// One list: what is in it already, and what is missing.
#[derive(Clone, Debug, Default)]
struct Lines {
    given: Vec<String>,
    missing: Vec<Path>,
}

/// The most places and remedies that are kept of one process; a guest chooses what it touches.
const MAX_KEPT: usize = 256;

impl Advice {
    /// Creates the advice for a process that has done nothing yet.
    #[must_use]
    pub fn new(contract: &Contract, narrowed: Option<&Narrowed>) -> Self {
        let lines = |patterns: &[PathPattern]| Lines {
            given: patterns.iter().map(ToString::to_string).collect(),
            missing: Vec::new(),
        };
        let policy = narrowed.map(|it| {
            let narrows = |own: &[PathPattern], granted: &[PathPattern]| {
                (own != granted).then(|| lines(granted))
            };
            [
                narrows(&contract.inputs, &it.inputs),
                narrows(&contract.outputs, &it.outputs),
            ]
        });
        Self {
            process: contract.name.clone(),
            contract: [lines(&contract.inputs), lines(&contract.outputs)],
            policy: policy.unwrap_or_default(),
            remedies: Vec::new(),
            omitted: 0,
        }
    }

    /// Adds a violation that was let pass.
    pub fn add(&mut self, violation: &Violation) {
        let kept = self.remedies.len() + self.missing().count();
        let room = kept < MAX_KEPT;
        let known = match violation.lacking() {
            Lacking::Contract(list, path) => {
                let in_policy = self.policy[list as usize].as_mut();
                in_policy.is_none_or(|lines| lines.add(path.clone(), room))
                    && self.contract[list as usize].add(path, room)
            }
            Lacking::Policy(list, path) => self.policy[list as usize]
                .get_or_insert_default()
                .add(path, room),
            // No line would allow it: the guest has to do otherwise.
            Lacking::Nothing => {
                let remedy = format!("{violation}: {}", violation.remedy());
                let known = self.remedies.contains(&remedy);
                if room && !known {
                    self.remedies.push(remedy);
                }
                known || room
            }
        };
        if !known {
            self.omitted += 1;
        }
    }

    /// The process that it is for.
    #[must_use]
    pub fn process(&self) -> &str {
        &self.process
    }

    /// Whether there is nothing to mend.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.remedies.is_empty() && self.omitted == 0 && self.missing().next().is_none()
    }

    /// The paths that the contract's list lacks.
    pub fn missing_in_contract(&self, list: PolicyList) -> impl Iterator<Item = &Path> {
        self.contract[list as usize].missing.iter()
    }

    /// The paths that the policy's list withholds.
    pub fn missing_in_policy(&self, list: PolicyList) -> impl Iterator<Item = &Path> {
        let lines = self.policy[list as usize].iter();
        lines.flat_map(|lines| &lines.missing)
    }

    fn missing(&self) -> impl Iterator<Item = &Path> {
        let lists = self.contract.iter().chain(self.policy.iter().flatten());
        lists.flat_map(|lines| &lines.missing)
    }
}

impl Lines {
    /// Notes a missing place, unless one above it is missing; false where there is no room for it.
    fn add(&mut self, path: Path, room: bool) -> bool {
        let covers = |above: &Path, below: &Path| {
            above.zone() == below.zone() && below.is_at_or_below(above)
        };
        if self.missing.iter().any(|known| covers(known, &path)) {
            return true;
        }
        let before = self.missing.len();
        self.missing.retain(|known| !covers(&path, known));
        let has_room = room || self.missing.len() < before;
        if has_room {
            self.missing.push(path);
        }
        has_room
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, list: PolicyList) -> fmt::Result {
        if self.missing.is_empty() {
            return Ok(());
        }
        let missing = self.missing.iter().map(ToString::to_string);
        let all: Vec<String> = self.given.iter().cloned().chain(missing).collect();
        f.write_str(&line(list.name(), &all))
    }
}

/// One list in the spelling of the Rust attribute, as a line of its own.
pub(crate) fn line(list: &str, items: &[String]) -> String {
    format!("    {list} = {items:?},\n")
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lists = [PolicyList::Inputs, PolicyList::Outputs];
        let lacks = |lines: &Lines| !lines.missing.is_empty();
        if self.contract.iter().any(lacks) {
            writeln!(f, "the contract of `{}` would have to say:", self.process)?;
            for list in lists {
                self.contract[list as usize].write(f, list)?;
            }
        }
        if self.policy.iter().flatten().any(lacks) {
            writeln!(f, "the policy of `{}` would have to say:", self.process)?;
            for list in lists {
                if let Some(lines) = &self.policy[list as usize] {
                    lines.write(f, list)?;
                }
            }
        }
        if !self.remedies.is_empty() {
            writeln!(f, "no contract would allow `{}` this:", self.process)?;
        }
        for remedy in &self.remedies {
            writeln!(f, "    {}", cut_lines(remedy))?;
        }
        match self.omitted {
            0 => Ok(()),
            omitted => writeln!(f, "and {omitted} more places of `{}`", self.process),
        }
    }
}

/// A guest's keys may hold line breaks; a line of advice is one line.
fn cut_lines(text: &str) -> String {
    match text.contains(char::is_control) {
        true => text.escape_debug().to_string(),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::{Guard, WriteOp};
    use crate::limits::Limits;
    use crate::policy::{ProcessPolicy, guard_of};
    use crate::value::Map;

    fn contract() -> Contract {
        let line = br#"{"name":"p","inputs":["domain.a"],"outputs":["domain.b","domain.sig_x","domain.rows[3]"]}"#;
        Contract::parse_section(line).expect("a contract").remove(0)
    }

    fn set_up(policy: Option<ProcessPolicy>) -> (Guard, Advice) {
        let contract = contract();
        let narrowed = policy.map(|policy| policy.narrow(&contract).expect("it fits"));
        let guard = guard_of(
            &contract,
            narrowed.as_ref(),
            &Map::new(),
            &Limits::default(),
        );
        let advice = Advice::new(&contract, narrowed.as_ref());
        (guard.expect("a guard"), advice)
    }

    fn read(guard: &Guard, advice: &mut Advice, path: &str) {
        let path = Path::parse(path).expect(path);
        advice.add(&guard.read(&path, "get").expect_err("a violation"));
    }

    fn write(guard: &Guard, advice: &mut Advice, path: &str, op: WriteOp) {
        let path = Path::parse(path).expect(path);
        advice.add(&guard.write(&path, op).expect_err("a violation"));
    }

    #[test]
    fn the_lists_are_whole_and_hold_no_path_twice() {
        let (guard, mut advice) = set_up(None);
        assert!(advice.is_empty() && advice.to_string().is_empty());
        read(&guard, &mut advice, "domain.c.x");
        read(&guard, &mut advice, "domain.c.x");
        read(&guard, &mut advice, "domain.c");
        read(&guard, &mut advice, "domain.c.y");
        write(&guard, &mut advice, "domain.d[\"a \\\"b\"]", WriteOp::Set);
        // An index grants `set` only: the list has to be declared.
        write(&guard, &mut advice, "domain.rows[3]", WriteOp::Remove);
        assert_eq!(
            advice.to_string(),
            "the contract of `p` would have to say:\n\
             \x20   inputs = [\"domain.a\", \"domain.c\"],\n\
             \x20   outputs = [\"domain.b\", \"domain.sig_x\", \"domain.rows[3]\", \"domain.d[\\\"a \\\\\\\"b\\\"]\", \"domain.rows\"],\n"
        );
    }

    #[test]
    fn what_strict_mode_would_refuse_is_no_line() {
        let (guard, mut advice) = set_up(None);
        read(&guard, &mut advice, "domain.sig_x");
        write(&guard, &mut advice, "global.max", WriteOp::Set);
        write(&guard, &mut advice, "domain.sig_x", WriteOp::Remove);
        let text = advice.to_string();
        assert!(
            text.starts_with("no contract would allow `p` this:\n    `get` of `domain.sig_x`"),
            "{text}"
        );
        assert!(text.contains("processes do not write `global`"), "{text}");
        assert!(
            text.contains("a signal output accepts `set` only"),
            "{text}"
        );
        assert_eq!(advice.missing_in_contract(PolicyList::Outputs).count(), 0);
    }

    #[test]
    fn what_the_policy_withholds_is_the_policy_s_line() {
        let (guard, mut advice) = set_up(Some(ProcessPolicy::new().outputs(["domain.sig_x"])));
        write(&guard, &mut advice, "domain.b", WriteOp::Set);
        write(&guard, &mut advice, "domain.z", WriteOp::Set);
        assert_eq!(
            advice.to_string(),
            "the contract of `p` would have to say:\n\
             \x20   outputs = [\"domain.b\", \"domain.sig_x\", \"domain.rows[3]\", \"domain.z\"],\n\
             the policy of `p` would have to say:\n\
             \x20   outputs = [\"domain.sig_x\", \"domain.b\", \"domain.z\"],\n"
        );
        assert_eq!(advice.missing_in_policy(PolicyList::Outputs).count(), 2);
        assert_eq!(advice.missing_in_policy(PolicyList::Inputs).count(), 0);
    }

    #[test]
    fn a_guest_cannot_make_it_grow_without_bound() {
        let (guard, mut advice) = set_up(None);
        for index in 0..1_000 {
            read(&guard, &mut advice, &format!("domain.k{index}"));
        }
        assert_eq!(
            advice.missing_in_contract(PolicyList::Inputs).count(),
            MAX_KEPT
        );
        assert!(advice.to_string().ends_with("and 744 more places of `p`\n"));
    }
}
