//! Keeps one worker process: starts it on demand, restarts it after a crash, unloads it when idle.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::protocol::{ErrorKind, FrameLine, Output, Task};

/// How to run a worker.
#[derive(Debug, Clone)]
pub struct WorkerConfig {
    /// Program and arguments: `["/path/cellwright", "worker"]`, or `["ssh", "gpu-node", "cellwright", "worker"]`.
    pub command: Vec<String>,
    /// The worker is ended when nothing was asked for so long.
    pub idle: Duration,
    /// The worker refuses work beyond this much memory (bytes); 0 is no limit.
    pub memory_limit: u64,
    /// A task that makes no progress for so long counts as hung.
    pub stall: Duration,
}

/// What a running task says.
#[derive(Debug, Clone)]
pub struct TaskProgress {
    /// 0 to 1 where known.
    pub fraction: Option<f64>,
    /// For a progress bar.
    pub message: String,
    /// The structure of a step.
    pub frame: Option<FrameLine>,
}

/// Why a task gave nothing.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct TaskError {
    /// Kind.
    pub kind: ErrorKind,
    /// For the user: what is wrong and what to do.
    pub message: String,
}

/// What the worker is doing, for a status bar.
#[derive(Debug, Clone, PartialEq)]
pub enum WorkerStatus {
    /// No process.
    Stopped,
    /// Starting, loading weights.
    Starting,
    /// Waiting for work: device and models.
    Ready {
        /// Device.
        device: String,
        /// `CHGNet 0.3.0`.
        models: Vec<String>,
    },
    /// At work.
    Busy,
    /// Could not start: why.
    Failed(String),
}

/// Handle to the supervisor task; cheap to clone. Dropping the last handle ends the worker.
#[derive(Debug, Clone)]
pub struct Supervisor {}

impl Supervisor {
    /// A supervisor that starts its worker on the first task. Must be called inside a tokio runtime.
    #[must_use]
    pub fn new(config: WorkerConfig) -> Self {
        todo!()
    }

    /// Runs a task. Cancelling the token answers with [`ErrorKind::Cancelled`] within 200 ms, if need be by
    /// killing the worker. Dropping the future cancels the task too.
    ///
    /// # Errors
    /// See [`TaskError`].
    pub async fn run(
        &self,
        task: Task,
        cancel: CancellationToken,
        progress: Option<mpsc::UnboundedSender<TaskProgress>>,
    ) -> Result<Output, TaskError> {
        todo!()
    }

    /// Status now and whenever it changes.
    #[must_use]
    pub fn status(&self) -> tokio::sync::watch::Receiver<WorkerStatus> {
        todo!()
    }

    /// Replaces the configuration; a running worker ends after its current task.
    pub fn configure(&self, config: WorkerConfig) {
        todo!()
    }
}
