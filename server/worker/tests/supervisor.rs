//! The supervisor with real processes, see `support/test_worker.rs`.

mod support;

use std::future::Future;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use cellwright_worker::protocol::{EnergyResult, ErrorKind, Output, Reply, Request, Task};
use cellwright_worker::supervisor::{
    Supervisor, TaskError, TaskProgress, WorkerConfig, WorkerStatus,
};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use support::{atom, atoms, energy, pair, relax, silicon};

const TEST_WORKER: &str = env!("CARGO_BIN_EXE_cellwright-test-worker");

fn config(mode: &str) -> WorkerConfig {
    WorkerConfig {
        command: vec![TEST_WORKER.to_owned(), mode.to_owned()],
        idle: Duration::from_secs(600),
        memory_limit: 0,
        stall: Duration::from_secs(60),
    }
}

async fn run(supervisor: &Supervisor, task: Task) -> Result<Output, TaskError> {
    within(supervisor.run(task, CancellationToken::new(), None)).await
}

/// Process id of the worker that answers.
async fn pid(supervisor: &Supervisor) -> String {
    match run(supervisor, energy(vec![silicon()])).await {
        Ok(Output::Energy { provenance, .. }) => provenance.version,
        other => panic!("{other:?}"),
    }
}

/// The message of a task that failed because of the worker.
async fn worker_error(supervisor: &Supervisor, task: Task) -> String {
    match run(supervisor, task).await {
        Err(TaskError { kind: ErrorKind::Worker, message }) => message,
        other => panic!("{other:?}"),
    }
}

/// A test that waits for ever shall fail.
async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(120), future).await.expect("this never ends")
}

async fn until(supervisor: &Supervisor, wanted: impl FnMut(&WorkerStatus) -> bool) {
    within(supervisor.status().wait_for(wanted)).await.unwrap();
}

/// Waits for the first process of a supervisor and for its end.
struct Lifeline(TcpListener);

impl Lifeline {
    async fn new(config: &mut WorkerConfig) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        config.command.push(listener.local_addr().unwrap().to_string());
        Self(listener)
    }

    async fn started(&self) -> TcpStream {
        within(self.0.accept()).await.unwrap().0
    }
}

async fn ended(mut stream: TcpStream) {
    // A process that is killed may leave a reset behind in place of an end.
    let read = within(stream.read(&mut [0])).await;
    assert!(matches!(read, Ok(0) | Err(_)), "the process said something");
}

type Running = JoinHandle<Result<Output, TaskError>>;

/// A relaxation that never ends and has made its first step.
async fn endless(
    supervisor: &Supervisor,
    cancel: &CancellationToken,
) -> (Running, UnboundedReceiver<TaskProgress>) {
    let (sender, mut steps) = unbounded_channel();
    let (supervisor, cancel) = (supervisor.clone(), cancel.clone());
    let running =
        tokio::spawn(async move { supervisor.run(relax(pair(6)), cancel, Some(sender)).await });
    within(steps.recv()).await.unwrap();
    (running, steps)
}

fn is_cancelled(answer: &Result<Output, TaskError>) -> bool {
    matches!(answer, Err(TaskError { kind: ErrorKind::Cancelled, .. }))
}

#[tokio::test]
async fn starts_on_the_first_task() {
    let supervisor = Supervisor::new(config("serve"));
    assert_eq!(*supervisor.status().borrow(), WorkerStatus::Stopped);
    let Ok(Output::Energy { provenance, results }) =
        run(&supervisor, energy(vec![silicon()])).await
    else {
        panic!()
    };
    let EnergyResult::Ok(energies) = &results[0] else { panic!() };
    assert!((energies.energy_per_atom - 0.08).abs() < 1e-12);
    assert!((energies.forces[0][0] + 0.4).abs() < 1e-12);
    let models = vec![format!("Einstein {}", provenance.version)];
    let ready = WorkerStatus::Ready { device: "test".to_owned(), models };
    assert_eq!(*supervisor.status().borrow(), ready);
    assert_eq!(pid(&supervisor).await, provenance.version);
}

#[tokio::test]
async fn a_relaxation_sends_its_frames_before_its_answer() {
    let supervisor = Supervisor::new(config("serve"));
    let (sender, mut steps) = unbounded_channel();
    let running = supervisor.run(relax(pair(14)), CancellationToken::new(), Some(sender));
    let Ok(Output::Relax { steps: taken, converged: true, structure, .. }) = within(running).await
    else {
        panic!()
    };
    let mut frames = Vec::new();
    while let Ok(TaskProgress { frame, .. }) = steps.try_recv() {
        frames.push(frame.unwrap());
    }
    let numbers: Vec<usize> = frames.iter().map(|f| f.step).collect();
    assert_eq!(numbers, (0..=taken).collect::<Vec<_>>());
    assert_eq!(frames.last().unwrap().structure, structure);
}

#[tokio::test]
async fn a_cancel_is_answered_within_200_ms() {
    let supervisor = Supervisor::new(config("serve"));
    let cancel = CancellationToken::new();
    let (running, _steps) = endless(&supervisor, &cancel).await;
    let asked = Instant::now();
    cancel.cancel();
    assert!(is_cancelled(&within(running).await.unwrap()));
    assert!(asked.elapsed() < Duration::from_millis(200), "{:?}", asked.elapsed());
    pid(&supervisor).await;
}

#[tokio::test]
async fn a_worker_that_does_not_stop_is_killed() {
    let mut config = config("serve");
    let lifeline = Lifeline::new(&mut config).await;
    let supervisor = Supervisor::new(config);
    let (cancel, hanging) = (CancellationToken::new(), supervisor.clone());
    let token = cancel.clone();
    let (sender, mut steps) = unbounded_channel();
    // Two batches. That the first is done is said after the last look for a cancel.
    let task = energy(vec![atoms(vec![14; 64], 0.0), atom(3, 0.0)]);
    let running = tokio::spawn(async move { hanging.run(task, token, Some(sender)).await });
    let process = lifeline.started().await;
    within(steps.recv()).await.unwrap();
    let asked = Instant::now();
    cancel.cancel();
    assert!(is_cancelled(&within(running).await.unwrap()));
    assert!(asked.elapsed() < Duration::from_millis(200), "{:?}", asked.elapsed());
    ended(process).await;
    pid(&supervisor).await;
}

#[tokio::test]
async fn a_dropped_future_is_cancelled() {
    let supervisor = Supervisor::new(config("serve"));
    let (running, mut steps) = endless(&supervisor, &CancellationToken::new()).await;
    running.abort();
    assert!(within(running).await.unwrap_err().is_cancelled());
    pid(&supervisor).await;
    // Nobody sends steps any more.
    while within(steps.recv()).await.is_some() {}
}

#[tokio::test]
async fn tasks_wait_for_each_other() {
    let supervisor = Supervisor::new(config("serve"));
    let ask = |away| {
        let supervisor = supervisor.clone();
        async move {
            match run(&supervisor, energy(vec![atom(14, away)])).await {
                Ok(Output::Energy { provenance, results }) => match &results[..] {
                    [EnergyResult::Ok(energies)] => (provenance.version, energies.energy_per_atom),
                    other => panic!("{other:?}"),
                },
                other => panic!("{other:?}"),
            }
        }
    };
    let (a, b, c, d) = tokio::join!(ask(0.1), ask(0.2), ask(0.3), ask(0.4));
    for (away, (pid, energy)) in [(0.1, &a), (0.2, &b), (0.3, &c), (0.4, &d)] {
        assert!((energy - away * away / 2.0).abs() < 1e-12);
        assert_eq!(*pid, a.0);
    }
}

#[tokio::test]
async fn a_task_that_waits_is_cancelled_at_once() {
    let supervisor = Supervisor::new(config("serve"));
    let (running, _steps) = endless(&supervisor, &CancellationToken::new()).await;
    let cancel = CancellationToken::new();
    let (waiting, token) = (supervisor.clone(), cancel.clone());
    let waiting =
        tokio::spawn(async move { waiting.run(energy(vec![silicon()]), token, None).await });
    cancel.cancel();
    assert!(is_cancelled(&within(waiting).await.unwrap()));
    assert!(!running.is_finished());
}

#[cfg(unix)]
#[tokio::test]
async fn a_killed_worker_is_replaced() {
    let supervisor = Supervisor::new(config("serve"));
    let before = pid(&supervisor).await;
    let (running, _steps) = endless(&supervisor, &CancellationToken::new()).await;
    assert!(Command::new("kill").args(["-KILL", &before]).status().unwrap().success());
    let TaskError { kind, message } = within(running).await.unwrap().unwrap_err();
    assert_eq!(kind, ErrorKind::Worker);
    let expected = "the worker ended in the middle of a task (signal: 9 (SIGKILL)";
    assert!(message.starts_with(expected), "{message}");
    assert_ne!(pid(&supervisor).await, before);
}

#[cfg(unix)]
#[tokio::test]
async fn a_worker_that_dies_without_work_is_replaced() {
    let supervisor = Supervisor::new(config("serve"));
    let before = pid(&supervisor).await;
    assert!(Command::new("kill").args(["-KILL", &before]).status().unwrap().success());
    until(&supervisor, |status| *status == WorkerStatus::Stopped).await;
    assert_ne!(pid(&supervisor).await, before);
}

#[tokio::test]
async fn a_crash_is_told_with_the_last_words() {
    let supervisor = Supervisor::new(config("serve"));
    let message = worker_error(&supervisor, energy(vec![atom(4, 0.0)])).await;
    assert!(message.starts_with("the worker ended in the middle of a task ("), "{message}");
    assert!(message.ends_with("Its last words:\nberyllium is poison"), "{message}");
    pid(&supervisor).await;
}

#[tokio::test]
async fn a_panic_leaves_the_worker_alive() {
    let supervisor = Supervisor::new(config("serve"));
    let before = pid(&supervisor).await;
    let error = run(&supervisor, energy(vec![atom(2, 0.0)])).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Internal);
    assert_eq!(pid(&supervisor).await, before);
}

#[tokio::test]
async fn a_worker_that_keeps_failing_is_left_alone_for_a_while() {
    let supervisor = Supervisor::new(config("die"));
    for _ in 0..2 {
        let message = worker_error(&supervisor, energy(vec![])).await;
        let expected = "the worker could not start (exit status: 3). Its last words:\nfirst the bad news\nno licence found";
        assert_eq!(message.replace("exit code", "exit status"), expected);
        assert_eq!(*supervisor.status().borrow(), WorkerStatus::Failed(message));
    }
    let message = worker_error(&supervisor, energy(vec![])).await;
    assert!(message.starts_with("the worker failed 2 times in a row"), "{message}");
    // A new configuration is tried at once.
    supervisor.configure(config("serve"));
    pid(&supervisor).await;
}

#[tokio::test]
async fn what_is_not_the_protocol_is_named() {
    let supervisor = Supervisor::new(config("babble"));
    let message = worker_error(&supervisor, energy(vec![])).await;
    assert!(message.starts_with("the worker wrote 'E0 = -42.0'"), "{message}");
}

#[tokio::test]
async fn another_protocol_is_refused() {
    let supervisor = Supervisor::new(config("other"));
    let message = worker_error(&supervisor, energy(vec![])).await;
    assert!(message.starts_with("the worker (version 99.0) speaks protocol 2"), "{message}");
    assert!(message.ends_with("install the same version of Cellwright on both sides"), "{message}");
}

#[tokio::test]
async fn a_login_text_is_passed_over() {
    let supervisor = Supervisor::new(config("login"));
    pid(&supervisor).await;
}

#[tokio::test]
async fn a_mute_worker_is_not_waited_for() {
    let stall = Duration::from_millis(50);
    let supervisor = Supervisor::new(WorkerConfig { stall, ..config("mute") });
    let message = worker_error(&supervisor, energy(vec![])).await;
    assert!(message.ends_with("did not greet within 0.05 s"), "{message}");
}

#[tokio::test]
async fn a_command_that_cannot_be_started_is_named() {
    let command = vec!["/no/such/cellwright".to_owned(), "worker".to_owned()];
    let supervisor = Supervisor::new(WorkerConfig { command, ..config("") });
    let message = worker_error(&supervisor, energy(vec![])).await;
    assert!(
        message.starts_with("the worker '/no/such/cellwright' cannot be started: "),
        "{message}"
    );
    let nothing = Supervisor::new(WorkerConfig { command: vec![], ..config("") });
    assert_eq!(worker_error(&nothing, energy(vec![])).await, "no worker command is configured");
}

#[tokio::test]
async fn an_unknown_device_is_told() {
    let supervisor = Supervisor::new(config("abacus"));
    let message = worker_error(&supervisor, energy(vec![])).await;
    assert_eq!(message, "there is no device 'abacus': choose cpu or cuda");
}

#[tokio::test]
async fn a_hanging_task_is_given_up() {
    // Long enough for a start, since the greeting must come within it as well.
    let stall = Duration::from_secs(3);
    let supervisor = Supervisor::new(WorkerConfig { stall, ..config("serve") });
    let message = worker_error(&supervisor, energy(vec![atom(3, 0.0)])).await;
    assert!(message.starts_with("the worker made no progress for 3 s"), "{message}");
    pid(&supervisor).await;
}

#[tokio::test]
async fn an_idle_worker_is_unloaded() {
    let mut config = WorkerConfig { idle: Duration::ZERO, ..config("serve") };
    let lifeline = Lifeline::new(&mut config).await;
    let supervisor = Supervisor::new(config);
    let before = pid(&supervisor).await;
    ended(lifeline.started().await).await;
    until(&supervisor, |status| *status == WorkerStatus::Stopped).await;
    assert_ne!(pid(&supervisor).await, before);
}

#[tokio::test]
async fn a_worker_that_stays_when_asked_to_go_is_killed() {
    let mut config = WorkerConfig { idle: Duration::ZERO, ..config("stubborn") };
    let lifeline = Lifeline::new(&mut config).await;
    let supervisor = Supervisor::new(config);
    pid(&supervisor).await;
    ended(lifeline.started().await).await;
}

#[tokio::test]
async fn a_new_configuration_waits_for_the_task() {
    let supervisor = Supervisor::new(config("serve"));
    let before = pid(&supervisor).await;
    let cancel = CancellationToken::new();
    let (running, mut steps) = endless(&supervisor, &cancel).await;
    supervisor.configure(config("login"));
    within(steps.recv()).await.expect("the relaxation goes on");
    assert!(!running.is_finished());
    cancel.cancel();
    assert!(is_cancelled(&within(running).await.unwrap()));
    assert_ne!(pid(&supervisor).await, before);
}

#[tokio::test]
async fn a_start_is_given_up_for_a_new_configuration() {
    let supervisor = Supervisor::new(config("mute"));
    let asking = supervisor.clone();
    let asking = tokio::spawn(async move { pid(&asking).await });
    until(&supervisor, |status| *status == WorkerStatus::Starting).await;
    supervisor.configure(config("serve"));
    within(asking).await.unwrap();
}

#[tokio::test]
async fn the_worker_ends_with_the_last_handle() {
    let mut config = config("stubborn");
    let lifeline = Lifeline::new(&mut config).await;
    let supervisor = Supervisor::new(config);
    pid(&supervisor).await;
    let process = lifeline.started().await;
    let status = supervisor.status();
    drop(supervisor.clone());
    assert!(status.has_changed().is_ok(), "another handle is left");
    drop(supervisor);
    ended(process).await;
}

#[tokio::test]
async fn too_large_a_task_is_refused() {
    let supervisor = Supervisor::new(WorkerConfig { memory_limit: 300 << 20, ..config("serve") });
    let error = run(&supervisor, relax(atoms(vec![14; 300], 0.0))).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Memory, "{error}");
    pid(&supervisor).await;
}

#[tokio::test]
async fn a_worker_that_takes_too_much_memory_ends() {
    let mut config = WorkerConfig { memory_limit: 300 << 20, ..config("serve") };
    let lifeline = Lifeline::new(&mut config).await;
    let supervisor = Supervisor::new(config);
    let error = run(&supervisor, energy(vec![atom(5, 0.0)])).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Memory, "{error}");
    assert!(error.message.contains("may take 300 MiB"), "{error}");
    ended(lifeline.started().await).await;
    pid(&supervisor).await;
}

/// Whoever started the worker without a supervisor, an editor or a batch system, may die as well.
#[test]
fn a_worker_ends_when_its_stdin_does() {
    let mut child = Command::new(TEST_WORKER)
        .arg("serve")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    assert!(matches!(serde_json::from_str(&line).unwrap(), Reply::Hello { .. }));
    let request = Request::Run { id: 1, task: energy(vec![atom(3, 0.0)]) };
    writeln!(stdin, "{}", serde_json::to_string(&request).unwrap()).unwrap();
    drop(stdin);
    assert!(child.wait().unwrap().success());
}
