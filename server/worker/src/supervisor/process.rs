//! One worker process: its start, its pipes, its end.

use std::collections::VecDeque;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::reply_lines::{self, Line};
use super::{TaskError, WorkerConfig};
use crate::protocol::{ErrorKind, Reply, Request, VERSION};

/// How long a worker may take to greet; a login on another machine is part of it.
const GREETING: Duration = Duration::from_secs(30);

/// How long a worker that has closed its stdout, or whose stdin was closed, may take to end.
const FAREWELL: Duration = Duration::from_secs(1);

/// Lines of stderr that are kept for the message after a crash.
const LAST_WORDS: usize = 8;

/// A worker that has greeted. Dropping it kills it.
pub(super) struct Process {
    child: Child,
    /// Lines for stdin; a task of its own writes them, so that a worker that does not read holds up nobody.
    requests: mpsc::UnboundedSender<Vec<u8>>,
    replies: mpsc::Receiver<Line>,
    last_words: Arc<Mutex<VecDeque<String>>>,
    stderr: JoinSet<()>,
    _pipes: JoinSet<()>,
    pub(super) device: String,
    /// `CHGNet 0.3.0`.
    pub(super) models: Vec<String>,
    pub(super) stall: Duration,
    pub(super) idle: Duration,
}

impl Process {
    /// Starts a worker and waits for its greeting.
    pub(super) async fn start(config: &WorkerConfig) -> Result<Self, TaskError> {
        let (child, program) = spawn(config)?;
        let mut process = Self::attach(child, config)
            .ok_or_else(|| TaskError::worker("the worker has no pipes to talk through"))?;
        let patience = GREETING.min(config.stall);
        let mut skipped = Vec::new();
        match timeout(patience, process.greeting(&mut skipped)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(error),
            Err(_) => {
                let mut message = format!(
                    "the worker '{program}' did not greet within {} s",
                    patience.as_secs_f64()
                );
                if let Some(line) = skipped.first() {
                    message += &format!("; it said '{line}', which is not the protocol");
                }
                return Err(TaskError::worker(process.with_last_words(message)));
            }
        }
        process.send(&Request::Configure { memory_limit: config.memory_limit });
        Ok(process)
    }

    fn attach(mut child: Child, config: &WorkerConfig) -> Option<Self> {
        let (stdin, stdout, stderr) =
            (child.stdin.take()?, child.stdout.take()?, child.stderr.take()?);
        let (requests, to_write) = mpsc::unbounded_channel();
        let (lines, replies) = mpsc::channel(64);
        let mut pipes = JoinSet::new();
        pipes.spawn(write(stdin, to_write));
        pipes.spawn(reply_lines::read(BufReader::new(stdout), lines));
        let last_words = Arc::default();
        let mut listening = JoinSet::new();
        listening.spawn(listen(stderr, Arc::clone(&last_words)));
        let (stall, idle) = (config.stall, config.idle);
        let (device, models) = (String::new(), Vec::new());
        let (stderr, _pipes) = (listening, pipes);
        Some(Self {
            child,
            requests,
            replies,
            last_words,
            stderr,
            _pipes,
            device,
            models,
            stall,
            idle,
        })
    }

    /// Waits for the greeting. What a login shell says before it is passed over and put into `skipped`.
    async fn greeting(&mut self, skipped: &mut Vec<String>) -> Result<(), TaskError> {
        loop {
            match self.replies.recv().await {
                Some(Line::Reply(Reply::Hello { device, models, .. })) => {
                    self.device = device;
                    self.models =
                        models.iter().map(|m| format!("{} {}", m.model, m.version)).collect();
                    return Ok(());
                }
                Some(Line::OtherProtocol { protocol, version }) => {
                    return Err(TaskError::worker(format!(
                        "the worker (version {version}) speaks protocol {protocol}, but this program ({}) speaks {VERSION}: \
                         install the same version of Cellwright on both sides",
                        env!("CARGO_PKG_VERSION")
                    )));
                }
                Some(Line::Reply(Reply::Error { kind, message, .. })) => {
                    return Err(TaskError { kind, message });
                }
                Some(Line::Reply(reply)) => {
                    tracing::warn!("the worker answers before it greets: {reply:?}");
                }
                Some(Line::Garbage(line)) => {
                    tracing::info!("before the worker's greeting: {line}");
                    if skipped.len() < LAST_WORDS {
                        skipped.push(line);
                    }
                }
                None => return Err(self.obituary("could not start").await),
            }
        }
    }

    /// Puts a request on its way.
    pub(super) fn send(&self, request: &Request) {
        match serde_json::to_vec(request) {
            Ok(mut line) => {
                line.push(b'\n');
                // A writer that is gone means a worker that is gone, which its stdout tells.
                let _ = self.requests.send(line);
            }
            Err(error) => tracing::error!("a request cannot be written: {error}"),
        }
    }

    /// The next line, or `None` when the worker has gone. May be dropped and called again without loss.
    pub(super) async fn next(&mut self) -> Option<Line> {
        self.replies.recv().await
    }

    /// Whether the process has ended, seen or not.
    pub(super) fn is_gone(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// What became of a worker whose output has ended: `what` is the verb. Makes sure that it has really ended.
    pub(super) async fn obituary(&mut self, what: &str) -> TaskError {
        let message = match timeout(FAREWELL, self.child.wait()).await {
            Ok(Ok(status)) => format!("the worker {what} ({})", describe(status)),
            Ok(Err(error)) => format!("the worker {what} ({error})"),
            Err(_) => {
                self.kill().await;
                format!("the worker {what}: it closed its output and was killed")
            }
        };
        // Its last lines may still be in the pipe; a grandchild may hold that open for ever.
        let _ = timeout(FAREWELL / 4, self.stderr.join_next()).await;
        TaskError { kind: ErrorKind::Worker, message: self.with_last_words(message) }
    }

    fn with_last_words(&self, mut message: String) -> String {
        let words = self.last_words.lock().unwrap_or_else(PoisonError::into_inner);
        if !words.is_empty() {
            message += ". Its last words:";
            for line in words.iter() {
                message.push('\n');
                message += line;
            }
        }
        message
    }

    /// Ends the process now, if it has not ended already.
    pub(super) async fn kill(&mut self) {
        if self.is_gone() {
            return;
        }
        if let Err(error) = self.child.kill().await {
            tracing::warn!("the worker cannot be killed: {error}");
        }
    }

    /// Lets the process end by itself: its stdin closes. If it does not, it is killed.
    pub(super) async fn retire(mut self) {
        drop(self.requests);
        // It may have something to say that would hold it up.
        self.replies.close();
        if timeout(FAREWELL, self.child.wait()).await.is_err()
            && let Err(error) = self.child.kill().await
        {
            tracing::warn!("the worker cannot be killed: {error}");
        }
    }
}

fn spawn(config: &WorkerConfig) -> Result<(Child, String), TaskError> {
    let Some((program, arguments)) = config.command.split_first() else {
        return Err(TaskError::worker("no worker command is configured"));
    };
    let mut command = Command::new(program);
    command.args(arguments).kill_on_drop(true);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    #[cfg(windows)]
    {
        const CREATE_NO_WINDOW: u32 = 0x0800_0000;
        command.creation_flags(CREATE_NO_WINDOW);
    }
    let child = command.spawn().map_err(|error| {
        let message = format!(
            "the worker '{program}' cannot be started: {error}. Check the setting of the worker's command"
        );
        TaskError::worker(message)
    })?;
    Ok((child, program.clone()))
}

/// `exit status: 2`, `signal: 9 (SIGKILL)`; with the usual culprit where there is one.
fn describe(status: ExitStatus) -> String {
    #[cfg(unix)]
    {
        const SIGKILL: i32 = 9;
        if std::os::unix::process::ExitStatusExt::signal(&status) == Some(SIGKILL) {
            return format!("{status}; often the system ran out of memory");
        }
    }
    status.to_string()
}

/// Writes lines until there are no more, then closes the pipe.
async fn write(mut stdin: ChildStdin, mut lines: mpsc::UnboundedReceiver<Vec<u8>>) {
    while let Some(line) = lines.recv().await {
        if let Err(error) = stdin.write_all(&line).await {
            tracing::debug!("the worker reads no more: {error}");
            break;
        }
    }
}

/// Logs stderr and keeps its last lines.
async fn listen(stderr: impl AsyncRead + Unpin, last_words: Arc<Mutex<VecDeque<String>>>) {
    let mut stderr = BufReader::new(stderr);
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        match tokio::io::AsyncReadExt::take(&mut stderr, 4096).read_until(b'\n', &mut bytes).await {
            Ok(0) | Err(_) => break,
            Ok(_) => {}
        }
        let line = String::from_utf8_lossy(&bytes).trim_end().to_owned();
        tracing::info!(target: "cellwright_worker::stderr", "{line}");
        let mut words = last_words.lock().unwrap_or_else(PoisonError::into_inner);
        if words.len() == LAST_WORDS {
            words.pop_front();
        }
        words.push_back(line);
    }
}
