//! Structures and numbers on their way to and from the wire.

use cellwright_crystal::{Element, Lattice, Site, Structure};
use cellwright_models::Evaluation;
use nalgebra::{Matrix3, Vector3};

use super::{Cell, Energies};

impl Cell {
    /// From an ordered or masked structure; occupancies are not carried.
    #[must_use]
    pub fn from_structure(structure: &Structure) -> Self {
        Self {
            lattice: rows(structure.lattice.matrix()),
            species: structure.sites.iter().map(|s| s.element.map_or(0, Element::z)).collect(),
            frac: structure.sites.iter().map(|s| s.frac.into()).collect(),
        }
    }

    /// The structure.
    ///
    /// # Errors
    /// When lengths differ, the lattice is degenerate, a number is not finite or an atomic number is unknown.
    pub fn to_structure(&self) -> Result<Structure, String> {
        if self.species.len() != self.frac.len() {
            return Err(format!(
                "there are {} species but {} positions",
                self.species.len(),
                self.frac.len()
            ));
        }
        let [a, b, c] = self.lattice.map(Vector3::from);
        let matrix = Matrix3::from_rows(&[a.transpose(), b.transpose(), c.transpose()]);
        let lattice = Lattice::from_rows(matrix).map_err(|error| error.to_string())?;
        let sites = self.species.iter().zip(&self.frac).enumerate();
        let sites = sites.map(|(i, (&z, &frac))| site(i + 1, z, frac));
        Ok(Structure { lattice, sites: sites.collect::<Result<_, _>>()? })
    }
}

/// Site number `number`, counted from 1 for the message.
fn site(number: usize, z: u8, frac: [f64; 3]) -> Result<Site, String> {
    if !frac.iter().all(|x| x.is_finite()) {
        return Err(format!("a coordinate of atom {number} is not a finite number"));
    }
    let element = match z {
        0 => None,
        z => Some(
            Element::from_z(z)
                .ok_or_else(|| format!("atom {number} has the unknown atomic number {z}"))?,
        ),
    };
    Ok(Site { element, oxidation: None, occupancy: 1.0, frac: frac.into() })
}

impl Energies {
    /// Whether every number is finite: JSON knows no NaN and no infinity.
    #[must_use]
    pub fn is_finite(&self) -> bool {
        let stress = self.stress.iter().flatten();
        let forces = self.forces.iter().flatten();
        let sites = self.magmoms.iter().chain(&self.site_energies);
        stress.chain(forces).chain(sites).chain([&self.energy_per_atom]).all(|x| x.is_finite())
    }
}

impl From<Evaluation> for Energies {
    fn from(evaluation: Evaluation) -> Self {
        Self {
            energy_per_atom: evaluation.energy_per_atom,
            forces: evaluation.forces.into_iter().map(Into::into).collect(),
            stress: rows(&evaluation.stress),
            magmoms: evaluation.magmoms,
            site_energies: evaluation.site_energies,
            cautions: evaluation.cautions,
        }
    }
}

fn rows(m: &Matrix3<f64>) -> [[f64; 3]; 3] {
    [0, 1, 2].map(|i| [0, 1, 2].map(|j| m[(i, j)]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cubic(species: Vec<u8>, frac: Vec<[f64; 3]>) -> Cell {
        Cell { lattice: [[4.0, 0.0, 0.0], [0.0, 4.0, 0.0], [0.0, 0.0, 4.0]], species, frac }
    }

    #[test]
    fn what_makes_no_structure_says_why() {
        let message = |cell: Cell| cell.to_structure().unwrap_err();
        assert_eq!(
            message(cubic(vec![14], vec![])),
            "there are 1 species but 0 positions".to_owned()
        );
        assert_eq!(
            message(cubic(vec![1, 104], vec![[0.0; 3]; 2])),
            "atom 2 has the unknown atomic number 104"
        );
        assert_eq!(
            message(cubic(vec![1], vec![[0.0, f64::NAN, 0.0]])),
            "a coordinate of atom 1 is not a finite number"
        );
        let flat = Cell { lattice: [[1.0, 0.0, 0.0]; 3], ..cubic(vec![], vec![]) };
        assert!(message(flat).contains("no finite volume"));
    }

    #[test]
    fn a_masked_site_is_zero() {
        let masked = cubic(vec![0], vec![[0.5; 3]]);
        let structure = masked.to_structure().unwrap();
        assert_eq!(structure.sites[0].element, None);
        assert_eq!(Cell::from_structure(&structure), masked);
    }

    #[test]
    fn the_lattice_has_its_vectors_as_rows() {
        let lattice = [[4.0, 0.0, 0.0], [1.0, 5.0, 0.0], [0.5, 2.0, 6.0]];
        let structure = Cell { lattice, species: vec![], frac: vec![] }.to_structure().unwrap();
        assert_eq!(structure.lattice.vector(1), Vector3::new(1.0, 5.0, 0.0));
    }

    proptest! {
        /// Every digit survives the wire, so an answer can be matched with its question by equality.
        #[test]
        fn cells_survive_the_wire(
            z in 0..=103_u8,
            frac in proptest::array::uniform3(-10.0..10.0_f64),
            a in 1e-3..1e3_f64,
        ) {
            let cell = Cell {
                lattice: [[a, 0.1, 0.0], [0.0, a, 0.0], [0.0, 0.0, a]],
                species: vec![z],
                frac: vec![frac],
            };
            let structure = cell.to_structure().unwrap();
            let line = serde_json::to_string(&Cell::from_structure(&structure)).unwrap();
            let back: Cell = serde_json::from_str(&line).unwrap();
            prop_assert_eq!(&back, &cell);
            prop_assert_eq!(back.to_structure().unwrap(), structure);
        }
    }
}
