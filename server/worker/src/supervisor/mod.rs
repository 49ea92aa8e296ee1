//! Keeps one worker process: starts it on demand, restarts it after a crash, unloads it when idle.
//!
//! A task of the runtime owns the process and works through the queue. Handles only put questions into the queue and
//! wait; giving up is therefore always immediate, and what the worker does about it is the owner's business.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

mod backoff;
mod owner;
mod process;
mod reply_lines;

use owner::{Job, Owner};

use crate::protocol::{CandidateLine, ErrorKind, FrameLine, Output, Task};

/// How to run a worker.
#[derive(Debug, Clone)]
pub struct WorkerConfig {
    /// Program and arguments: `["/path/cellwright", "worker"]`, or `["ssh", "gpu-node", "cellwright", "worker"]`.
    pub command: Vec<String>,
    /// The worker is ended when nothing was asked for so long.
    pub idle: Duration,
    /// The worker refuses work beyond this much memory (bytes); 0: half of the memory of its machine.
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
    /// The candidates of a prediction so far.
    pub candidates: Vec<CandidateLine>,
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

impl TaskError {
    fn worker(message: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Worker, message: message.into() }
    }

    fn cancelled() -> Self {
        Self { kind: ErrorKind::Cancelled, message: "cancelled".to_owned() }
    }
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
pub struct Supervisor {
    jobs: mpsc::UnboundedSender<Job>,
    config: watch::Sender<WorkerConfig>,
    status: watch::Receiver<WorkerStatus>,
    /// Ends the owner, and with it the process, when the last handle is gone.
    _life: Arc<DropGuard>,
}

impl Supervisor {
    /// A supervisor that starts its worker on the first task. Must be called inside a tokio runtime.
    #[must_use]
    pub fn new(config: WorkerConfig) -> Self {
        let (jobs, queue) = mpsc::unbounded_channel();
        let (config, configured) = watch::channel(config);
        let (tell, status) = watch::channel(WorkerStatus::Stopped);
        let life = CancellationToken::new();
        let owner = Owner::new(queue, configured, tell);
        tokio::spawn(life.clone().run_until_cancelled_owned(owner.run()));
        Self { jobs, config, status, _life: Arc::new(life.drop_guard()) }
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
        let stop = cancel.child_token();
        let _stopped_with_this_future = stop.clone().drop_guard();
        let (answer, mut answered) = oneshot::channel();
        let (steps, mut stepped) = mpsc::unbounded_channel();
        let gone = || TaskError::worker("the supervisor of the worker has ended");
        let job = Job { task, cancel: stop.clone(), progress: steps, answer };
        self.jobs.send(job).map_err(|_| gone())?;
        loop {
            tokio::select! {
                // Steps are sent before the answer and so are passed on before it.
                biased;
                // The owner hears of it as well and stops the worker; nobody needs to wait for that.
                () = stop.cancelled() => return Err(TaskError::cancelled()),
                Some(step) = stepped.recv() => {
                    if let Some(progress) = &progress {
                        // Who does not listen may still want the answer.
                        let _ = progress.send(step);
                    }
                }
                answer = &mut answered => return answer.unwrap_or_else(|_| Err(gone())),
            }
        }
    }

    /// Status now and whenever it changes.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<WorkerStatus> {
        self.status.clone()
    }

    /// Replaces the configuration; a running worker ends after its current task.
    pub fn configure(&self, config: WorkerConfig) {
        self.config.send_replace(config);
    }
}
