//! The nearest of some names, for messages about a name that is not among them.

/// The name that somebody who wrote `wanted` most likely meant, if any is near enough.
pub(super) fn nearest<'a>(
    wanted: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let wanted: Vec<char> = wanted.chars().take(MAX_CHARS).collect();
    let tolerated = (wanted.len() / 3).max(1);
    names
        .into_iter()
        .map(|name| (distance(&wanted, name), name))
        .filter(|(distance, _)| *distance <= tolerated)
        .min()
        .map(|(_, name)| name)
}

/// The sentence that offers it.
pub(super) fn did_you_mean<'a>(
    wanted: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    nearest(wanted, names).map(|name| format!("did you mean `{name}`?"))
}

const MAX_CHARS: usize = 64;

/// Insertions, removals, replacements and swaps of neighbours that lie between two words, in any case of letters
/// (optimal string alignment; Boytsov 2011).
fn distance(one: &[char], other: &str) -> usize {
    let other: Vec<char> = other.chars().take(MAX_CHARS).collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (row, left) in one.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, right) in other.iter().enumerate() {
            let replaced = last[column] + usize::from(!left.eq_ignore_ascii_case(right));
            let mut best = replaced.min(last[column + 1] + 1).min(current[column] + 1);
            if row > 0 && column > 0 && *left == other[column - 1] && one[row - 1] == *right {
                best = best.min(before_last[column - 1] + 1);
            }
            current.push(best);
        }
        before_last = std::mem::replace(&mut last, current);
    }
    last[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_found_and_strangers_are_not() {
        let names = ["product_name", "price", "add_product"];
        for (wanted, expected) in [
            ("prodcut_name", Some("product_name")),
            ("Price", Some("price")),
            ("prise", Some("price")),
            ("addproduct", Some("add_product")),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(nearest(wanted, names), expected, "{wanted}");
        }
    }
}
