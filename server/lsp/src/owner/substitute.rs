//! What might stand for the element of a site: the site is masked, and the model asked.

use std::sync::Arc;

use cellwright_features::complete::{group_at, substitutes};
use cellwright_features::energy::refusal_unless_masked;
use cellwright_features::predict::percent;
use cellwright_syntax::Span;
use cellwright_syntax::edit::SiteGroup;
use cellwright_worker::protocol::{Cell, Output, Task};
use cellwright_worker::supervisor::TaskProgress;
use tower_lsp::jsonrpc::{Error, Result};
use tower_lsp::lsp_types::{NumberOrString, Position, Url};

use super::Owner;
use super::complete::completion;
use super::errand::{Errand, Sink};
use crate::client::ClientFeatures;
use crate::event::{Reply, content_modified, failed};
use crate::outbox::Outgoing;
use crate::position::to_offset;
use crate::protocol::{Candidate, Model, PredictProgress, PredictResult, SubstituteParams};
use crate::snapshot::Snapshot;
use crate::to_proto::workspace_edit;

/// Where the site is.
pub(super) enum At {
    Offset(usize),
    Position(Position),
}

impl Owner {
    pub(super) fn substitute(&mut self, params: SubstituteParams, reply: Reply<PredictResult>) {
        let SubstituteParams { text_document, position, token } = params;
        let sink = Sink::Request(token, reply);
        match self.edition(&text_document) {
            Some(edition) => {
                let at = At::Position(position);
                self.substitute_when_current(&text_document.uri, edition, at, sink);
            }
            None => sink.send(Err(content_modified())),
        }
    }

    pub(super) fn substitute_when_current(
        &mut self,
        uri: &Url,
        edition: u64,
        at: At,
        sink: Sink<PredictResult>,
    ) {
        self.when_current(uri, edition, sink, move |owner, current, sink| {
            let snapshot = &current.snapshot;
            let offset = match at {
                At::Offset(offset) => offset,
                At::Position(position) => {
                    to_offset(&snapshot.rope, position, owner.features.encoding)
                }
            };
            let (block, group, task) = match question(snapshot, offset) {
                Ok(asked) => asked,
                Err(error) => return sink.send(Err(error)),
            };
            let title = format!("Looking for what might stand for {}", group.name);
            let client = Arc::clone(&owner.features);
            let answer = move |snapshot: &Snapshot, output| {
                Ok((result(snapshot, block, &group, output, &client)?, ()))
            };
            let errand = Errand { current, task, title, tell: Arc::new(tell), sink };
            owner.run_errand(errand, answer, |_, ()| ());
        });
    }
}

/// Block and group at a place, and what the worker is asked.
fn question(snapshot: &Snapshot, offset: usize) -> Result<(usize, SiteGroup, Task)> {
    let nowhere = || failed("there is no site here: put the cursor on the row of an atom");
    let readings = snapshot.parsed.readings.iter().enumerate();
    let (block, reading) =
        readings.into_iter().find(|(_, r)| r.span.touches(offset)).ok_or_else(nowhere)?;
    let group = group_at(&snapshot.parsed, reading, Span::at(offset)).ok_or_else(nowhere)?;
    if let Some(reason) = refusal_unless_masked(reading) {
        return Err(failed(format!("nothing can be said of '{}': {reason}", reading.name)));
    }
    let structure = reading.structure.as_ref().ok_or_else(nowhere)?;
    let atoms = group.atoms(reading);
    let mut cell = Cell::from_structure(structure);
    for atom in &atoms {
        cell.species[*atom] = 0;
    }
    // Other masked sites stay so, each to be named beside it.
    let masked = cell.species.iter().enumerate().filter(|(_, z)| **z == 0).map(|(i, _)| i);
    let others = masked.filter(|i| !atoms.contains(i)).map(|i| vec![i]).collect::<Vec<_>>();
    let groups = std::iter::once(atoms.clone()).chain(others).collect();
    // The stress of a cell tells which element it was made for, not which others it could be made for.
    let (measured, thorough) = (Some(false), false);
    let elements = Vec::new();
    let task = Task::Complete { structure: cell, groups, elements, answers: 1, measured, thorough };
    Ok((block, group, task))
}

fn tell(token: NumberOrString, update: TaskProgress) -> Outgoing {
    let TaskProgress { message, fraction, .. } = update;
    Outgoing::PredictProgress(PredictProgress { token, message, fraction, candidates: Vec::new() })
}

fn result(
    snapshot: &Snapshot,
    block: usize,
    group: &SiteGroup,
    output: Output,
    client: &ClientFeatures,
) -> Result<PredictResult> {
    let Output::Complete { provenance, .. } = &output else {
        return Err(failed("the worker answered something else than chances"));
    };
    let by = provenance.clone();
    let said = completion(output).ok_or_else(Error::internal_error)?;
    let reading = snapshot.parsed.readings.get(block).ok_or_else(Error::internal_error)?;
    let chances = said.groups.first().map_or(&[][..], Vec::as_slice);
    let now = reading.sites[group.rows[0]].element;
    let own = chances.iter().find(|(e, _)| Some(*e) == now);
    let notes = own.map(|(e, p)| format!("{e}, which is there now, has {}", percent(*p)));
    let candidates: Vec<Candidate> = substitutes(&snapshot.parsed, reading, group, chances)
        .into_iter()
        .map(|(element, chance, offer)| Candidate {
            title: offer.title,
            description: percent(chance),
            detail: element.data().name.to_owned(),
            edit: workspace_edit(snapshot, &offer.edits, client),
        })
        .collect();
    if candidates.is_empty() {
        return Err(failed("the model knows nothing that might stand here"));
    }
    Ok(PredictResult {
        version: snapshot.version,
        name: group.name.clone(),
        candidates,
        notes: notes.into_iter().collect(),
        model: Some(Model { model: by.model, version: by.version, device: by.device }),
    })
}
