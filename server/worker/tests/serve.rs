//! The main loop of a worker, in this process, through a pair of pipes.

#[path = "support/einstein.rs"]
mod einstein;
mod support;

use std::io::{BufRead, BufReader, PipeReader, PipeWriter, Write, pipe};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use candle_core::Device;
use cellwright_crystal::Structure;
use cellwright_models::chgnet::Chgnet;
use cellwright_models::tasks::mender::Mender;
use cellwright_models::tasks::predict::Predictor;
use cellwright_models::{ModelError, Potential, weights};
use cellwright_worker::protocol::{
    CandidateLine, Cell, DenoiseOptions, Ending, EnergyResult, ErrorKind, Output, Reply, Request,
    Task, VERSION,
};
use cellwright_worker::serve::{ChgnetEngine, End, Engine, Greeting, serve};

use einstein::EinsteinEngine;
use support::{atom, atoms, energy, pair, relax, silicon};

/// A running main loop: its two ends, and its own end.
struct Worker {
    requests: PipeWriter,
    replies: BufReader<PipeReader>,
    end: JoinHandle<End>,
}

impl Worker {
    fn new(engine: impl Engine + 'static) -> Self {
        let (input, requests) = pipe().unwrap();
        let (replies, output) = pipe().unwrap();
        let end = thread::spawn(move || serve(BufReader::new(input), output, engine, 0));
        Self { requests, replies: BufReader::new(replies), end }
    }

    /// One that has greeted.
    fn greeted(engine: impl Engine + 'static) -> Self {
        let mut worker = Self::new(engine);
        assert!(matches!(worker.reply(), Reply::Hello { .. }));
        worker
    }

    fn line(&mut self, line: &str) {
        writeln!(self.requests, "{line}").unwrap();
    }

    fn request(&mut self, request: &Request) {
        self.line(&serde_json::to_string(request).unwrap());
    }

    fn run(&mut self, id: u64, task: Task) {
        self.request(&Request::Run { id, task });
    }

    fn reply(&mut self) -> Reply {
        let mut line = String::new();
        self.replies.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
    }

    /// The next reply, which must be an error.
    fn error(&mut self) -> (Option<u64>, ErrorKind, String) {
        match self.reply() {
            Reply::Error { id, kind, message } => (id, kind, message),
            other => panic!("no error: {other:?}"),
        }
    }

    /// The energies of a task. Its progress is passed over.
    fn energies(&mut self, of: u64) -> Vec<EnergyResult> {
        loop {
            match self.reply() {
                Reply::Progress { id, .. } if id == of => {}
                Reply::Result { id, output: Output::Energy { results, .. } } if id == of => {
                    return results;
                }
                other => panic!("no energies of task {of}: {other:?}"),
            }
        }
    }
}

#[test]
fn greets_first() {
    let mut worker = Worker::new(EinsteinEngine);
    let Reply::Hello { protocol, version, device, models, pid } = worker.reply() else { panic!() };
    assert_eq!((protocol, version.as_str()), (VERSION, env!("CARGO_PKG_VERSION")));
    assert_eq!((device.as_str(), models[0].model.as_str()), ("test", "Einstein"));
    assert_eq!(pid, std::process::id());
}

#[test]
fn energies_come_in_order_and_fail_alone() {
    let mut worker = Worker::greeted(EinsteinEngine);
    let unknown = atom(200, 0.0);
    worker.run(7, energy(vec![atom(0, 0.0), silicon(), atom(1, 0.0), unknown, atom(14, 0.2)]));
    let results = worker.energies(7);
    let energy = |i: usize| match &results[i] {
        EnergyResult::Ok(energies) => energies.energy_per_atom,
        failed @ EnergyResult::Failed { .. } => panic!("{failed:?}"),
    };
    let failure = |i: usize| match &results[i] {
        EnergyResult::Failed { kind, message } => (*kind, message.as_str()),
        ok @ EnergyResult::Ok(_) => panic!("{ok:?}"),
    };
    assert_eq!(results.len(), 5);
    assert!((energy(1) - 0.08).abs() < 1e-12 && (energy(4) - 0.02).abs() < 1e-12);
    assert_eq!(failure(0), (ErrorKind::Unsupported, "atom 1 is masked"));
    assert_eq!(failure(2).0, ErrorKind::Unsupported);
    assert!(failure(2).1.contains("no finite numbers"), "{}", failure(2).1);
    assert_eq!(failure(3), (ErrorKind::BadRequest, "atom 1 has the unknown atomic number 200"));
}

#[test]
fn many_energies_show_progress() {
    let mut worker = Worker::greeted(EinsteinEngine);
    worker.run(1, energy(vec![atoms(vec![14; 32], 0.0); 8]));
    for expected in ["2 of 8 structures", "4 of 8 structures", "6 of 8 structures"] {
        let Reply::Progress { id: 1, fraction: Some(fraction), message, frame: None, .. } =
            worker.reply()
        else {
            panic!()
        };
        assert_eq!(message, expected);
        assert!(message.starts_with(&(fraction * 8.0).to_string()));
    }
    assert_eq!(worker.energies(1).len(), 8);
}

#[test]
fn nothing_to_do_is_done() {
    let mut worker = Worker::greeted(EinsteinEngine);
    worker.run(1, energy(vec![]));
    assert_eq!(worker.energies(1), []);
}

#[test]
fn a_relaxation_shows_every_step() {
    let mut worker = Worker::greeted(EinsteinEngine);
    worker.run(3, relax(pair(14)));
    let mut frames = Vec::new();
    let (initial, last, steps, structure) = loop {
        match worker.reply() {
            Reply::Progress { id: 3, message, frame: Some(frame), .. } => {
                assert!(message.starts_with(&format!("step {}, E ", frames.len())), "{message}");
                frames.push(frame);
            }
            Reply::Result { id: 3, output } => {
                let Output::Relax { structure, initial, last, steps, converged, .. } = output
                else {
                    panic!()
                };
                assert!(converged);
                break (initial, last, steps, structure);
            }
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(frames[0].structure, pair(14));
    assert_eq!(frames[0].energy_per_atom, initial.energy_per_atom);
    assert_eq!(frames.last().unwrap().step, steps);
    assert!((initial.energy_per_atom - 0.08).abs() < 1e-12 && last.energy_per_atom < 1e-6);
    assert!(structure.frac[0][0].abs() < 1e-3 && (structure.frac[1][0] - 0.5).abs() < 1e-3);
}

#[test]
fn a_relaxation_can_be_refused() {
    let mut worker = Worker::greeted(EinsteinEngine);
    let mut task = relax(pair(14));
    let Task::Relax { symmetry, .. } = &mut task else { panic!() };
    *symmetry = Some(vec!["x,y,z".to_owned(), "x,y,w".to_owned()]);
    worker.run(1, task);
    let (id, kind, message) = worker.error();
    assert_eq!((id, kind), (Some(1), ErrorKind::BadRequest));
    assert!(message.contains("'x,y,w' is no symmetry operation"), "{message}");
    worker.run(1, relax(atom(0, 0.0)));
    assert_eq!(worker.error(), (Some(1), ErrorKind::Unsupported, "atom 1 is masked".to_owned()));
}

#[test]
fn a_cancel_is_seen_between_two_steps() {
    let mut worker = Worker::greeted(EinsteinEngine);
    worker.run(1, relax(pair(6)));
    worker.run(2, energy(vec![silicon()]));
    worker.run(3, energy(vec![silicon()]));
    assert!(matches!(worker.reply(), Reply::Progress { id: 1, .. }));
    // One that waits, one that is unknown, and the one that runs.
    for id in [2, 99, 1] {
        worker.request(&Request::Cancel { id });
    }
    let answer = loop {
        match worker.reply() {
            Reply::Progress { .. } => {}
            other => break other,
        }
    };
    let cancelled = |id| Reply::Error {
        id: Some(id),
        kind: ErrorKind::Cancelled,
        message: "cancelled".to_owned(),
    };
    assert_eq!(answer, cancelled(1));
    assert_eq!(worker.reply(), cancelled(2));
    assert_eq!(worker.energies(3).len(), 1);
}

#[test]
fn nonsense_is_answered_and_forgotten() {
    let mut worker = Worker::greeted(EinsteinEngine);
    let nonsense = [
        ("hello?", None),
        ("\u{0}\u{1}", None),
        (r#"{"type":"run","id":5,"task":{"name":"transmute"}}"#, Some(5)),
        (
            r#"{"type":"run","id":6,"task":{"name":"energy","structures":[{"lattice":[]}]}}"#,
            Some(6),
        ),
        (r#"[[[[[]]]]]"#, None),
    ];
    for (line, id) in nonsense {
        worker.line(line);
        let (of, kind, message) = worker.error();
        assert_eq!((of, kind), (id, ErrorKind::BadRequest), "{line}");
        assert!(message.starts_with("this is no request: "), "{message}");
    }
    worker.requests.write_all(b"\xff\xfe\n\n\r\n").unwrap();
    assert_eq!(worker.error().1, ErrorKind::BadRequest);
    worker.run(5, energy(vec![silicon()]));
    assert_eq!(worker.energies(5).len(), 1);
}

#[test]
fn an_id_belongs_to_one_task_at_a_time() {
    let mut worker = Worker::greeted(EinsteinEngine);
    worker.run(1, relax(pair(6)));
    worker.run(1, energy(vec![silicon()]));
    let (id, kind, message) = loop {
        match worker.reply() {
            Reply::Progress { .. } => {}
            Reply::Error { id, kind, message } => break (id, kind, message),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!((id, kind), (None, ErrorKind::BadRequest));
    assert!(message.contains("the id 1 belongs to a task that still runs"), "{message}");
}

#[test]
fn a_panic_is_an_error_of_its_task_alone() {
    let mut worker = Worker::greeted(EinsteinEngine);
    worker.run(1, energy(vec![atom(2, 0.0)]));
    let (id, kind, message) = worker.error();
    assert_eq!((id, kind), (Some(1), ErrorKind::Internal));
    assert!(message.ends_with("helium does not like this"), "{message}");
    worker.run(2, energy(vec![silicon()]));
    assert_eq!(worker.energies(2).len(), 1);
}

#[test]
fn too_large_a_task_is_refused_before_it_starts() {
    let mut worker = Worker::greeted(EinsteinEngine);
    worker.request(&Request::Configure { memory_limit: 2 << 30 });
    // Lithium would never come back. It needs 10 MiB an atom.
    let large = atoms(vec![3; 300], 0.0);
    worker.run(1, energy(vec![silicon(), large.clone()]));
    let results = worker.energies(1);
    assert!(matches!(results[0], EnergyResult::Ok(_)));
    let EnergyResult::Failed { kind: ErrorKind::Memory, message } = &results[1] else {
        panic!("{:?}", results[1])
    };
    assert!(message.starts_with("this needs about 3000 MiB of memory"), "{message}");
    assert!(message.contains("may take 2048 MiB"), "{message}");
    worker.run(2, relax(large));
    assert_eq!(worker.error().1, ErrorKind::Memory);
}

#[test]
fn what_does_not_fit_together_is_done_one_by_one() {
    let mut worker = Worker::greeted(EinsteinEngine);
    // Each of the three needs 200 MiB; the limit leaves room for less than two of them.
    let held = memory_stats::memory_stats().unwrap().physical_mem as u64;
    worker.request(&Request::Configure { memory_limit: held + (300 << 20) });
    worker.run(1, energy(vec![atoms(vec![14; 20], 0.0); 3]));
    let results = worker.energies(1);
    let are_answered = results.iter().all(|r| matches!(r, EnergyResult::Ok(_)));
    assert!(are_answered && results.len() == 3, "{results:?}");
}

/// Has no weights.
struct Bare;

impl Engine for Bare {
    fn greeting(&self) -> Greeting {
        Greeting { device: "test".to_owned(), models: vec![] }
    }

    fn potential(&mut self) -> Result<&dyn Potential, ModelError> {
        Err(ModelError::NotInstalled { model: "Einstein".to_owned(), dir: "shelf".into() })
    }

    fn mender(&mut self) -> Result<Arc<dyn Mender>, ModelError> {
        EinsteinEngine.mender()
    }

    fn need(&self, _: &Structure) -> u64 {
        0
    }
}

#[test]
fn weights_are_missed_by_the_first_task() {
    let mut worker = Worker::greeted(Bare);
    for (id, task) in [(1, energy(vec![silicon()])), (2, relax(pair(14)))] {
        worker.run(id, task);
        let (of, kind, message) = worker.error();
        assert_eq!((of, kind), (Some(id), ErrorKind::NotInstalled));
        assert!(message.contains("cellwright models pull"), "{message}");
    }
}

/// Rock salt and its rivals, relaxed: to the potential of these tests nearly all of them are at rest.
fn predict_salt(units: u32) -> Task {
    let composition = vec![(11, 1), (17, 1)];
    Task::Predict {
        composition,
        units: Some(units),
        space_group: None,
        answers: 4,
        relax: 10,
        samples: 0,
        starts: Some(0),
    }
}

/// Everything a prediction says until its result.
fn predicted(worker: &mut Worker) -> (Vec<Vec<CandidateLine>>, Output) {
    let mut lists = Vec::new();
    loop {
        match worker.reply() {
            Reply::Progress { candidates, .. } => lists.push(candidates),
            Reply::Result { output, .. } => return (lists, output),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_prediction_is_listed_at_once_and_then_finished() {
    let mut worker = Worker::greeted(EinsteinEngine);
    worker.run(1, predict_salt(1));
    let (lists, output) = predicted(&mut worker);
    assert!(lists[0].iter().all(|c| c.energy_per_atom.is_none()) && !lists[0].is_empty());
    let Output::Predict { candidates, energies_by, hull, .. } = output else {
        panic!("{output:?}")
    };
    assert_eq!(energies_by.unwrap().model, "Einstein");
    assert!(candidates.iter().all(|c| c.energy_per_atom.is_some() && c.relaxation.is_some()));
    let hull = hull.expect("a hull");
    let above = candidates[0].above_hull.expect("a distance");
    assert_eq!(above.phases, hull.phases);
    assert!((above.energy - (candidates[0].energy_per_atom.unwrap() - hull.energy)).abs() < 1e-9);
}

#[test]
fn a_prediction_without_weights_is_a_list_with_a_note() {
    let mut worker = Worker::greeted(Bare);
    worker.run(1, predict_salt(1));
    let (_, output) = predicted(&mut worker);
    let Output::Predict { candidates, energies_by: None, hull: None, notes } = output else {
        panic!("{output:?}")
    };
    assert!(!candidates.is_empty() && candidates[0].energy_per_atom.is_none());
    assert!(notes.iter().any(|note| note.contains("models pull")), "{notes:?}");
}

#[test]
fn a_prediction_that_does_not_fit_keeps_its_list() {
    let mut worker = Worker::greeted(EinsteinEngine);
    // The library is in memory from here on, and eight atoms are said to need 80 MiB.
    Predictor::shipped().unwrap();
    let held = memory_stats::memory_stats().unwrap().physical_mem as u64;
    worker.request(&Request::Configure { memory_limit: held + (60 << 20) });
    worker.run(1, predict_salt(4));
    let (_, output) = predicted(&mut worker);
    let Output::Predict { candidates, notes, .. } = output else { panic!("{output:?}") };
    assert!(candidates.iter().all(|c| c.energy_per_atom.is_none()), "{candidates:?}");
    assert!(notes.iter().any(|n| n.starts_with("no energy: this needs about 80 MiB")), "{notes:?}");
}

/// What a task says at its end; progress is passed over.
fn result(worker: &mut Worker) -> Output {
    loop {
        match worker.reply() {
            Reply::Progress { .. } => {}
            Reply::Result { output, .. } => return output,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn masked_sites_are_named() {
    let mut worker = Worker::greeted(EinsteinEngine);
    let structure = atoms(vec![12, 0, 0], 0.1);
    let complete = |groups: Vec<Vec<usize>>, elements: Vec<u8>| Task::Complete {
        structure: structure.clone(),
        groups,
        elements,
        answers: 2,
        measured: None,
        thorough: true,
    };
    worker.run(1, complete(vec![vec![1], vec![2]], vec![]));
    let Output::Complete { provenance, groups, joint, energies_by, stresses_by } =
        result(&mut worker)
    else {
        panic!()
    };
    assert_eq!(provenance.model, "Einstein");
    assert_eq!(energies_by.map(|p| p.model), Some("Einstein".to_owned()));
    assert_eq!(stresses_by.map(|p| p.model), Some("Einstein".to_owned()));
    assert!(joint.iter().all(|line| line.pressure.is_some()));
    // The charges of MgF2 add up, those of MgO2 as a peroxide too; MgOF cannot.
    assert_eq!((joint.len(), groups.len(), groups[0][0].0), (2, 2, 8));
    assert!(joint[0].probability > joint[1].probability);
    worker.run(2, complete(vec![vec![1, 2]], vec![9]));
    let Output::Complete { joint, .. } = result(&mut worker) else { panic!() };
    assert_eq!((joint[0].elements.as_slice(), joint[0].charge_balanced), (&[9][..], Some(true)));
    worker.run(3, complete(vec![vec![1]], vec![]));
    assert_eq!(worker.error().1, ErrorKind::Unsupported);
    worker.run(4, complete(vec![vec![1, 2]], vec![120]));
    let (_, kind, message) = worker.error();
    assert_eq!((kind, message.as_str()), (ErrorKind::BadRequest, "there is no element 120"));
}

#[test]
fn displaced_atoms_are_put_back_with_their_energies() {
    let mut worker = Worker::greeted(EinsteinEngine);
    let denoise = |structure: Cell, held| Task::Denoise {
        structure,
        symmetry: None,
        options: DenoiseOptions { rounds: 20, held, ..DenoiseOptions::default() },
    };
    worker.run(1, denoise(pair(14), vec![[true; 3], [false; 3]]));
    let Reply::Progress { message, fraction: Some(0.0), .. } = worker.reply() else { panic!() };
    assert_eq!(message, "round 1 of at most 20");
    let Output::Denoise { structure, ending, energies, energies_by, rounds, .. } =
        result(&mut worker)
    else {
        panic!()
    };
    assert_eq!((ending, structure.frac[0]), (Ending::Settled, pair(14).frac[0]));
    assert!((structure.frac[1][0] - 0.5).abs() < 0.01 && rounds > 1, "{structure:?}");
    let (before, after) = energies.unwrap();
    assert!(after < before && energies_by.unwrap().model == "Einstein");
    let mut masked = pair(14);
    masked.species[1] = 0;
    worker.run(2, denoise(masked, vec![]));
    let Output::Denoise { energies: None, energies_by: None, notes, .. } = result(&mut worker)
    else {
        panic!()
    };
    assert_eq!(notes, ["no energies: a site has no element"]);
    worker.run(3, denoise(pair(18), vec![]));
    assert!(matches!(worker.reply(), Reply::Progress { id: 3, .. }));
    let (_, kind, message) = worker.error();
    assert_eq!((kind, message.as_str()), (ErrorKind::Unsupported, "argon was never seen"));
}

#[test]
fn without_weights_of_the_potential_distances_decide() {
    let mut worker = Worker::greeted(Bare);
    let options = DenoiseOptions::default();
    worker.run(1, Task::Denoise { structure: pair(14), symmetry: None, options });
    let Output::Denoise { energies: None, notes, .. } = result(&mut worker) else { panic!() };
    assert!(notes.iter().any(|note| note.contains("models pull")), "{notes:?}");
}

/// The worker and the command line give the same answers. Without weights this says so and does nothing.
#[test]
fn chgnet_answers_as_it_does_without_a_worker() {
    let model = match Chgnet::load(&weights::data_dir(), &Device::Cpu) {
        Err(error @ ModelError::NotInstalled { .. }) => {
            let _ = writeln!(std::io::stderr(), "\n*** SKIPPED: {error} ***\n");
            return;
        }
        model => model.unwrap(),
    };
    let lattice = [[0.0, 2.715, 2.715], [2.715, 0.0, 2.715], [2.715, 2.715, 0.0]];
    let frac = vec![[0.0, 0.0, 0.0], [0.27, 0.25, 0.24]];
    let cell = Cell { lattice, species: vec![14, 14], frac };
    let mut worker = Worker::greeted(ChgnetEngine::new(Some("cpu")).unwrap());
    worker.run(1, energy(vec![cell.clone()]));
    let expected = model.evaluate(&[&cell.to_structure().unwrap()]).remove(0).unwrap();
    assert_eq!(worker.energies(1), [EnergyResult::Ok(expected.into())]);

    worker.run(2, relax(cell));
    let output = loop {
        match worker.reply() {
            Reply::Progress { id: 2, .. } => {}
            Reply::Result { id: 2, output } => break output,
            other => panic!("{other:?}"),
        }
    };
    let Output::Relax { initial, last, converged: true, structure, .. } = output else {
        panic!("{output:?}")
    };
    assert!(last.energy_per_atom < initial.energy_per_atom);
    // Diamond again: a quarter of the diagonal apart.
    for axis in 0..3 {
        assert!((structure.frac[1][axis] - structure.frac[0][axis] - 0.25).abs() < 1e-3);
    }
}

#[test]
fn the_end_of_the_input_ends_it_in_mid_task() {
    let mut worker = Worker::greeted(EinsteinEngine);
    worker.run(1, energy(vec![atom(3, 0.0)]));
    drop(worker.requests);
    assert_eq!(worker.end.join().unwrap(), End::InputClosed);
}

#[test]
fn the_end_of_the_output_ends_it_in_mid_task() {
    let mut worker = Worker::greeted(EinsteinEngine);
    worker.run(1, relax(pair(6)));
    drop(worker.replies);
    assert_eq!(worker.end.join().unwrap(), End::OutputClosed);
}
