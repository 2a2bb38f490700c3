//! The steps of a run, each as a bar from where it began to where it ended.

use super::super::color::{Role, Style};
use std::fmt::Write as _;
use theus_host::Steps;

const WIDTH: f64 = 40.0;

/// The steps with their times, one under the other.
pub(in super::super) fn timeline(steps: &Steps, style: Style) -> String {
    let heading = style.paint(Role::Heading, "steps:");
    if steps.iter().next().is_none() {
        return format!("{heading} none was completed\n");
    }
    let mut text = format!("{heading}\n");
    let total: f64 = steps.iter().map(|step| step.micros()).sum();
    let mut begun = 0.0;
    for step in steps.iter() {
        let ended = begun + step.micros();
        let bar = style.paint(Role::Good, bar(begun / total, ended / total));
        let _ = writeln!(
            text,
            "  {:<11} {:>9}  {bar}",
            step.name.name(),
            time(step.micros())
        );
        begun = ended;
    }
    let _ = writeln!(text, "  {:<11} {:>9}", "total", time(total));
    text
}

/// A time in the unit that leaves it short.
pub(super) fn time(micros: f64) -> String {
    match micros {
        it if it < 1e3 => format!("{it:.1} us"),
        it if it < 1e6 => format!("{:.2} ms", it / 1e3),
        it => format!("{:.2} s", it / 1e6),
    }
}

/// At least one mark wide, and never past the end.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of the width; a float cast saturates"
)]
fn bar(from: f64, to: f64) -> String {
    let start = ((from * WIDTH).floor() as usize).min(WIDTH as usize - 1);
    let end = ((to * WIDTH).round() as usize).clamp(start + 1, WIDTH as usize);
    format!("{}{}", " ".repeat(start), "=".repeat(end - start))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use theus_host::Step;

    #[test]
    fn every_step_has_its_bar() {
        let steps = |times: &[(Step, f64)]| -> Steps {
            times
                .iter()
                .map(|(step, micros)| (*step, Duration::from_secs_f64(micros / 1e6)))
                .collect()
        };
        let four = steps(&[
            (Step::InputGate, 100.0),
            (Step::Lock, 0.0),
            (Step::Execution, 1800.0),
            (Step::Commit, 100.0),
        ]);
        let expected = "\
steps:
  input-gate   100.0 us  ==
  lock           0.0 us    =
  execution     1.80 ms    ====================================
  commit       100.0 us                                        ==
  total         2.00 ms
";
        assert_eq!(timeline(&four, Style::PLAIN), expected);
        assert_eq!(time(2_500_000.0), "2.50 s");
        assert_eq!(
            timeline(&Steps::default(), Style::PLAIN),
            "steps: none was completed\n"
        );
        // A clock that did not move divides by nothing.
        assert!(timeline(&steps(&[(Step::Lock, 0.0)]), Style::PLAIN).contains('='));
    }
}
