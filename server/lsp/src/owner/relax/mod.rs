//! Relaxation.

use std::sync::Arc;

use cellwright_features::energy::refusal;
use cellwright_features::relax::{Way, held};
use cellwright_worker::protocol::{Cell, Optimizer, RelaxOptions, Task};
use cellwright_worker::supervisor::TaskProgress;
use tower_lsp::jsonrpc::{Error, Result};
use tower_lsp::lsp_types::{NumberOrString, Url, WorkspaceEdit};

use super::Owner;
use super::errand::{Errand, Sink};
use crate::event::{Reply, content_modified, failed};
use crate::outbox::Outgoing;
use crate::protocol::{RelaxParams, RelaxProgress, RelaxResult, SymmetryChoice};
use crate::snapshot::Snapshot;

mod result;

pub(super) use result::Relaxed;
use result::result;

impl From<RelaxResult> for WorkspaceEdit {
    fn from(result: RelaxResult) -> Self {
        result.edit
    }
}

impl Owner {
    pub(super) fn relax(&mut self, params: RelaxParams, reply: Reply<RelaxResult>) {
        let RelaxParams { text_document, block, cell, symmetry, token } = params;
        let way = Way { cell, keep_symmetry: symmetry == SymmetryChoice::Keep };
        let sink = Sink::Request(token, reply);
        match self.edition(&text_document) {
            Some(edition) => {
                self.relax_when_current(&text_document.uri, edition, block, way, sink);
            }
            None => sink.send(Err(content_modified())),
        }
    }

    pub(super) fn relax_when_current(
        &mut self,
        uri: &Url,
        edition: u64,
        block: usize,
        way: Way,
        sink: Sink<RelaxResult>,
    ) {
        self.when_current(uri, edition, sink, move |owner, current, sink| {
            let task = match owner.relaxation(&current.snapshot, block, way) {
                Ok(task) => task,
                Err(error) => return sink.send(Err(error)),
            };
            let reading = current.snapshot.parsed.readings.get(block);
            let name = reading.map_or("", |r| r.name.as_str());
            let title = format!("Relaxing {name}").trim_end().to_owned();
            let client = Arc::clone(&owner.features);
            let answer =
                move |snapshot: &Snapshot, output| result(snapshot, block, way, output, &client);
            let errand = Errand { current, task, title, tell: Arc::new(tell), sink };
            owner.run_errand(errand, answer, |open, relaxed| open.relaxed = Some(relaxed));
        });
    }

    /// What the worker is asked; an error where this cannot be relaxed.
    fn relaxation(&self, snapshot: &Snapshot, block: usize, way: Way) -> Result<Task> {
        let reading = snapshot.parsed.readings.get(block);
        let reading =
            reading.ok_or_else(|| Error::invalid_params(format!("there is no block {block}")))?;
        let refused = |reason| failed(format!("'{}' cannot be relaxed: {reason}", reading.name));
        if let Some(reason) = refusal(reading) {
            return Err(refused(reason));
        }
        let structure =
            reading.structure.as_ref().ok_or_else(|| refused("no structure".to_owned()))?;
        let operations = &reading.symmetry.operations;
        let keep = way.keep_symmetry && operations.len() > 1;
        let options = RelaxOptions {
            optimizer: Optimizer::Fire,
            cell: way.cell,
            force_tolerance: self.config.relax.force_tolerance,
            max_steps: self.config.relax.max_steps,
            held: held(&snapshot.parsed),
        };
        Ok(Task::Relax {
            structure: Cell::from_structure(structure),
            symmetry: keep.then(|| operations.iter().map(ToString::to_string).collect()),
            options,
        })
    }
}

/// A step for who watches.
fn tell(token: NumberOrString, update: TaskProgress) -> Outgoing {
    let frame = update.frame.as_ref();
    Outgoing::RelaxProgress(RelaxProgress {
        token,
        message: update.message,
        fraction: update.fraction,
        step: frame.map(|f| f.step),
        energy_per_atom: frame.map(|f| f.energy_per_atom),
        max_force: frame.map(|f| f.max_force),
    })
}
