//! What the tests over the real weights and the golden numbers share. Both may be absent; then a test says so and does nothing.

#![allow(dead_code, reason = "every test binary uses another part of it")]

use std::io::Write;
use std::path::PathBuf;

use candle_core::Device;
use cellwright_crystal::{Element, Lattice, Site, Structure};
use cellwright_models::chgnet::Chgnet;
use cellwright_models::{ModelError, weights};
use nalgebra::{Matrix3, Vector3};
use serde::Deserialize;

/// Tells loudly why a test did nothing.
fn skip(reason: &str) {
    let _ = writeln!(std::io::stderr(), "\n*** SKIPPED: {reason} ***\n");
}

/// The installed model, if it is.
pub(crate) fn chgnet() -> Option<Chgnet> {
    match Chgnet::load(&weights::data_dir(), &Device::Cpu) {
        Ok(model) => Some(model),
        Err(e @ ModelError::NotInstalled { .. }) => {
            skip(&e.to_string());
            None
        }
        Err(e) => panic!("{e}"),
    }
}

/// The text of a golden file, if there is one: `$CELLWRIGHT_DATA/../golden`, by default beside the repository.
pub(crate) fn golden(name: &str) -> Option<String> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let data = std::env::var_os("CELLWRIGHT_DATA")
        .map_or_else(|| root.join("../shared/data"), PathBuf::from);
    let path = data.join("../golden/models").join(name);
    match std::fs::read_to_string(&path) {
        Ok(text) => Some(text),
        Err(e) => {
            skip(&format!("{}: {e}", path.display()));
            None
        }
    }
}

/// One structure with what the reference program says of it.
#[derive(Debug, Deserialize)]
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) lattice: [[f64; 3]; 3],
    pub(crate) atomic_numbers: Vec<u8>,
    pub(crate) frac_coords: Vec<[f64; 3]>,
    pub(crate) energy_per_atom: f64,
    pub(crate) forces: Vec<[f64; 3]>,
    pub(crate) stress: [[f64; 3]; 3],
    pub(crate) magmoms: Vec<f64>,
    pub(crate) site_energies: Vec<f64>,
    pub(crate) n_directed_edges: usize,
    pub(crate) n_undirected_bonds: usize,
    pub(crate) n_angles: usize,
    #[serde(default)]
    pub(crate) f64: Option<Double>,
}

/// The same in double precision.
#[derive(Debug, Deserialize)]
pub(crate) struct Double {
    pub(crate) energy_per_atom: f64,
    pub(crate) forces: Vec<[f64; 3]>,
    pub(crate) stress: [[f64; 3]; 3],
    pub(crate) magmoms: Vec<f64>,
}

#[derive(Debug, Deserialize)]
struct Golden {
    structures: Vec<Case>,
}

/// The golden cases of CHGNet.
pub(crate) fn cases() -> Option<Vec<Case>> {
    let text = golden("chgnet_0.3.0.json")?;
    Some(serde_json::from_str::<Golden>(&text).unwrap().structures)
}

impl Case {
    pub(crate) fn structure(&self) -> Structure {
        structure(self.lattice, &self.atomic_numbers, &self.frac_coords)
    }
}

pub(crate) fn structure(rows: [[f64; 3]; 3], numbers: &[u8], frac: &[[f64; 3]]) -> Structure {
    let sites = numbers
        .iter()
        .zip(frac)
        .map(|(z, f)| Site::new(Element::from_z(*z).unwrap(), Vector3::from(*f)))
        .collect();
    Structure { lattice: Lattice::from_rows(matrix(rows)).unwrap(), sites }
}

pub(crate) fn matrix(rows: [[f64; 3]; 3]) -> Matrix3<f64> {
    Matrix3::from_fn(|i, j| rows[i][j])
}
