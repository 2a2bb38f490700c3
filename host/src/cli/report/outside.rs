//! What a run was given from outside the context, and what it did there.

use super::{View, section};
use crate::cli::color::Role;
use crate::cli::text::{escape, grouped};
use theus_host::{FileChange, FileOp, Outside, Receipt};

/// The widest column of places.
const PLACE_CHARS: usize = 40;

/// The sections of a run that has side effects; nothing for all others.
pub(super) fn outside(text: &mut String, receipt: &Receipt, view: View) {
    let Some(outside) = &receipt.outside else {
        return;
    };
    let given = given(outside);
    section(text, "outside:", &given, view, |(what, found)| {
        format!("{what:<7} {}", escape(found))
    });
    let width = outside
        .files
        .iter()
        .map(|it| escape(&it.path).chars().count());
    let width = width.max().unwrap_or(0).min(PLACE_CHARS);
    section(text, "files:", &outside.files, view, |change| {
        file(change, width, view)
    });
}

fn given(outside: &Outside) -> Vec<(&'static str, String)> {
    let mut given = Vec::new();
    if let Some(time) = outside.time {
        let time = humantime::format_rfc3339_nanos(time).to_string();
        given.push(("clock", time));
    }
    if let Some(seed) = outside.seed {
        given.push(("random", format!("seed {seed}")));
    }
    let read: Vec<_> = outside
        .directories
        .iter()
        .map(|it| format!("/{it}"))
        .collect();
    if !read.is_empty() {
        given.push(("reads", read.join(", ")));
    }
    if let Some(name) = &outside.writable {
        given.push(("writes", format!("/{name}")));
    }
    given
}

fn file(change: &FileChange, width: usize, view: View) -> String {
    let (sign, role) = match change.op {
        FileOp::Create | FileOp::CreateDirectory => ("+", Role::Good),
        FileOp::Remove | FileOp::RemoveDirectory => ("-", Role::Bad),
        _ => ("~", Role::Notice),
    };
    let place = escape(&change.path);
    let place = view
        .style
        .paint(role, format_args!("{sign} {place:<width$}"));
    let what = match (change.op, change.bytes) {
        (FileOp::CreateDirectory | FileOp::RemoveDirectory, _) => "  directory".to_owned(),
        (_, Some(bytes)) => format!("  {} bytes", grouped(bytes)),
        (_, None) => String::new(),
    };
    format!("{place}{what}").trim_end().to_owned()
}
