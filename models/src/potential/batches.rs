//! Many structures in batches that memory is meant for.

use cellwright_crystal::Structure;

use crate::{Evaluation, ModelError};

type Outcome = Result<Evaluation, ModelError>;

/// One result for each structure, in order. `prepare` makes of a structure what the network takes, with its size; structures are run
/// together up to `most`. What cannot be prepared is an error of its own; what is run together shares its fate if a tensor
/// operation fails.
pub(crate) fn in_batches<'a, T>(
    structures: &[&'a Structure],
    most: usize,
    prepare: impl Fn(&'a Structure) -> Result<(T, usize), ModelError>,
    run: impl Fn(Vec<T>) -> candle_core::Result<Vec<Evaluation>>,
) -> Vec<Outcome> {
    let mut results: Vec<Option<Outcome>> = structures.iter().map(|_| None).collect();
    let (mut waiting, mut size) = (Vec::new(), 0);
    for (place, structure) in structures.iter().enumerate() {
        let (prepared, own) = match prepare(structure) {
            Ok(prepared) => prepared,
            Err(error) => {
                results[place] = Some(Err(error));
                continue;
            }
        };
        if size + own > most && !waiting.is_empty() {
            together(std::mem::take(&mut waiting), &run, &mut results);
            size = 0;
        }
        size += own;
        waiting.push((place, prepared));
    }
    if !waiting.is_empty() {
        together(waiting, &run, &mut results);
    }
    let missing = || Err(ModelError::Unsupported("not evaluated".to_owned()));
    results.into_iter().map(|r| r.unwrap_or_else(missing)).collect()
}

fn together<T>(
    waiting: Vec<(usize, T)>,
    run: impl Fn(Vec<T>) -> candle_core::Result<Vec<Evaluation>>,
    results: &mut [Option<Outcome>],
) {
    let (places, prepared): (Vec<_>, Vec<_>) = waiting.into_iter().unzip();
    match run(prepared) {
        Ok(evaluations) => {
            for (place, evaluation) in places.into_iter().zip(evaluations) {
                results[place] = Some(finite(evaluation));
            }
        }
        Err(error) => {
            let text = error.to_string();
            for place in places {
                results[place] = Some(Err(candle_core::Error::msg(&text).into()));
            }
        }
    }
}

/// Refuses numbers that are none.
fn finite(evaluation: Evaluation) -> Outcome {
    let finite = evaluation.energy_per_atom.is_finite()
        && evaluation.forces.iter().flatten().chain(&evaluation.stress).all(|x| x.is_finite());
    if finite {
        Ok(evaluation)
    } else {
        Err(ModelError::Unsupported("the model gives no finite energy here".to_owned()))
    }
}
