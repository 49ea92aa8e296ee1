//! A crystal as a CIF lists it: the conventional cell and one site of every orbit, exactly symmetric.

use nalgebra::{Matrix3, Vector3};

use super::standard;
use crate::structure::{wrap_half, wrap_unit};
use crate::symmetry::{Operation, Setting, SymmetryError};
use crate::{Lattice, Site, Structure};

/// The asymmetric unit in the standard setting of the space group.
#[derive(Debug, Clone, PartialEq)]
pub struct Asymmetric {
    /// Lattice of the conventional cell, exactly that of the crystal family, and one site of every orbit, at rest under its
    /// site symmetry.
    pub structure: Structure,
    /// The setting whose operations give the whole cell.
    pub setting: Setting,
    /// For every site how many sites of the conventional cell it stands for.
    pub multiplicities: Vec<usize>,
}

/// Finds the asymmetric unit at a tolerance in Å (0.01 is usual) and makes the crystal exactly as symmetric as it is at
/// that tolerance: the metric tensor is averaged over the point group, `G ← mean Rᵀ G R`, and every site over what the
/// operations say of it, `x ← mean g⁻¹ · x_g`, x_g being the site next to `g · x`.
///
/// # Errors
/// See [`SymmetryError`]; also when the sites do not follow the operations as closely as the search said.
pub fn asymmetric(structure: &Structure, symprec: f64) -> Result<Asymmetric, SymmetryError> {
    let no = |what: &str| SymmetryError::NotFound(what.to_owned());
    let found = standard(structure, symprec)?;
    let setting = Setting::from_hall_number(found.hall_number);
    let setting = setting.ok_or_else(|| no("the group has no standard setting"))?;
    let operations = setting.operations();
    let cell = found.conventional.structure;
    let lattice = symmetric(&cell.lattice, &operations);
    let lattice = lattice.ok_or_else(|| no("the symmetric cell is flat"))?;
    // Sites may lie on either side of where they should by the tolerance, in a cell that was a little different.
    let reach = 4.0 * symprec;
    let mut multiplicities = Vec::new();
    let mut sites = Vec::new();
    let mut listed = vec![false; cell.len()];
    for (first, site) in cell.sites.iter().enumerate() {
        if listed[first] {
            continue;
        }
        let mut shift = Vector3::zeros();
        let mut multiplicity = 0;
        for operation in &operations {
            let image = operation.apply(&site.frac);
            let (member, distance) = nearest(&cell, site, &image)
                .filter(|(_, distance)| *distance <= reach)
                .ok_or_else(|| no("a site has no image under one of the operations"))?;
            let back = operation.inverse().ok_or_else(|| no("an operation is singular"))?;
            // Rotated back as a small vector, so that no lattice translation comes in.
            shift += back.rotation.cast::<f64>() * distance_vector(&cell, member, &image);
            multiplicity += usize::from(!std::mem::replace(&mut listed[member], true));
            debug_assert!(distance.is_finite());
        }
        let frac = site.frac + shift / operations.len() as f64;
        sites.push(Site { frac: frac.map(clean), ..site.clone() });
        multiplicities.push(multiplicity);
    }
    Ok(Asymmetric { structure: Structure { lattice, sites }, setting, multiplicities })
}

/// The lattice with the metric tensor averaged over the operations.
fn symmetric(lattice: &Lattice, operations: &[Operation]) -> Option<Lattice> {
    let metric = lattice.metric();
    let turned = |operation: &Operation| {
        let rotation = operation.rotation.cast::<f64>();
        rotation.transpose() * metric * rotation
    };
    let sum: Matrix3<f64> = operations.iter().map(turned).sum();
    let mean = sum / operations.len() as f64;
    let lengths = [0, 1, 2].map(|i| mean[(i, i)].sqrt());
    let angle = |i: usize, j: usize| (mean[(i, j)] / (lengths[i] * lengths[j])).acos().to_degrees();
    // A right angle is one to the last digit.
    let exact = |x: f64| if (x - x.round()).abs() < 1e-9 { x.round() } else { x };
    let angles = [angle(1, 2), angle(0, 2), angle(0, 1)].map(exact);
    Lattice::from_parameters(lengths, angles).ok()
}

/// The site of the same kind that is next to a place, and its distance (Å).
fn nearest(cell: &Structure, kind: &Site, place: &Vector3<f64>) -> Option<(usize, f64)> {
    let alike = cell.sites.iter().enumerate().filter(|(_, other)| {
        other.element == kind.element
            && other.oxidation == kind.oxidation
            && (other.occupancy - kind.occupancy).abs() < 1e-6
    });
    let distances = alike.map(|(i, _)| {
        let apart = distance_vector(cell, i, place);
        (i, cell.lattice.to_cartesian(&apart).norm())
    });
    distances.min_by(|a, b| a.1.total_cmp(&b.1))
}

/// From a place to a site (fractional), component by component the short way round.
fn distance_vector(cell: &Structure, site: usize, place: &Vector3<f64>) -> Vector3<f64> {
    (cell.sites[site].frac - place).map(wrap_half)
}

/// In [0, 1), and exact where a special position is meant: multiples of 1/24 lose the last digits of the averaging.
fn clean(x: f64) -> f64 {
    let parts = 24.0 * x;
    wrap_unit(if (parts - parts.round()).abs() < 1e-9 { parts.round() / 24.0 } else { x })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Element;
    use crate::matching::Matcher;

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
