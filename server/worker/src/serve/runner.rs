//! The runner: one task after the other.

use std::any::Any;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::Receiver;

use tokio_util::sync::CancellationToken;

use super::engine::Engine;
use super::shared::Shared;
use super::{Event, tasks};
use crate::protocol::{CandidateLine, ErrorKind, FrameLine, Reply, Task};

pub(super) struct Job {
    pub(super) id: u64,
    pub(super) task: Task,
    pub(super) cancel: CancellationToken,
}

/// What a task sees of the world: whether to go on, how much memory there is, whom to tell.
pub(super) struct Context<'a, W> {
    id: u64,
    cancel: &'a CancellationToken,
    pub(super) shared: &'a Shared<W>,
}

impl<W: Write> Context<'_, W> {
    pub(super) fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }

    pub(super) fn progress(
        &self,
        fraction: Option<f64>,
        message: String,
        frame: Option<FrameLine>,
    ) {
        let candidates = Vec::new();
        self.shared.answer(&Reply::Progress { id: self.id, fraction, message, frame, candidates });
    }

    pub(super) fn candidates(
        &self,
        fraction: Option<f64>,
        message: String,
        candidates: Vec<CandidateLine>,
    ) {
        let progress = Reply::Progress { id: self.id, fraction, message, frame: None, candidates };
        self.shared.answer(&progress);
    }
}

/// Works through the queue until the reader is gone.
pub(super) fn run<W: Write>(mut engine: impl Engine, shared: &Shared<W>, queue: &Receiver<Job>) {
    for Job { id, task, cancel } in queue {
        shared.tell(Event::Begun(id));
        let context = Context { id, cancel: &cancel, shared };
        // What a panic leaves behind is only the model, which no task changes.
        let outcome =
            catch_unwind(AssertUnwindSafe(|| tasks::perform(task, &mut engine, &context)));
        let reply = match outcome {
            Ok(Ok(output)) => Reply::Result { id, output },
            Ok(Err((kind, message))) => Reply::Error { id: Some(id), kind, message },
            Err(panic) => {
                let what = what_was_said(panic.as_ref());
                let message = format!(
                    "the model failed unexpectedly, which is a fault of this program: {what}"
                );
                Reply::Error { id: Some(id), kind: ErrorKind::Internal, message }
            }
        };
        shared.finish(id, &reply);
        shared.tell(Event::Done);
    }
}

fn what_was_said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no reason given")
}
