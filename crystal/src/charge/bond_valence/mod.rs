//! Bond valence: a second opinion on oxidation states, from the distances in a structure.
//!
//! Each bond between a cation and an anion carries the valence `v = exp((R − d) / b)`, d its length, and
//! those of one atom add up to its oxidation state (Pauling's second rule; Brown & Altermatt, *Acta
//! Cryst.* B **41**, 244 (1985)). R comes from a radius r and a softness c of each element, which leaves
//! out the oxidation state (O'Keeffe & Brese, *J. Am. Chem. Soc.* **113**, 3226 (1991), equation 2):
//!
//! `R = rᵢ + rⱼ − rᵢ rⱼ (√cᵢ − √cⱼ)² / (cᵢ rᵢ + cⱼ rⱼ)`
//!
//! In well determined structures the sums meet the state within some tenths; distorted coordinations of
//! lone pairs, structures under pressure and computed ones miss it by more.

use std::array;
use std::sync::LazyLock;

use crate::neighbors::{NeighborError, neighbors};
use crate::{Element, Structure};

mod table;

/// What the paper tabulates of one element.
#[derive(Debug, Clone, Copy)]
struct Parameters {
    /// r (Å).
    radius: f64,
    /// c, close to an electronegativity.
    softness: f64,
}

/// Which distances count and how fast the valence falls with them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bonds {
    /// b in the exponent (Å).
    pub decay: f64,
    /// Farthest neighbour that is added (Å).
    pub cutoff: f64,
}

impl Default for Bonds {
    /// The b of 0.37 Å of Brown & Altermatt (1985), and neighbours within 4 Å: bonds beyond carry less than
    /// a hundredth.
    fn default() -> Self {
        Self { decay: 0.37, cutoff: 4.0 }
    }
}

/// The elements that one partner of a bond must be of, for the radii hold for no others.
const ANIONS: [&str; 16] =
    ["H", "B", "C", "Si", "N", "P", "As", "Sb", "O", "S", "Se", "Te", "F", "Cl", "Br", "I"];

/// By atomic number.
static PARAMETERS: LazyLock<[Option<Parameters>; Element::COUNT + 1]> = LazyLock::new(|| {
    array::from_fn(|z| {
        let symbol = Element::from_z(z as u8)?.symbol();
        table::TABLE.iter().find(|(s, _)| *s == symbol).map(|(_, p)| *p)
    })
});

/// Length R (Å) of a bond of valence 1 between two elements. `None` where the paper has no parameters of
/// one, or neither is a nonmetal.
#[must_use]
pub fn unit_length(a: Element, b: Element) -> Option<f64> {
    let nonmetal = |e: Element| ANIONS.contains(&e.symbol());
    if !nonmetal(a) && !nonmetal(b) {
        return None;
    }
    let (a, b) = (PARAMETERS[usize::from(a.z())]?, PARAMETERS[usize::from(b.z())]?);
    let difference = (a.softness.sqrt() - b.softness.sqrt()).powi(2);
    let weight = a.softness * a.radius + b.softness * b.radius;
    Some(a.radius + b.radius - a.radius * b.radius * difference / weight)
}

/// Why there are no sums.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum BondValenceError {
    /// There must be one state for each site.
    #[error("{states} oxidation states for {sites} sites")]
    States {
        /// How many states there are.
        states: usize,
        /// How many sites there are.
        sites: usize,
    },
    /// A coordinate or the cutoff is not finite or far too large.
    #[error(transparent)]
    Neighbors(#[from] NeighborError),
}

/// The bond-valence sum of each site (e), positive for cations. `states` holds the oxidation state of each
/// site, of which only the sign matters: bonds are between ions of unlike sign. Neighbours weigh by their
/// occupancy.
///
/// `None` for a site that is masked or has no state but zero, for one without a neighbour of unlike sign,
/// and where the paper has no parameters for one of its bonds.
///
/// # Errors
/// See [`BondValenceError`].
pub fn bond_valence_sums(
    structure: &Structure,
    states: &[f64],
    bonds: Bonds,
) -> Result<Vec<Option<f64>>, BondValenceError> {
    if states.len() != structure.len() {
        return Err(BondValenceError::States { states: states.len(), sites: structure.len() });
    }
    let near = neighbors(&structure.lattice, &structure.fractional(), bonds.cutoff)?;
    let sum = |i: usize| {
        let element = structure.sites[i].element?;
        let mut sum = 0.0;
        for neighbor in near.of(i) {
            let j = neighbor.index as usize;
            if states[i] * states[j] < 0.0 {
                let site = &structure.sites[j];
                let length = unit_length(element, site.element?)?;
                sum += site.occupancy * ((length - neighbor.distance) / bonds.decay).exp();
            }
        }
        (sum > 0.0).then(|| sum * states[i].signum())
    };
    Ok((0..structure.len()).map(sum).collect())
}

#[cfg(test)]
mod tests;
