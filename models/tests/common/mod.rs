//! What the tests over the real weights and the golden numbers share. Both may be absent; then a test says so and does nothing.

#![allow(dead_code, reason = "every test binary uses another part of it")]

pub(crate) mod laws;

use std::io::Write;
use std::path::PathBuf;

use candle_core::{Device, Tensor};
use cellwright_crystal::{Element, Lattice, Site, Structure};
use cellwright_models::chgnet::Chgnet;
use cellwright_models::nn::parameters::Tensors;
use cellwright_models::sevennet::Sevennet;
use cellwright_models::{ModelError, weights};
use nalgebra::{Matrix3, Vector3};
use serde::Deserialize;

/// Tells loudly why a test did nothing.
fn skip(reason: &str) {
    let _ = writeln!(std::io::stderr(), "\n*** SKIPPED: {reason} ***\n");
}

/// The installed model, if it is.
fn installed<T>(model: Result<T, ModelError>) -> Option<T> {
    match model {
        Ok(model) => Some(model),
        Err(e @ ModelError::NotInstalled { .. }) => {
            skip(&e.to_string());
            None
        }
        Err(e) => panic!("{e}"),
    }
}

pub(crate) fn chgnet() -> Option<Chgnet> {
    installed(Chgnet::load(&weights::data_dir(), &Device::Cpu))
}

pub(crate) fn sevennet() -> Option<Sevennet> {
    installed(Sevennet::load(&weights::data_dir(), &Device::Cpu))
}

/// A golden file, if there is one: `$CELLWRIGHT_DATA/../golden`, by default beside the repository.
fn golden_bytes(name: &str) -> Option<Vec<u8>> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let data = std::env::var_os("CELLWRIGHT_DATA")
        .map_or_else(|| root.join("../shared/data"), PathBuf::from);
    let path = data.join("../golden/models").join(name);
    match std::fs::read(&path) {
        Ok(bytes) => Some(bytes),
        Err(e) => {
            skip(&format!("{}: {e}", path.display()));
            None
        }
    }
}

/// The text of a golden file, if there is one.
pub(crate) fn golden(name: &str) -> Option<String> {
    golden_bytes(name).map(|bytes| String::from_utf8(bytes).unwrap())
}

/// Named tensors of a golden file.
#[derive(Debug)]
pub(crate) struct Golden(Tensors);

impl Golden {
    pub(crate) fn get(&self, name: &str) -> Option<&Tensor> {
        self.0.get(name)
    }

    /// The tensors whose names begin with `prefix`, without it.
    pub(crate) fn below(&self, prefix: &str) -> Tensors {
        let of = self.0.iter().filter_map(|(n, t)| Some((n.strip_prefix(prefix)?, t)));
        of.map(|(n, t)| (n.to_owned(), t.clone())).collect()
    }
}

impl std::ops::Index<&str> for Golden {
    type Output = Tensor;

    fn index(&self, name: &str) -> &Tensor {
        self.get(name).unwrap_or_else(|| panic!("the golden file has no '{name}'"))
    }
}

impl std::ops::Index<&String> for Golden {
    type Output = Tensor;

    fn index(&self, name: &String) -> &Tensor {
        &self[name.as_str()]
    }
}

/// The tensors of `<name>.safetensors`, if there is such a golden file.
pub(crate) fn golden_tensors(name: &str) -> Option<Golden> {
    let bytes = golden_bytes(&format!("{name}.safetensors"))?;
    let tensors = candle_core::safetensors::load_buffer(&bytes, &Device::Cpu).unwrap();
    Some(Golden(tensors.into_iter().collect()))
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
struct Cases {
    structures: Vec<Case>,
}

/// The golden cases of CHGNet.
pub(crate) fn cases() -> Option<Vec<Case>> {
    let text = golden("chgnet_0.3.0.json")?;
    Some(serde_json::from_str::<Cases>(&text).unwrap().structures)
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
