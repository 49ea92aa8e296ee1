//! A worker without a model. It speaks the real protocol and computes by rules that a test can foresee:
//!
//! * the energy is −1.5 eV/atom; the force along x is 40 eV/Å times the distance (in fractions) to the next quarter, and atoms with
//!   z > 0.98 feel 100 eV/Å along z;
//! * a relaxation brings x to the next quarter in three steps unless it is held, and with a free cell makes it 1 % longer;
//! * a prediction gives the atoms in a row along x, first without, then with an energy, and a second candidate twice as long;
//!   there is none for argon, and the search for helium never ends;
//! * a masked site is oxygen (75 %) or fluorine, unless there is argon; with helium the energies of that never come; denoising
//!   brings x to the next quarter, but with helium never ends;
//! * a cell with helium relaxes for ever, one with neon kills the worker, and for one with argon the weights are missing.

use std::io::{BufRead, Write};
use std::sync::mpsc::{Receiver, channel};

use cellwright_worker::protocol::{Cell, Energies, ErrorKind, Reply, Request, Task, VERSION};
use serde_json::{Value, json};

fn main() {
    let (sender, requests) = channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let Ok(line) = line else { break };
            let request: Request =
                serde_json::from_str(&line).expect("requests follow the protocol");
            if sender.send(request).is_err() {
                break;
            }
        }
    });
    say(&json!({
        "type": "hello", "protocol": VERSION, "version": "0", "device": "abacus",
        "models": [provenance()], "pid": std::process::id(),
    }));
    while let Ok(request) = requests.recv() {
        if let Request::Run { id, task } = request {
            run(id, task, &requests);
        }
    }
}

fn provenance() -> Value {
    json!({ "model": "Fake", "version": "1", "device": "abacus" })
}

/// Everything is said as JSON that has to be a reply of the protocol.
fn say(message: &Value) {
    let reply: Reply =
        serde_json::from_value(message.clone()).expect("replies follow the protocol");
    let mut out = std::io::stdout().lock();
    serde_json::to_writer(&mut out, &reply).expect("stdout is open");
    out.write_all(b"\n").and_then(|()| out.flush()).expect("stdout is open");
}

fn fail(id: u64, kind: ErrorKind, message: &str) {
    say(&json!({ "type": "error", "id": id, "kind": kind, "message": message }));
}

fn run(id: u64, task: Task, requests: &Receiver<Request>) {
    match task {
        Task::Energy { structures } => {
            let results: Vec<Energies> = structures.iter().map(energies).collect();
            let output =
                json!({ "name": "energy", "provenance": provenance(), "results": results });
            say(&json!({ "type": "result", "id": id, "output": output }));
        }
        Task::Relax { structure, options, .. } => {
            if structure.species.contains(&10) {
                std::process::abort();
            }
            if structure.species.contains(&18) {
                return fail(
                    id,
                    ErrorKind::NotInstalled,
                    "no weights: run `cellwright models pull`",
                );
            }
            if structure.species.contains(&2) {
                progress(id, 0, &structure);
                return wait_for_cancel(id, requests);
            }
            let mut relaxed = structure.clone();
            for step in 0..3 {
                progress(id, step, &relaxed);
            }
            for (i, frac) in relaxed.frac.iter_mut().enumerate() {
                if !options.held.get(i).is_some_and(|held| held[0]) {
                    frac[0] = quarter(frac[0]);
                }
            }
            if options.cell {
                relaxed.lattice.iter_mut().flatten().for_each(|x| *x *= 1.01);
            }
            let output = json!({
                "name": "relax", "provenance": provenance(), "structure": relaxed,
                "initial": energies(&structure), "last": energies(&relaxed),
                "initial_force": largest(&structure), "last_force": largest(&relaxed),
                "steps": 3, "converged": true,
            });
            say(&json!({ "type": "result", "id": id, "output": output }));
        }
        Task::Predict { composition, units, .. } => predict(id, &composition, units, requests),
        Task::Complete { structure, thorough: true, .. } if structure.species.contains(&2) => {
            wait_for_cancel(id, requests);
        }
        Task::Complete { structure, groups, .. } => complete(id, &structure, &groups),
        Task::Denoise { structure, options, .. } => denoise(id, structure, &options.held, requests),
    }
}

fn wait_for_cancel(id: u64, requests: &Receiver<Request>) {
    while let Ok(request) = requests.recv() {
        if request == (Request::Cancel { id }) {
            return fail(id, ErrorKind::Cancelled, "cancelled");
        }
    }
}

fn predict(id: u64, composition: &[(u8, u32)], units: Option<u32>, requests: &Receiver<Request>) {
    let many = |(z, count): &(u8, u32)| vec![*z; (count * units.unwrap_or(1)) as usize];
    let species: Vec<u8> = composition.iter().flat_map(many).collect();
    let candidate = |length: f64, energy: Option<f64>| {
        let (count, a) = (species.len() as f64, length * species.len() as f64);
        let frac: Vec<[f64; 3]> =
            (0..species.len()).map(|i| [i as f64 / count, 0.0, 0.0]).collect();
        let lattice = [[a, 0.0, 0.0], [0.0, length, 0.0], [0.0, 0.0, length]];
        json!({
            "structure": Cell { lattice, species: species.clone(), frac },
            "units": 1, "source": { "kind": "prototype", "id": "x-1", "formula": "KCl" },
            "probability": 0.5 / length, "energy_per_atom": energy, "space_group": [123, "P 4/m m m"],
            "density": 2.0, "shortest": length, "charge_balanced": true,
            "above_hull": energy.map(|_| json!({ "energy": 0.0254, "phases": 3 })),
            "relaxation": energy.map(|_| json!({ "steps": 4, "converged": true, "volume_change": 0.01 })),
        })
    };
    let first = json!({
        "type": "progress", "id": id, "fraction": null, "message": "1 candidate", "frame": null,
        "candidates": [candidate(2.0, None)],
    });
    say(&first);
    if species.contains(&2) {
        return wait_for_cancel(id, requests);
    }
    let found = if species.contains(&18) {
        json!([])
    } else {
        json!([candidate(2.0, Some(-1.5)), candidate(4.0, None)])
    };
    let output = json!({
        "name": "predict", "candidates": found, "energies_by": provenance(), "notes": ["a note"],
    });
    say(&json!({ "type": "result", "id": id, "output": output }));
}

fn complete(id: u64, structure: &Cell, groups: &[Vec<usize>]) {
    if structure.species.contains(&18) {
        return fail(id, ErrorKind::Unsupported, "argon was never seen");
    }
    let all = |z: u8, probability: f64| json!({ "elements": vec![z; groups.len()], "probability": probability, "charge_balanced": true });
    let output = json!({
        "name": "complete", "provenance": provenance(),
        "groups": vec![json!([[8, 0.75], [9, 0.24], [17, 0.001]]); groups.len()],
        "joint": [all(8, 0.6), all(9, 0.1)],
    });
    say(&json!({ "type": "result", "id": id, "output": output }));
}

fn denoise(id: u64, structure: Cell, held: &[[bool; 3]], requests: &Receiver<Request>) {
    say(
        &json!({ "type": "progress", "id": id, "fraction": 0.0, "message": "round 1", "frame": null }),
    );
    if structure.species.contains(&2) {
        return wait_for_cancel(id, requests);
    }
    let mut moved = structure;
    for (i, frac) in moved.frac.iter_mut().enumerate() {
        if !held.get(i).is_some_and(|held| held[0]) {
            frac[0] = quarter(frac[0]);
        }
    }
    let output = json!({
        "name": "denoise", "provenance": provenance(), "structure": moved, "rounds": 1,
        "ending": { "kind": "settled" }, "energies": [-1.25, -1.5], "energies_by": provenance(),
        "shortest": [1.5, 2.0], "notes": [],
    });
    say(&json!({ "type": "result", "id": id, "output": output }));
}

fn progress(id: u64, step: usize, structure: &Cell) {
    let frame =
        json!({ "step": step, "energy_per_atom": -1.5, "max_force": 1.0, "structure": structure });
    let message = format!("step {step}");
    say(
        &json!({ "type": "progress", "id": id, "fraction": null, "message": message, "frame": frame }),
    );
}

fn quarter(x: f64) -> f64 {
    (x * 4.0).round() / 4.0
}

fn largest(cell: &Cell) -> f64 {
    let norm = |force: &[f64; 3]| force.iter().map(|x| x * x).sum::<f64>().sqrt();
    energies(cell).forces.iter().map(norm).fold(0.0, f64::max)
}

fn energies(cell: &Cell) -> Energies {
    let force =
        |f: &[f64; 3]| [40.0 * (quarter(f[0]) - f[0]), 0.0, if f[2] > 0.98 { 100.0 } else { 0.0 }];
    Energies {
        energy_per_atom: -1.5,
        forces: cell.frac.iter().map(force).collect(),
        stress: [[0.0; 3]; 3],
        magmoms: vec![0.0; cell.frac.len()],
        site_energies: vec![-1.5; cell.frac.len()],
        cautions: Vec::new(),
    }
}
