//! What the status bar shows.

use cellwright_worker::supervisor::WorkerStatus;
use tower_lsp::lsp_types::MessageType;

use super::Owner;
use crate::outbox::Outgoing;
use crate::protocol::{State, Status};

impl Owner {
    pub(super) fn worker_status(&mut self, status: WorkerStatus) {
        if let WorkerStatus::Ready { device, models } = &status
            && let Some(model) = models.first()
        {
            self.model = Some((model.clone(), device.clone()));
        }
        self.worker = status;
        self.tell_status();
    }

    /// Sends the status if it has changed.
    pub(super) fn tell_status(&mut self) {
        let status = self.current_status();
        if self.status.as_ref() == Some(&status) {
            return;
        }
        let states = (self.status.as_ref().map(|s| s.state), status.state);
        if self.features.status {
            self.outbox.send(Outgoing::Status(status.clone()));
        } else if matches!(states, (before, State::NotInstalled) if before != Some(State::NotInstalled))
        {
            self.outbox.log(MessageType::INFO, status.message.clone());
        }
        self.status = Some(status);
    }

    fn current_status(&self) -> Status {
        let (state, message) = match (&self.not_installed, &self.worker) {
            (Some(reason), _) => (State::NotInstalled, reason.clone()),
            (_, WorkerStatus::Failed(reason)) => (State::Failed, reason.clone()),
            (_, WorkerStatus::Stopped) if !self.config.energy.enabled => (
                State::Off,
                "Energies while you type are switched off (cellwright.energy.enabled)".to_owned(),
            ),
            (_, WorkerStatus::Stopped) => {
                (State::Stopped, "The model starts with the next crystal that needs it".to_owned())
            }
            (_, WorkerStatus::Starting) => (State::Starting, "The model is starting".to_owned()),
            (_, WorkerStatus::Ready { .. }) => {
                (State::Ready, "Energies and forces are computed while you type".to_owned())
            }
            (_, WorkerStatus::Busy) => (State::Busy, "The model is at work".to_owned()),
        };
        let (model, device) = self.model.clone().unzip();
        Status { state, model, device, message }
    }
}
