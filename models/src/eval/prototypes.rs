//! How good structures from known ones are: see [`super::csp`] for what counts as found.

use std::collections::BTreeMap;

use cellwright_crystal::metrics::{Matches, best_in_group};
use cellwright_crystal::{Element, Structure};
use rayon::prelude::*;
use serde::Serialize;

use super::calibration::{self, Bin};
use super::chemistry::Chemistry;
use super::csp::{Report, matcher, report};
use crate::ModelError;
use crate::data::Crystal;
use crate::prototypes::Question;
use crate::tasks::predict::{Prototypes, distinct};

/// What was found for one crystal.
#[derive(Debug, Clone)]
struct Found {
    /// Reduced formula: crystals with the same one are polymorphs.
    formula: String,
    chemistry: Chemistry,
    elements: usize,
    atoms: usize,
    /// For each answer, the likeliest first: its rms to the crystal if it matches, and its probability.
    answers: Vec<(Option<f64>, Option<f64>)>,
    /// How far the volume of the closest one that matches is from that of the crystal: |V/V₀ − 1|.
    volume: Option<f64>,
}

/// The numbers for one count of answers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// Answers for each crystal.
    pub answers: usize,
    /// Match rate and RMSE.
    #[serde(flatten)]
    pub report: Report,
    /// Share of crystals that some answer to their reduced formula matches.
    pub metre: f64,
    /// Mean smallest rms of these, where those without a match count as the tolerance 0.5.
    pub crmse: f64,
}

/// The numbers of crystals of one kind.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Part {
    /// What they have in common: `2 elements`, `5–8 atoms`, `oxides`.
    pub name: String,
    /// How many there are.
    pub crystals: usize,
    /// Match rate of each row.
    pub match_rates: Vec<f64>,
}

/// What was measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measured {
    /// For each count of answers.
    pub rows: Vec<Row>,
    /// Match rate of one answer, of two… up to the most.
    pub curve: Vec<f64>,
    /// By number of elements, then by number of atoms, then by chemistry.
    pub parts: Vec<Part>,
    /// Mean and median of |V/V₀ − 1| over the crystals found, V the volume of the closest answer.
    pub volume_error: Option<[f64; 2]>,
    /// Crystals without any answer.
    pub unanswered: usize,
    /// Crystals whose reduced formula another crystal of the set has too.
    pub polymorphs: usize,
    /// Expected calibration error of the first answer's probability (ten bins of equal width); none without a ranker.
    pub calibration_error: Option<f64>,
    /// Mean of that probability; the match rate of one answer is what it should be.
    pub mean_probability: Option<f64>,
    /// That probability in ten bins, those without a crystal left out.
    pub calibration: Vec<Bin>,
}

/// Looks for crystals by their composition (counts of the cell) and sums up for each of `counts` answers. With
/// `without_itself` known crystals of the same reduced formula are left out of the library. `done` is called for every
/// crystal; `seed` is that of the bootstrap.
///
/// # Errors
/// When the library is empty, a crystal is none or the ranker fails.
pub fn measure(
    prototypes: &Prototypes,
    crystals: &[Crystal],
    counts: &[usize],
    without_itself: bool,
    seed: u64,
    done: &(dyn Fn() + Sync),
) -> Result<Measured, ModelError> {
    if prototypes.library.classes().is_empty() {
        return Err(ModelError::Data("the library holds no structure".into()));
    }
    let most = counts.iter().copied().max().unwrap_or(1);
    let looked: Vec<(Found, Vec<_>)> = crystals
        .par_iter()
        .map(|crystal| {
            let found = look(prototypes, crystal, most, without_itself);
            done();
            found
        })
        .collect::<Result<_, _>>()?;
    let (found, prepared): (Vec<Found>, Vec<Vec<_>>) = looked.into_iter().unzip();
    let truth: Vec<_> = crystals
        .iter()
        .map(|c| Ok(matcher().prepare(&c.structure()?).ok()))
        .collect::<Result<_, ModelError>>()?;
    let formulas: Vec<&str> = found.iter().map(|f| f.formula.as_str()).collect();
    let rows = counts
        .iter()
        .map(|&answers| {
            let all: Vec<(&str, &_)> = found
                .iter()
                .zip(&prepared)
                .flat_map(|(f, p)| p.iter().take(answers).map(move |p| (f.formula.as_str(), p)))
                .collect();
            let keys: Vec<&str> = all.iter().map(|(formula, _)| *formula).collect();
            let best = best_in_group(&formulas, &keys, |i, j| {
                matcher().rms(all[j].1, truth[i].as_ref()?).map(|m| m.rms)
            });
            let matches = Matches::of(&best, matcher().stol);
            Row {
                answers,
                report: report(&closest(&found, answers), seed),
                metre: matches.rate,
                crmse: matches.corrected_rmse.unwrap_or(0.0),
            }
        })
        .collect();
    let mut by_formula = BTreeMap::<&str, usize>::new();
    for formula in &formulas {
        *by_formula.entry(formula).or_default() += 1;
    }
    let first: Vec<(f64, bool)> = found
        .iter()
        .filter_map(|f| f.answers.first())
        .filter_map(|(rms, chance)| Some(((*chance)?, rms.is_some())))
        .collect();
    let calibration = calibration::bins(&first);
    let rate = |n: usize| closest(&found, n).iter().flatten().count() as f64 / found.len() as f64;
    Ok(Measured {
        rows,
        curve: (1..=most).map(rate).collect(),
        parts: parts(&found, counts),
        volume_error: volume_error(&found),
        unanswered: found.iter().filter(|f| f.answers.is_empty()).count(),
        polymorphs: by_formula.values().filter(|n| **n > 1).sum(),
        calibration_error: calibration::error(&calibration),
        mean_probability: (!first.is_empty())
            .then(|| first.iter().map(|(chance, _)| chance).sum::<f64>() / first.len() as f64),
        calibration,
    })
}

fn volume_error(found: &[Found]) -> Option<[f64; 2]> {
    let mut errors: Vec<f64> = found.iter().filter_map(|f| f.volume).collect();
    errors.sort_by(f64::total_cmp);
    let median = *errors.get(errors.len() / 2)?;
    Some([errors.iter().sum::<f64>() / errors.len() as f64, median])
}

/// The smallest rms among the first answers.
fn closest(found: &[Found], answers: usize) -> Vec<Option<f64>> {
    let best = |f: &Found| {
        f.answers.iter().take(answers).filter_map(|(rms, _)| *rms).min_by(f64::total_cmp)
    };
    found.iter().map(best).collect()
}

fn look(
    prototypes: &Prototypes,
    crystal: &Crystal,
    most: usize,
    without_itself: bool,
) -> Result<(Found, Vec<cellwright_crystal::matching::Prepared>), ModelError> {
    let matcher = matcher();
    let truth = crystal.structure()?;
    let composition = truth.composition();
    let (reduced, _) = composition.reduced();
    let counts: Vec<(Element, u32)> = composition.iter().map(|(e, n)| (e, n as u32)).collect();
    let mut question = Question::in_cell(&counts)?;
    question.without_itself = without_itself;
    let drafts = distinct(prototypes.ranked(&question, most)?, most);
    let prepared_truth = matcher.prepare(&truth).ok();
    let per_atom = |s: &Structure| s.lattice.volume() / s.len() as f64;
    let (mut answers, mut prepared) = (Vec::new(), Vec::new());
    let mut nearest = (f64::INFINITY, None);
    for draft in drafts {
        // What cannot be prepared was left out as no answer.
        let Ok(answer) = matcher.prepare(&draft.structure) else { continue };
        let rms = prepared_truth.as_ref().and_then(|t| matcher.rms(&answer, t)).map(|m| m.rms);
        if let Some(rms) = rms.filter(|rms| *rms < nearest.0) {
            nearest = (rms, Some((per_atom(&draft.structure) / per_atom(&truth) - 1.0).abs()));
        }
        answers.push((rms, draft.probability));
        prepared.push(answer);
    }
    let found = Found {
        formula: reduced.formula(),
        chemistry: Chemistry::of(&composition),
        elements: composition.len(),
        atoms: truth.len(),
        answers,
        volume: nearest.1,
    };
    Ok((found, prepared))
}

/// The largest number of atoms of each size class.
const SIZES: [usize; 7] = [4, 8, 12, 16, 20, 32, usize::MAX];

fn parts(found: &[Found], counts: &[usize]) -> Vec<Part> {
    let part = |name: String, of: &dyn Fn(&Found) -> bool| {
        let chosen: Vec<Found> = found.iter().filter(|f| of(f)).cloned().collect();
        let rate = |n: &usize| {
            closest(&chosen, *n).iter().flatten().count() as f64 / chosen.len().max(1) as f64
        };
        Part { name, crystals: chosen.len(), match_rates: counts.iter().map(rate).collect() }
    };
    let most = found.iter().map(|f| f.elements).max().unwrap_or(0);
    let mut parts: Vec<Part> = (1..=most)
        .map(|n| {
            let name = if n == 1 { "1 element".to_owned() } else { format!("{n} elements") };
            part(name, &|f| f.elements == n)
        })
        .collect();
    let mut from = 1;
    for to in SIZES {
        let name = if to == usize::MAX {
            format!("{from} atoms or more")
        } else {
            format!("{from}–{to} atoms")
        };
        parts.push(part(name, &|f| (from..=to).contains(&f.atoms)));
        from = to.saturating_add(1);
    }
    for chemistry in Chemistry::ALL {
        parts.push(part(chemistry.to_string(), &|f| f.chemistry == chemistry));
    }
    parts.retain(|part| part.crystals > 0);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(formula: &str, rms: Option<f64>) -> Found {
        let chemistry = Chemistry::of(&formula.parse().unwrap());
        let answers = vec![(None, Some(0.6)), (rms, Some(0.2))];
        Found { formula: formula.into(), chemistry, elements: 2, atoms: 6, answers, volume: rms }
    }

    #[test]
    fn errors_of_volumes_are_those_of_the_crystals_found() {
        let errors = [Some(0.3), None, Some(0.1), Some(0.02)];
        let list: Vec<Found> = errors.into_iter().map(|x| found("NaCl", x)).collect();
        let [mean, median] = volume_error(&list).unwrap();
        assert!((mean - 0.14).abs() < 1e-12 && (median - 0.1).abs() < 1e-12, "{mean} {median}");
        assert_eq!(volume_error(&list[1..2]), None);
    }

    #[test]
    fn parts_hold_every_crystal_three_times() {
        let list = vec![found("NaCl", Some(0.2)), found("MgO", None)];
        let parts = parts(&list, &[1, 2]);
        let names: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
        assert_eq!(names, ["2 elements", "5–8 atoms", "oxides", "halides"]);
        assert_eq!(parts.iter().map(|part| part.crystals).sum::<usize>(), 6);
        assert_eq!(
            (&parts[0].match_rates[..], &parts[3].match_rates[..]),
            (&[0.0, 0.5][..], &[0.0, 1.0][..])
        );
    }
}
