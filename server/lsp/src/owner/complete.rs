//! Masked sites: asked about some time after the last change, like energies, so that what can be written there is offered at once.
//! The first answer comes without the energy model, a better one follows when that has been asked too.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use cellwright_crystal::Element;
use cellwright_features::complete::{Completion, Joint};
use cellwright_worker::protocol::{AssignmentLine, Cell, ErrorKind, Output, Provenance, Task};
use cellwright_worker::supervisor::TaskError;
use tokio_util::sync::CancellationToken;
use tower_lsp::lsp_types::Url;

use super::Owner;
use super::document::OpenDocument;
use crate::event::Event;

/// Time without a change before the model is asked.
const DEBOUNCE: Duration = Duration::from_millis(300);

/// Crystals of one document that are looked at.
const MOST_CRYSTALS: usize = 8;

/// Cells with more atoms are beyond any model of masked sites.
const MOST_ATOMS: usize = 500;

/// Assignments of all masked sites that are wanted.
const ANSWERS: usize = 8;

/// What is asked about one crystal: the cell, and which of its masked sites take one element together.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Question {
    pub(crate) cell: Cell,
    pub(crate) groups: Vec<Vec<usize>>,
    /// Whether the cell was measured; none where the file does not say.
    pub(crate) measured: Option<bool>,
}

/// A question with its answer so far.
#[derive(Debug)]
pub(super) struct Known {
    question: Question,
    answer: Answer,
    /// Whether no better answer will come.
    last: bool,
}

/// What the model said, or why it did not.
pub(crate) type Answer = Result<Arc<Completion>, String>;

impl Owner {
    /// Asks about crystals of the newest snapshot with masked sites that nothing is known of.
    pub(super) fn ask_for_completions(&mut self, uri: &Url) {
        let wanted = self.config.complete.enabled && self.errands == 0;
        let thorough = self.energies_wanted();
        let Some(open) = self.documents.get_mut(uri) else { return };
        let Some(snapshot) = open.current().cloned() else { return };
        let questions: Vec<&Question> = snapshot
            .masked
            .iter()
            .flatten()
            .filter(|q| q.cell.species.len() <= MOST_ATOMS)
            .take(MOST_CRYSTALS)
            .collect();
        open.completions.retain(|known| questions.contains(&&known.question));
        let known = |q: &Question| open.completions.iter().find(|known| known.question == *q);
        // All first answers before any second one.
        let quick = questions.iter().filter(|q| known(q).is_none()).map(|q| (*q, false));
        let better = questions.iter().filter(|q| known(q).is_none_or(|k| !k.last));
        let better = better.filter(|_| thorough).map(|q| (*q, true));
        let missing: Vec<(Question, bool)> =
            quick.chain(better).map(|(q, thorough)| (q.clone(), thorough)).collect();
        let Some(supervisor) = self.supervisor.clone().filter(|_| wanted) else { return };
        open.completing.cancel();
        if missing.is_empty() {
            return;
        }
        open.completing = open.unchanged.child_token();
        let (due, asking) = (open.touched + DEBOUNCE, open.completing.clone());
        let generation = open.generation.load(Ordering::SeqCst);
        let (events, uri) = (self.events.clone(), uri.clone());
        let ask = async move {
            tokio::time::sleep_until(due).await;
            for (question, thorough) in missing {
                let task = Task::Complete {
                    structure: question.cell.clone(),
                    groups: question.groups.clone(),
                    elements: Vec::new(),
                    answers: ANSWERS,
                    measured: question.measured,
                    thorough,
                };
                let outcome = supervisor.run(task, CancellationToken::new(), None).await;
                let (uri, outcome) = (uri.clone(), Box::new(outcome));
                let completed = Event::Completed { uri, generation, question, thorough, outcome };
                let _ = events.send(completed);
            }
        };
        self.handle.spawn(async move {
            // Dropping the question cancels the task in the worker.
            tokio::select! {
                () = asking.cancelled() => {}
                () = ask => {}
            }
        });
    }

    /// The model has answered.
    pub(super) fn completed(
        &mut self,
        uri: &Url,
        generation: u64,
        question: Question,
        thorough: bool,
        outcome: Result<Output, TaskError>,
    ) {
        let Some(open) = self.documents.get_mut(uri) else { return };
        if open.generation.load(Ordering::SeqCst) != generation {
            return;
        }
        let answer = match outcome {
            Ok(output) => completion(output).ok_or_else(|| {
                tracing::error!("the worker answered something else than a completion");
                "the worker gave no answer".to_owned()
            }),
            Err(error) if error.kind == ErrorKind::Cancelled => return,
            Err(error) => {
                tracing::warn!("no completion for {uri}: {}", error.message);
                Err(error.message)
            }
        };
        let first = open.completions.iter().position(|known| known.question == question);
        let first = first.map(|i| open.completions.swap_remove(i));
        let answer = match (answer, first) {
            (Ok(better), _) => Ok(Arc::new(better)),
            // The potential could not help: what was known before stays.
            (Err(_), Some(Known { answer: answer @ Ok(_), .. })) => answer,
            (Err(reason), _) => Err(reason),
        };
        // What the model refuses, it refuses again.
        let last = thorough || answer.is_err();
        open.completions.push(Known { question, answer, last });
        self.refresh();
    }
}

/// What is known about the masked sites of each reading of the newest snapshot.
pub(super) fn completions(open: &OpenDocument) -> Vec<Option<Answer>> {
    let Some((_, snapshot)) = &open.snapshot else { return Vec::new() };
    let known = |question: &Option<Question>| {
        let question = question.as_ref()?;
        let found = open.completions.iter().find(|known| known.question == *question);
        found.map(|known| known.answer.clone())
    };
    snapshot.masked.iter().map(known).collect()
}

/// From the wire.
pub(super) fn completion(output: Output) -> Option<Completion> {
    let Output::Complete { provenance: by, groups, joint, energies_by, stresses_by } = output
    else {
        return None;
    };
    let chances = |group: Vec<(u8, f64)>| {
        group.into_iter().map(|(z, p)| Some((Element::from_z(z)?, p))).collect::<Option<Vec<_>>>()
    };
    let together = |line: AssignmentLine| {
        let elements = line.elements.into_iter().map(Element::from_z);
        Some(Joint {
            elements: elements.collect::<Option<Vec<_>>>()?,
            probability: line.probability,
            charge_balanced: line.charge_balanced,
        })
    };
    Some(Completion {
        groups: groups.into_iter().map(chances).collect::<Option<Vec<_>>>()?,
        joint: joint.into_iter().map(together).collect::<Option<Vec<_>>>()?,
        model: format!("{} on {}", names(&by, &[energies_by, stresses_by]), by.device),
    })
}

/// The model with the potentials that were asked too.
fn names(by: &Provenance, also: &[Option<Provenance>; 2]) -> String {
    let mut names: Vec<String> = std::iter::once(by)
        .chain(also.iter().flatten())
        .map(|p| format!("{} {}", p.model, p.version))
        .collect();
    let last = names.pop().unwrap_or_default();
    if names.is_empty() { last } else { format!("{} and {last}", names.join(", ")) }
}
