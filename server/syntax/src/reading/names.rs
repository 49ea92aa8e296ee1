//! Finding items of a block under all the names they go by.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::cif::{Block, Item, Loop, Value};

/// Where a name stands.
#[derive(Clone, Copy)]
pub(crate) enum Place<'a> {
    /// Alone, with one value.
    Item(&'a Item),
    /// In a loop, in this column.
    Column(&'a Loop, usize),
}

impl<'a> Place<'a> {
    /// The value in a row; a single item has the one row 0.
    pub(crate) fn get(self, row: usize) -> Option<&'a Value> {
        match self {
            Self::Item(item) => item.value.as_ref().filter(|_| row == 0),
            Self::Column(table, index) => table.values.get(row * table.names.len() + index),
        }
    }

    /// Number of rows, the last perhaps incomplete.
    pub(crate) fn rows(self) -> usize {
        match self {
            Self::Item(_) => 1,
            Self::Column(table, _) => table.values.len().div_ceil(table.names.len()),
        }
    }

    /// Whether both stand in the same loop, or both in none.
    pub(crate) fn beside(self, other: Self) -> bool {
        match (self, other) {
            (Self::Item(_), Self::Item(_)) => true,
            (Self::Column(a, _), Self::Column(b, _)) => std::ptr::eq(a, b),
            _ => false,
        }
    }
}

/// The crystallographic names of one block, spelled the old way: in lower case and with `_` instead of the `.` between
/// category and object, so that `_cell.length_a` (CIF 2 dictionaries and mmCIF) and `_cell_length_a` are one name.
/// Of a name that is given twice the first place counts.
pub(crate) struct Names<'a>(HashMap<Cow<'a, str>, Place<'a>>);

/// Beginnings of the names that say something about a crystal. Other names are left out of the index,
/// so that a block with thousands of bibliographic or reflection items costs nothing.
const CATEGORIES: [&str; 7] = [
    "_cell",
    "_symmetry",
    "_space_group",
    "_atom_site",
    "_atom_type",
    "_chemical_formula",
    "_exptl_crystal",
];

impl<'a> Names<'a> {
    pub(crate) fn new(block: &'a Block) -> Self {
        let mut index = HashMap::new();
        for item in &block.items {
            if let Some(name) = spelled(&item.name.value) {
                index.entry(name).or_insert(Place::Item(item));
            }
        }
        for table in &block.loops {
            for (i, name) in table.names.iter().enumerate() {
                if let Some(name) = spelled(&name.value) {
                    index.entry(name).or_insert(Place::Column(table, i));
                }
            }
        }
        Self(index)
    }

    /// Whether the block has this name, with or without a value.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Where a name stands.
    pub(crate) fn place(&self, name: &str) -> Option<Place<'a>> {
        self.0.get(name).copied()
    }

    /// The value of an item or the first value of a column, whatever it is.
    pub(crate) fn any(&self, name: &str) -> Option<&'a Value> {
        self.place(name)?.get(0)
    }

    /// The value of an item or the first value of a column; `None` also for `?` and `.`.
    pub(crate) fn value(&self, text: &str, name: &str) -> Option<&'a Value> {
        self.any(name).filter(|v| !v.is_null(text))
    }

    /// All values of a name: the column, or the one value of an item.
    pub(crate) fn values(&self, name: &str) -> impl Iterator<Item = &'a Value> {
        let place = self.place(name);
        let rows = place.map_or(0, Place::rows);
        (0..rows).filter_map(move |row| place?.get(row))
    }
}

/// The one spelling of a crystallographic name.
pub(crate) fn spelled(name: &str) -> Option<Cow<'_, str>> {
    if !CATEGORIES.iter().any(|c| name.starts_with(c)) {
        return None;
    }
    Some(if name.contains('.') { name.replacen('.', "_", 1).into() } else { name.into() })
}
