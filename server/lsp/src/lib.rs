//! The language server: the only crate that names `tower_lsp`.
//!
//! How a message travels: stdin → `transport` (makes it safe) → tower-lsp → `backend` (one event) → `owner` (one thread, in order
//! of arrival) → the blocking pool or the inference worker → an event again → `outbox` → stdout. The owner alone changes
//! state; everybody else works on immutable snapshots. Messages beyond LSP are documented in `PROTOCOL.md`.

mod backend;
mod client;
mod config;
mod event;
mod guard;
mod outbox;
mod owner;
mod position;
mod progress;
mod protocol;
mod snapshot;
mod to_proto;
mod transport;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tower_lsp::lsp_types::InitializeParams;
use tower_lsp::{LspService, Server};

use crate::backend::Backend;
use crate::client::ClientFeatures;
use crate::event::Event;
use crate::outbox::{Outbox, deliver};
use crate::owner::Surroundings;
use crate::transport::{Lifecycle, sanitize};

pub use config::settings;

/// What the server is told when it starts.
#[derive(Debug, Clone)]
pub struct Options {
    /// Program and arguments of the inference worker, unless the user's configuration names another.
    pub worker_command: Vec<String>,
}

/// Requests in flight at once. A handler only waits, so this costs nothing; too few would deadlock.
const CONCURRENCY: usize = 1024;

/// Bytes between our reading of stdin and that of tower-lsp.
const PIPE: usize = 1 << 16;

/// How long the end may take: answers that are still owed, output that nobody reads.
const GRACE: Duration = Duration::from_secs(2);

/// Serves one client on stdin and stdout, in a runtime of its own. Gives the exit code: 0 if `shutdown` came before the end, 1 if not.
///
/// # Errors
/// When the runtime cannot be started.
pub fn serve_stdio(options: Options) -> std::io::Result<i32> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("cellwright-lsp")
        .enable_all()
        .build()?;
    let code = runtime.block_on(run(tokio::io::stdin(), tokio::io::stdout(), options));
    // A thread may still be reading from stdin, which can stay open for ever.
    runtime.shutdown_background();
    Ok(code)
}

/// Serves one client until `exit` or the end of input. Gives the exit code, see [`serve_stdio`]. Must be called inside a tokio runtime
/// with more than one thread.
pub async fn run<I, O>(input: I, output: O, options: Options) -> i32
where
    I: AsyncRead + Unpin + Send + 'static,
    O: AsyncWrite + Unpin,
{
    let (events, incoming) = tokio::sync::mpsc::unbounded_channel();
    let mut client = None;
    let (service, socket) = LspService::build(|c| {
        client = Some(c);
        Backend::new(events.clone())
    })
    .custom_method(protocol::RELAX_CHOICES, Backend::relax_choices)
    .custom_method(protocol::RELAX, Backend::relax)
    .custom_method(protocol::PREDICT, Backend::predict)
    .custom_method(protocol::DENOISE, Backend::denoise)
    .custom_method(protocol::SUBSTITUTE, Backend::substitute)
    .custom_method(protocol::MODELS_CHANGED, Backend::models_changed)
    .custom_method(protocol::CANCEL_PROGRESS, Backend::cancel_progress)
    .finish();
    let Some(client) = client else {
        tracing::error!("the service was built without a client");
        return 1;
    };

    let (outbox, messages) = Outbox::new();
    tokio::spawn(deliver(client.clone(), messages));
    let surroundings = Surroundings {
        handle: Handle::current(),
        events: events.clone(),
        outbox,
        client,
        options,
        features: Arc::new(ClientFeatures::new(&InitializeParams::default())),
    };
    let owner = std::thread::Builder::new().name("cellwright-owner".to_owned());
    let owner = owner.spawn(move || owner::run(surroundings, incoming));
    let owner = match owner {
        Ok(owner) => owner,
        Err(error) => {
            tracing::error!("cannot start a thread: {error}");
            return 1;
        }
    };

    let exit = CancellationToken::new();
    let shutdown = Arc::new(AtomicBool::new(false));
    let service = Lifecycle::new(service, exit.clone(), Arc::clone(&shutdown));
    let (pipe_in, pipe_out) = tokio::io::duplex(PIPE);
    let ended = CancellationToken::new();
    let reading = {
        let (exit, ended, events) = (exit.clone(), ended.clone(), events.clone());
        async move {
            sanitize(input, pipe_in, exit).await;
            // Whoever still waits for an answer gets it now, so that `serve` can end.
            let _ = events.send(Event::Exit);
            ended.cancel();
        }
    };
    let reading = tokio::spawn(reading);
    let serving =
        Server::new(pipe_out, output, socket).concurrency_level(CONCURRENCY).serve(service);
    let too_late = async {
        ended.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        () = serving => {}
        () = too_late => tracing::warn!("the client does not read its last answers"),
    }
    reading.abort();
    let _ = events.send(Event::Exit);
    let stopped = tokio::task::spawn_blocking(move || owner.join());
    if tokio::time::timeout(GRACE, stopped).await.is_err() {
        tracing::warn!("an event is still being handled");
    }
    i32::from(!shutdown.load(Ordering::SeqCst))
}
