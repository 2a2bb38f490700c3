//! The words of a command line, as a file has them.

/// Splits a command into words: at blanks, but not between `'` and `'`.
///
/// # Errors
///
/// A quote that is left open, or no word at all.
pub fn split(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quoted = false;
    for char in text.chars() {
        match char {
            '\'' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            blank if blank.is_whitespace() && !quoted => words.extend(word.take()),
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    match (quoted, words.is_empty()) {
        (true, _) => Err("a quote is left open".into()),
        (_, true) => Err("it has no words".into()),
        _ => Ok(words),
    }
}

/// Replaces the names that texts stand in for; a name ends where its letters do.
pub(super) fn fill(word: &str, stand_ins: &[(String, String)]) -> Result<String, String> {
    let mut filled = String::with_capacity(word.len());
    let mut rest = word;
    while let Some(at) = rest.find('$') {
        filled.push_str(&rest[..at]);
        let name = &rest[at..];
        let end = name[1..]
            .find(|it: char| !it.is_ascii_alphanumeric() && it != '_')
            .map_or(name.len(), |end| end + 1);
        let (name, behind) = name.split_at(end);
        match stand_ins.iter().find(|(known, _)| known == name) {
            Some((_, text)) => filled.push_str(text),
            // `$` is a letter of values, too: only what looks like a name is held to be one.
            None if name.len() > 1
                && name[1..]
                    .bytes()
                    .all(|it| it.is_ascii_uppercase() || it == b'_') =>
            {
                let known: Vec<_> = stand_ins.iter().map(|(known, _)| known.as_str()).collect();
                return Err(format!(
                    "nothing is called `{name}`; there is {}",
                    known.join(", ")
                ));
            }
            None => filled.push_str(name),
        }
        rest = behind;
    }
    filled.push_str(rest);
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_split_into_words() {
        let words = |text| split(text).map(|words| words.join("|"));
        assert_eq!(words("run  x\n a='b c'd ''"), Ok("run|x|a=b cd|".into()));
        assert!(words("run 'x").is_err() && words(" \n").is_err());
    }

    #[test]
    fn names_are_replaced_wherever_they_stand() {
        let stand_ins = [("$GUEST", "/a.wasm"), ("$GUESTS", "/guests")];
        let stand_ins = stand_ins.map(|(name, text)| (name.to_owned(), text.to_owned()));
        let filled = |word| fill(word, &stand_ins);
        for (word, expected) in [
            ("$GUEST", "/a.wasm"),
            ("prices=$GUESTS/prices", "prices=/guests/prices"),
            (r#"data:={"$bytes":"AA=="}"#, r#"data:={"$bytes":"AA=="}"#),
            ("price=5$", "price=5$"),
            ("price=$5", "price=$5"),
            ("none", "none"),
        ] {
            assert_eq!(filled(word).as_deref(), Ok(expected));
        }
        let unknown = filled("$GUETS").expect_err("a slip");
        assert_eq!(
            unknown,
            "nothing is called `$GUETS`; there is $GUEST, $GUESTS"
        );
    }
}
