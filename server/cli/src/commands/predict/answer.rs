//! Predictions as people and programs read them.

use std::fmt::Write;

use anyhow::Result;
use cellwright_models::tasks::predict::{Candidate, Prediction, Source};
use serde::Serialize;

/// One answer, schema `predict` version 1.
#[derive(Debug, Serialize)]
pub(super) struct Answer<'a> {
    pub(super) composition: &'a str,
    pub(super) candidates: Vec<Found>,
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
    space_group: Option<Group>,
    density: f64,
    shortest: Option<f64>,
    charge_balanced: Option<bool>,
    lattice: [[f64; 3]; 3],
    sites: Vec<Atom>,
}

#[derive(Debug, Serialize)]
struct Group {
    number: u16,
    symbol: String,
}

#[derive(Debug, Serialize)]
struct Atom {
    element: Option<&'static str>,
    frac: [f64; 3],
}

impl<'a> Answer<'a> {
    pub(super) fn new(composition: &'a str, prediction: &'a Prediction) -> Self {
        let candidates = prediction.candidates.iter().map(Found::new).collect();
        Self { composition, candidates, notes: &prediction.notes, error: None }
    }

    /// What could not be answered.
    pub(super) fn failed(composition: &'a str, error: String) -> Self {
        Self { composition, candidates: Vec::new(), notes: &[], error: Some(error) }
    }

    /// As one line of JSON.
    pub(super) fn line(&self) -> Result<String> {
        Ok(format!("{}\n", serde_json::to_string(self)?))
    }
}

impl Found {
    fn new(candidate: &Candidate) -> Self {
        let structure = &candidate.structure;
        let atom = |site: &cellwright_crystal::Site| Atom {
            element: site.element.map(cellwright_crystal::Element::symbol),
            frac: site.frac.into(),
        };
        let group =
            |(number, symbol): &(u16, String)| Group { number: *number, symbol: symbol.clone() };
        let (source, origin) = match &candidate.source {
            Source::Prototype { id, formula } => ("prototype", format!("{formula} {id}")),
            Source::Diffusion { model, seed } => ("diffusion", format!("{model} seed {seed}")),
            Source::Search { seed } => ("search", format!("seed {seed}")),
        };
        Self {
            formula: structure.composition().reduced().0.formula(),
            units: candidate.units,
            source,
            origin,
            probability: candidate.probability,
            energy: candidate.energy,
            space_group: candidate.space_group.as_ref().map(group),
            density: candidate.density,
            shortest: candidate.shortest,
            charge_balanced: candidate.charge_balanced,
            lattice: [0, 1, 2].map(|i| structure.lattice.vector(i).into()),
            sites: structure.sites.iter().map(atom).collect(),
        }
    }
}

/// Where a candidate comes from, in words.
pub(super) fn source(source: &Source) -> String {
    match source {
        Source::Prototype { id, formula } => format!("{formula} ({id})"),
        Source::Diffusion { model, seed } => format!("{model}, seed {seed}"),
        Source::Search { seed } => format!("random search, seed {seed}"),
    }
}

/// A line for each candidate.
pub(super) fn table(prediction: &Prediction) -> String {
    let mut text = String::new();
    if !prediction.candidates.is_empty() {
        let _ = writeln!(
            text,
            "{:>2}  {:>6}  {:>2}  {:<12}  {:>7}  {:>7}  {:>9}  from",
            "", "chance", "Z", "space group", "g/cm³", "nearest", "eV/atom"
        );
    }
    for (i, candidate) in prediction.candidates.iter().enumerate() {
        let or_dash = |x: Option<String>| x.unwrap_or_else(|| "–".to_owned());
        let _ = writeln!(
            text,
            "{:>2}  {:>6}  {:>2}  {:<12}  {:>7.3}  {:>7}  {:>9}  {}",
            i + 1,
            or_dash(candidate.probability.map(|p| format!("{:.1} %", 100.0 * p))),
            candidate.units,
            or_dash(candidate.space_group.as_ref().map(|(_, symbol)| symbol.clone())),
            candidate.density,
            or_dash(candidate.shortest.map(|d| format!("{d:.2} Å"))),
            or_dash(candidate.energy.map(|e| format!("{e:.4}"))),
            source(&candidate.source)
        );
    }
    text
}
