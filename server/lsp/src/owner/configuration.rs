//! After `initialized`, and whenever the configuration changes.

use std::sync::Arc;
use std::time::Duration;

use cellwright_worker::supervisor::{Supervisor, WorkerConfig};
use serde_json::{Value, json};
use tower_lsp::lsp_types::request::{RegisterCapability, WorkspaceConfiguration};
use tower_lsp::lsp_types::{
    ConfigurationItem, ConfigurationParams, MessageType, Registration, RegistrationParams, Url,
};

use super::Owner;
use crate::config::{Config, SECTION};
use crate::event::Event;
use crate::outbox::ask;

/// A client that does not say what it wants for so long wants the defaults.
const PATIENCE: Duration = Duration::from_secs(3);

/// A worker that says nothing for so long while it has work is hung.
const STALL: Duration = Duration::from_secs(120);

impl Owner {
    pub(super) fn initialized(&mut self) {
        if self.features.register_configuration {
            let registration = Registration {
                id: "configuration".to_owned(),
                method: "workspace/didChangeConfiguration".to_owned(),
                register_options: Some(json!({ "section": SECTION })),
            };
            let params = RegistrationParams { registrations: vec![registration] };
            ask::<RegisterCapability>(&self.handle, &self.client, params);
        }
        if self.features.configuration {
            self.pull();
        } else {
            self.configure(&Value::Null);
        }
        self.tell_status();
    }

    pub(super) fn configuration_changed(&mut self, settings: &Value) {
        if self.features.configuration {
            self.pull();
        } else {
            self.configure(settings.get(SECTION).unwrap_or(settings));
        }
    }

    /// Asks the client; the answer comes as an event.
    fn pull(&mut self) {
        self.pulls += 1;
        let (pull, events) = (self.pulls, self.events.clone());
        let item = ConfigurationItem { scope_uri: None, section: Some(SECTION.to_owned()) };
        let params = ConfigurationParams { items: vec![item] };
        let asked = ask::<WorkspaceConfiguration>(&self.handle, &self.client, params);
        self.handle.spawn(async move {
            let answer = tokio::time::timeout(PATIENCE, asked).await;
            let section = answer.ok().and_then(Result::ok).and_then(Result::ok);
            let section = section.and_then(|sections| sections.into_iter().next());
            let _ = events.send(Event::Configured(pull, section));
        });
    }

    pub(super) fn pulled(&mut self, pull: u64, section: Option<Value>) {
        if pull != self.pulls {
            return;
        }
        match section {
            Some(section) => self.configure(&section),
            // What was set before stays; at the start that is the default.
            None if self.configured => {}
            None => self.configure(&Value::Null),
        }
    }

    fn configure(&mut self, section: &Value) {
        let (config, complaints) = Config::read(section);
        for complaint in complaints {
            tracing::warn!("{complaint}");
            self.outbox.log(MessageType::WARNING, complaint);
        }
        let before = std::mem::replace(&mut self.config, Arc::new(config));
        let worker = self.worker_config();
        match &self.supervisor {
            None => self.start_supervisor(worker),
            Some(supervisor) if before.worker != self.config.worker => {
                supervisor.configure(worker);
                self.not_installed = None;
            }
            Some(_) => {}
        }
        let first = !std::mem::replace(&mut self.configured, true);
        let uris: Vec<Url> = self.documents.keys().cloned().collect();
        for uri in uris {
            if first || before != self.config {
                self.analyse(&uri);
            }
        }
        self.tell_status();
    }

    fn start_supervisor(&mut self, config: WorkerConfig) {
        // The supervisor is a task of the runtime.
        let _entered = self.handle.enter();
        let supervisor = Supervisor::new(config);
        let (mut status, events) = (supervisor.status(), self.events.clone());
        self.supervisor = Some(supervisor);
        self.handle.spawn(async move {
            loop {
                let now = status.borrow_and_update().clone();
                if events.send(Event::Worker(now)).is_err() || status.changed().await.is_err() {
                    break;
                }
            }
        });
    }

    pub(super) fn worker_config(&self) -> WorkerConfig {
        let settings = &self.config.worker;
        let own = settings.command.is_empty();
        let mut command =
            if own { self.options.worker_command.clone() } else { settings.command.clone() };
        if !settings.device.is_empty() {
            command.extend(["--device".to_owned(), settings.device.clone()]);
        }
        WorkerConfig {
            command,
            idle: settings.idle,
            memory_limit: settings.memory_limit << 20,
            stall: STALL,
        }
    }

    /// Models were installed: ask again what could not be answered.
    pub(super) fn models_changed(&mut self) {
        self.not_installed = None;
        if let Some(supervisor) = &self.supervisor {
            // A worker that found no weights shall not remember it.
            supervisor.configure(self.worker_config());
        }
        for open in self.documents.values_mut() {
            open.answers.retain(|(_, answer)| answer.is_ok());
        }
        self.ask_again();
        self.tell_status();
    }
}
