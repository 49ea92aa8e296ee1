//! Where the large reference data lie, if they do.
#![allow(dead_code, clippy::print_stderr)]

use std::path::PathBuf;

use cellwright_syntax::{Language, Parsed, Reading};

/// A folder beside the data folder that `CELLWRIGHT_DATA` names (by default `../shared/data` from the repository root). `None`, said
/// loudly, where it is absent.
pub(crate) fn shared(folder: &str) -> Option<PathBuf> {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let data = std::env::var_os("CELLWRIGHT_DATA")
        .map_or_else(|| root.join("../shared/data"), PathBuf::from);
    let path = data.join("..").join(folder);
    if path.exists() {
        return Some(path);
    }
    eprintln!("SKIPPED: {} is not there; set CELLWRIGHT_DATA to run this test", path.display());
    None
}

/// A JSON file of the reference data.
pub(crate) fn golden(path: &str) -> Option<serde_json::Value> {
    let text = std::fs::read_to_string(shared("golden")?.join(path)).expect("a readable file");
    Some(serde_json::from_str(&text).expect("JSON"))
}

/// The first reading that has a structure.
pub(crate) fn first(parsed: &Parsed) -> Option<&Reading> {
    parsed.readings.iter().find(|r| r.structure.is_some())
}

/// The one reading of a CIF.
pub(crate) fn cif(text: &str) -> Parsed {
    Parsed::new(Language::Cif, text)
}

/// The one reading of a POSCAR.
pub(crate) fn poscar(text: &str) -> Parsed {
    Parsed::new(Language::Poscar, text)
}
