//! Masked sites named, displaced atoms put back.

use std::io::Write;

use cellwright_crystal::{Element, Structure};
use cellwright_models::tasks::complete::{
    Assignment, Evidence, Potentials, Question, Weighing, complete,
};
use cellwright_models::tasks::denoise::{DenoiseOptions, Denoised, denoise};
use cellwright_models::tasks::predict::Predictor;
use cellwright_models::{Evaluation, ModelError, Provenance};

use super::engine::Engine;
use super::guarded::{guarded, installed};
use super::memory;
use super::runner::Context;
use super::tasks::{Failure, failure, fits, operations};
use crate::protocol::{AssignmentLine, Cell, ErrorKind, Output};

fn bad(message: String) -> Failure {
    (ErrorKind::BadRequest, message)
}

/// Masked sites, as they came over the wire.
pub(super) struct Masked<'a> {
    pub(super) cell: &'a Cell,
    pub(super) groups: Vec<Vec<usize>>,
    pub(super) elements: &'a [u8],
    pub(super) answers: usize,
    pub(super) measured: Option<bool>,
}

/// With `thorough` the potential is asked too, where it is installed.
pub(super) fn completion<W: Write>(
    masked: Masked<'_>,
    thorough: bool,
    engine: &mut impl Engine,
    context: &Context<'_, W>,
) -> Result<Output, Failure> {
    let element =
        |z: &u8| Element::from_z(*z).ok_or_else(|| bad(format!("there is no element {z}")));
    let question = Question {
        structure: masked.cell.to_structure().map_err(bad)?,
        groups: masked.groups,
        allowed: masked.elements.iter().map(element).collect::<Result<_, _>>()?,
        answers: masked.answers,
        measured: masked.measured,
        whole: None,
    };
    let mender = engine.mender().map_err(failure)?;
    let predictor = Predictor::shipped().map_err(failure)?;
    // Who lacks the energy model is told so elsewhere; here a guess without it is one too.
    let energies_by = if thorough { installed(engine)?.ok() } else { None };
    let fine = if thorough { engine.fine().map_err(failure)? } else { None };
    let stresses_by = fine.as_ref().map(|p| p.provenance());
    let floor = memory::resident().unwrap_or(0);
    let mut coarse = |cells: &[&Structure]| guarded(cells, floor, engine, context);
    let mut fine = |cells: &[&Structure]| match &fine {
        Some(potential) if !context.is_cancelled() => potential.evaluate(cells),
        _ => cells.iter().map(|_| Err(ModelError::Cancelled)).collect(),
    };
    let evidence = Evidence {
        library: Some(&predictor.prototypes().library),
        potentials: Potentials::of(
            stresses_by.is_some().then_some(&mut fine),
            energies_by.is_some().then_some(&mut coarse),
        ),
        weighing: Weighing::shipped().map_err(failure)?,
    };
    let done = complete(mender.as_ref(), &question, evidence, &|| context.is_cancelled());
    let done = done.map_err(failure)?;
    let numbers =
        |chances: Vec<(Element, f64)>| chances.into_iter().map(|(e, p)| (e.z(), p)).collect();
    let line = |a: Assignment| AssignmentLine {
        elements: a.elements.into_iter().map(Element::z).collect(),
        probability: a.probability,
        charge_balanced: a.charge_balanced,
        pressure: a.probe.map(|p| p.pressure),
    };
    Ok(Output::Complete {
        provenance: mender.provenance(),
        groups: done.groups.into_iter().map(numbers).collect(),
        joint: done.joint.into_iter().map(line).collect(),
        energies_by,
        stresses_by,
    })
}

pub(super) fn denoising<W: Write>(
    cell: &Cell,
    symmetry: Option<&[String]>,
    options: &DenoiseOptions,
    engine: &mut impl Engine,
    context: &Context<'_, W>,
) -> Result<Output, Failure> {
    let start = cell.to_structure().map_err(bad)?;
    let symmetry = symmetry.map(operations).transpose().map_err(bad)?;
    let mender = engine.mender().map_err(failure)?;
    // Without a potential the distances decide, and the answer says so.
    let (energies_by, without) = potential(&start, engine, context)?;
    let mut evaluate = |structure: &Structure| evaluate(structure, engine, context);
    let mut progress = |fraction: f64, message: String| {
        context.progress(Some(fraction), message, None);
        !context.is_cancelled()
    };
    let denoised = denoise(
        mender.as_ref(),
        &start,
        symmetry.as_deref(),
        options,
        energies_by.is_some().then_some(&mut evaluate),
        &mut progress,
    );
    let Denoised { structure, rounds, ending, energies, shortest, notes, .. } =
        denoised.map_err(failure)?;
    Ok(Output::Denoise {
        provenance: mender.provenance(),
        structure: Cell::from_structure(&structure),
        rounds,
        ending,
        energies_by: energies_by.filter(|_| energies.is_some()),
        energies: energies.map(|(a, b)| (a.energy_per_atom, b.energy_per_atom)),
        shortest,
        notes: without.into_iter().chain(notes).collect(),
    })
}

/// Who will say the energies of a crystal, or why nobody.
fn potential<W: Write>(
    start: &Structure,
    engine: &mut impl Engine,
    context: &Context<'_, W>,
) -> Result<(Option<Provenance>, Option<String>), Failure> {
    if start.sites.iter().any(|site| site.element.is_none()) {
        return Ok((None, Some("no energies: a site has no element".to_owned())));
    }
    let installed = installed(engine)?;
    if installed.is_ok() {
        fits(engine.need(start), memory::resident().unwrap_or(0), context)?;
    }
    Ok((installed.as_ref().ok().cloned(), installed.err()))
}

fn evaluate<W: Write>(
    structure: &Structure,
    engine: &mut impl Engine,
    context: &Context<'_, W>,
) -> Result<Evaluation, ModelError> {
    if context.is_cancelled() {
        return Err(ModelError::Cancelled);
    }
    let missing = || ModelError::Unsupported("the potential gave no answer".to_owned());
    engine.potential()?.evaluate(&[structure]).pop().unwrap_or_else(|| Err(missing()))
}
