//! Tier 3: what the worker does for one document at the user's request, by `codeAction/resolve` or by a request of ours. The edit is
//! computed here and applied by the client; a document that has moved on gets none.

use std::sync::Arc;

use cellwright_worker::protocol::{ErrorKind, Output, Task};
use cellwright_worker::supervisor::{TaskError, TaskProgress};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_util::sync::CancellationToken;
use tower_lsp::jsonrpc::{Error, Result};
use tower_lsp::lsp_types::{CodeAction, NumberOrString, Url, WorkspaceEdit};

use super::Owner;
use super::document::{Need, OpenDocument, Outcome};
use crate::event::{Event, Reply, cancelled, content_modified, failed};
use crate::guard::guard;
use crate::outbox::Outgoing;
use crate::progress;
use crate::snapshot::Snapshot;

/// Who wants the answer.
pub(crate) enum Sink<T> {
    Action(Box<CodeAction>, Reply<CodeAction>),
    /// With the token of the progress notifications.
    Request(Option<NumberOrString>, Reply<T>),
}

impl<T: Into<WorkspaceEdit>> Sink<T> {
    fn cancelled(&self) -> CancellationToken {
        match self {
            Self::Action(_, reply) => reply.cancelled().clone(),
            Self::Request(_, reply) => reply.cancelled().clone(),
        }
    }

    pub(super) fn send(self, result: Result<T>) {
        match self {
            Self::Action(mut action, reply) => reply.send(result.map(|result| {
                action.edit = Some(result.into());
                *action
            })),
            Self::Request(_, reply) => reply.send(result),
        }
    }
}

/// The newest text, read, and what is cancelled when it changes.
pub(super) struct Current {
    pub(super) snapshot: Arc<Snapshot>,
    unchanged: CancellationToken,
}

/// Something to be done for a document as it is now.
pub(super) struct Errand<T> {
    pub(super) current: Current,
    /// What the worker is asked.
    pub(super) task: Task,
    /// Of the progress: `Relaxing NaCl`.
    pub(super) title: String,
    /// Says how far it has come to who has sent a request.
    pub(super) tell: Tell,
    pub(super) sink: Sink<T>,
}

/// Makes a notification of what the worker says on its way; runs on the blocking pool.
pub(super) type Tell = Arc<dyn Fn(NumberOrString, TaskProgress) -> Outgoing + Send + Sync>;

/// An errand has come to its end, one way or the other.
pub(super) struct Ended {
    uri: Url,
    edition: u64,
    /// Token of the work-done progress.
    token: Option<NumberOrString>,
    /// Set when the model turned out not to be installed: the message.
    not_installed: Option<String>,
}

impl Owner {
    /// Goes on with the document as it was when the user asked, or refuses.
    pub(super) fn when_current<T: Into<WorkspaceEdit> + Send + 'static>(
        &mut self,
        uri: &Url,
        edition: u64,
        sink: Sink<T>,
        go_on: impl FnOnce(&mut Self, Current, Sink<T>) + Send + 'static,
    ) {
        if self.documents.get(uri).is_none_or(|open| open.edition != edition) {
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
            let current = open.and_then(|open| {
                let snapshot = Arc::clone(open.current()?);
                Some(Current { snapshot, unchanged: open.unchanged.clone() })
            });
            match current.filter(|current| current.snapshot.edition == edition) {
                Some(current) => go_on(owner, current, sink),
                None => sink.send(Err(content_modified())),
            }
        });
        self.when_ready(uri, Need::Parsed, then);
    }

    /// Asks the worker. `answer` makes of its output what the client gets, on the blocking pool; `settle` has the last word, here.
    pub(super) fn run_errand<T, X, A, S>(&mut self, errand: Errand<T>, answer: A, settle: S)
    where
        T: Into<WorkspaceEdit> + Send + 'static,
        X: Send + 'static,
        A: FnOnce(&Snapshot, Output) -> Result<(T, X)> + Send + 'static,
        S: FnOnce(&mut OpenDocument, X) + Send + 'static,
    {
        let Errand { current: Current { snapshot, unchanged }, task, title, tell, sink } = errand;
        let Some(supervisor) = self.supervisor.clone() else {
            sink.send(Err(failed("the server is still starting; try again")));
            return;
        };
        self.step_aside();
        let (updates, button, token) = self.show_progress(title, tell, &sink);
        let events = self.events.clone();
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
                    let work = move || guard("making the edits", || answer(&snapshot, output));
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
            let ended = Ended { uri, edition, token, not_installed };
            let end = move |owner: &mut Self| owner.errand_ended(ended, result, sink, settle);
            let _ = events.send(Event::ErrandEnded(Box::new(end)));
        });
    }

    /// What the worker does unasked is given up, so that an errand need not wait for it.
    fn step_aside(&mut self) {
        self.errands += 1;
        for open in self.documents.values() {
            open.asking.cancel();
            open.completing.cancel();
        }
    }

    /// Asks unasked again, about every document, unless an errand is on its way.
    pub(super) fn ask_again(&mut self) {
        let uris: Vec<Url> = self.documents.keys().cloned().collect();
        for uri in uris {
            self.ask_for_energies(&uri);
            self.ask_for_completions(&uri);
        }
    }

    /// Where the steps of a task go, the button that stops it, and the token of both.
    fn show_progress<T>(
        &mut self,
        title: String,
        tell: Tell,
        sink: &Sink<T>,
    ) -> (progress::Updates, CancellationToken, Option<NumberOrString>) {
        let (sender, receiver) = unbounded_channel();
        let button = CancellationToken::new();
        let own = match sink {
            Sink::Action(..) if self.features.work_done_progress => {
                Some(NumberOrString::String(format!("cellwright/errand/{}", self.next())))
            }
            _ => None,
        };
        let outbox = self.outbox.clone();
        match (sink, &own) {
            (Sink::Request(Some(token), _), _) => {
                self.handle.spawn(progress::notify(outbox, token.clone(), receiver, tell));
            }
            (_, Some(token)) => {
                self.progress.insert(token.clone(), button.clone());
                let client = self.client.clone();
                let shown = progress::work_done(client, outbox, token.clone(), title, receiver);
                self.handle.spawn(shown);
            }
            _ => drop::<UnboundedReceiver<_>>(receiver),
        }
        (sender, button, own)
    }

    fn errand_ended<T: Into<WorkspaceEdit>, X>(
        &mut self,
        ended: Ended,
        result: Result<(T, X)>,
        sink: Sink<T>,
        settle: impl FnOnce(&mut OpenDocument, X),
    ) {
        self.errands -= 1;
        if let Some(token) = &ended.token {
            self.progress.remove(token);
        }
        if ended.not_installed.is_some() {
            self.not_installed = ended.not_installed;
            self.tell_status();
        }
        let open = self.documents.get_mut(&ended.uri);
        let open = open.filter(|open| open.edition == ended.edition);
        let result = match (result, open) {
            (Ok((result, extra)), Some(open)) => {
                settle(open, extra);
                Ok(result)
            }
            (Ok(_), None) => Err(content_modified()),
            (Err(error), _) => Err(error),
        };
        sink.send(result);
        self.ask_again();
    }
}

/// Why a task gave nothing.
enum Stopped {
    Because(Error),
    ByWorker(TaskError),
}
