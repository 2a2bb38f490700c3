//! The names of a guest's functions, as a person reads them.
//!
//! They come from the guest, and two hundred bytes of a C++ name can stand for a text without end. So nothing here is written out
//! in full: whatever makes the text is stopped as soon as there is enough of it.

use cpp_demangle::{DemangleOptions, Symbol};
use std::fmt::{self, Display, Write};

/// What is written of a name before it is looked at further.
const MAX_NAME: usize = 1024;

/// A function's name without its mangling: Rust's, C++'s, or none.
pub(super) fn demangled(name: &str) -> String {
    if let Ok(name) = rustc_demangle::try_demangle(name) {
        return beginning_of(&name, MAX_NAME);
    }
    let mut text = Beginning::of(MAX_NAME);
    let written = Symbol::new(name).map(|symbol| {
        // An error is the end of the room, or of what the name says; both show in what is there by then.
        let _ = symbol.structured_demangle(&mut text, &DemangleOptions::default());
    });
    match written {
        Ok(()) if !text.written.is_empty() => text.written,
        _ => beginning_of(&name, MAX_NAME),
    }
}

/// The first bytes of a text that may be long.
pub(super) fn beginning_of(text: &(impl Display + ?Sized), bytes: usize) -> String {
    let mut beginning = Beginning::of(bytes);
    // The only error is that there is enough.
    let _ = write!(beginning, "{text}");
    beginning.written
}

/// Takes text until there is enough of it.
struct Beginning {
    written: String,
    room: usize,
}

impl Beginning {
    fn of(room: usize) -> Self {
        Self {
            written: String::new(),
            room,
        }
    }
}

impl Write for Beginning {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let fits = text.floor_char_boundary(self.room);
        self.written.push_str(&text[..fits]);
        self.room -= fits;
        if fits < text.len() {
            return Err(fmt::Error);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    #[test]
    fn names_of_any_language_are_readable() {
        for (name, readable) in [
            (
                "_ZN5probe7endings5panic17h0123456789abcdefE",
                "probe::endings::panic::h0123456789abcdef",
            ),
            ("_RNvC5probe4work", "probe::work"),
            ("_Z3addii", "add(int, int)"),
            ("assembly/index/work", "assembly/index/work"),
            ("_Z", "_Z"),
            ("", ""),
        ] {
            assert_eq!(demangled(name), readable, "{name}");
        }
    }

    /// `f(A, B<A, A>, B<B<A, A>, B<A, A>>, …)`: each parameter has the one before twice.
    #[test]
    fn a_name_that_doubles_is_cut() {
        let number = |number: usize| match number {
            0 => "S_".to_owned(),
            1..=10 => format!("S{}_", number - 1),
            _ => format!(
                "S{}_",
                char::from(b'A' + u8::try_from(number - 11).expect("few"))
            ),
        };
        let mut name = "_Z1f1A1BIS_S_E".to_owned();
        for level in 2..26 {
            let before = number(level);
            name += &format!("S0_I{before}{before}E");
        }
        let started = Instant::now();
        let text = demangled(&name);
        assert!(
            text.starts_with("f(A, B<A, A>, B<B<A, A>, B<A, A> >"),
            "{text}"
        );
        assert!(text.len() <= MAX_NAME, "{}", text.len());
        // In full it would be some gigabytes.
        assert!(started.elapsed() < Duration::from_secs(2));
    }
}
