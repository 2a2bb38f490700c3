//! Topics of outbox messages, as a policy restricts them.

use crate::limits::Limits;
use crate::path::cut;
use std::fmt;
use std::sync::Arc;

/// The topics that a process may send to: names, and beginnings of names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topics(Arc<[TopicPattern]>);

/// One topic, or all that begin alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicPattern {
    /// The topic, or how it begins.
    text: String,
    reach: Reach,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// The topic of that name.
    Exact,
    /// Every topic that begins with it.
    Prefix,
}

/// A message went to a topic that the policy does not grant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`send` to the topic `{}` is outside the policy; {granted}",
    cut(topic)
)]
pub struct TopicWithheld {
    /// The topic.
    pub topic: String,
    /// What is granted.
    pub granted: Topics,
}

impl TopicPattern {
    /// Parses a topic as a policy writes it: its name, or how it begins and a `*`.
    ///
    /// # Errors
    ///
    /// What is wrong about it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (text, reach) = match text.strip_suffix('*') {
            Some(text) => (text, Reach::Prefix),
            None => (text, Reach::Exact),
        };
        if text.contains('*') {
            return Err("has a `*` that is not its last character".into());
        }
        if text.is_empty() && reach == Reach::Exact {
            return Err("is empty, and no topic should be".into());
        }
        if text.len() as u64 > Limits::TOPIC_BYTES {
            return Err(format!(
                "is longer than the {} bytes of a topic",
                Limits::TOPIC_BYTES
            ));
        }
        Ok(Self {
            text: text.to_owned(),
            reach,
        })
    }

    fn covers(&self, topic: &str) -> bool {
        match self.reach {
            Reach::Exact => topic == self.text,
            Reach::Prefix => topic.starts_with(&self.text),
        }
    }
}

impl Topics {
    /// The topics of a policy; an empty list grants none.
    #[must_use]
    pub fn new(patterns: Vec<TopicPattern>) -> Self {
        Self(patterns.into())
    }

    /// Decides whether a message may go to a topic.
    ///
    /// # Errors
    ///
    /// [`TopicWithheld`] where no pattern covers it.
    pub fn allow(&self, topic: &str) -> Result<(), Box<TopicWithheld>> {
        if self.0.iter().any(|pattern| pattern.covers(topic)) {
            return Ok(());
        }
        Err(Box::new(TopicWithheld {
            topic: topic.to_owned(),
            granted: self.clone(),
        }))
    }

    /// The patterns, as a policy writes them.
    #[must_use]
    pub fn texts(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }
}

impl TopicWithheld {
    /// How to mend it.
    #[must_use]
    pub fn remedy(&self) -> String {
        format!(
            "add \"{}\" to the policy's `topics`, or do not send it",
            cut(&self.topic)
        )
    }
}

impl fmt::Display for TopicPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        match self.reach {
            Reach::Exact => Ok(()),
            Reach::Prefix => f.write_str("*"),
        }
    }
}

impl fmt::Display for Topics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0[..] {
            [] => f.write_str("it grants no topic"),
            _ => write!(f, "granted topics: {}", self.texts().join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topics(patterns: &[&str]) -> Topics {
        let parsed = patterns
            .iter()
            .map(|it| TopicPattern::parse(it).expect(it))
            .collect();
        Topics::new(parsed)
    }

    #[test]
    fn a_topic_is_granted_by_its_name_or_its_beginning() {
        for (patterns, topic, granted) in [
            (&["orders"][..], "orders", true),
            (&["orders"], "orders.new", false),
            (&["orders"], "order", false),
            (&["orders"], "Orders", false),
            (&["orders.*"], "orders.new", true),
            (&["orders.*"], "orders.", true),
            (&["orders.*"], "orders", false),
            (&["a", "b*"], "bc", true),
            (&["*"], "", true),
            (&["*"], "anything", true),
            (&[], "orders", false),
            // A topic that only looks like the pattern.
            (&["orders"], "orders*", false),
            (&["orders"], "orders\0", false),
            (&["orders*"], "orders*", true),
        ] {
            let found = topics(patterns).allow(topic).is_ok();
            assert_eq!(found, granted, "{patterns:?} {topic:?}");
        }
        let refused = topics(&["a", "b.*"]).allow("c").expect_err("withheld");
        assert_eq!(
            refused.to_string(),
            "`send` to the topic `c` is outside the policy; granted topics: a, b.*"
        );
        assert!(refused.remedy().contains("add \"c\""));
        let none = topics(&[]).allow("c").expect_err("withheld").to_string();
        assert!(none.ends_with("it grants no topic"), "{none}");
    }

    #[test]
    fn what_is_no_pattern_says_why() {
        for (text, problem) in [
            ("", "is empty"),
            ("a*b", "not its last character"),
            ("**", "not its last character"),
            (&"x".repeat(257), "longer than the 256 bytes"),
        ] {
            let error = TopicPattern::parse(text).expect_err(text);
            assert!(error.contains(problem), "{error}");
        }
        assert!(TopicPattern::parse(&"x".repeat(256)).is_ok());
    }
}
