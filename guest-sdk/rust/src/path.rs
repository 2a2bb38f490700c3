//! Paths with keys that are known only when the process runs.

use std::fmt::Write as _;

/// Builds a path from a fixed beginning and keys or indices that the process computes.
///
/// A key is one whole key whatever it holds: it is quoted where that is needed, and never read as syntax. An index
/// stands in brackets.
///
/// ```
/// use theus_guest::path;
///
/// let user = "a@b.org";
/// assert_eq!(path!("domain.accounts", user, "balance"), r#"domain.accounts["a@b.org"].balance"#);
/// assert_eq!(path!("domain.items", [3], "price"), "domain.items[3].price");
/// ```
#[macro_export]
macro_rules! path {
    ($start:expr $(, $($rest:tt)*)?) => {{
        #[allow(unused_mut)]
        let mut path = ::std::string::String::from($start);
        $($crate::__path_segments!(path, $($rest)*);)?
        path
    }};
}

/// The segments of [`path!`], one by one.
#[doc(hidden)]
#[macro_export]
macro_rules! __path_segments {
    ($path:ident $(,)?) => {};
    ($path:ident, [$index:expr] $(, $($rest:tt)*)?) => {
        $crate::__private::push_index(&mut $path, $index);
        $($crate::__path_segments!($path, $($rest)*);)?
    };
    ($path:ident, $key:expr $(, $($rest:tt)*)?) => {
        $crate::__private::push_key(&mut $path, ::std::convert::AsRef::<str>::as_ref(&$key));
        $($crate::__path_segments!($path, $($rest)*);)?
    };
}

/// Appends a key, quoted unless it is a bare name.
pub fn push_key(path: &mut String, key: &str) {
    let bare = |letter: u8| letter.is_ascii_alphanumeric() || letter == b'_' || letter == b'-';
    if !key.is_empty() && key.bytes().all(bare) {
        path.push('.');
        path.push_str(key);
        return;
    }
    path.push_str("[\"");
    for letter in key.chars() {
        if matches!(letter, '"' | '\\') {
            path.push('\\');
        }
        path.push(letter);
    }
    path.push_str("\"]");
}

/// Appends a list index.
pub fn push_index(path: &mut String, index: u64) {
    // Writing to a string cannot fail.
    let _ = write!(path, "[{index}]");
}

#[cfg(test)]
mod tests {
    #[test]
    fn keys_are_quoted_only_where_needed() {
        for (key, path) in [
            ("items", "domain.items"),
            ("a-b_9", "domain.a-b_9"),
            ("", r#"domain[""]"#),
            ("a.b", r#"domain["a.b"]"#),
            ("[0]", r#"domain["[0]"]"#),
            ("é", r#"domain["é"]"#),
            (r#"say "\"#, r#"domain["say \"\\"]"#),
        ] {
            assert_eq!(path!("domain", key), path, "{key}");
        }
    }

    #[test]
    fn segments_mix_and_a_trailing_comma_is_allowed() {
        let owned = String::from("x");
        assert_eq!(path!("domain"), "domain");
        assert_eq!(
            path!("domain.a", owned, [7], "b", [0],),
            "domain.a.x[7].b[0]"
        );
    }
}
