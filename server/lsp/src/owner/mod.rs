//! The owner: one thread that holds the documents and applies every event in order of arrival. It never waits: what takes time
//! goes to the blocking pool or to the worker and comes back as an event.

mod action;
mod analysis;
mod complete;
mod configuration;
mod denoise;
mod document;
mod energy;
mod errand;
mod predict;
mod relax;
mod requests;
mod status;
mod substitute;

use std::collections::HashMap;
use std::sync::Arc;

use cellwright_worker::supervisor::{Supervisor, WorkerStatus};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio_util::sync::CancellationToken;
use tower_lsp::Client;
use tower_lsp::lsp_types::{NumberOrString, Url};

use crate::Options;
use crate::client::ClientFeatures;
use crate::config::Config;
use crate::event::Event;
use crate::guard::guard;
use crate::outbox::Outbox;
use crate::protocol::Status;

pub(crate) use complete::{Answer, Question};

use document::OpenDocument;

/// Everything that changes.
pub(crate) struct Owner {
    handle: Handle,
    /// For what comes back from jobs.
    events: UnboundedSender<Event>,
    outbox: Outbox,
    client: Client,
    options: Options,
    features: Arc<ClientFeatures>,
    config: Arc<Config>,
    /// Whether the client has said what it wants; nothing is analysed before.
    configured: bool,
    /// Number of the last configuration pulled.
    pulls: u64,
    documents: HashMap<Url, OpenDocument>,
    /// Last number given to a text or an analysis.
    counter: u64,
    supervisor: Option<Supervisor>,
    worker: WorkerStatus,
    /// Errands of users that the worker has not come to the end of; meanwhile nothing is asked unasked.
    errands: usize,
    /// Why no model can answer until one is installed.
    not_installed: Option<String>,
    /// Model and device that answered last.
    model: Option<(String, String)>,
    status: Option<Status>,
    /// Progress that can be cancelled by the client, by token.
    progress: HashMap<NumberOrString, CancellationToken>,
}

/// What an owner needs from outside.
pub(crate) struct Surroundings {
    pub(crate) handle: Handle,
    pub(crate) events: UnboundedSender<Event>,
    pub(crate) outbox: Outbox,
    pub(crate) client: Client,
    pub(crate) options: Options,
    pub(crate) features: Arc<ClientFeatures>,
}

/// Runs an owner until [`Event::Exit`], on the thread that calls it.
pub(crate) fn run(surroundings: Surroundings, mut incoming: UnboundedReceiver<Event>) {
    let mut owner = Owner::new(surroundings);
    while let Some(event) = incoming.blocking_recv() {
        if matches!(event, Event::Exit) {
            break;
        }
        // A panic loses one event, not the documents; what it owed an answer to answers by being dropped.
        guard("an event", || owner.handle(event));
    }
    owner.stop();
}

impl Owner {
    fn new(surroundings: Surroundings) -> Self {
        let Surroundings { handle, events, outbox, client, options, features } = surroundings;
        Self {
            handle,
            events,
            outbox,
            client,
            options,
            features,
            config: Arc::new(Config::default()),
            configured: false,
            pulls: 0,
            documents: HashMap::new(),
            counter: 0,
            supervisor: None,
            worker: WorkerStatus::Stopped,
            errands: 0,
            not_installed: None,
            model: None,
            status: None,
            progress: HashMap::new(),
        }
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Initialize(features) => self.features = Arc::from(features),
            Event::Initialized => self.initialized(),
            Event::Opened(params) => self.opened(params.text_document),
            Event::Changed(params) => self.changed(params),
            Event::Closed(params) => self.closed(&params.text_document.uri),
            Event::ConfigurationChanged(settings) => self.configuration_changed(&settings),
            Event::Configured(pull, section) => self.pulled(pull, section),
            Event::ModelsChanged => self.models_changed(),
            Event::CancelProgress(token) => {
                if let Some(button) = self.progress.get(&token) {
                    button.cancel();
                }
            }
            Event::CodeLens(params, reply) => self.code_lens(&params, reply),
            Event::InlayHint(params, reply) => self.inlay_hint(&params, reply),
            Event::CodeAction(params, reply) => self.code_action(*params, reply),
            Event::ResolveAction(action, reply) => self.resolve_action(*action, reply),
            Event::RelaxChoices(params, reply) => self.relax_choices(&params, reply),
            Event::Relax(params, reply) => self.relax(params, reply),
            Event::Predict(params, reply) => self.predict(params, reply),
            Event::Denoise(params, reply) => self.denoise(params, reply),
            Event::Substitute(params, reply) => self.substitute(params, reply),
            Event::Analysis { uri, generation, stage } => self.analysis(&uri, generation, stage),
            Event::Energies { uri, generation, cells, outcome } => {
                self.energies(&uri, generation, cells, *outcome);
            }
            Event::Completed { uri, generation, question, thorough, outcome } => {
                self.completed(&uri, generation, question, thorough, *outcome);
            }
            Event::Worker(status) => self.worker_status(status),
            Event::ErrandEnded(end) => end(self),
            Event::Exit => {}
        }
    }

    /// A number never used before.
    fn next(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    /// Everything under way ends; the worker goes with the last handle to its supervisor.
    fn stop(&mut self) {
        for (_, document) in self.documents.drain() {
            document.unchanged.cancel();
        }
        for (_, button) in self.progress.drain() {
            button.cancel();
        }
        self.supervisor = None;
    }
}
