//! Reading of the golden files, of which each test program uses a part.
#![allow(dead_code)]

use std::path::PathBuf;

use cellwright_crystal::{Element, Lattice, Site, Structure};
use nalgebra::Vector3;
use serde_json::Value;

/// The cases of one file, beside the folder that `CELLWRIGHT_DATA` names (default `../shared/data`, seen
/// from the root of the repository).
pub(crate) fn cases(file: &str) -> Option<Vec<Value>> {
    entries(file, "cases")
}

/// The list that stands under `key` in one file, see [`cases`].
pub(crate) fn entries(file: &str, key: &str) -> Option<Vec<Value>> {
    let default = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let data = std::env::var_os("CELLWRIGHT_DATA").map_or(default, PathBuf::from);
    let path = data.join("../golden/crystal").join(file);
    let Ok(text) = std::fs::read_to_string(&path) else {
        skip(&path);
        return None;
    };
    let whole: Value = serde_json::from_str(&text).expect("the file is JSON");
    Some(whole[key].as_array().expect("the file has such a list").clone())
}

#[allow(clippy::print_stderr)]
fn skip(path: &std::path::Path) {
    eprintln!("SKIPPED, nothing was checked: {} is absent (set CELLWRIGHT_DATA)", path.display());
}

pub(crate) fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

pub(crate) fn list<T>(value: &Value, read: impl Fn(&Value) -> T) -> Vec<T> {
    value.as_array().expect("a list").iter().map(read).collect()
}

pub(crate) fn vector(value: &Value) -> Vector3<f64> {
    Vector3::from_vec(list(value, number))
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// A structure written as cell parameters, species and fractional coordinates.
pub(crate) fn structure(case: &Value) -> Structure {
    let cell = list(&case["lattice"], number);
    let lattice =
        Lattice::from_parameters([cell[0], cell[1], cell[2]], [cell[3], cell[4], cell[5]]);
    let species = list(&case["species"], |s| s.as_str().and_then(Element::from_symbol));
    let positions = list(&case["frac"], vector);
    let site = |(s, f): (Option<Element>, Vector3<f64>)| Site::new(s.expect("an element"), f);
    Structure {
        lattice: lattice.expect("a cell"),
        sites: species.into_iter().zip(positions).map(site).collect(),
    }
}
