//! What makes no sense in a schema: words that contradict one another, or that could never decide anything.

use super::breach::{Findings, Place as Where};
use super::declaration::{Declaration, Presence};
use super::reader::{Places, Position, Reader, Subject};
use super::{check, defaults};
use crate::contract::Kind;
use crate::path;
use crate::source::Key;
use crate::source::error::quoted;
use crate::source::words::with_nearest;
use crate::zone::{self, Hidden, Zone};

impl Reader<'_> {
    /// A key that the host keeps for itself, or whose prefix would say nothing where it stands.
    pub(super) fn key_can_be(&mut self, map: &Subject, field: &Subject, key: &Key) {
        let shown = path::cut(&key.text);
        if zone::is_private(&key.text) {
            self.report.refuse(
                key.place,
                format!(
                    "`{}` is private to the host: no context holds it",
                    field.text
                ),
                "a key of a context does not begin with `_`".to_owned(),
            );
        } else if let (Some(above), Some(_)) = (map.zone, Zone::of_key(&key.text)) {
            self.report.refuse(
                key.place,
                format!(
                    "`{shown}` cannot be below `{}`: everything there is in the {} zone",
                    map.text,
                    above.name()
                ),
                "name the key without a prefix, or move it out".to_owned(),
            );
        }
    }

    pub(super) fn can_be_required(&mut self, field: &Subject, key: &Key) {
        let zone = field.zone.unwrap_or(Zone::Data);
        let problem = if !zone.is_readable() {
            format!(
                "`{}` is in the {} zone, where a key is there only once a run has set it",
                field.text,
                zone.name()
            )
        } else if field.in_element && Zone::of_key(&key.text).is_some() {
            format!(
                "`{}` is in an element of a list, and no process can append one that holds a key of the {} zone",
                field.text,
                zone.name()
            )
        } else {
            return;
        };
        let message = format!("{problem}: it cannot be required");
        let help = "remove `required`".to_owned();
        self.report.refuse(key.place, message, help);
    }

    /// Words that say nothing about values of the declared kind.
    pub(super) fn fits_kind(&mut self, what: &str, declared: &Declaration, places: &Places) {
        for (word, kinds) in [
            ("min", &[Kind::Int, Kind::Float][..]),
            ("max", &[Kind::Int, Kind::Float]),
            (
                "max_len",
                &[Kind::String, Kind::Bytes, Kind::List, Kind::Map],
            ),
            ("items", &[Kind::List]),
            ("fields", &[Kind::Map]),
            ("open", &[Kind::Map]),
        ] {
            let Some(place) = places.of(word).filter(|_| !kinds.contains(&declared.kind)) else {
                continue;
            };
            let message = format!(
                "`{word}` says nothing about {what}, whose type is `{}`",
                declared.kind
            );
            let names = quoted(kinds.iter().map(|kind| kind.name()));
            let meant = (word == "max" && kinds_with_len(declared.kind)).then_some("max_len");
            let help = with_nearest(meant, &format!("`{word}` is for the type {names}"));
            self.report.refuse(place, message, help);
        }
    }

    /// Words that say nothing where the declaration stands.
    pub(super) fn fits_position(
        &mut self,
        subject: &Subject,
        declared: &Declaration,
        places: &Places,
    ) {
        let (what, help) = match subject.position {
            Position::Field => return,
            Position::Layer => ("a layer is always there", "remove it"),
            Position::Element => (
                "an element of a list is always there",
                "say it of the list, or of the element's own `fields`",
            ),
        };
        for word in ["required", "default"] {
            if let Some(place) = places.of(word) {
                let message = format!("`{word}` says nothing about `{}`: {what}", subject.text);
                self.report.refuse(place, message, help.to_owned());
            }
        }
        if let (Position::Layer, Some(place), false) = (
            subject.position,
            places.of("type"),
            declared.kind == Kind::Map,
        ) {
            let message = format!("`{}` is a layer, which is always a map", subject.text);
            self.report
                .refuse(place, message, "write `type: map`".to_owned());
        }
    }

    /// Words that contradict one another.
    pub(super) fn agrees(&mut self, what: &str, declared: &Declaration, places: &Places) {
        if let (Some(min), Some(max)) = (declared.min, declared.max)
            && min > max
            && let Some(place) = places.of("max")
        {
            let message = format!("`min` {min} is above `max` {max}, so no value of {what} fits");
            self.report
                .refuse(place, message, "swap them, or remove one".to_owned());
        }
        if declared.presence == Presence::Required
            && declared.default.is_some()
            && let Some(place) = places.of("default")
        {
            let message = format!(
                "`required` and `default` contradict each other: {what} need not be given where it has a default"
            );
            self.report
                .refuse(place, message, "remove one of them".to_owned());
        }
        if let (Some(place), None) = (places.of("open"), places.of("fields")) {
            let message = format!("`open` says nothing about {what}, which has no `fields`");
            let help = "a map without `fields` takes any key".to_owned();
            self.report.refuse(place, message, help);
        }
        let required = declared.required().count() as u64;
        if let Some(max_len) = declared.max_len
            && required > max_len
            && let Some(place) = places.of("max_len")
        {
            let message = format!(
                "`max_len` {max_len} leaves no room for the {required} required keys of {what}"
            );
            self.report
                .refuse(place, message, format!("raise it to {required} at least"));
        }
    }

    /// A default as a new context would have it: with the defaults below it filled in.
    pub(super) fn default_fits(
        &mut self,
        subject: &Subject,
        declared: &Declaration,
        places: &Places,
    ) {
        let (Some(default), Some(place)) = (&declared.default, places.of("default")) else {
            return;
        };
        if let Some(key) = default.hidden_key(Hidden::Private) {
            let message = format!(
                "the default of `{}` holds `{}`, which is private to the host",
                subject.text,
                path::cut(key)
            );
            self.report.refuse(place, message, None);
            return;
        }
        let mut filled = default.clone();
        defaults::fill(declared, &mut filled);
        let mut findings = Findings::new(self.source, 1);
        check::whole(
            declared,
            &filled,
            Where::Layer(subject.layer),
            &mut findings,
        );
        if let Some(breach) = findings.breaches.first() {
            // The path begins at the layer, which stands in for the subject.
            let inner = breach.path.to_string();
            let inner = inner.strip_prefix(subject.layer.name()).unwrap_or_default();
            let message = format!(
                "the default of `{0}` breaks its own declaration: `{0}{inner}` {1}",
                subject.text, breach.problem
            );
            let help = "give a default that fits".to_owned();
            self.report.refuse(place, message, help);
        }
    }
}

fn kinds_with_len(kind: Kind) -> bool {
    matches!(kind, Kind::String | Kind::Bytes | Kind::List | Kind::Map)
}
