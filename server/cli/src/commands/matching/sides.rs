//! One side of a pair: a file, or a structure written out in JSON.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Result, bail, ensure};
use cellwright_crystal::{Element, Lattice, Site, Structure};
use nalgebra::{Matrix3, Vector3};
use serde::Deserialize;
use serde_json::Value;

use crate::files::Source;
use crate::structures::choose;

/// A structure and what its sites are called.
pub(super) struct Side {
    pub(super) structure: Structure,
    labels: Vec<String>,
}

impl Side {
    /// The structure of a file, in this data block or in the only one that holds any.
    pub(super) fn file(path: &Path, block: Option<&str>) -> Result<Self> {
        let input = Source::named(path).read(None)?;
        let (reading, structure) = choose(&input, block)?;
        let label = |site: usize| reading.sites[site].label.clone();
        let labels = reading.origins.iter().map(|origin| label(origin.site)).collect();
        Ok(Self { structure: structure.clone(), labels })
    }

    /// A site as people find it again: its label, the number of its copy in the cell where there are more, and
    /// the charge that is declared.
    pub(super) fn name(&self, site: usize) -> String {
        let label = &self.labels[site];
        let copies = |sites: &[String]| sites.iter().filter(|other| *other == label).count();
        let mut name = label.clone();
        if copies(&self.labels) > 1 {
            name += &format!(" ({})", copies(&self.labels[..=site]));
        }
        if let Some(charge) = self.structure.sites[site].oxidation {
            name += &format!(" {charge:+}");
        }
        name
    }
}

/// The structure that a side of a line says.
pub(super) fn read(side: &Value) -> Result<Structure> {
    match side {
        Value::String(path) => Ok(Side::file(Path::new(path), None)?.structure),
        Value::Null => bail!("it is missing"),
        _ => Inline::deserialize(side)?.structure(),
    }
}

/// A structure in JSON.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Inline {
    lattice: Cell,
    species: Vec<Species>,
    frac: Vec<[f64; 3]>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "the lattice is neither six parameters nor three row vectors")]
enum Cell {
    /// a, b, c (Å), α, β, γ (degrees).
    Parameters([f64; 6]),
    /// Lattice vectors (Å).
    Rows([[f64; 3]; 3]),
}

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "a species is neither a symbol nor symbols with occupancies")]
enum Species {
    Symbol(String),
    Mixture(BTreeMap<String, f64>),
}

impl Inline {
    fn structure(&self) -> Result<Structure> {
        let lattice = match self.lattice {
            Cell::Parameters([a, b, c, alpha, beta, gamma]) => {
                Lattice::from_parameters([a, b, c], [alpha, beta, gamma])?
            }
            Cell::Rows(rows) => Lattice::from_rows(Matrix3::from_row_slice(rows.as_flattened()))?,
        };
        let (species, frac) = (self.species.len(), self.frac.len());
        ensure!(species == frac, "there are {species} species but {frac} positions");
        let mut sites = Vec::new();
        for (species, frac) in self.species.iter().zip(&self.frac) {
            let mut add = |symbol: &str, occupancy: f64| -> Result<()> {
                let element = if symbol == "?" { None } else { Some(symbol.parse::<Element>()?) };
                let frac = Vector3::from(*frac);
                sites.push(Site { element, oxidation: None, occupancy, frac });
                Ok(())
            };
            match species {
                Species::Symbol(symbol) => add(symbol, 1.0)?,
                Species::Mixture(mixture) => {
                    mixture.iter().try_for_each(|(symbol, occupancy)| add(symbol, *occupancy))?;
                }
            }
        }
        Ok(Structure { lattice, sites })
    }
}
