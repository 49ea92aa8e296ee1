//! What the threads of a worker share: the way out, and which tasks are alive.

use std::collections::HashMap;
use std::io::Write;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex};

use tokio_util::sync::CancellationToken;

use super::memory::Ceiling;
use super::{End, Event, locked};
use crate::protocol::Reply;

pub(super) struct Shared<W> {
    output: Mutex<W>,
    /// Tasks that wait or run, and the token that stops each.
    alive: Mutex<HashMap<u64, CancellationToken>>,
    pub(super) ceiling: Arc<Ceiling>,
    events: Mutex<Sender<Event>>,
}

impl<W: Write> Shared<W> {
    pub(super) fn new(output: W, ceiling: Arc<Ceiling>, events: Sender<Event>) -> Self {
        let (output, events) = (Mutex::new(output), Mutex::new(events));
        Self { output, alive: Mutex::default(), ceiling, events }
    }

    /// Writes one line.
    pub(super) fn answer(&self, reply: &Reply) {
        let line = serde_json::to_vec(reply);
        let written = line.map_err(Into::into).and_then(|mut line| {
            line.push(b'\n');
            let mut output = locked(&self.output);
            output.write_all(&line)?;
            output.flush()
        });
        if let Err(error) = written {
            tracing::debug!("no answer can be written: {error}");
            self.tell(Event::End(End::OutputClosed));
        }
    }

    /// Tells the caller of `serve`. If it has already returned, the process is about to end.
    pub(super) fn tell(&self, event: Event) {
        let _ = locked(&self.events).send(event);
    }

    /// Registers a task; `None` when its id is taken.
    pub(super) fn admit(&self, id: u64) -> Option<CancellationToken> {
        let mut alive = locked(&self.alive);
        if alive.contains_key(&id) {
            return None;
        }
        let token = CancellationToken::new();
        alive.insert(id, token.clone());
        Some(token)
    }

    pub(super) fn cancel(&self, id: u64) {
        // A task that is not there has just been answered.
        if let Some(token) = locked(&self.alive).get(&id) {
            token.cancel();
        }
    }

    /// Gives the last answer of a task. Its id is free before the client can know of it.
    pub(super) fn finish(&self, id: u64, reply: &Reply) {
        locked(&self.alive).remove(&id);
        self.answer(reply);
    }
}
