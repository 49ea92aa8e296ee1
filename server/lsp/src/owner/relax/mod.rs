//! Tier 3: relaxation, by `codeAction/resolve` and by `cellwright/relax`. The edit is computed here and applied by the client; a document that
//! has moved on gets none.

use std::sync::Arc;

use cellwright_features::energy::refusal;
use cellwright_features::relax::{Way, held};
use cellwright_worker::protocol::{Cell, ErrorKind, Optimizer, RelaxOptions, Task};
use cellwright_worker::supervisor::TaskError;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_util::sync::CancellationToken;
use tower_lsp::jsonrpc::{Error, Result};
use tower_lsp::lsp_types::{CodeAction, NumberOrString, Url};

use super::Owner;
use super::document::{Need, Outcome};
use crate::event::{Event, Reply, cancelled, content_modified, failed};
use crate::guard::guard;
use crate::progress;
use crate::protocol::{RelaxParams, RelaxResult, SymmetryChoice};
use crate::snapshot::Snapshot;

mod result;

pub(crate) use result::Relaxed;
use result::result;

/// What a relax action carries until it is resolved.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ActionData {
    uri: Url,
    /// The text it was offered for.
    edition: u64,
    block: usize,
    cell: bool,
    keep_symmetry: bool,
}

impl ActionData {
    pub(super) fn new(snapshot: &Snapshot, block: usize, way: Way) -> Self {
        let Way { cell, keep_symmetry } = way;
        let (uri, edition) = (snapshot.uri.clone(), snapshot.edition);
        Self { uri, edition, block, cell, keep_symmetry }
    }
}

/// Who wants the relaxation.
pub(crate) enum Sink {
    Action(Box<CodeAction>, Reply<CodeAction>),
    /// With the token of the progress notifications.
    Request(Option<NumberOrString>, Reply<RelaxResult>),
}

impl Sink {
    fn cancelled(&self) -> CancellationToken {
        match self {
            Self::Action(_, reply) => reply.cancelled().clone(),
            Self::Request(_, reply) => reply.cancelled().clone(),
        }
    }

    fn send(self, result: Result<RelaxResult>) {
        match self {
            Self::Action(mut action, reply) => reply.send(result.map(|result| {
                action.edit = Some(result.edit);
                *action
            })),
            Self::Request(_, reply) => reply.send(result),
        }
    }
}

/// A relaxation has come to its end, one way or the other.
pub(crate) struct RelaxEnd {
    uri: Url,
    edition: u64,
    /// Token of the work-done progress.
    token: Option<NumberOrString>,
    sink: Sink,
    result: Result<(RelaxResult, Relaxed)>,
    /// Whether the model turned out not to be installed, and the message.
    not_installed: Option<String>,
}

impl Owner {
    pub(super) fn resolve_action(&mut self, action: CodeAction, reply: Reply<CodeAction>) {
        let data = action.data.clone().map(serde_json::from_value::<ActionData>);
        match data {
            // A quick fix is complete as it is.
            None => reply.send(Ok(action)),
            Some(Err(error)) => reply.send(Err(Error::invalid_params(error.to_string()))),
            Some(Ok(data)) => {
                let way = Way { cell: data.cell, keep_symmetry: data.keep_symmetry };
                let sink = Sink::Action(Box::new(action), reply);
                self.relax_when_ready(&data.uri, data.edition, data.block, way, sink);
            }
        }
    }

    pub(super) fn relax(&mut self, params: RelaxParams, reply: Reply<RelaxResult>) {
        let RelaxParams { text_document, block, cell, symmetry, token } = params;
        let open = self.documents.get(&text_document.uri);
        let same = open.filter(|open| open.version == text_document.version);
        let Some(edition) = same.map(|open| open.edition) else {
            reply.send(Err(content_modified()));
            return;
        };
        let way = Way { cell, keep_symmetry: symmetry == SymmetryChoice::Keep };
        let sink = Sink::Request(token, reply);
        self.relax_when_ready(&text_document.uri, edition, block, way, sink);
    }

    fn relax_when_ready(&mut self, uri: &Url, edition: u64, block: usize, way: Way, sink: Sink) {
        let is_stale =
            |owner: &Self| owner.documents.get(uri).is_none_or(|open| open.edition != edition);
        if is_stale(self) {
            sink.send(Err(content_modified()));
            return;
        }
        let at = uri.clone();
        let then = Box::new(move |owner: &mut Self, outcome: Outcome| {
            if let Some(error) = outcome.error() {
                sink.send(Err(error));
                return;
            }
            let open = owner.documents.get(&at);
            let current = open.and_then(|open| Some((open.current()?, open.unchanged.clone())));
            match current {
                Some((snapshot, unchanged)) if snapshot.edition == edition => {
                    let snapshot = Arc::clone(snapshot);
                    owner.start_relaxation(snapshot, unchanged, block, way, sink);
                }
                _ => sink.send(Err(content_modified())),
            }
        });
        self.when_ready(uri, Need::Parsed, then);
    }

    fn start_relaxation(
        &mut self,
        snapshot: Arc<Snapshot>,
        unchanged: CancellationToken,
        block: usize,
        way: Way,
        sink: Sink,
    ) {
        let task = match self.task(&snapshot, block, way) {
            Ok(task) => task,
            Err(error) => return sink.send(Err(error)),
        };
        let Some(supervisor) = self.supervisor.clone() else {
            sink.send(Err(failed("the server is still starting; try again")));
            return;
        };
        let (updates, button, token) = self.show_progress(&snapshot, block, &sink);
        let (events, client) = (self.events.clone(), Arc::clone(&self.features));
        let nobody_waits = sink.cancelled();
        self.handle.spawn(async move {
            // Dropping `run` stops the worker.
            let run = supervisor.run(task, CancellationToken::new(), Some(updates));
            let outcome = tokio::select! {
                biased;
                () = unchanged.cancelled() => Err(Stopped::Because(content_modified())),
                () = button.cancelled() => Err(Stopped::Because(cancelled())),
                () = nobody_waits.cancelled() => Err(Stopped::Because(cancelled())),
                outcome = run => outcome.map_err(Stopped::ByWorker),
            };
            let (uri, edition) = (snapshot.uri.clone(), snapshot.edition);
            let (result, not_installed) = match outcome {
                Ok(output) => {
                    let work = move || {
                        guard("making the edits", || result(&snapshot, block, way, output, &client))
                    };
                    let done = tokio::task::spawn_blocking(work).await.ok().flatten();
                    (done.unwrap_or_else(|| Err(Error::internal_error())), None)
                }
                Err(Stopped::Because(error)) => (Err(error), None),
                Err(Stopped::ByWorker(TaskError { kind, message })) => {
                    let missing = (kind == ErrorKind::NotInstalled).then(|| message.clone());
                    let error =
                        if kind == ErrorKind::Cancelled { cancelled() } else { failed(message) };
                    (Err(error), missing)
                }
            };
            let end = RelaxEnd { uri, edition, token, sink, result, not_installed };
            let _ = events.send(Event::RelaxEnded(Box::new(end)));
        });
    }

    /// What the worker is asked; an error where this cannot be relaxed.
    fn task(&self, snapshot: &Snapshot, block: usize, way: Way) -> Result<Task> {
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

    /// Where the steps of a relaxation go, the button that stops it, and the token of both.
    fn show_progress(
        &mut self,
        snapshot: &Snapshot,
        block: usize,
        sink: &Sink,
    ) -> (progress::Updates, CancellationToken, Option<NumberOrString>) {
        let (sender, receiver) = unbounded_channel();
        let button = CancellationToken::new();
        let own = match sink {
            Sink::Action(..) if self.features.work_done_progress => {
                let token = format!("cellwright/relax/{}", self.next());
                Some(NumberOrString::String(token))
            }
            _ => None,
        };
        match (sink, &own) {
            (Sink::Request(Some(token), _), _) => {
                let token = token.clone();
                self.handle.spawn(progress::notify(self.outbox.clone(), token, receiver));
            }
            (_, Some(token)) => {
                self.progress.insert(token.clone(), button.clone());
                let name = snapshot.parsed.readings.get(block).map_or("", |r| r.name.as_str());
                let title = format!("Relaxing {name}").trim_end().to_owned();
                let (client, outbox) = (self.client.clone(), self.outbox.clone());
                self.handle.spawn(progress::work_done(
                    client,
                    outbox,
                    token.clone(),
                    title,
                    receiver,
                ));
            }
            _ => drop::<UnboundedReceiver<_>>(receiver),
        }
        (sender, button, own)
    }

    pub(super) fn relax_ended(&mut self, end: RelaxEnd) {
        if let Some(token) = &end.token {
            self.progress.remove(token);
        }
        if end.not_installed.is_some() {
            self.not_installed = end.not_installed;
            self.tell_status();
        }
        let open = self.documents.get_mut(&end.uri).filter(|open| open.edition == end.edition);
        let result = match (end.result, open) {
            (Ok((result, relaxed)), Some(open)) => {
                open.relaxed = Some(relaxed);
                Ok(result)
            }
            (Ok(_), None) => Err(content_modified()),
            (Err(error), _) => Err(error),
        };
        end.sink.send(result);
    }
}

/// Why a relaxation gave no structure.
enum Stopped {
    Because(Error),
    ByWorker(TaskError),
}
