//! A crystal structure: a lattice and the atoms of one cell.

use nalgebra::Vector3;

use crate::neighbors::{ClosestPair, NeighborError, closest_pair, neighbors};
use crate::{Composition, Element, Lattice};

/// One atom of the cell, or one of several species that share a position.
///
/// Species that share a position are separate sites with occupancies that add up to at most one, as
/// the rows of a file are; nothing is merged behind the reader's back.
#[derive(Debug, Clone, PartialEq)]
pub struct Site {
    /// What sits here; `None` is a masked site, one whose species is asked for.
    pub element: Option<Element>,
    /// Oxidation number where the file declares one.
    pub oxidation: Option<f64>,
    /// Fraction of cells in which the site is filled, usually in (0, 1].
    pub occupancy: f64,
    /// Fractional coordinates, as given: not wrapped.
    pub frac: Vector3<f64>,
}

impl Site {
    /// A fully occupied site without a declared charge.
    #[must_use]
    pub fn new(element: Element, frac: Vector3<f64>) -> Self {
        Self { element: Some(element), oxidation: None, occupancy: 1.0, frac }
    }
}

/// A lattice with the atoms of one whole cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Structure {
    /// The lattice.
    pub lattice: Lattice,
    /// Every atom of the cell.
    pub sites: Vec<Site>,
}

/// Rows of one mixed site have the same coordinates but for rounding (Å).
pub(crate) const SHARED_POSITION: f64 = 0.01;

/// Avogadro's constant times 1e-24 cm³/Å³: u/Å³ to g/cm³ is division by this.
const U_PER_A3: f64 = 0.602_214_076;

impl Structure {
    /// Number of sites in the cell.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sites.len()
    }

    /// Whether the cell holds no site.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sites.is_empty()
    }

    /// What the cell holds, weighted by occupancy; masked sites count for nothing.
    #[must_use]
    pub fn composition(&self) -> Composition {
        self.sites.iter().filter_map(|s| Some((s.element?, s.occupancy))).collect()
    }

    /// Mass density (g/cm³), occupancies included.
    #[must_use]
    pub fn density(&self) -> f64 {
        self.composition().mass() / self.lattice.volume() / U_PER_A3
    }

    /// Whether every site is one known element with full occupancy: what a potential can work on.
    #[must_use]
    pub fn is_ordered(&self) -> bool {
        self.sites.iter().all(|s| s.element.is_some() && (s.occupancy - 1.0).abs() < 1e-6)
    }

    /// The shortest distance in the crystal, periodic images included; indices are those of the sites.
    /// `None` without sites. Partly occupied species that share a position are one atom or another of
    /// it, not two at distance zero.
    ///
    /// # Errors
    /// When a coordinate is not finite, see [`NeighborError`].
    pub fn closest_pair(&self) -> Result<Option<ClosestPair>, NeighborError> {
        let distinct = self.distinct_positions()?;
        let frac: Vec<_> = distinct.iter().map(|&i| self.sites[i].frac).collect();
        let named = |pair: ClosestPair| ClosestPair {
            first: distinct[pair.first],
            second: distinct[pair.second],
            ..pair
        };
        Ok(closest_pair(&self.lattice, &frac)?.map(named))
    }

    /// Sites but for those that only share the position of an earlier one (both partly occupied).
    pub(crate) fn distinct_positions(&self) -> Result<Vec<usize>, NeighborError> {
        let partial: Vec<_> =
            (0..self.len()).filter(|&i| self.sites[i].occupancy < 1.0 - 1e-6).collect();
        let frac: Vec<_> = partial.iter().map(|&i| self.sites[i].frac).collect();
        let near = neighbors(&self.lattice, &frac, SHARED_POSITION)?;
        let mut repeated = vec![false; self.len()];
        for (a, neighbor) in near.iter() {
            let b = neighbor.index as usize;
            let fits = self.sites[partial[a]].occupancy + self.sites[partial[b]].occupancy < 1.001;
            if a < b && fits {
                repeated[partial[b]] = true;
            }
        }
        Ok((0..self.len()).filter(|&i| !repeated[i]).collect())
    }

    /// Fractional coordinates of all sites.
    #[must_use]
    pub fn fractional(&self) -> Vec<Vector3<f64>> {
        self.sites.iter().map(|s| s.frac).collect()
    }

    /// Cartesian coordinates of all sites (Å).
    #[must_use]
    pub fn cartesian(&self) -> Vec<Vector3<f64>> {
        self.sites.iter().map(|s| self.lattice.to_cartesian(&s.frac)).collect()
    }
}

/// `x` brought into [0, 1); values that rounding would carry to 1 become 0.
#[must_use]
pub fn wrap_unit(x: f64) -> f64 {
    let wrapped = x - x.floor();
    if wrapped >= 1.0 { 0.0 } else { wrapped }
}

/// `x` brought into [−½, ½): the shortest way between two fractional coordinates of one axis.
#[must_use]
pub fn wrap_half(x: f64) -> f64 {
    x - (x + 0.5).floor()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn density_of_rock_salt() {
        let lattice = Lattice::from_parameters([5.6402; 3], [90.0; 3]).unwrap();
        let (na, cl) = (Element::from_symbol("Na").unwrap(), Element::from_symbol("Cl").unwrap());
        let corners = [[0.0, 0.0, 0.0], [0.0, 0.5, 0.5], [0.5, 0.0, 0.5], [0.5, 0.5, 0.0]];
        let sites = corners.iter().flat_map(|c| {
            let c = Vector3::from(*c);
            [Site::new(na, c), Site::new(cl, c + Vector3::new(0.5, 0.0, 0.0))]
        });
        let salt = Structure { lattice, sites: sites.collect() };
        assert_eq!(salt.composition().to_string(), "Na4 Cl4");
        assert!((salt.density() - 2.163).abs() < 2e-3, "{}", salt.density());
        assert!(salt.is_ordered());
    }

    #[test]
    fn species_that_share_a_position_are_no_close_pair() {
        let lattice = Lattice::from_parameters([3.0; 3], [90.0; 3]).unwrap();
        let site = |symbol: &str, occupancy, frac: [f64; 3]| Site {
            occupancy,
            ..Site::new(symbol.parse().unwrap(), Vector3::from(frac))
        };
        let mut alloy = Structure {
            lattice,
            sites: vec![
                site("Fe", 0.5, [0.0; 3]),
                site("Ni", 0.3, [1.0, 0.0, 0.0]),
                site("Al", 1.0, [0.5, 0.5, 0.5]),
            ],
        };
        let pair = alloy.closest_pair().unwrap().unwrap();
        assert_eq!((pair.first, pair.second), (0, 2));
        assert!((pair.distance - 3.0 * 0.75_f64.sqrt()).abs() < 1e-12);
        // More atoms than the position can hold are really two.
        alloy.sites[0].occupancy = 0.9;
        let pair = alloy.closest_pair().unwrap().unwrap();
        assert_eq!((pair.first, pair.second, pair.image, pair.distance), (0, 1, [-1, 0, 0], 0.0));
        alloy.sites.clear();
        assert_eq!(alloy.closest_pair(), Ok(None));
    }

    #[test]
    fn wrapping_stays_inside() {
        for x in [-1e-17, -0.25, 0.0, 0.999_999, 1.0, 7.25] {
            assert!((0.0..1.0).contains(&wrap_unit(x)), "{x}");
            assert!((-0.5..0.5).contains(&wrap_half(x)), "{x}");
        }
    }
}
