//! Completing and denoising: how much of what was taken away comes back.
//!
//! Definitions of Liu et al., arXiv:2312.14485: compositional similarity is the share of crystals whose every species is
//! restored, structural similarity one minus the mean distance of the atoms from where they were over the mean
//! displacement, over the crystals whose species are all restored. The model answers for masked sites only; in the
//! publication it names all sites again.

use cellwright_crystal::{Element, Structure};
use nalgebra::Vector3;
use serde::Serialize;

use super::calibration;
use super::rate::{Rate, Sums};
use super::validity::{Validity, validity};

mod fit;
mod question;
mod statistics;
#[cfg(test)]
mod tests;

pub use fit::{Case, fit};
pub use question::{Mask, Question, questions};
pub use statistics::Statistics;

/// What somebody says to a [`Question`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answer {
    /// For each masked site elements with their chances, the likeliest first.
    pub sites: Vec<Vec<(Element, f64)>>,
    /// Elements of all masked sites in one, with the chance that all are right, the likeliest first; empty where nobody
    /// looked at the sites together.
    pub joint: Vec<(Vec<Element>, f64)>,
    /// How far every site is from where it belongs (Å); none where nothing is said of it.
    pub displacement: Option<Vec<Vector3<f64>>>,
}

/// How well positions come back.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Positions {
    /// Structural similarity; none where no crystal is restored.
    pub similarity: Option<Rate>,
    /// One minus the sum of the squared distances over the sum of the squared displacements, all crystals.
    pub removed: Option<Rate>,
    /// The same with the mean displacement of each crystal taken away: what can be seen at all.
    pub removed_around_mean: Option<Rate>,
}

/// What was measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Questions asked.
    pub questions: usize,
    /// Masked sites.
    pub sites: usize,
    /// Masked sites whose element is the likeliest, among the three, among the five likeliest.
    pub top: [Option<Rate>; 3],
    /// Compositional similarity: each site takes its likeliest element.
    pub restored: Option<Rate>,
    /// The right elements for all masked sites are the likeliest, among the three likeliest, where they are named together.
    pub joint: [Option<Rate>; 2],
    /// Expected calibration error of the likeliest element of a site.
    pub calibration_error: Option<f64>,
    /// Of the likeliest elements named together.
    pub joint_calibration_error: Option<f64>,
    /// Where positions are answered too.
    pub positions: Option<Positions>,
    /// Of the mended crystals, where positions are answered too.
    pub validity: Option<Validity>,
}

/// Judges answers, one for each question; `seed` is that of the bootstrap.
#[must_use]
pub fn judge(questions: &[Question], answers: &[Answer], seed: u64) -> Report {
    let mut top = [Sums::default(), Sums::default(), Sums::default()];
    let mut joint = [Sums::default(), Sums::default()];
    let mut restored = Sums::default();
    let (mut said, mut said_jointly) = (Vec::new(), Vec::new());
    for (question, answer) in questions.iter().zip(answers) {
        for (site, ranked) in question.masked.iter().zip(&answer.sites) {
            let place = ranked.iter().position(|(e, _)| *e == question.truth[*site]);
            for (sums, most) in top.iter_mut().zip([1, 3, 5]) {
                sums.count(question.crystal, place.is_some_and(|p| p < most));
            }
            said.extend(ranked.first().map(|(_, chance)| (*chance, place == Some(0))));
        }
        restored.count(question.crystal, is_restored(question, answer));
        if let Some((_, chance)) = answer.joint.first() {
            let right = question.masked.iter().map(|i| question.truth[*i]);
            let place =
                answer.joint.iter().position(|(es, _)| es.iter().copied().eq(right.clone()));
            for (sums, most) in joint.iter_mut().zip([1, 3]) {
                sums.count(question.crystal, place.is_some_and(|p| p < most));
            }
            said_jointly.push((*chance, place == Some(0)));
        }
    }
    let mended: Vec<(usize, Structure)> = questions
        .iter()
        .zip(answers)
        .filter_map(|(q, a)| Some((q.crystal, mended(q, a)?)))
        .collect();
    let error = |said: &[(f64, bool)]| calibration::error(&calibration::bins(said));
    Report {
        questions: questions.len(),
        sites: questions.iter().map(|q| q.masked.len()).sum(),
        top: top.map(|sums| sums.rate(seed)),
        restored: restored.rate(seed),
        joint: joint.map(|sums| sums.rate(seed)),
        calibration_error: error(&said),
        joint_calibration_error: error(&said_jointly),
        positions: positions(questions, answers, seed),
        validity: (!mended.is_empty()).then(|| validity(&mended, seed)),
    }
}

fn is_restored(question: &Question, answer: &Answer) -> bool {
    let right = |(site, ranked): (&usize, &Vec<(Element, f64)>)| {
        ranked.first().is_some_and(|(e, _)| *e == question.truth[*site])
    };
    question.masked.iter().zip(&answer.sites).all(right)
}

/// The crystal with the likeliest elements and the displacements taken away.
fn mended(question: &Question, answer: &Answer) -> Option<Structure> {
    let mut structure = question.spoiled.clone();
    for (site, ranked) in question.masked.iter().zip(&answer.sites) {
        structure.sites[*site].element = Some(ranked.first()?.0);
    }
    let back = answer.displacement.as_ref()?;
    for (site, displacement) in structure.sites.iter_mut().zip(back) {
        site.frac -= structure.lattice.to_fractional(displacement);
    }
    Some(structure)
}

fn positions(questions: &[Question], answers: &[Answer], seed: u64) -> Option<Positions> {
    let mut distances = Sums::default();
    let [mut squares, mut around] = [Sums::default(), Sums::default()];
    let mut any = false;
    for (question, answer) in questions.iter().zip(answers) {
        let Some(said) = &answer.displacement else { continue };
        any = true;
        let put = &question.displacement;
        let left: Vec<Vector3<f64>> = put.iter().zip(said).map(|(d, s)| d - s).collect();
        let mean_size =
            |v: &[Vector3<f64>]| v.iter().map(Vector3::norm).sum::<f64>() / v.len() as f64;
        if is_restored(question, answer) && mean_size(put) > 0.0 {
            distances.add(question.crystal, mean_size(&left) / mean_size(put), 1.0);
        }
        let square = |v: &[Vector3<f64>]| v.iter().map(Vector3::norm_squared).sum::<f64>();
        squares.add(question.crystal, square(&left), square(put));
        around.add(question.crystal, square(&without_mean(&left)), square(&without_mean(put)));
    }
    any.then(|| Positions {
        similarity: distances.rest(seed),
        removed: squares.rest(seed),
        removed_around_mean: around.rest(seed),
    })
}

fn without_mean(vectors: &[Vector3<f64>]) -> Vec<Vector3<f64>> {
    let mean = vectors.iter().sum::<Vector3<f64>>() / vectors.len().max(1) as f64;
    vectors.iter().map(|v| v - mean).collect()
}
