//! A structure in JSON, as answers that are lists of structures show it.

use cellwright_crystal::{Element, Structure};
use serde::Serialize;

/// Cell and sites.
#[derive(Debug, Serialize)]
pub(crate) struct Geometry {
    /// Lattice vectors as rows (Å).
    lattice: [[f64; 3]; 3],
    sites: Vec<Atom>,
}

#[derive(Debug, Serialize)]
struct Atom {
    element: Option<&'static str>,
    frac: [f64; 3],
}

impl Geometry {
    pub(crate) fn new(structure: &Structure) -> Self {
        let atom = |site: &cellwright_crystal::Site| Atom {
            element: site.element.map(Element::symbol),
            frac: site.frac.into(),
        };
        Self {
            lattice: [0, 1, 2].map(|i| structure.lattice.vector(i).into()),
            sites: structure.sites.iter().map(atom).collect(),
        }
    }
}
