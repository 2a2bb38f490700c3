//! Printed text, without what differs from run to run and from machine to machine.

/// The text with digests, times, sizes, fuel and wasm offsets replaced, and texts that are `hidden` behind their stand-ins.
#[must_use]
pub fn normalized(text: &str, hidden: &[(String, String)]) -> String {
    let mut normal = String::with_capacity(text.len());
    let text = hidden
        .iter()
        .fold(text.to_owned(), |text, (hidden, shown)| {
            text.replace(hidden.as_str(), shown)
        });
    for line in text.lines().filter(|line| !is_progress(line)) {
        normal.push_str(&normalized_line(line));
        normal.push('\n');
    }
    normal
}

/// What takes longer than a second is told of as it begins: on a slow machine that is more than on a fast one.
fn is_progress(line: &str) -> bool {
    let work = ["building ", "compiling ", "reading ", "running "];
    line.ends_with(" ...") && work.iter().any(|word| line.starts_with(word))
}

fn normalized_line(line: &str) -> String {
    // The timeline's bars are as long as the times are.
    let line = match line.trim_end_matches('=') {
        cut if cut.len() < line.len() && cut.ends_with(' ') => cut.trim_end(),
        _ => line,
    };
    let words: Vec<&str> = line.split(' ').collect();
    let mut normal: Vec<String> = Vec::with_capacity(words.len());
    let mut measured = false;
    for (index, word) in words.iter().enumerate() {
        let next = words.get(index + 1).copied().unwrap_or_default();
        if measured {
            // Which unit of time it is depends on the time.
            normal.push(
                if ["ms", "s"].contains(word) {
                    "us"
                } else {
                    word
                }
                .to_owned(),
            );
            measured = false;
        } else if is_measure(
            word,
            next.trim_end_matches(|it: char| !it.is_alphanumeric()),
        ) {
            // Numbers stand in columns, and their width is no matter; the blanks in front of a line are its indentation.
            let kept = normal.iter().rposition(|it| !it.is_empty());
            normal.truncate(kept.map_or(normal.len(), |last| last + 1));
            normal.push(with_number_replaced(word));
            measured = true;
        } else {
            normal.push(normalized_word(word));
        }
    }
    normal.join(" ")
}

/// Whether a word is a number that a unit follows which measures this machine or this build.
fn is_measure(word: &str, unit: &str) -> bool {
    let number = word.trim_start_matches('(');
    let is_number = number.starts_with(|it: char| it.is_ascii_digit())
        && number
            .chars()
            .all(|it| it.is_ascii_digit() || ".,".contains(it));
    // Text that was normalised by hand stays as it is.
    (is_number || number == "N") && ["us", "ms", "s", "KiB", "MiB", "bytes", "fuel"].contains(&unit)
}

fn with_number_replaced(word: &str) -> String {
    let open = word.len() - word.trim_start_matches('(').len();
    format!("{}N", &word[..open])
}

fn normalized_word(word: &str) -> String {
    // Where cargo puts what it builds is a setting of the user's.
    if let Some(at) = word.find("wasm32-")
        && word[..at].ends_with('/')
    {
        return format!("target/{}", &word[at..]);
    }
    for mark in ["sha256:", "0x"] {
        if let Some(at) = word.find(mark) {
            let start = at + mark.len();
            let digits = word[start..].trim_start_matches(|it: char| it.is_ascii_hexdigit());
            if digits.len() < word.len() - start {
                return format!("{}N{digits}", &word[..start]);
            }
        }
    }
    word.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_between_runs_is_replaced() {
        for (text, expected) in [
            ("a = 5, version 0 -> 1", "a = 5, version 0 -> 1"),
            ("  lock            3.2 us    ==", "  lock N us"),
            ("  execution       1.23 ms  ====", "  execution N us"),
            ("  total           1.20 s", "  total N us"),
            ("(sha256:00ff19)", "(sha256:N)"),
            ("at wasm offset 0x2b8c9: why", "at wasm offset 0xN: why"),
            (
                "size 109.4 KiB (112,001 bytes), as",
                "size N KiB (N bytes), as",
            ),
            ("(N bytes), as", "(N bytes), as"),
            ("a == b", "a == b"),
            (
                "/x/y/target/wasm32-wasip2/release/a.wasm: it",
                "target/wasm32-wasip2/release/a.wasm: it",
            ),
            ("price=500", "price=500"),
        ] {
            assert_eq!(normalized(text, &[]), format!("{expected}\n"));
        }
        assert_eq!(normalized("compiling the guest ...\na\n", &[]), "a\n");
        let hidden = [("/tmp/x".to_owned(), "$CASE".to_owned())];
        assert_eq!(normalized("/tmp/x/a /tmp/x", &hidden), "$CASE/a $CASE\n");
    }
}
