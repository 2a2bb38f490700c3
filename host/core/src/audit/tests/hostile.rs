//! Recipe files that are too large, too deep, or nonsense.

use super::file::{SEED, errors};
use super::*;
use proptest::prelude::*;

#[test]
fn a_file_is_bounded() {
    let long = format!("#{}", "x".repeat(MAX_RECIPE_BYTES));
    assert_eq!(
        errors(&long),
        "recipe.yaml: the recipe has 1048577 bytes, at most 1048576 are allowed"
    );
    let deep = "[".repeat(10_000);
    assert!(errors(&deep).contains("not YAML"));
    let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n";
    assert!(errors(bomb).contains("not YAML"));
    let many = format!("process_recipes: {{a: {{inputs: [{}]}}}}", "5,".repeat(500));
    let found = Recipe::parse(&many, "recipe.yaml").expect_err("refused");
    assert_eq!((found.errors.len(), found.omitted), (100, 400));
    let last = found.errors.last().map(ToString::to_string).expect("one");
    assert!(last.len() < 800, "{last}");
    assert!(found.to_string().ends_with("and 400 more"));
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0usize..6, "[-{}\\[\\]:,*&#'\"|>?!% \n\ta-z0-9ü.]{0,4}"), 1..8)
    ) {
        let mut text: Vec<char> = SEED.chars().collect();
        for (at, removed, inserted) in edits {
            let at = at.index(text.len() + 1);
            let end = (at + removed).min(text.len());
            text.splice(at..end, inserted.chars());
        }
        let text: String = text.into_iter().collect();
        match Recipe::parse(&text, "recipe.yaml") {
            Ok(recipe) => drop(recipe.bind(&contract())),
            Err(errors) => {
                prop_assert!(!errors.errors.is_empty());
                prop_assert!(errors.to_string().starts_with("recipe.yaml"));
            }
        }
    }
}
