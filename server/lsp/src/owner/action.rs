//! Code actions that are computed when they are chosen.

use cellwright_features::relax::Way;
use serde::{Deserialize, Serialize};
use tower_lsp::jsonrpc::Error;
use tower_lsp::lsp_types::{CodeAction, Url, VersionedTextDocumentIdentifier};

use super::errand::Sink;
use super::predict::Place;
use super::substitute::At;
use super::{Owner, denoise};
use crate::event::Reply;
use crate::snapshot::Snapshot;

/// What an action carries until it is resolved.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ActionData {
    uri: Url,
    /// The text it was offered for.
    edition: u64,
    #[serde(flatten)]
    what: What,
}

/// What it does.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(super) enum What {
    Relax { block: usize, cell: bool, keep_symmetry: bool },
    Predict { line: usize },
    Denoise { block: usize, rows: Option<Vec<usize>> },
    Substitute { offset: usize },
}

impl What {
    pub(super) fn relax(block: usize, way: Way) -> Self {
        let Way { cell, keep_symmetry } = way;
        Self::Relax { block, cell, keep_symmetry }
    }
}

impl ActionData {
    pub(super) fn new(snapshot: &Snapshot, what: What) -> Self {
        Self { uri: snapshot.uri.clone(), edition: snapshot.edition, what }
    }
}

impl Owner {
    pub(super) fn resolve_action(&mut self, action: CodeAction, reply: Reply<CodeAction>) {
        let data = action.data.clone().map(serde_json::from_value::<ActionData>);
        let ActionData { uri, edition, what } = match data {
            // A quick fix is complete as it is.
            None => return reply.send(Ok(action)),
            Some(Err(error)) => {
                return reply.send(Err(Error::invalid_params(error.to_string())));
            }
            Some(Ok(data)) => data,
        };
        let action = Box::new(action);
        match what {
            What::Relax { block, cell, keep_symmetry } => {
                let way = Way { cell, keep_symmetry };
                let sink = Sink::Action(action, reply);
                self.relax_when_current(&uri, edition, block, way, sink);
            }
            What::Predict { line } => {
                let sink = Sink::Action(action, reply);
                self.predict_when_current(&uri, edition, Place::Line(line), sink);
            }
            What::Denoise { block, rows } => {
                let sink = Sink::Action(action, reply);
                self.denoise_when_current(&uri, edition, denoise::What::Rows(block, rows), sink);
            }
            What::Substitute { offset } => {
                let sink = Sink::Action(action, reply);
                self.substitute_when_current(&uri, edition, At::Offset(offset), sink);
            }
        }
    }

    /// Our number of the text that a request is about, if it is the newest.
    pub(super) fn edition(&self, document: &VersionedTextDocumentIdentifier) -> Option<u64> {
        let open = self.documents.get(&document.uri)?;
        (open.version == document.version).then_some(open.edition)
    }
}
