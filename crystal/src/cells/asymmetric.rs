//! A crystal as a CIF lists it: the conventional cell and one site of every orbit, exactly symmetric.

use super::standard;
use crate::structure::wrap_unit;
use crate::symmetry::{Setting, SymmetryError, idealise};
use crate::{Site, Structure};

/// The asymmetric unit in the standard setting of the space group.
#[derive(Debug, Clone, PartialEq)]
pub struct Asymmetric {
    /// The conventional cell with the exact metric of its group, and one site of every orbit, at rest under its site symmetry.
    pub structure: Structure,
    /// The setting whose operations give the whole cell.
    pub setting: Setting,
    /// For every site how many sites of the conventional cell it stands for.
    pub multiplicities: Vec<usize>,
}

/// Finds the asymmetric unit at a tolerance in Å (0.01 is usual) and makes the crystal exactly as symmetric as it is at
/// that tolerance (see [`idealise`]).
///
/// # Errors
/// See [`SymmetryError`]; also when the sites do not follow the operations as closely as the search said.
pub fn asymmetric(structure: &Structure, symprec: f64) -> Result<Asymmetric, SymmetryError> {
    let no = |what: &str| SymmetryError::NotFound(what.to_owned());
    let found = standard(structure, symprec)?;
    let setting = Setting::from_hall_number(found.hall_number);
    let setting = setting.ok_or_else(|| no("the group has no standard setting"))?;
    let mut cell = found.conventional.structure;
    // Sites may lie on either side of where they should by the tolerance, in a cell that was a little different.
    let permutations = idealise(&mut cell, &setting.operations(), 4.0 * symprec);
    let permutations = permutations.map_err(|reason| no(&reason.to_string()))?;
    let mut listed = vec![false; cell.len()];
    let (mut sites, mut multiplicities) = (Vec::new(), Vec::new());
    for (first, site) in cell.sites.iter().enumerate() {
        if listed[first] {
            continue;
        }
        let images = permutations.iter().map(|permutation| permutation.to[first]);
        let new = images.filter(|image| !std::mem::replace(&mut listed[*image], true));
        multiplicities.push(new.count());
        sites.push(Site { frac: site.frac.map(clean), ..site.clone() });
    }
    let structure = Structure { lattice: cell.lattice, sites };
    Ok(Asymmetric { structure, setting, multiplicities })
}

/// In [0, 1), and exact where a special position is meant: multiples of 1/24 lose the last digits of the averaging.
fn clean(x: f64) -> f64 {
    let parts = 24.0 * x;
    wrap_unit(if (parts - parts.round()).abs() < 1e-9 { parts.round() / 24.0 } else { x })
}

#[cfg(test)]
mod tests {
    use nalgebra::{Matrix3, Vector3};

    use super::*;
    use crate::matching::Matcher;
    use crate::structure::wrap_half;
    use crate::{Element, Lattice};

    fn site(symbol: &str, frac: [f64; 3]) -> Site {
        Site::new(Element::from_symbol(symbol).unwrap(), Vector3::from(frac))
    }

    /// The whole cell again.
    fn expand(unit: &Asymmetric) -> Structure {
        let mut sites: Vec<Site> = Vec::new();
        for site in &unit.structure.sites {
            for operation in unit.setting.operations() {
                let frac = operation.apply(&site.frac).map(wrap_unit);
                let same = |other: &Site| {
                    other.element == site.element
                        && (other.frac - frac).map(wrap_half).amax() < 1e-6
                };
                if !sites.iter().any(same) {
                    sites.push(Site { frac, ..site.clone() });
                }
            }
        }
        Structure { lattice: unit.structure.lattice, sites }
    }

    #[test]
    fn a_primitive_cell_a_little_off_becomes_the_conventional_one_to_the_last_digit() {
        // Wurtzite, hexagonal axes, atoms and cell off by some thousandths of an ångström.
        let lattice =
            Lattice::from_parameters([3.8201, 3.8199, 6.26], [90.01, 89.99, 120.01]).unwrap();
        let sites = vec![
            site("Zn", [0.3334, 0.6666, 0.0]),
            site("Zn", [0.6666, 0.3333, 0.5001]),
            site("S", [0.3333, 0.6667, 0.3751]),
            site("S", [0.6667, 0.3334, 0.8749]),
        ];
        let given = Structure { lattice, sites };
        let unit = asymmetric(&given, 0.05).unwrap();
        assert_eq!((unit.setting.number(), unit.structure.len()), (186, 2));
        assert_eq!(unit.multiplicities, [2, 2]);
        let [a, b, _] = unit.structure.lattice.lengths();
        assert!((a - b).abs() < 1e-12, "{a} {b}");
        assert_eq!(
            unit.structure.lattice.angles().map(|x| (x * 1e9).round() / 1e9),
            [90.0, 90.0, 120.0]
        );
        let whole = expand(&unit);
        assert_eq!(whole.len(), 4);
        let matcher = Matcher::default();
        let (a, b) = (matcher.prepare(&given).unwrap(), matcher.prepare(&whole).unwrap());
        assert!(matcher.rms(&a, &b).unwrap().rms < 1e-3);
    }

    #[test]
    fn centred_groups_list_one_site_an_orbit() {
        let primitive = Matrix3::new(0.0, 0.5, 0.5, 0.5, 0.0, 0.5, 0.5, 0.5, 0.0) * 5.64;
        let lattice = Lattice::from_rows(primitive).unwrap();
        let sites = vec![site("Na", [0.1, 0.1, 0.1]), site("Cl", [0.6, 0.6, 0.6])];
        let unit = asymmetric(&Structure { lattice, sites }, 0.01).unwrap();
        assert_eq!((unit.setting.hm(), unit.multiplicities.as_slice()), ("F m -3 m", &[4, 4][..]));
        assert!((unit.structure.lattice.lengths()[0] - 5.64).abs() < 1e-9);
        for site in &unit.structure.sites {
            // 0 or 1/2, exactly.
            assert!(site.frac.iter().all(|x| *x == 0.0 || *x == 0.5), "{:?}", site.frac);
        }
        assert_eq!(expand(&unit).len(), 8);
    }

    #[test]
    fn without_symmetry_every_site_is_listed() {
        let lattice = Lattice::from_parameters([4.0, 5.0, 6.0], [80.0, 95.0, 107.0]).unwrap();
        let sites =
            vec![site("Na", [0.0; 3]), site("Cl", [0.4, 0.3, 0.2]), site("F", [0.7, 0.8, 0.4])];
        let unit = asymmetric(&Structure { lattice, sites }, 0.01).unwrap();
        assert_eq!((unit.setting.number(), unit.structure.len()), (1, 3));
        let empty = Structure { lattice: unit.structure.lattice, sites: Vec::new() };
        assert_eq!(asymmetric(&empty, 0.01).unwrap_err(), SymmetryError::Empty);
    }
}
