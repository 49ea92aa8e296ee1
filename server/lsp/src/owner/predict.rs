//! Prediction of a structure from a composition line.

use std::sync::Arc;

use cellwright_crystal::Structure;
use cellwright_features::predict::{CandidateNumbers, Relaxed, title};
use cellwright_syntax::edit::fill;
use cellwright_syntax::{CompositionLine, composition_lines};
use cellwright_worker::protocol::{CandidateLine, Output, Task};
use cellwright_worker::supervisor::TaskProgress;
use tower_lsp::jsonrpc::{Error, Result};
use tower_lsp::lsp_types::{NumberOrString, Url, WorkspaceEdit};

use super::Owner;
use super::errand::{Errand, Sink};
use crate::client::ClientFeatures;
use crate::config::PredictConfig;
use crate::event::{Reply, content_modified, failed};
use crate::outbox::Outgoing;
use crate::position::to_offset;
use crate::protocol::{Candidate, Model, PredictParams, PredictProgress, PredictResult};
use crate::snapshot::Snapshot;
use crate::to_proto::workspace_edit;

/// Candidates unless the line says how many.
const ANSWERS: usize = 20;

/// With what tolerance (Å) the symmetry of a candidate is found that goes into a file: that of the Materials Project.
const SYMPREC: f64 = 0.1;

impl From<PredictResult> for WorkspaceEdit {
    /// What the likeliest candidate does to the text.
    fn from(result: PredictResult) -> Self {
        result.candidates.into_iter().next().map(|best| best.edit).unwrap_or_default()
    }
}

impl Owner {
    pub(super) fn predict(&mut self, params: PredictParams, reply: Reply<PredictResult>) {
        let PredictParams { text_document, line, position, token } = params;
        let sink = Sink::Request(token, reply);
        let Some(edition) = self.edition(&text_document) else {
            return sink.send(Err(content_modified()));
        };
        let place = line.map_or(Place::At(position), Place::Line);
        self.predict_when_current(&text_document.uri, edition, place, sink);
    }

    pub(super) fn predict_when_current(
        &mut self,
        uri: &Url,
        edition: u64,
        place: Place,
        sink: Sink<PredictResult>,
    ) {
        self.when_current(uri, edition, sink, move |owner, current, sink| {
            let snapshot = &current.snapshot;
            let lines = composition_lines(&snapshot.parsed);
            let line = place.choose(lines, snapshot, &owner.features);
            let (line, task) =
                match line.and_then(|line| Ok((task(&line, owner.config.predict)?, line))) {
                    Ok((task, line)) => (Arc::new(line), task),
                    Err(error) => return sink.send(Err(error)),
                };
            let named = title(&line).replacen("Predict structure", "Predicting the structure", 1);
            let (client, seen, asked) =
                (Arc::clone(&owner.features), Arc::clone(snapshot), Arc::clone(&line));
            let tell = move |token: NumberOrString, update: TaskProgress| {
                let TaskProgress { message, fraction, candidates: found, .. } = update;
                let candidates = candidates(&seen, &asked, &found, None, &client);
                Outgoing::PredictProgress(PredictProgress { token, message, fraction, candidates })
            };
            let client = Arc::clone(&owner.features);
            let answer = move |snapshot: &Snapshot, output| {
                Ok((result(snapshot, &line, output, &client)?, ()))
            };
            let errand = Errand { current, task, title: named, tell: Arc::new(tell), sink };
            owner.run_errand(errand, answer, |_, ()| ());
        });
    }
}

/// Which composition line of a document is meant.
pub(super) enum Place {
    /// By number.
    Line(usize),
    /// The one at the cursor; the first behind it, else the first of all.
    At(Option<tower_lsp::lsp_types::Position>),
}

impl Place {
    fn choose(
        self,
        lines: Vec<CompositionLine>,
        snapshot: &Snapshot,
        client: &ClientFeatures,
    ) -> Result<CompositionLine> {
        let index = match self {
            Self::Line(index) => index,
            Self::At(None) => 0,
            Self::At(Some(position)) => {
                let offset = to_offset(&snapshot.rope, position, client.encoding);
                lines.iter().position(|line| offset <= line.span.end).unwrap_or(0)
            }
        };
        lines.into_iter().nth(index).ok_or_else(|| {
            failed(
                "there is no composition to predict a structure for: write `# predict: Li Fe P O4, Z=4`, \
                 or a block with _chemical_formula_sum and no atoms",
            )
        })
    }
}

/// What the worker is asked.
fn task(line: &CompositionLine, config: PredictConfig) -> Result<Task> {
    let wanted = line.wanted.as_ref().map_err(|complaint| failed(complaint.message.clone()))?;
    Ok(Task::Predict {
        composition: wanted.composition.iter().map(|(e, n)| (e.z(), *n)).collect(),
        units: wanted.units,
        space_group: wanted.space_group,
        answers: wanted.answers.unwrap_or(ANSWERS),
        relax: config.relax_steps,
        samples: config.samples,
        starts: None,
    })
}

fn result(
    snapshot: &Snapshot,
    line: &CompositionLine,
    output: Output,
    client: &ClientFeatures,
) -> Result<PredictResult> {
    let Output::Predict { candidates: found, energies_by, notes, .. } = output else {
        return Err(failed("the worker answered something else than a prediction"));
    };
    if found.is_empty() {
        let reasons =
            if notes.is_empty() { String::new() } else { format!(": {}", notes.join("; ")) };
        return Err(failed(format!("no structure was found{reasons}")));
    }
    let by = energies_by.as_ref().map(|by| format!("{} {}", by.model, by.version));
    let candidates = candidates(snapshot, line, &found, by.as_deref(), client);
    if candidates.is_empty() {
        return Err(Error::internal_error());
    }
    let model =
        energies_by.map(|by| Model { model: by.model, version: by.version, device: by.device });
    let (version, name) = (snapshot.version, line.name.clone());
    Ok(PredictResult { version, name, candidates, notes, model })
}

/// Candidates with what they would do to the text; `potential` is what relaxed them, where that is known. One that cannot go into it is left out.
fn candidates(
    snapshot: &Snapshot,
    line: &CompositionLine,
    found: &[CandidateLine],
    potential: Option<&str>,
    client: &ClientFeatures,
) -> Vec<Candidate> {
    let candidate = |found: &CandidateLine| {
        let structure: Structure = found
            .structure
            .to_structure()
            .inspect_err(|reason| tracing::error!("the worker sent no structure: {reason}"))
            .ok()?;
        let numbers = numbers(found);
        let origin = numbers.origin(potential);
        let edits = fill(&snapshot.parsed, line, &structure, SYMPREC, &origin)
            .inspect_err(|reason| tracing::warn!("a candidate does not go into the text: {reason}"))
            .ok()?;
        let words = numbers.words();
        let edit = workspace_edit(snapshot, &edits, client);
        let (title, description, detail) = (words.title, words.description, words.detail);
        Some(Candidate { title, description, detail, edit })
    };
    found.iter().filter_map(candidate).collect()
}

fn numbers(found: &CandidateLine) -> CandidateNumbers {
    CandidateNumbers {
        source: found.source.to_string(),
        units: found.units,
        probability: found.probability,
        energy: found.energy_per_atom,
        above_hull: found.above_hull.map(|hull| (hull.energy, hull.phases)),
        relaxed: found.relaxation.map(|r| Relaxed {
            steps: r.steps,
            converged: r.converged,
            volume_change: r.volume_change,
        }),
        space_group: found.space_group.clone(),
        density: found.density,
        shortest: found.shortest,
        charge_balanced: found.charge_balanced,
    }
}
