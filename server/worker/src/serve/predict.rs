//! A prediction: the candidates at once, their energies and relaxed structures as they come.

use std::io::Write;

use cellwright_crystal::{Element, Structure};
use cellwright_models::tasks::finish::{Options, Stage};
use cellwright_models::tasks::predict::{Candidate, Prediction, Predictor, Request};

use super::engine::Engine;
use super::guarded::{guarded, installed};
use super::memory;
use super::runner::Context;
use super::tasks::{Failure, failure};
use crate::protocol::{CandidateLine, ErrorKind, Output};

/// What was asked, as it came over the wire.
pub(super) struct Asked {
    pub(super) composition: Vec<(u8, u32)>,
    pub(super) units: Option<u32>,
    pub(super) space_group: Option<u16>,
    pub(super) answers: usize,
    pub(super) relax: usize,
    pub(super) samples: usize,
    pub(super) starts: Option<usize>,
}

pub(super) fn prediction<W: Write>(
    asked: Asked,
    engine: &mut impl Engine,
    context: &Context<'_, W>,
) -> Result<Output, Failure> {
    let options = Options { steps: asked.relax };
    let request = request(asked)?;
    let predictor = Predictor::shipped().map_err(failure)?;
    let mut listed = |candidates: &[Candidate]| {
        let noun = if candidates.len() == 1 { "candidate" } else { "candidates" };
        context.candidates(None, format!("{} {noun}", candidates.len()), lines(candidates));
    };
    let mut prediction =
        predictor.predict(&request, &|| context.is_cancelled(), &mut listed).map_err(failure)?;
    let mut energies_by = None;
    if !prediction.candidates.is_empty() {
        match installed(engine)? {
            Ok(provenance) => {
                energies_by = Some(provenance);
                let floor = memory::resident().unwrap_or(0);
                let mut evaluate =
                    |structures: &[&Structure]| guarded(structures, floor, engine, context);
                let mut tell = |stage: &Stage<'_>| {
                    let candidates = stage.candidates.map(lines).unwrap_or_default();
                    context.candidates(Some(stage.fraction), stage.message.clone(), candidates);
                    !context.is_cancelled()
                };
                prediction = predictor
                    .finish(prediction, &request, &options, &mut evaluate, &mut tell)
                    .map_err(failure)?;
            }
            // Without a model the candidates are what they are.
            Err(note) => prediction.notes.push(note),
        }
    }
    let Prediction { candidates, notes, hull } = prediction;
    Ok(Output::Predict { candidates: lines(&candidates), energies_by, hull, notes })
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
        samples: asked.samples,
        // Random starts are no answer before they are relaxed.
        starts: if asked.relax > 0 { asked.starts } else { Some(0) },
        seed: 0,
    })
}

fn lines(candidates: &[Candidate]) -> Vec<CandidateLine> {
    candidates.iter().cloned().map(CandidateLine::from).collect()
}
