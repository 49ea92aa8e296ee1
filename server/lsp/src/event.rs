//! What reaches the owner task: everything that changes state or asks for it, in order of arrival.

use cellwright_checks::Finding;
use cellwright_syntax::Document;
use cellwright_worker::protocol::{Cell, Output};
use cellwright_worker::supervisor::{TaskError, WorkerStatus};
use serde_json::Value;
use tokio::sync::oneshot;
use tokio_util::sync::{CancellationToken, DropGuard};
use tower_lsp::jsonrpc::{Error, ErrorCode, Result};
use tower_lsp::lsp_types::{
    CodeAction, CodeActionParams, CodeActionResponse, CodeLens, CodeLensParams,
    DidChangeTextDocumentParams, DidCloseTextDocumentParams, DidOpenTextDocumentParams, InlayHint,
    InlayHintParams, NumberOrString, Url,
};

use crate::client::ClientFeatures;
use crate::owner::{Owner, Question};
use crate::protocol::{
    DenoiseParams, DenoiseResult, PredictParams, PredictResult, RelaxChoices, RelaxChoicesParams,
    RelaxParams, RelaxResult, SubstituteParams,
};
use crate::snapshot::Snapshot;

/// One thing that happened.
pub(crate) enum Event {
    Initialize(Box<ClientFeatures>),
    Initialized,
    Opened(DidOpenTextDocumentParams),
    Changed(DidChangeTextDocumentParams),
    Closed(DidCloseTextDocumentParams),
    /// The client says the configuration changed; old clients send it along.
    ConfigurationChanged(Value),
    /// The section as pulled; `None` if the client would not say. The number orders the pulls.
    Configured(u64, Option<Value>),
    ModelsChanged,
    CancelProgress(NumberOrString),
    CodeLens(CodeLensParams, Reply<Option<Vec<CodeLens>>>),
    InlayHint(InlayHintParams, Reply<Option<Vec<InlayHint>>>),
    CodeAction(Box<CodeActionParams>, Reply<Option<CodeActionResponse>>),
    ResolveAction(Box<CodeAction>, Reply<CodeAction>),
    RelaxChoices(RelaxChoicesParams, Reply<Option<RelaxChoices>>),
    Relax(RelaxParams, Reply<RelaxResult>),
    Predict(PredictParams, Reply<PredictResult>),
    Denoise(DenoiseParams, Reply<DenoiseResult>),
    Substitute(SubstituteParams, Reply<PredictResult>),
    /// A job on the blocking pool has come so far.
    Analysis {
        uri: Url,
        generation: u64,
        stage: Stage,
    },
    /// The model has answered for some crystals of a document.
    Energies {
        uri: Url,
        generation: u64,
        cells: Vec<Cell>,
        outcome: Box<std::result::Result<Output, TaskError>>,
    },
    /// The model has answered for the masked sites of a crystal.
    Completed {
        uri: Url,
        generation: u64,
        question: Question,
        /// Whether the energy model was asked too.
        thorough: bool,
        outcome: Box<std::result::Result<Output, TaskError>>,
    },
    Worker(WorkerStatus),
    /// What the worker did for a document has come to its end.
    ErrandEnded(Box<dyn FnOnce(&mut Owner) + Send>),
    Exit,
}

/// How far an analysis has come. The last three end it.
pub(crate) enum Stage {
    /// Read: a snapshot, what the text alone says, and the document with its tree.
    Parsed(std::sync::Arc<Snapshot>, Vec<Finding>, Document),
    /// Checked: all findings.
    Checked(Vec<Finding>),
    /// A newer generation came in between.
    Superseded,
    /// It panicked.
    Failed,
}

/// The duty to answer one request. Dropping it unanswered answers with an internal error, so every path answers exactly once.
#[derive(Debug)]
pub(crate) struct Reply<T> {
    sender: oneshot::Sender<Result<T>>,
    cancelled: CancellationToken,
}

/// What a handler waits on. Dropping it, as tower-lsp does on `$/cancelRequest`, cancels the work.
#[derive(Debug)]
pub(crate) struct Answer<T> {
    receiver: oneshot::Receiver<Result<T>>,
    _guard: DropGuard,
}

impl<T> Reply<T> {
    pub(crate) fn new() -> (Self, Answer<T>) {
        let (sender, receiver) = oneshot::channel();
        let cancelled = CancellationToken::new();
        let answer = Answer { receiver, _guard: cancelled.clone().drop_guard() };
        (Self { sender, cancelled }, answer)
    }

    /// Cancelled when nobody waits any more.
    pub(crate) fn cancelled(&self) -> &CancellationToken {
        &self.cancelled
    }

    pub(crate) fn send(self, result: Result<T>) {
        // Nobody listens after a cancellation.
        let _ = self.sender.send(result);
    }
}

impl<T> Answer<T> {
    pub(crate) async fn wait(self) -> Result<T> {
        self.receiver.await.unwrap_or_else(|_| {
            tracing::error!("a request was dropped without an answer");
            let mut error = Error::internal_error();
            error.message = "this went wrong inside Cellwright; its log says more".into();
            Err(error)
        })
    }
}

/// The document moved on: nothing computed before may be applied.
pub(crate) fn content_modified() -> Error {
    let mut error = Error::new(ErrorCode::ContentModified);
    error.message =
        "the document has changed since this was offered; nothing was applied, ask again".into();
    error
}

/// The user stopped it.
pub(crate) fn cancelled() -> Error {
    Error::new(ErrorCode::RequestCancelled)
}

/// It cannot be done, for a reason the user should read (`RequestFailed` of LSP 3.17).
pub(crate) fn failed(message: impl Into<String>) -> Error {
    let mut error = Error::new(ErrorCode::ServerError(-32803));
    error.message = message.into().into();
    error
}
