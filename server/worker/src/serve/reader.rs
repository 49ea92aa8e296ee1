//! The reader: takes requests apart as they come, whatever the runner is doing.

use std::io::{BufRead, Read, Write};
use std::sync::mpsc::Sender;

use serde_json::Value;

use super::runner::Job;
use super::shared::Shared;
use super::{End, Event};
use crate::protocol::{ErrorKind, MAX_LINE, Reply, Request};

/// Reads until the input ends.
pub(super) fn read<W: Write>(mut input: impl BufRead, shared: &Shared<W>, jobs: &Sender<Job>) {
    let mut line = Vec::new();
    loop {
        line.clear();
        match input.by_ref().take(MAX_LINE).read_until(b'\n', &mut line) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) => {
                tracing::warn!("no request can be read: {error}");
                break;
            }
        }
        if line.len() as u64 == MAX_LINE && line.last() != Some(&b'\n') {
            refuse(shared, None, format!("a request is longer than {} MiB", MAX_LINE >> 20));
            if input.skip_until(b'\n').is_err() {
                break;
            }
        } else if !line.trim_ascii().is_empty() {
            request(&line, shared, jobs);
        }
    }
    shared.tell(Event::End(End::InputClosed));
}

fn request<W: Write>(line: &[u8], shared: &Shared<W>, jobs: &Sender<Job>) {
    match serde_json::from_slice(line) {
        Ok(Request::Run { id, task }) => match shared.admit(id) {
            Some(cancel) => {
                // The runner lives as long as the process.
                let _ = jobs.send(Job { id, task, cancel });
            }
            None => refuse(shared, None, format!("the id {id} belongs to a task that still runs")),
        },
        Ok(Request::Cancel { id }) => shared.cancel(id),
        Ok(Request::Configure { memory_limit }) => shared.ceiling.set(memory_limit),
        Err(error) => refuse(shared, id_of(line), format!("this is no request: {error}")),
    }
}

fn refuse<W: Write>(shared: &Shared<W>, id: Option<u64>, message: String) {
    shared.answer(&Reply::Error { id, kind: ErrorKind::BadRequest, message });
}

/// The id of a request that otherwise makes no sense, so that its task does not wait for ever.
fn id_of(line: &[u8]) -> Option<u64> {
    serde_json::from_slice::<Value>(line).ok()?.get("id")?.as_u64()
}
