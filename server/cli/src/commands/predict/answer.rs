//! Predictions as people and programs read them.

use std::fmt::Write;

use anyhow::Result;
use cellwright_features::predict::{CandidateNumbers, Relaxed};
use cellwright_models::hull::Hull;
use cellwright_models::tasks::predict::{AboveHull, Candidate, Prediction, Relaxation, Source};
use serde::Serialize;

use crate::geometry::Geometry;

/// One answer, schema `predict` version 1.
#[derive(Debug, Serialize)]
pub(super) struct Answer<'a> {
    pub(super) composition: &'a str,
    pub(super) candidates: Vec<Found>,
    /// What the energies are compared with.
    pub(super) hull: Option<&'a Hull>,
    pub(super) notes: &'a [String],
    /// Why there is no answer.
    pub(super) error: Option<String>,
}

/// One candidate.
#[derive(Debug, Serialize)]
pub(super) struct Found {
    formula: String,
    units: u32,
    source: &'static str,
    /// Id, model or seed.
    origin: String,
    probability: Option<f64>,
    energy: Option<f64>,
    above_hull: Option<AboveHull>,
    relaxation: Option<Relaxation>,
    space_group: Option<Group>,
    density: f64,
    shortest: Option<f64>,
    charge_balanced: Option<bool>,
    #[serde(flatten)]
    geometry: Geometry,
}

#[derive(Debug, Serialize)]
struct Group {
    number: u16,
    symbol: String,
}

impl<'a> Answer<'a> {
    pub(super) fn new(composition: &'a str, prediction: &'a Prediction) -> Self {
        let candidates = prediction.candidates.iter().map(Found::new).collect();
        let (hull, notes) = (prediction.hull.as_ref(), prediction.notes.as_slice());
        Self { composition, candidates, hull, notes, error: None }
    }

    /// What could not be answered.
    pub(super) fn failed(composition: &'a str, error: String) -> Self {
        Self { composition, candidates: Vec::new(), hull: None, notes: &[], error: Some(error) }
    }

    /// As one line of JSON.
    pub(super) fn line(&self) -> Result<String> {
        Ok(format!("{}\n", serde_json::to_string(self)?))
    }
}

impl Found {
    fn new(candidate: &Candidate) -> Self {
        let structure = &candidate.structure;
        let group =
            |(number, symbol): &(u16, String)| Group { number: *number, symbol: symbol.clone() };
        let (source, origin) = match &candidate.source {
            Source::Prototype { id, formula } => ("prototype", format!("{formula} {id}")),
            Source::Diffusion { seed, .. } => {
                ("diffusion", format!("{}, seed {seed}", candidate.source))
            }
            Source::Search { seed } => ("search", format!("seed {seed}")),
        };
        Self {
            formula: structure.composition().reduced().0.formula(),
            units: candidate.units,
            source,
            origin,
            probability: candidate.probability,
            energy: candidate.energy,
            above_hull: candidate.above_hull,
            relaxation: candidate.relaxation,
            space_group: candidate.space_group.as_ref().map(group),
            density: candidate.density,
            shortest: candidate.shortest,
            charge_balanced: candidate.charge_balanced,
            geometry: Geometry::new(structure),
        }
    }
}

/// Where a candidate comes from, as it is kept in a file.
pub(super) fn origin(candidate: &Candidate, potential: Option<&str>) -> String {
    let relaxed = candidate.relaxation.map(|r| Relaxed {
        steps: r.steps,
        converged: r.converged,
        volume_change: r.volume_change,
    });
    let numbers = CandidateNumbers {
        source: candidate.source.to_string(),
        probability: candidate.probability,
        relaxed,
        ..CandidateNumbers::default()
    };
    numbers.origin(potential)
}

/// A line for each candidate.
pub(super) fn table(prediction: &Prediction) -> String {
    let mut text = String::new();
    if prediction.candidates.is_empty() {
        return text;
    }
    // Columns that nothing was asked for are not there.
    let energies = prediction.candidates.iter().any(|c| c.energy.is_some());
    let relaxed = prediction.candidates.iter().any(|c| c.relaxation.is_some());
    let _ = write!(
        text,
        "{:>2}  {:>6}  {:>2}  {:<12}  {:>7}  {:>7}",
        "", "chance", "Z", "space group", "g/cm³", "nearest"
    );
    if energies {
        let _ = write!(text, "  {:>9}  {:>10}", "eV/atom", "above hull");
    }
    if relaxed {
        let _ = write!(text, "  {:>6}  {:>7}", "steps", "volume");
    }
    text.push_str("  from\n");
    for (i, candidate) in prediction.candidates.iter().enumerate() {
        let or_dash = |x: Option<String>| x.unwrap_or_else(|| "–".to_owned());
        let _ = write!(
            text,
            "{:>2}  {:>6}  {:>2}  {:<12}  {:>7.3}  {:>7}",
            i + 1,
            or_dash(candidate.probability.map(|p| format!("{:.1} %", 100.0 * p))),
            candidate.units,
            or_dash(candidate.space_group.as_ref().map(|(_, symbol)| symbol.clone())),
            candidate.density,
            or_dash(candidate.shortest.map(|d| format!("{d:.2} Å")))
        );
        if energies {
            let above = candidate.above_hull.map(|hull| signed(hull.energy, 3));
            let energy = candidate.energy.map(|e| format!("{e:.4}"));
            let _ = write!(text, "  {:>9}  {:>10}", or_dash(energy), or_dash(above));
        }
        if relaxed {
            let open = |r: &Relaxation| if r.converged { "" } else { "…" };
            let steps = candidate.relaxation.map(|r| format!("{}{}", r.steps, open(&r)));
            let volume =
                candidate.relaxation.map(|r| format!("{} %", signed(100.0 * r.volume_change, 1)));
            let _ = write!(text, "  {:>6}  {:>7}", or_dash(steps), or_dash(volume));
        }
        let _ = writeln!(text, "  {}", candidate.source);
    }
    if let Some(hull) = &prediction.hull {
        let noun = if hull.phases == 1 { "phase" } else { "phases" };
        let _ = writeln!(
            text,
            "hull of {} known {noun}: {} at {:.4} eV/atom",
            hull.phases,
            hull.mixture(),
            hull.energy
        );
    }
    text
}

/// A change with its sign; what rounds to zero has none.
fn signed(change: f64, decimals: usize) -> String {
    let text = format!("{change:+.decimals$}");
    let is_zero = text.bytes().all(|b| matches!(b, b'+' | b'-' | b'0' | b'.'));
    if is_zero { text[1..].to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::signed;

    #[test]
    fn zero_has_no_sign() {
        assert_eq!([signed(-0.04, 1), signed(0.0, 3), signed(-0.06, 1)], ["0.0", "0.000", "-0.1"]);
        assert_eq!(signed(0.25, 1), "+0.2");
    }
}
