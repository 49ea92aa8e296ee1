//! The typed view of a CIF: blocks, items, loops, values, all with spans.

mod arity;
mod outline;
mod report;
mod value;

pub(crate) use outline::read;

use crate::text::Span;
use crate::value::Spanned;

/// Which dialect the first line declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CifVersion {
    /// No magic code or `#\#CIF_1.x`.
    V1,
    /// `#\#CIF_2.0`.
    V2,
}

/// A whole file.
#[derive(Debug, Clone)]
pub struct CifFile {
    /// Dialect.
    pub version: CifVersion,
    /// Data blocks in order.
    pub blocks: Vec<Block>,
    /// Comments in order, each from its `#` to the end of its line; those inside lists and tables
    /// are left out.
    pub comments: Vec<Span>,
}

/// A data block or a save frame.
#[derive(Debug, Clone)]
pub struct Block {
    /// Block code as written, without `data_` / `save_`; the span covers the whole header token.
    pub name: Spanned<String>,
    /// From the header to the last byte before the next block.
    pub span: Span,
    /// Single items in order.
    pub items: Vec<Item>,
    /// Loops in order.
    pub loops: Vec<Loop>,
    /// Save frames inside.
    pub frames: Vec<Block>,
}

/// A data name: lower case in `value`, as written under `span`.
pub type Name = Spanned<String>;

/// A name with its value.
#[derive(Debug, Clone)]
pub struct Item {
    /// The name.
    pub name: Name,
    /// The value; `None` where it is missing (a problem says so).
    pub value: Option<Value>,
}

/// A loop.
#[derive(Debug, Clone)]
pub struct Loop {
    /// From `loop_` to the last value.
    pub span: Span,
    /// The `loop_` keyword.
    pub keyword: Span,
    /// Column names.
    pub names: Vec<Name>,
    /// All values in reading order; the last row may be incomplete.
    pub values: Vec<Value>,
}

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    /// Without delimiters.
    Bare,
    /// `'…'` or `"…"`.
    Quoted,
    /// `'''…'''` or `"""…"""` (CIF 2.0).
    TripleQuoted,
    /// Between semicolons in the first column.
    TextField,
    /// `[…]` (CIF 2.0).
    List,
    /// `{…}` (CIF 2.0).
    Table,
}

/// A value: where it stands and how it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Value {
    /// The whole value, delimiters included.
    pub span: Span,
    /// How it is written.
    pub kind: ValueKind,
}

impl Value {
    /// Whether it is an unquoted `?` (unknown).
    #[must_use]
    pub fn is_unknown(&self, source: &str) -> bool {
        self.kind == ValueKind::Bare && self.span.text(source) == "?"
    }

    /// Whether it is an unquoted `.` (inapplicable) or `?`.
    #[must_use]
    pub fn is_null(&self, source: &str) -> bool {
        self.kind == ValueKind::Bare && matches!(self.span.text(source), "?" | ".")
    }
}

impl Loop {
    /// Index of a column by lower-case name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|n| n.value == name)
    }

    /// Rows, the last perhaps incomplete; nothing when there are no names.
    pub fn rows(&self) -> std::slice::Chunks<'_, Value> {
        self.values.chunks(self.names.len().max(1))
    }
}

impl Block {
    /// The item or, if it is looped, the loop's first value of a lower-case name.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&Value> {
        if let Some(item) = self.items.iter().find(|i| i.name.value == name) {
            return item.value.as_ref();
        }
        let (table, column) = self.find_loop(name)?;
        table.values.get(column)
    }

    /// The first value found among several spellings of one name, with the spelling's index.
    #[must_use]
    pub fn any_value(&self, names: &[&str]) -> Option<&Value> {
        names.iter().find_map(|n| self.value(n))
    }

    /// The loop that has a column of this lower-case name, and the column's index.
    #[must_use]
    pub fn find_loop(&self, name: &str) -> Option<(&Loop, usize)> {
        self.loops.iter().find_map(|l| Some((l, l.column(name)?)))
    }
}
