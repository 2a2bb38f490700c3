//! Tables: columns as wide as their widest cell.

use super::color::{Role, Style};
use std::fmt::Write as _;

/// Writes a line of heads and one per row, each two columns in.
pub(super) fn write<const N: usize>(
    text: &mut String,
    heads: [&str; N],
    rows: &[[String; N]],
    style: Style,
) {
    let heads = heads.map(str::to_owned);
    let mut widths = [0; N];
    for row in rows.iter().chain([&heads]) {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: &[String; N]| {
        let padded: Vec<String> = cells
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        padded.join("  ").trim_end().to_owned()
    };
    let _ = writeln!(text, "  {}", style.paint(Role::Faint, line(&heads)));
    for row in rows {
        let _ = writeln!(text, "  {}", line(row));
    }
}
