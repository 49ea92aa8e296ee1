//! What is done to a crystal before the network has to mend it: species masked, every atom displaced.
//!
//! Differences from the authors' release, which has faults here: the shortest distance counts periodic images, every
//! atom can be masked, random atoms are drawn without repetition, crystals of one atom work, each crystal has a coin of
//! its own, and the displacement to be learned is Cartesian, so that it turns with the crystal as the head does.

use cellwright_crystal::Lattice;
use cellwright_crystal::neighbors::closest_pair;
use nalgebra::Vector3;
use serde::{Deserialize, Serialize};

use crate::ModelError;
use crate::nn::random::Random;

/// Which atoms lose their species.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Masking {
    /// All atoms of the species of an atom drawn at random, or else a share of the atoms: a coin decides.
    Mixed {
        /// Probability of masking a species \[0.5\].
        species: f64,
        /// Share of the atoms, rounded up \[0.15\].
        share: f64,
    },
    /// All atoms of one element.
    Element(u8),
    /// A share of the atoms drawn at random, rounded up.
    Share(f64),
}

/// How strongly a crystal is corrupted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Corruption {
    /// Which atoms lose their species.
    pub masking: Masking,
    /// Standard deviation of each component of the displacements, in units of the crystal's shortest distance \[0.1\].
    pub noise: f64,
    /// Where each crystal has a strength of its own, the least one; up to [`Self::noise`] all are as likely \[none\].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub least_noise: Option<f64>,
}

impl Default for Corruption {
    fn default() -> Self {
        Self {
            masking: Masking::Mixed { species: 0.5, share: 0.15 },
            noise: 0.1,
            least_noise: None,
        }
    }
}

impl Corruption {
    /// Refuses settings that make no corruption.
    ///
    /// # Errors
    /// Says which setting and why.
    pub fn check(&self) -> Result<(), ModelError> {
        let share = |x: f64| (0.0..=1.0).contains(&x);
        let masking = match self.masking {
            Masking::Mixed { species, share: part } => share(species) && share(part),
            Masking::Share(part) => share(part),
            Masking::Element(z) => (1..=118).contains(&z),
        };
        let least = self.least_noise.unwrap_or(self.noise);
        match (masking, 0.0 <= least && least <= self.noise && self.noise <= 1.0) {
            (true, true) => Ok(()),
            (false, _) => Err(ModelError::Data("selfsup: shares are between 0 and 1".into())),
            (_, false) => Err(ModelError::Data(
                "selfsup: noise is between 0 and 1, the least one no larger".into(),
            )),
        }
    }

    /// Corrupts a crystal.
    ///
    /// # Errors
    /// When it has no atoms or its atoms are nowhere.
    pub fn apply(
        &self,
        lattice: &Lattice,
        numbers: &[u8],
        frac: &[[f64; 3]],
        random: &mut Random,
    ) -> Result<Corrupted, ModelError> {
        if numbers.is_empty() || numbers.len() != frac.len() {
            return Err(ModelError::Data("a crystal to be corrupted needs atoms".into()));
        }
        let masked = masked(self.masking, numbers, random);
        let least = self.least_noise;
        let strength = least.map_or(self.noise, |l| l + (self.noise - l) * random.uniform());
        let sigma = strength * shortest(lattice, frac)?;
        let normal: Vec<[f64; 3]> =
            numbers.iter().map(|_| [(); 3].map(|()| random.normal())).collect();
        let displaced = displace(lattice, frac, sigma, &normal);
        let numbers =
            numbers.iter().zip(&masked).map(|(z, masked)| if *masked { 0 } else { *z }).collect();
        Ok(Corrupted { numbers, masked, ..displaced })
    }
}

/// A corrupted crystal and what was done to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Corrupted {
    /// Atomic numbers, 0 where masked.
    pub numbers: Vec<u8>,
    /// Which atoms are masked.
    pub masked: Vec<bool>,
    /// Fractional coordinates in [0, 1).
    pub frac: Vec<Vector3<f64>>,
    /// Cartesian displacements (Å): taking them away mends the crystal.
    pub displacement: Vec<[f64; 3]>,
}

/// Shortest distance of a crystal, images included (Å).
///
/// # Errors
/// When there are no atoms or a coordinate is not finite.
pub fn shortest(lattice: &Lattice, frac: &[[f64; 3]]) -> Result<f64, ModelError> {
    let frac: Vec<Vector3<f64>> = frac.iter().map(|f| Vector3::from(*f)).collect();
    let pair = closest_pair(lattice, &frac).map_err(|e| ModelError::Data(e.to_string()))?;
    pair.map(|p| p.distance).ok_or_else(|| ModelError::Data("a crystal needs atoms".into()))
}

/// Every atom displaced by `sigma` (Å) times its `normal` numbers and wrapped into the cell; no atom is masked.
pub fn displace(
    lattice: &Lattice,
    frac: &[[f64; 3]],
    sigma: f64,
    normal: &[[f64; 3]],
) -> Corrupted {
    let displacement: Vec<[f64; 3]> = normal.iter().map(|n| n.map(|x| sigma * x)).collect();
    let moved = |(f, d): (&[f64; 3], &[f64; 3])| {
        let frac = Vector3::from(*f) + lattice.to_fractional(&Vector3::from(*d));
        // A tiny negative number wraps to exactly 1.
        frac.map(|x| x.rem_euclid(1.0)).map(|x| if x < 1.0 { x } else { 0.0 })
    };
    let frac = frac.iter().zip(&displacement).map(moved).collect();
    Corrupted { numbers: Vec::new(), masked: vec![false; normal.len()], frac, displacement }
}

fn masked(masking: Masking, numbers: &[u8], random: &mut Random) -> Vec<bool> {
    let element = |z: u8| numbers.iter().map(|n| *n == z).collect();
    match masking {
        Masking::Element(z) => element(z),
        Masking::Share(share) => some(share, numbers.len(), random),
        Masking::Mixed { species, share } => {
            if random.uniform() < species {
                element(numbers[random.below(numbers.len())])
            } else {
                some(share, numbers.len(), random)
            }
        }
    }
}

/// `share` of `atoms`, rounded up.
fn some(share: f64, atoms: usize, random: &mut Random) -> Vec<bool> {
    let count = ((share * atoms as f64).ceil() as usize).min(atoms);
    let mut masked = vec![false; atoms];
    for i in rand::seq::index::sample(random.source(), atoms, count) {
        masked[i] = true;
    }
    masked
}

#[cfg(test)]
mod tests {
    use super::*;

    const NUMBERS: [u8; 8] = [26, 26, 8, 8, 8, 8, 3, 3];

    fn cell() -> (Lattice, Vec<[f64; 3]>) {
        let lattice = Lattice::from_parameters([6.0, 7.0, 8.0], [80.0, 95.0, 110.0]).unwrap();
        let frac = (0..8).map(|i| [i & 1, i >> 1 & 1, i >> 2].map(|x| 0.5 * f64::from(x) + 0.99));
        (lattice, frac.collect())
    }

    #[test]
    fn species_and_shares_are_masked_and_every_atom_sometimes() {
        let (lattice, frac) = cell();
        let (mut whole, mut parts, mut seen) = (0, 0, [0; 8]);
        for i in 0..400 {
            let mut random = Random::new(1, i);
            let c = Corruption::default().apply(&lattice, &NUMBERS, &frac, &mut random).unwrap();
            let count = c.masked.iter().filter(|m| **m).count();
            for i in 0..8 {
                assert_eq!(c.numbers[i], if c.masked[i] { 0 } else { NUMBERS[i] });
                seen[i] += usize::from(c.masked[i]);
            }
            let species: Vec<u8> = (0..8).filter(|i| c.masked[*i]).map(|i| NUMBERS[i]).collect();
            let all = NUMBERS.iter().filter(|z| **z == species[0]).count();
            if count == all && species.iter().all(|z| *z == species[0]) {
                whole += 1;
            } else {
                // ⌈0.15 · 8⌉ = 2
                assert_eq!(count, 2);
                parts += 1;
            }
        }
        assert!(whole > 150 && parts > 100, "{whole} {parts}");
        assert!(seen.iter().all(|n| *n > 50), "{seen:?}");
    }

    #[test]
    fn displacements_are_normal_and_undo_themselves() {
        let (lattice, frac) = cell();
        let sigma = 0.1 * shortest(&lattice, &frac).unwrap();
        let mut squares = 0.0;
        for i in 0..200 {
            let mut random = Random::new(2, i);
            let c = Corruption::default().apply(&lattice, &NUMBERS, &frac, &mut random).unwrap();
            for (i, d) in c.displacement.iter().enumerate() {
                squares += d.iter().map(|x| x * x).sum::<f64>() / (200.0 * 8.0 * 3.0);
                assert!(c.frac[i].iter().all(|x| (0.0..1.0).contains(x)));
                let back = c.frac[i] - lattice.to_fractional(&Vector3::from(*d));
                let left = (back - Vector3::from(frac[i])).map(|x| x - x.round());
                assert!(left.norm() < 1e-12);
            }
        }
        assert!((squares.sqrt() / sigma - 1.0).abs() < 0.03, "{} {sigma}", squares.sqrt());
    }

    #[test]
    fn one_atom_is_displaced_by_a_share_of_its_images_distance() {
        let lattice = Lattice::from_parameters([3.0, 4.0, 5.0], [90.0; 3]).unwrap();
        let mut random = Random::new(3, 0);
        assert!((shortest(&lattice, &[[0.3; 3]]).unwrap() - 3.0).abs() < 1e-12);
        let c = Corruption::default().apply(&lattice, &[84], &[[0.3; 3]], &mut random).unwrap();
        assert!(c.displacement[0].iter().all(|x| x.is_finite()) && c.masked[0]);
    }

    #[test]
    fn nonsense_is_refused() {
        let (lattice, frac) = cell();
        let mut random = Random::new(4, 0);
        let default = Corruption::default();
        assert!(default.apply(&lattice, &[], &[], &mut random).is_err());
        assert!(default.apply(&lattice, &[8], &frac, &mut random).is_err());
        default.check().unwrap();
        for json in
            [r#"{"noise":2.0}"#, r#"{"masking":{"share":1.5}}"#, r#"{"masking":{"element":0}}"#]
        {
            let corruption: Corruption = serde_json::from_str(json).unwrap();
            assert!(corruption.check().is_err(), "{json}");
        }
    }
}
