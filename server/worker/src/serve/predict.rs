//! A prediction: the candidates at once, their energies as they come.

use std::io::Write;

use cellwright_crystal::{Element, Structure};
use cellwright_models::tasks::predict::{Candidate, Predictor, Request};
use cellwright_models::{ModelError, Provenance};

use super::engine::Engine;
use super::memory;
use super::runner::Context;
use super::tasks::{Failure, batches, failure, fits, go_on};
use crate::protocol::{CandidateLine, ErrorKind, Output};

/// What was asked, as it came over the wire.
pub(super) struct Asked {
    pub(super) composition: Vec<(u8, u32)>,
    pub(super) units: Option<u32>,
    pub(super) space_group: Option<u16>,
    pub(super) answers: usize,
}

pub(super) fn prediction<W: Write>(
    asked: Asked,
    engine: &mut impl Engine,
    context: &Context<'_, W>,
) -> Result<Output, Failure> {
    let request = request(asked)?;
    let predictor = Predictor::shipped().map_err(failure)?;
    let mut listed = |candidates: &[Candidate]| {
        if context.is_cancelled() {
            return false;
        }
        tell(None, candidates, context);
        true
    };
    let prediction = predictor.predict(&request, &mut listed).map_err(failure)?;
    let (mut candidates, mut notes) = (prediction.candidates, prediction.notes);
    let energies_by = match energies(&mut candidates, engine, context) {
        Ok(provenance) => provenance,
        // Without a model the candidates are what they are.
        Err((ErrorKind::NotInstalled, _)) => {
            notes.push("no energies: the energy model is not installed".to_owned());
            None
        }
        Err(failure) => return Err(failure),
    };
    Ok(Output::Predict { candidates: lines(&candidates), energies_by, notes })
}

fn request(asked: Asked) -> Result<Request, Failure> {
    let element = |(z, count): (u8, u32)| {
        let element = Element::from_z(z);
        let unknown =
            || (ErrorKind::BadRequest, format!("there is no element with the number {z}"));
        Ok((element.ok_or_else(unknown)?, count))
    };
    Ok(Request {
        composition: asked.composition.into_iter().map(element).collect::<Result<_, _>>()?,
        units: asked.units,
        space_group: asked.space_group,
        answers: asked.answers,
    })
}

/// Fills in energies, a few candidates at a time. A candidate that the model cannot treat keeps none.
fn energies<W: Write>(
    candidates: &mut [Candidate],
    engine: &mut impl Engine,
    context: &Context<'_, W>,
) -> Result<Option<Provenance>, Failure> {
    if candidates.is_empty() {
        return Ok(None);
    }
    let provenance = engine.potential().map_err(failure)?.provenance();
    let floor = memory::resident().unwrap_or(0);
    let sizes: Vec<usize> = candidates.iter().map(|c| c.structure.len()).collect();
    for batch in batches(&sizes) {
        go_on(context)?;
        let end = batch.end;
        let part = &mut candidates[batch];
        let need = part.iter().map(|c| engine.need(&c.structure)).fold(0, u64::saturating_add);
        fits(need, floor, context)?;
        let structures: Vec<&Structure> = part.iter().map(|c| &c.structure).collect();
        let answers = engine.potential().map_err(failure)?.evaluate(&structures);
        for (candidate, answer) in part.iter_mut().zip(answers) {
            let energy = match answer {
                Ok(evaluation) => Some(evaluation.energy_per_atom).filter(|e| e.is_finite()),
                Err(ModelError::Unsupported(_)) => None,
                Err(error) => return Err(failure(error)),
            };
            candidate.energy = energy;
        }
        tell(Some(end as f64 / sizes.len() as f64), candidates, context);
    }
    Ok(Some(provenance))
}

fn tell<W: Write>(fraction: Option<f64>, candidates: &[Candidate], context: &Context<'_, W>) {
    let count = candidates.len();
    let known = candidates.iter().filter(|c| c.energy.is_some()).count();
    let noun = if count == 1 { "candidate" } else { "candidates" };
    let message = match known {
        0 => format!("{count} {noun}"),
        _ => format!("{count} {noun}, energy of {known}"),
    };
    context.candidates(fraction, message, lines(candidates));
}

fn lines(candidates: &[Candidate]) -> Vec<CandidateLine> {
    candidates.iter().cloned().map(CandidateLine::from).collect()
}
