//! What each task does, in steps between which it can be cancelled.

use std::io::Write;
use std::ops::ControlFlow;

use cellwright_crystal::Structure;
use cellwright_crystal::symmetry::Operation;
use cellwright_models::tasks::batches;
use cellwright_models::tasks::relax::{Frame, RelaxOptions, relax};
use cellwright_models::{Evaluation, ModelError, Potential};

use super::engine::Engine;
use super::memory;
use super::mend;
use super::predict::{Asked, prediction};
use super::runner::Context;
use crate::protocol::{Cell, Energies, EnergyResult, ErrorKind, FrameLine, Output, Task};

/// Kind of a failure and what to tell the user.
pub(super) type Failure = (ErrorKind, String);

pub(super) fn perform<W: Write>(
    task: Task,
    engine: &mut impl Engine,
    context: &Context<'_, W>,
) -> Result<Output, Failure> {
    go_on(context)?;
    // Before anything is loaded, so that nonsense is answered at once.
    match task {
        Task::Energy { structures } => energy(&structures, engine, context),
        Task::Relax { structure, symmetry, options } => {
            let bad = |message| (ErrorKind::BadRequest, message);
            let start = structure.to_structure().map_err(bad)?;
            let symmetry = symmetry.as_deref().map(operations).transpose().map_err(bad)?;
            relaxation(&start, symmetry.as_deref(), &options, engine, context)
        }
        Task::Predict { composition, units, space_group, answers, relax, samples, starts } => {
            let asked = Asked { composition, units, space_group, answers, relax, samples, starts };
            prediction(asked, engine, context)
        }
        Task::Complete { structure, groups, elements, answers, measured, thorough } => {
            let (cell, elements) = (&structure, &elements);
            let asked = mend::Masked { cell, groups, elements, answers, measured };
            mend::completion(asked, thorough, engine, context)
        }
        Task::Denoise { structure, symmetry, options } => {
            mend::denoising(&structure, symmetry.as_deref(), &options, engine, context)
        }
    }
}

fn energy<W: Write>(
    cells: &[Cell],
    engine: &mut impl Engine,
    context: &Context<'_, W>,
) -> Result<Output, Failure> {
    let provenance = engine.potential().map_err(failure)?.provenance();
    let floor = memory::resident().unwrap_or(0);
    let mut results = Vec::with_capacity(cells.len());
    let sizes: Vec<usize> = cells.iter().map(|cell| cell.species.len()).collect();
    for batch in batches(&sizes) {
        go_on(context)?;
        if batch.start > 0 {
            let done = batch.start as f64 / cells.len() as f64;
            let message = format!("{} of {} structures", batch.start, cells.len());
            context.progress(Some(done), message, None);
        }
        let admitted = cells[batch].iter().map(|cell| {
            let structure =
                cell.to_structure().map_err(|message| (ErrorKind::BadRequest, message))?;
            fits(engine.need(&structure), floor, context)?;
            Ok(structure)
        });
        let admitted: Vec<Result<Structure, Failure>> = admitted.collect();
        let good: Vec<&Structure> = admitted.iter().filter_map(|s| s.as_ref().ok()).collect();
        let need = good.iter().map(|s| engine.need(s)).fold(0, u64::saturating_add);
        // What does not fit together may fit one by one.
        let at_once = if fits(need, floor, context).is_ok() { good.len().max(1) } else { 1 };
        let potential = engine.potential().map_err(failure)?;
        let mut answers = good.chunks(at_once).flat_map(|chunk| potential.evaluate(chunk));
        results.extend(admitted.iter().map(|structure| {
            let answer = structure.as_ref().map_err(Clone::clone);
            let answer = answer.and_then(|_| numbers(answers.next()));
            match answer {
                Ok(energies) => EnergyResult::Ok(energies),
                Err((kind, message)) => EnergyResult::Failed { kind, message },
            }
        }));
    }
    Ok(Output::Energy { provenance, results })
}

fn relaxation<W: Write>(
    start: &Structure,
    symmetry: Option<&[Operation]>,
    options: &RelaxOptions,
    engine: &mut impl Engine,
    context: &Context<'_, W>,
) -> Result<Output, Failure> {
    engine.potential().map_err(failure)?;
    fits(engine.need(start), memory::resident().unwrap_or(0), context)?;
    let potential: &dyn Potential = engine.potential().map_err(failure)?;
    let mut on_frame = |frame: &Frame<'_>| {
        if context.is_cancelled() {
            return ControlFlow::Break(());
        }
        step(frame, context);
        ControlFlow::Continue(())
    };
    let relaxed = relax(potential, start, symmetry, options, &mut on_frame).map_err(failure)?;
    Ok(Output::Relax {
        provenance: potential.provenance(),
        structure: Cell::from_structure(&relaxed.structure),
        initial: numbers(Some(Ok(relaxed.initial)))?,
        last: numbers(Some(Ok(relaxed.last)))?,
        initial_force: relaxed.initial_force,
        last_force: relaxed.last_force,
        steps: relaxed.steps,
        converged: relaxed.converged,
    })
}

fn step<W: Write>(frame: &Frame<'_>, context: &Context<'_, W>) {
    let (energy, force) = (frame.evaluation.energy_per_atom, frame.max_force);
    let message =
        format!("step {}, E {} eV/atom, max |F| {force:.3} eV/Å", frame.step, signed(energy));
    let line = FrameLine {
        step: frame.step,
        energy_per_atom: energy,
        max_force: force,
        structure: Cell::from_structure(frame.structure),
    };
    // JSON has no way to say NaN; the relaxer is about to notice it too.
    let finite = energy.is_finite() && force.is_finite();
    context.progress(None, message, finite.then_some(line));
}

/// Four decimals and a real minus sign, as it stands in print.
fn signed(x: f64) -> String {
    format!("{x:.4}").replace('-', "−")
}

fn go_on<W: Write>(context: &Context<'_, W>) -> Result<(), Failure> {
    if context.is_cancelled() { Err(failure(ModelError::Cancelled)) } else { Ok(()) }
}

/// Refuses what needs more memory than there is; the process holds `floor` already.
pub(super) fn fits<W: Write>(
    need: u64,
    floor: u64,
    context: &Context<'_, W>,
) -> Result<(), Failure> {
    let refusal = context.shared.ceiling.refuses(need, floor);
    refusal.map_or(Ok(()), |message| Err((ErrorKind::Memory, message)))
}

/// The answer of a model as numbers that JSON can carry.
fn numbers(answer: Option<Result<Evaluation, ModelError>>) -> Result<Energies, Failure> {
    let missing = || (ErrorKind::Internal, "the model gave no answer".to_owned());
    let energies = Energies::from(answer.ok_or_else(missing)?.map_err(failure)?);
    if energies.is_finite() {
        return Ok(energies);
    }
    let message =
        "the model gives no finite numbers for this structure: are atoms on top of each other?";
    Err((ErrorKind::Unsupported, message.to_owned()))
}

pub(super) fn operations(texts: &[String]) -> Result<Vec<Operation>, String> {
    let parse = |text: &String| {
        text.parse().map_err(|error| format!("'{text}' is no symmetry operation: {error}"))
    };
    texts.iter().map(parse).collect()
}

#[expect(clippy::needless_pass_by_value, reason = "it stands behind map_err")]
pub(super) fn failure(error: ModelError) -> Failure {
    let message = error.to_string();
    let kind = match error {
        ModelError::NotInstalled { .. } => ErrorKind::NotInstalled,
        ModelError::Unsupported(_) => ErrorKind::Unsupported,
        ModelError::Cancelled => ErrorKind::Cancelled,
        // Graphics cards say so in words only: CUDA_ERROR_OUT_OF_MEMORY, "out of memory".
        _ if message.to_lowercase().replace('_', " ").contains("out of memory") => {
            ErrorKind::Memory
        }
        _ => ErrorKind::Internal,
    };
    (kind, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_failures() {
        let kind = |error| failure(error).0;
        assert_eq!(kind(ModelError::Cancelled), ErrorKind::Cancelled);
        assert_eq!(kind(ModelError::BadWeights("short".to_owned())), ErrorKind::Internal);
        let full = candle_core::Error::Msg("DriverError(CUDA_ERROR_OUT_OF_MEMORY)".to_owned());
        assert_eq!(kind(ModelError::Tensor(full)), ErrorKind::Memory);
    }

    #[test]
    fn operations_name_the_one_that_is_wrong() {
        assert_eq!(operations(&["x,y,z".to_owned()]).unwrap(), [Operation::identity()]);
        let error = operations(&["x,y,z".to_owned(), "x,y".to_owned()]).unwrap_err();
        assert!(error.starts_with("'x,y' is no symmetry operation"), "{error}");
    }
}
