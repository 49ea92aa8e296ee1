//! Crystals that are spoiled, to be mended.

use cellwright_crystal::{Element, Structure};
use nalgebra::Vector3;
use serde::Serialize;

use crate::ModelError;
use crate::data::Crystal;
use crate::nn::random::Random;
use crate::selfsup::corruption::{Corruption, Masking};
use crate::tasks::complete;

/// Which atoms lose their species.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mask {
    /// All atoms of a species; each species of a crystal is a question of its own.
    Alpha,
    /// 15 % of the atoms, rounded up, drawn at random.
    Beta,
    /// 30 % of the atoms.
    Gamma,
}

impl Mask {
    /// What is masked in a crystal with these atomic numbers, one entry a question.
    fn maskings(self, numbers: &[u8]) -> Vec<Masking> {
        match self {
            Self::Beta => vec![Masking::Share(0.15)],
            Self::Gamma => vec![Masking::Share(0.3)],
            Self::Alpha => {
                let mut species = numbers.to_vec();
                species.sort_unstable();
                species.dedup();
                species.into_iter().map(Masking::Element).collect()
            }
        }
    }
}

/// A spoiled crystal with what it was.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// Which crystal of the set it is.
    pub crystal: usize,
    /// Masked sites have no element, all sites are displaced.
    pub spoiled: Structure,
    /// The elements that were there.
    pub truth: Vec<Element>,
    /// The masked sites.
    pub masked: Vec<usize>,
    /// What was added to the positions (Å, Cartesian).
    pub displacement: Vec<Vector3<f64>>,
    /// Whether all masked sites held one element.
    pub together: bool,
}

impl Question {
    /// As completing is asked: the masked sites as one group where they held one element, else each for itself.
    #[must_use]
    pub fn asked(&self, answers: usize) -> complete::Question {
        let whole = Some(self.together);
        let separate = complete::Question::separate(self.spoiled.clone(), answers);
        let separate = complete::Question { whole, ..separate };
        match self.together {
            true => complete::Question { groups: vec![self.masked.clone()], ..separate },
            false => separate,
        }
    }

    /// The elements that were on the groups of [`Self::asked`].
    #[must_use]
    pub fn there(&self) -> Vec<Element> {
        let sites = if self.together { &self.masked[..1] } else { &self.masked[..] };
        sites.iter().map(|site| self.truth[*site]).collect()
    }
}

/// The questions about some crystals. `noise` is the standard deviation of each component of the displacements, in units of
/// the shortest distance of the crystal.
///
/// # Errors
/// When a crystal is none.
pub fn questions(
    crystals: &[Crystal],
    mask: Mask,
    noise: f64,
    seed: u64,
) -> Result<Vec<Question>, ModelError> {
    let mut questions = Vec::new();
    for (index, crystal) in crystals.iter().enumerate() {
        let mut random = Random::new(seed, index as u64);
        let whole = crystal.structure()?;
        for masking in mask.maskings(&crystal.numbers) {
            let corruption = Corruption { masking, noise, least_noise: None };
            let corrupted =
                corruption.apply(&whole.lattice, &crystal.numbers, &crystal.frac, &mut random)?;
            let mut spoiled = whole.clone();
            for ((site, frac), masked) in
                spoiled.sites.iter_mut().zip(&corrupted.frac).zip(&corrupted.masked)
            {
                site.frac = *frac;
                site.element = site.element.filter(|_| !masked);
            }
            let masked = (0..whole.len()).filter(|i| corrupted.masked[*i]).collect();
            questions.push(Question {
                crystal: index,
                spoiled,
                truth: whole.sites.iter().filter_map(|s| s.element).collect(),
                masked,
                displacement: corrupted.displacement.iter().map(|d| Vector3::from(*d)).collect(),
                together: mask == Mask::Alpha,
            });
        }
    }
    Ok(questions)
}
