//! The examples of `host/docs/schema.md`.

use super::schema;
use crate::schema::Schema;
use crate::source::Node;
use crate::source::error::Source;
use crate::tree::Tree;
use crate::value::Value;

const PAGE: &str = include_str!("../../../../docs/schema.md");

/// The fenced blocks of the page: what stands behind the fence, and the text.
fn blocks() -> Vec<(&'static str, String)> {
    let mut blocks: Vec<(&str, String)> = Vec::new();
    let mut open = false;
    for line in PAGE.lines() {
        match line.strip_prefix("```") {
            Some(word) if !open => {
                blocks.push((word, String::new()));
                open = true;
            }
            Some(_) => open = false,
            None if open => {
                if let Some((_, text)) = blocks.last_mut() {
                    text.push_str(line);
                    text.push('\n');
                }
            }
            None => {}
        }
    }
    blocks
}

fn context(text: &str) -> Tree {
    let source = Source::new("context.yaml", text);
    let value = Node::of_yaml(&source, text).map(|node| node.value());
    match value {
        Ok(Ok(value @ Value::Map(_))) => {
            crate::context_source::context_from_value(&value).expect(text)
        }
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn the_examples_of_the_documentation_are_right() {
    let mut last: Option<Result<Schema, String>> = None;
    let (mut right, mut wrong, mut contexts) = (0, 0, 0);
    for (word, text) in blocks() {
        match word {
            "yaml schema" => {
                last = Some(Ok(schema(&text)));
                right += 1;
            }
            "yaml wrong" => {
                let errors = Schema::parse(&text, "schema.yaml").expect_err(&text);
                last = Some(Err(errors.to_string()));
            }
            "text" => {
                let Some(Err(errors)) = &last else {
                    panic!("no wrong schema before {text}")
                };
                assert_eq!(errors, text.trim_end());
                wrong += 1;
            }
            "yaml context" => {
                let Some(Ok(schema)) = &last else {
                    panic!("no schema before {text}")
                };
                let mut tree = context(&text);
                schema.fill_defaults(&mut tree);
                schema
                    .check(&tree)
                    .unwrap_or_else(|breaches| panic!("{text}\n{breaches}"));
                contexts += 1;
            }
            "console" | "rust" => {}
            other => panic!("a block of an unknown kind: {other:?}"),
        }
    }
    assert!(
        right >= 4 && wrong >= 1 && contexts >= 1,
        "{right} {wrong} {contexts}"
    );
}
