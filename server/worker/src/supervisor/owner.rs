//! The owner of the process: works through the queue, one task at a time.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::backoff::Backoff;
use super::process::Process;
use super::reply_lines::Line;
use super::{TaskError, TaskProgress, WorkerConfig, WorkerStatus};
use crate::protocol::{ErrorKind, Output, Reply, Request, Task};

/// How long a worker may take to stop a task it was told to cancel. It looks between two steps; a step of a large
/// cell takes longer, and then killing is what stops it.
const GRACE: Duration = Duration::from_millis(120);

#[derive(Debug)]
pub(super) struct Job {
    pub(super) task: Task,
    pub(super) cancel: CancellationToken,
    pub(super) progress: mpsc::UnboundedSender<TaskProgress>,
    pub(super) answer: oneshot::Sender<Result<Output, TaskError>>,
}

pub(super) struct Owner {
    queue: mpsc::UnboundedReceiver<Job>,
    config: watch::Receiver<WorkerConfig>,
    status: watch::Sender<WorkerStatus>,
    process: Option<Process>,
    backoff: Backoff,
    last_id: u64,
}

/// What happened while no task ran.
enum Event {
    Configured,
    Job(Job),
    Line(Option<Line>),
    Idle,
    NobodyLeft,
}

/// How a task ended, and with it perhaps the worker.
enum Outcome {
    /// Answered by a worker that can go on.
    Answered(Result<Output, TaskError>),
    /// Answered by a worker that had better be replaced.
    AnsweredLast(TaskError),
    /// The worker died, hung or talked nonsense.
    Broken(TaskError),
    /// Cancelled, and the worker did not stop.
    Ignored,
}

impl Owner {
    pub(super) fn new(
        queue: mpsc::UnboundedReceiver<Job>,
        config: watch::Receiver<WorkerConfig>,
        status: watch::Sender<WorkerStatus>,
    ) -> Self {
        Self { queue, config, status, process: None, backoff: Backoff::default(), last_id: 0 }
    }

    pub(super) async fn run(mut self) {
        let mut idle_since = Instant::now();
        loop {
            match self.event(idle_since).await {
                Event::NobodyLeft => break,
                Event::Configured => {
                    // What failed may have been what was just changed.
                    self.backoff.clear();
                    self.retire().await;
                }
                Event::Idle => self.retire().await,
                Event::Line(line) => self.unasked(line).await,
                Event::Job(job) => {
                    // Whoever cancelled has been answered.
                    if !job.cancel.is_cancelled() {
                        let answer = self.attend(&job).await;
                        let _ = job.answer.send(answer);
                        idle_since = Instant::now();
                    }
                }
            }
        }
    }

    async fn event(&mut self, idle_since: Instant) -> Event {
        let end = self.process.as_ref().map(|p| idle_since + p.idle);
        let unload = async {
            match end {
                Some(end) => sleep_until(end).await,
                None => std::future::pending().await,
            }
        };
        let line = async {
            match &mut self.process {
                Some(process) => process.next().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            // A new configuration and the death of the worker are known before the next task is begun.
            biased;
            changed = self.config.changed() => {
                if changed.is_ok() { Event::Configured } else { Event::NobodyLeft }
            }
            line = line => Event::Line(line),
            job = self.queue.recv() => job.map_or(Event::NobodyLeft, Event::Job),
            () = unload => Event::Idle,
        }
    }

    /// A worker without a task has said something or ended.
    async fn unasked(&mut self, line: Option<Line>) {
        match line {
            // The last words of a task that was given up.
            Some(Line::Reply(reply)) => tracing::debug!("the worker says unasked: {reply:?}"),
            Some(other) => {
                tracing::warn!("the worker says what is not in the protocol: {other:?}");
                self.kill().await;
            }
            None => {
                if let Some(mut process) = self.process.take() {
                    let error = process.obituary("ended while it had nothing to do").await;
                    tracing::warn!("{error}");
                    self.status.send_replace(WorkerStatus::Stopped);
                }
            }
        }
    }

    async fn attend(&mut self, job: &Job) -> Result<Output, TaskError> {
        if self.process.as_mut().is_some_and(Process::is_gone) {
            self.unasked(None).await;
        }
        let mut process = match self.process.take() {
            Some(process) => process,
            None => self.start().await?,
        };
        if job.cancel.is_cancelled() {
            self.ready(process);
            return Err(TaskError::cancelled());
        }
        self.status.send_replace(WorkerStatus::Busy);
        self.last_id += 1;
        match perform(&mut process, self.last_id, job).await {
            Outcome::Answered(answer) => {
                self.backoff.clear();
                self.ready(process);
                answer
            }
            Outcome::AnsweredLast(error) => {
                self.backoff.clear();
                process.retire().await;
                self.status.send_replace(WorkerStatus::Stopped);
                Err(error)
            }
            Outcome::Broken(error) => {
                process.kill().await;
                self.backoff.failed(Instant::now(), &error.message);
                self.status.send_replace(WorkerStatus::Stopped);
                Err(error)
            }
            Outcome::Ignored => {
                process.kill().await;
                self.status.send_replace(WorkerStatus::Stopped);
                Err(TaskError::cancelled())
            }
        }
    }

    /// Starts a worker, unless too many have just failed.
    async fn start(&mut self) -> Result<Process, TaskError> {
        if let Some(refusal) = self.backoff.refusal(Instant::now()) {
            self.status.send_replace(WorkerStatus::Failed(refusal.clone()));
            return Err(TaskError::worker(refusal));
        }
        self.status.send_replace(WorkerStatus::Starting);
        loop {
            let config = self.config.borrow_and_update().clone();
            let started = tokio::select! {
                started = Process::start(&config) => started,
                // The command that does not greet may just have been corrected.
                Ok(()) = self.config.changed() => {
                    self.backoff.clear();
                    continue;
                }
            };
            return started.inspect_err(|error| {
                self.backoff.failed(Instant::now(), &error.message);
                self.status.send_replace(WorkerStatus::Failed(error.message.clone()));
            });
        }
    }

    fn ready(&mut self, process: Process) {
        let (device, models) = (process.device.clone(), process.models.clone());
        self.process = Some(process);
        self.status.send_replace(WorkerStatus::Ready { device, models });
    }

    async fn retire(&mut self) {
        if let Some(process) = self.process.take() {
            process.retire().await;
        }
        self.status.send_replace(WorkerStatus::Stopped);
    }

    async fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().await;
        }
        self.status.send_replace(WorkerStatus::Stopped);
    }
}

/// Has one task done by a worker that has none.
async fn perform(process: &mut Process, id: u64, job: &Job) -> Outcome {
    process.send(&Request::Run { id, task: job.task.clone() });
    let mut deadline = Instant::now() + process.stall;
    let mut cancelled = false;
    loop {
        let line = tokio::select! {
            biased;
            () = job.cancel.cancelled(), if !cancelled => {
                process.send(&Request::Cancel { id });
                cancelled = true;
                deadline = Instant::now() + GRACE;
                continue;
            }
            line = process.next() => line,
            () = sleep_until(deadline) => return late(process, cancelled),
        };
        match line {
            Some(Line::Reply(Reply::Progress { id: of, fraction, message, frame, candidates })) => {
                if of == id && !cancelled {
                    deadline = Instant::now() + process.stall;
                    // Nobody listens any more when the task was just cancelled.
                    let _ =
                        job.progress.send(TaskProgress { fraction, message, frame, candidates });
                }
            }
            Some(Line::Reply(Reply::Result { id: of, output })) if of == id => {
                return Outcome::Answered(Ok(output));
            }
            Some(Line::Reply(Reply::Error { id: of, kind, message }))
                if of.is_none_or(|of| of == id) =>
            {
                let error = TaskError { kind, message };
                // Only a fresh process gives memory back for certain; and a worker that answers to no id
                // cannot make sense of what it is told.
                return if kind == ErrorKind::Memory || of.is_none() {
                    Outcome::AnsweredLast(error)
                } else {
                    Outcome::Answered(Err(error))
                };
            }
            Some(Line::Reply(reply)) => tracing::debug!("not about task {id}: {reply:?}"),
            Some(Line::OtherProtocol { .. }) => {
                return Outcome::Broken(TaskError::worker(
                    "the worker greeted in the middle of a task",
                ));
            }
            Some(Line::Garbage(line)) => {
                return Outcome::Broken(TaskError::worker(format!(
                    "the worker wrote '{line}' where only the protocol belongs; it was stopped"
                )));
            }
            None => {
                return Outcome::Broken(process.obituary("ended in the middle of a task").await);
            }
        }
    }
}

/// The deadline has passed.
fn late(process: &Process, cancelled: bool) -> Outcome {
    if cancelled {
        return Outcome::Ignored;
    }
    Outcome::Broken(TaskError::worker(format!(
        "the worker made no progress for {} s and was stopped; the next task starts a fresh one",
        process.stall.as_secs_f64()
    )))
}
