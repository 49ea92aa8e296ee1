//! Tables, to be read or to be put into a document.

use std::fmt::Write;

/// Rows of cells; the first row is the head.
pub(super) fn write_table(text: &mut String, rows: &[Vec<String>], markdown: bool) {
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max()
    };
    for (i, row) in rows.iter().enumerate() {
        if markdown {
            let _ = writeln!(text, "| {} |", row.join(" | "));
            if i == 0 {
                let _ = writeln!(text, "|{}", "---|".repeat(row.len()));
            }
        } else {
            let cells = row.iter().enumerate();
            let cells: Vec<String> = cells
                .map(|(column, cell)| format!("{cell:>width$}", width = width(column).unwrap_or(0)))
                .collect();
            let _ = writeln!(text, "{}", cells.join("  "));
        }
    }
}

/// A share with one digit.
pub(super) fn percent(share: f64) -> String {
    format!("{:.1}", 100.0 * share)
}

/// Where there is no number.
pub(super) fn dash() -> String {
    "–".to_owned()
}
