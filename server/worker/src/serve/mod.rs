//! The worker's main loop: reads requests, runs one task at a time, answers.
//!
//! Three threads: the reader, so that a `cancel` is seen while a task runs; the runner, which works through the tasks in
//! order; and the caller of [`serve`], which watches the memory and returns as soon as nobody is left to talk to, even in
//! the middle of a task. The threads it leaves behind end with the process, so `main` must end after it.

use std::io::{BufRead, BufReader, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::Duration;

mod engine;
mod guarded;
mod memory;
mod mend;
mod predict;
mod reader;
mod runner;
mod shared;
mod tasks;

pub use engine::{ChgnetEngine, Engine, Greeting};

use cellwright_models::device::DeviceError;
use memory::Ceiling;
use shared::Shared;

use crate::protocol::{ErrorKind, Reply, VERSION};

/// Why serving ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Stdin was closed: the client is gone or wants no more.
    InputClosed,
    /// Stdout was closed.
    OutputClosed,
    /// A task took more memory than allowed. The client was told; only the end of the process gives the memory back.
    OutOfMemory,
}

/// What goes on while the worker lives.
enum Event {
    /// The runner has begun the task with this id.
    Begun(u64),
    /// The runner has answered and waits.
    Done,
    /// There is no use in going on.
    End(End),
}

/// How often the memory is looked at while a task runs.
const MEMORY_INTERVAL: Duration = Duration::from_millis(50);

/// `cellwright worker`: serves CHGNet on stdin and stdout until stdin ends. The caller must end the process soon after.
///
/// `device` is `cpu` or `cuda`; without it the environment variable `CELLWRIGHT_DEVICE` is asked, then it is the CPU.
/// `memory_limit` (bytes; 0: half of the machine's memory) holds until the client sends another.
///
/// # Errors
/// When the device is not there. The client is told as well.
pub fn main(device: Option<&str>, memory_limit: u64) -> Result<End, DeviceError> {
    let engine = ChgnetEngine::new(device).inspect_err(|error| {
        let (kind, message) = (ErrorKind::Worker, error.to_string());
        let shared = Shared::new(std::io::stdout(), Arc::new(Ceiling::new(0)), channel().0);
        shared.answer(&Reply::Error { id: None, kind, message });
    })?;
    Ok(serve(BufReader::new(std::io::stdin()), std::io::stdout(), engine, memory_limit))
}

/// Greets, then answers requests until `input` or `output` is closed. See the module's documentation.
pub fn serve(
    input: impl BufRead + Send + 'static,
    output: impl Write + Send + 'static,
    engine: impl Engine + 'static,
    memory_limit: u64,
) -> End {
    let (events, happened) = channel();
    let ceiling = Arc::new(Ceiling::new(memory_limit));
    let shared = Arc::new(Shared::new(output, Arc::clone(&ceiling), events));
    let Greeting { device, models } = engine.greeting();
    shared.answer(&Reply::Hello {
        protocol: VERSION,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        device,
        models,
        pid: std::process::id(),
    });
    let (jobs, queue) = channel();
    let (reading, running) = (Arc::clone(&shared), Arc::clone(&shared));
    thread::spawn(move || reader::read(input, &reading, &jobs));
    thread::spawn(move || runner::run(engine, &running, &queue));
    watch(&happened, &shared, &ceiling)
}

/// Waits for the end; meanwhile looks at the memory whenever a task runs.
fn watch<W: Write>(happened: &Receiver<Event>, shared: &Shared<W>, ceiling: &Ceiling) -> End {
    let mut running = None;
    loop {
        let event = match running {
            None => happened.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(_) => happened.recv_timeout(MEMORY_INTERVAL),
        };
        match event {
            Ok(Event::Begun(id)) => running = Some(id),
            Ok(Event::Done) => running = None,
            Ok(Event::End(end)) => return end,
            Err(RecvTimeoutError::Timeout) => {
                if let Some(message) = ceiling.exceeded() {
                    shared.answer(&Reply::Error { id: running, kind: ErrorKind::Memory, message });
                    return End::OutOfMemory;
                }
            }
            // Reader and runner are both gone without a word: neither can still answer.
            Err(RecvTimeoutError::Disconnected) => return End::InputClosed,
        }
    }
}

/// A mutex whose holder panicked holds what it held: every use here leaves it whole at every moment.
fn locked<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
