//! Everything that goes to the client unasked, in the order it was said. Nobody else waits for the client to read.

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tower_lsp::Client;
use tower_lsp::lsp_types::notification::Progress;
use tower_lsp::lsp_types::request::Request;
use tower_lsp::lsp_types::{MessageType, ProgressParams, PublishDiagnosticsParams};

use crate::protocol::{DenoiseProgress, PredictProgress, RelaxProgress, Status};

/// A notification for the client.
#[derive(Debug)]
pub(crate) enum Outgoing {
    Diagnostics(PublishDiagnosticsParams),
    Progress(ProgressParams),
    RelaxProgress(RelaxProgress),
    PredictProgress(PredictProgress),
    DenoiseProgress(DenoiseProgress),
    Status(Status),
    /// For the log of the client.
    Log(MessageType, String),
}

/// Where notifications are put. Sending never waits and never fails: without a client nobody misses them.
#[derive(Debug, Clone)]
pub(crate) struct Outbox(UnboundedSender<Outgoing>);

impl Outbox {
    /// An outbox and the other end of it, for [`deliver`].
    pub(crate) fn new() -> (Self, UnboundedReceiver<Outgoing>) {
        let (sender, receiver) = unbounded_channel();
        (Self(sender), receiver)
    }

    pub(crate) fn send(&self, message: Outgoing) {
        let _ = self.0.send(message);
    }

    pub(crate) fn log(&self, kind: MessageType, message: impl Into<String>) {
        self.send(Outgoing::Log(kind, message.into()));
    }
}

/// Sends what is put into the outbox, until the last handle to it is gone.
pub(crate) async fn deliver(client: Client, mut messages: UnboundedReceiver<Outgoing>) {
    while let Some(message) = messages.recv().await {
        match message {
            Outgoing::Diagnostics(p) => {
                client.publish_diagnostics(p.uri, p.diagnostics, p.version).await;
            }
            Outgoing::Progress(params) => client.send_notification::<Progress>(params).await,
            Outgoing::RelaxProgress(p) => client.send_notification::<RelaxProgress>(p).await,
            Outgoing::PredictProgress(p) => client.send_notification::<PredictProgress>(p).await,
            Outgoing::DenoiseProgress(p) => client.send_notification::<DenoiseProgress>(p).await,
            Outgoing::Status(status) => client.send_notification::<Status>(status).await,
            Outgoing::Log(kind, message) => client.log_message(kind, message).await,
        }
    }
}

/// Asks the client something in a task of its own. The task is never dropped before the answer: tower-lsp panics when an answer
/// finds nobody waiting. So whoever wants to give up waiting gives up on the handle, not on the task.
pub(crate) fn ask<R>(
    handle: &tokio::runtime::Handle,
    client: &Client,
    params: R::Params,
) -> tokio::task::JoinHandle<tower_lsp::jsonrpc::Result<R::Result>>
where
    R: Request + 'static,
    R::Params: Send + 'static,
    R::Result: Send + 'static,
{
    let client = client.clone();
    handle.spawn(async move {
        let answer = client.send_request::<R>(params).await;
        if let Err(error) = &answer {
            tracing::warn!("the client refused {}: {error}", R::METHOD);
        }
        answer
    })
}
