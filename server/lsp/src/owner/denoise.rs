//! Denoising.

use std::sync::Arc;

use cellwright_features::denoise::{Summary, held, moves, operations};
use cellwright_features::energy::refusal_unless_masked;
use cellwright_syntax::Span;
use cellwright_syntax::edit::{Update, update};
use cellwright_worker::protocol::{Cell, DenoiseOptions, Ending, Output, Task};
use cellwright_worker::supervisor::TaskProgress;
use tower_lsp::jsonrpc::{Error, Result};
use tower_lsp::lsp_types::{NumberOrString, Url, WorkspaceEdit};

use super::Owner;
use super::errand::{Errand, Sink};
use crate::client::ClientFeatures;
use crate::event::{Reply, content_modified, failed};
use crate::outbox::Outgoing;
use crate::position::to_span;
use crate::protocol::{DenoiseParams, DenoiseProgress, DenoiseResult, Model, Move};
use crate::snapshot::Snapshot;
use crate::to_proto::workspace_edit;

impl From<DenoiseResult> for WorkspaceEdit {
    fn from(result: DenoiseResult) -> Self {
        result.edit
    }
}

/// What of a document is to be denoised.
pub(super) enum What {
    /// A block by number, with the rows that may move.
    Rows(usize, Option<Vec<usize>>),
    /// Whatever a selection means; without one the first block.
    Selected(Option<tower_lsp::lsp_types::Range>),
}

impl Owner {
    pub(super) fn denoise(&mut self, params: DenoiseParams, reply: Reply<DenoiseResult>) {
        let DenoiseParams { text_document, range, token } = params;
        let sink = Sink::Request(token, reply);
        match self.edition(&text_document) {
            Some(edition) => {
                let what = What::Selected(range);
                self.denoise_when_current(&text_document.uri, edition, what, sink);
            }
            None => sink.send(Err(content_modified())),
        }
    }

    pub(super) fn denoise_when_current(
        &mut self,
        uri: &Url,
        edition: u64,
        what: What,
        sink: Sink<DenoiseResult>,
    ) {
        self.when_current(uri, edition, sink, move |owner, current, sink| {
            let snapshot = &current.snapshot;
            let (block, rows) = what.of(snapshot, &owner.features);
            let task = match owner.denoising(snapshot, block, rows.as_deref()) {
                Ok(task) => task,
                Err(error) => return sink.send(Err(error)),
            };
            let name = snapshot.parsed.readings.get(block).map_or("", |r| r.name.as_str());
            let title = format!("Denoising {name}").trim_end().to_owned();
            let client = Arc::clone(&owner.features);
            let answer = move |snapshot: &Snapshot, output| {
                Ok((result(snapshot, block, output, &client)?, ()))
            };
            let errand = Errand { current, task, title, tell: Arc::new(tell), sink };
            owner.run_errand(errand, answer, |_, ()| ());
        });
    }

    /// What the worker is asked; an error where this cannot be denoised.
    fn denoising(&self, snapshot: &Snapshot, block: usize, rows: Option<&[usize]>) -> Result<Task> {
        let reading = snapshot.parsed.readings.get(block);
        let reading = reading.ok_or_else(|| failed("there is no crystal here to denoise"))?;
        let refused = |reason| failed(format!("'{}' cannot be denoised: {reason}", reading.name));
        if let Some(reason) = refusal_unless_masked(reading) {
            return Err(refused(reason));
        }
        let structure =
            reading.structure.as_ref().ok_or_else(|| refused("no structure".to_owned()))?;
        let held = held(&snapshot.parsed, reading, rows);
        let operations = operations(&snapshot.parsed, reading, structure, &held);
        let rounds = self.config.denoise.rounds;
        Ok(Task::Denoise {
            structure: Cell::from_structure(structure),
            symmetry: operations.map(|ops| ops.iter().map(ToString::to_string).collect()),
            options: DenoiseOptions { rounds, held, ..DenoiseOptions::default() },
        })
    }
}

impl What {
    /// Block and rows.
    fn of(self, snapshot: &Snapshot, client: &ClientFeatures) -> (usize, Option<Vec<usize>>) {
        let selected = match self {
            Self::Rows(block, rows) => return (block, rows),
            Self::Selected(None) => Span::at(0),
            Self::Selected(Some(range)) => to_span(&snapshot.rope, range, client.encoding),
        };
        let readings = &snapshot.parsed.readings;
        // Before the first crystal the first is meant, behind one that one.
        let block = readings.iter().rposition(|r| r.span.start <= selected.start).unwrap_or(0);
        let rows = readings
            .get(block)
            .and_then(|r| cellwright_features::denoise::choice(r, selected).rows);
        (block, rows)
    }
}

/// A round for who watches.
fn tell(token: NumberOrString, update: TaskProgress) -> Outgoing {
    let TaskProgress { message, fraction, .. } = update;
    Outgoing::DenoiseProgress(DenoiseProgress { token, message, fraction })
}

fn result(
    snapshot: &Snapshot,
    block: usize,
    output: Output,
    client: &ClientFeatures,
) -> Result<DenoiseResult> {
    let Output::Denoise {
        provenance,
        structure,
        rounds,
        ending,
        energies,
        energies_by,
        shortest,
        mut notes,
    } = output
    else {
        return Err(failed("the worker answered something else than a denoised crystal"));
    };
    let reading = snapshot.parsed.readings.get(block).ok_or_else(Error::internal_error)?;
    let start = reading.structure.as_ref().ok_or_else(Error::internal_error)?;
    let end = structure.to_structure().map_err(failed)?;
    let Update { edits, notes: left } =
        update(&snapshot.parsed, reading, &end).map_err(|error| failed(error.to_string()))?;
    notes.extend(left);
    let worse = match ending {
        Ending::Worse(reason) => Some(reason),
        Ending::Settled | Ending::Rounds => None,
    };
    if rounds > 0 {
        notes.extend(worse.iter().map(|reason| format!("another round was not taken: {reason}")));
    }
    let moves = moves(reading, start, &end);
    let summary = Summary { rounds, moves, energies, shortest, worse };
    let by = |p: cellwright_worker::protocol::Provenance| Model {
        model: p.model,
        version: p.version,
        device: p.device,
    };
    Ok(DenoiseResult {
        version: snapshot.version,
        edit: workspace_edit(snapshot, &edits, client),
        changed: !edits.is_empty(),
        message: summary.message(),
        notes,
        model: by(provenance),
        energy_model: energies_by.map(by),
        energies: energies.map(|(before, after)| [before, after]),
        shortest: [shortest.0, shortest.1],
        rounds,
        moves: summary
            .moves
            .into_iter()
            .map(|(label, distance)| Move { label, distance })
            .collect(),
    })
}
