//! Tier 2: energies and forces, some time after the last change, cancelled by the next.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use cellwright_features::force_check::large_forces;
use cellwright_features::{Energy, EnergyState};
use cellwright_worker::protocol::{Cell, Energies, EnergyResult, ErrorKind, Output, Task};
use cellwright_worker::supervisor::TaskError;
use tokio_util::sync::CancellationToken;
use tower_lsp::lsp_types::Url;
use tower_lsp::lsp_types::request::{CodeLensRefresh, InlayHintRefreshRequest};

use super::Owner;
use super::document::OpenDocument;
use crate::event::Event;
use crate::outbox::ask;

/// Time without a change before the model is asked.
const DEBOUNCE: Duration = Duration::from_millis(300);

/// Crystals asked about in one task: enough for a batch, few enough for other documents to have their turn.
const BATCH: usize = 8;

/// Crystals of one document that are looked at unasked. A database dump of thousands shall not heat the room.
const MOST_CRYSTALS: usize = 32;

impl Owner {
    /// Whether a model may be asked at all.
    pub(super) fn energies_wanted(&self) -> bool {
        self.config.energy.enabled && self.not_installed.is_none()
    }

    /// Asks the model about crystals of the newest snapshot that it has not been asked about.
    pub(super) fn ask_for_energies(&mut self, uri: &Url) {
        let wanted = self.energies_wanted();
        let Some(open) = self.documents.get_mut(uri) else { return };
        let Some(snapshot) = open.current().cloned() else { return };
        let cells: Vec<&Cell> =
            snapshot.cells.iter().take(MOST_CRYSTALS).filter_map(|c| c.as_ref().ok()).collect();
        open.answers.retain(|(cell, _)| cells.contains(&cell));
        let known = |cell: &Cell| open.answers.iter().any(|(c, _)| c == cell);
        let missing: Vec<Cell> = cells.into_iter().filter(|c| !known(c)).cloned().collect();
        if missing.is_empty() || !wanted {
            self.judge_forces(uri);
            return;
        }
        let Some(supervisor) = self.supervisor.clone().filter(|_| self.errands == 0) else {
            return;
        };
        open.asking.cancel();
        open.asking = open.unchanged.child_token();
        let (due, asking) = (open.touched + DEBOUNCE, open.asking.clone());
        let generation = open.generation.load(Ordering::SeqCst);
        let (events, uri) = (self.events.clone(), uri.clone());
        let ask = async move {
            tokio::time::sleep_until(due).await;
            for cells in missing.chunks(BATCH) {
                let task = Task::Energy { structures: cells.to_vec() };
                let outcome = supervisor.run(task, CancellationToken::new(), None).await;
                let failed = outcome.is_err();
                let (uri, cells) = (uri.clone(), cells.to_vec());
                let outcome = Box::new(outcome);
                let _ = events.send(Event::Energies { uri, generation, cells, outcome });
                if failed {
                    break;
                }
            }
        };
        self.handle.spawn(async move {
            // Dropping the question cancels the task in the worker.
            tokio::select! {
                () = asking.cancelled() => {}
                () = ask => {}
            }
        });
    }

    /// The model has answered.
    pub(super) fn energies(
        &mut self,
        uri: &Url,
        generation: u64,
        cells: Vec<Cell>,
        outcome: Result<Output, TaskError>,
    ) {
        let Some(open) = self.documents.get_mut(uri) else { return };
        if open.generation.load(Ordering::SeqCst) != generation {
            return;
        }
        match outcome {
            Ok(Output::Energy { provenance, results }) => {
                let name = format!("{} {}", provenance.model, provenance.version);
                let by = format!("{name} on {}", provenance.device);
                let answers = results.into_iter().map(|result| answer(result, &by));
                open.answers.extend(cells.into_iter().zip(answers));
                self.model = Some((name, provenance.device));
            }
            Ok(_) => {
                tracing::error!("the worker answered something else than energies");
                return;
            }
            Err(error) => match error.kind {
                ErrorKind::Cancelled => return,
                ErrorKind::NotInstalled => self.not_installed = Some(error.message),
                _ => {
                    tracing::warn!("no energies for {uri}: {}", error.message);
                    let reason = error.message;
                    open.answers.extend(cells.into_iter().map(|c| (c, Err(reason.clone()))));
                }
            },
        }
        self.tell_status();
        self.judge_forces(uri);
        self.publish(uri);
        self.refresh();
    }

    /// Findings about forces, as soon as every crystal that was asked about has an answer.
    fn judge_forces(&mut self, uri: &Url) {
        let Some(open) = self.documents.get(uri) else { return };
        let Some(snapshot) = open.current() else { return };
        let states = self.energy_states(open);
        if states.contains(&EnergyState::Pending) {
            return;
        }
        let limit = self.config.energy.force_warning;
        let known = snapshot.parsed.readings.iter().zip(&states).filter_map(|(r, s)| match s {
            EnergyState::Known(energy) => Some((r, energy)),
            _ => None,
        });
        let found: Vec<_> =
            known.flat_map(|(r, e)| large_forces(&snapshot.parsed, r, e, limit)).collect();
        if let Some(open) = self.documents.get_mut(uri) {
            open.shown.forces = found;
        }
    }

    /// What is known about the energy of each reading of the newest snapshot.
    pub(super) fn energy_states(&self, open: &OpenDocument) -> Vec<EnergyState<Arc<Energy>>> {
        let Some((_, snapshot)) = &open.snapshot else { return Vec::new() };
        if !self.energies_wanted() {
            return vec![EnergyState::Off; snapshot.cells.len()];
        }
        let state = |(i, cell): (usize, &Result<Cell, String>)| match cell {
            Err(reason) => EnergyState::Refused(reason.clone()),
            Ok(_) if i >= MOST_CRYSTALS => {
                EnergyState::Refused(format!("only the first {MOST_CRYSTALS} of a file"))
            }
            Ok(cell) => match open.answers.iter().find(|(c, _)| c == cell) {
                Some((_, Ok(energy))) => EnergyState::Known(Arc::clone(energy)),
                Some((_, Err(reason))) => EnergyState::Refused(reason.clone()),
                None => match open.relaxed.as_ref().and_then(|r| r.energy_of(cell)) {
                    Some(energy) => EnergyState::Known(Arc::clone(energy)),
                    None => EnergyState::Pending,
                },
            },
        };
        snapshot.cells.iter().enumerate().map(state).collect()
    }

    /// Asks the client to ask again for lenses and hints.
    pub(super) fn refresh(&self) {
        if self.features.lens_refresh {
            ask::<CodeLensRefresh>(&self.handle, &self.client, ());
        }
        if self.features.hint_refresh {
            ask::<InlayHintRefreshRequest>(&self.handle, &self.client, ());
        }
    }
}

fn answer(result: EnergyResult, model: &str) -> Result<Arc<Energy>, String> {
    match result {
        EnergyResult::Ok(energies) => Ok(Arc::new(energy(energies, model))),
        EnergyResult::Failed { message, .. } => Err(message),
    }
}

/// What a model said, as the features show it.
pub(super) fn energy(energies: Energies, model: &str) -> Energy {
    Energy {
        energy_per_atom: energies.energy_per_atom,
        forces: energies.forces.into_iter().map(Into::into).collect(),
        model: model.to_owned(),
        cautions: energies.cautions,
    }
}
