//! Which row of a loop breaks.

use super::report::plural;
use super::{Loop, Value, ValueKind};
use crate::problem::{Problem, ProblemKind};
use crate::text::Span;
use crate::value::parse_cif_number;

/// The problem of a loop whose values do not make whole rows.
pub(super) fn check(source: &str, table: &Loop) -> Option<Problem> {
    let columns = table.names.len();
    let total = table.values.len();
    if total.is_multiple_of(columns) {
        return None;
    }
    let names = table.names[0].span.cover(table.names[columns - 1].span);
    let lines = lines(source, &table.values);
    let (span, message) = if let Some(width) = common_width(&lines, columns) {
        let message = format!(
            "the loop has {columns} {}, but every row has {width} {}",
            plural(columns, "name"),
            plural(width, "value")
        );
        (names, message)
    } else {
        let broken = broken_line(&lines, columns)
            .or_else(|| broken_type(source, table))
            .unwrap_or_else(|| last_row(columns, total));
        let row = broken.first / columns + 1;
        let names = plural(columns, "name");
        let message = match broken.count {
            Some(n) => {
                format!(
                    "row {row} has {n} {} where the loop has {columns} {names}",
                    plural(n, "value")
                )
            }
            None => format!(
                "the loop has {columns} {names} and {total} values; from row {row} on they do not fit \
                 their columns, so one is missing or too many here or in the row before"
            ),
        };
        let values = &table.values[broken.first..broken.first + broken.shown];
        (values[0].span.cover(values[values.len() - 1].span), message)
    };
    let related = format!("{columns} names, {total} values in all");
    let related = if span == names { Vec::new() } else { vec![(names, related)] };
    Some(Problem { kind: ProblemKind::LoopArity, span, message, related, fix: None })
}

/// Values that stand on one line.
#[derive(Clone, Copy)]
struct Line {
    first: usize,
    count: usize,
}

/// A row that breaks: its first value, how many it has where that can be told, how many to underline.
struct Broken {
    first: usize,
    count: Option<usize>,
    shown: usize,
}

fn lines(source: &str, values: &[Value]) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut previous = None;
    for (index, value) in values.iter().enumerate() {
        let between = previous.map(|end| Span::new(end, value.span.start).text(source));
        match lines.last_mut() {
            // A text field is on a line of its own, and what follows it goes on in the same row.
            Some(line) if !between.is_some_and(|s| s.contains(['\n', '\r'])) => line.count += 1,
            Some(line) if value.kind == ValueKind::TextField => line.count += 1,
            _ => lines.push(Line { first: index, count: 1 }),
        }
        previous = Some(value.span.end);
    }
    lines
}

/// The number of values of every line, if it is the same for all and is not the number of names: the
/// names are at fault then, not a row.
fn common_width(lines: &[Line], columns: usize) -> Option<usize> {
    let width = lines[0].count;
    let same = lines.len() > 1 && lines.iter().all(|line| line.count == width);
    // Rows that are wrapped evenly are whole in the end, but for the last.
    (same && columns.abs_diff(width) < columns.min(width).max(2)).then_some(width)
}

/// In a table whose rows begin on lines of their own: the first row that does not come out even.
fn broken_line(lines: &[Line], columns: usize) -> Option<Broken> {
    let full = lines.iter().filter(|line| line.count == columns).count();
    let mut rows = 0;
    let mut at = 0;
    while at < lines.len() {
        let start = lines[at];
        let mut count = start.count;
        at += 1;
        // A row may be wrapped over lines, as long as it comes out even before a full line.
        while count < columns && at < lines.len() && lines[at].count != columns {
            count += lines[at].count;
            at += 1;
        }
        if count != columns {
            // Values may also run on over the lines; then these do not tell.
            let by_line = full * 2 >= lines.len() || rows >= 2;
            return by_line.then_some(Broken {
                first: start.first,
                count: Some(count),
                shown: count,
            });
        }
        rows += 1;
    }
    None
}

/// In a table that is wrapped freely: the first row with a word in a column of numbers.
fn broken_type(source: &str, table: &Loop) -> Option<Broken> {
    let columns = table.names.len();
    let is_number = |value: &Value| parse_cif_number(value.span.text(source)).is_some();
    let mut rows = table.rows();
    let numeric: Vec<bool> = rows.next()?.iter().map(is_number).collect();
    let at = rows.position(|row| {
        row.iter()
            .zip(&numeric)
            .any(|(value, &numeric)| numeric && !is_number(value) && !value.is_null(source))
    })?;
    // A value is missing or too many in this row or, where words follow words, in the one before.
    let first = (at + 1) * columns;
    let shown = columns.min(table.values.len() - first);
    Some(Broken { first, count: None, shown })
}

fn last_row(columns: usize, total: usize) -> Broken {
    let count = total % columns;
    Broken { first: total - count, count: Some(count), shown: count }
}
