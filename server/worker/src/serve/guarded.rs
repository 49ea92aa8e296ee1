//! The potential, with an eye on memory and on the user.

use std::io::Write;

use cellwright_crystal::Structure;
use cellwright_models::{Evaluation, ModelError, Potential, Provenance};

use super::engine::Engine;
use super::runner::Context;
use super::tasks::{Failure, failure};
use crate::protocol::ErrorKind;

/// Who will say energies, or a note for the user where the energy model is not installed.
pub(super) fn installed(engine: &mut impl Engine) -> Result<Result<Provenance, String>, Failure> {
    match engine.potential().map_err(failure).map(Potential::provenance) {
        Ok(provenance) => Ok(Ok(provenance)),
        Err((ErrorKind::NotInstalled, _)) => {
            let note = "no energies: the energy model is not installed (`cellwright models pull`)";
            Ok(Err(note.to_owned()))
        }
        Err(failure) => Err(failure),
    }
}

/// Energies and forces of a few structures, unless the task was cancelled or there is not the memory: what does not fit together
/// may fit one by one.
pub(super) fn guarded<W: Write>(
    structures: &[&Structure],
    floor: u64,
    engine: &mut impl Engine,
    context: &Context<'_, W>,
) -> Vec<Result<Evaluation, ModelError>> {
    if context.is_cancelled() {
        return structures.iter().map(|_| Err(ModelError::Cancelled)).collect();
    }
    let ceiling = &context.shared.ceiling;
    let needs: Vec<u64> = structures.iter().map(|s| engine.need(s)).collect();
    let together = needs.iter().copied().fold(0, u64::saturating_add);
    let potential = match engine.potential() {
        Ok(potential) => potential,
        Err(error) => {
            let text = error.to_string();
            return structures.iter().map(|_| Err(ModelError::BadWeights(text.clone()))).collect();
        }
    };
    if ceiling.refuses(together, floor).is_none() {
        return potential.evaluate(structures);
    }
    let missing = || Err(ModelError::Unsupported("the model gave no answer".to_owned()));
    let one = |(structure, need): (&&Structure, &u64)| match ceiling.refuses(*need, floor) {
        Some(reason) => Err(ModelError::Unsupported(reason)),
        None => potential.evaluate(&[*structure]).pop().unwrap_or_else(missing),
    };
    structures.iter().zip(&needs).map(one).collect()
}
