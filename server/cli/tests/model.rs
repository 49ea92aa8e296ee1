//! Commands that need the weights. Where they are not installed the tests say so and check the
//! message that a user gets instead.

use crate::support::{cellwright, file, installed, run};
use crate::train::prepare;

#[test]
fn energy_gives_forces_that_cancel() {
    let poscar = file("POSCAR");
    let poscar = poscar.to_str().expect("UTF-8");
    let energy = cellwright(&["energy", poscar, "--format", "json"]);
    if !installed() {
        assert_eq!(energy.code, 2);
        assert!(energy.stderr.contains("models pull"), "{}", energy.stderr);
        return;
    }
    assert_eq!(energy.code, 0, "{}", energy.stderr);
    let answer = energy.json("energy");
    assert_eq!(answer[0]["n_atoms"], 2);
    let forces: Vec<Vec<f64>> =
        serde_json::from_value(answer[0]["forces"].clone()).expect("forces");
    for axis in 0..3 {
        assert!((forces[0][axis] + forces[1][axis]).abs() < 1e-4, "{forces:?}");
    }
}

#[test]
fn atoms_held_by_selective_dynamics_stay() {
    if !installed() {
        return;
    }
    let text = std::fs::read_to_string(file("POSCAR")).expect("a file");
    let text = text
        .replace("Direct", "Selective dynamics\nDirect")
        .replace("0.26 0.25 0.24", "0.26 0.25 0.24 F F F")
        .replace("0.00 0.00 0.00", "0.00 0.00 0.00 T T F");
    let relaxed = run(&["relax", "-", "--fmax", "0.01"], text.as_bytes());
    assert_eq!(relaxed.code, 0, "{}", relaxed.stderr);
    let held = ", 2 atoms held (1 along some axes only), ";
    assert!(relaxed.stderr.contains(held), "{}", relaxed.stderr);
    let rows: Vec<_> = relaxed.stdout.lines().skip(9).collect();
    assert_eq!(rows[1], "0.26 0.25 0.24 F F F", "{}", relaxed.stdout);
    assert!(rows[0].ends_with(" 0.00 T T F") && !rows[0].starts_with("0.00 "), "{}", rows[0]);
}

#[test]
fn relaxing_brings_silicon_back_onto_its_site() {
    if !installed() {
        return;
    }
    let poscar = file("POSCAR");
    let poscar = poscar.to_str().expect("UTF-8");
    let relaxed = cellwright(&["relax", poscar, "--p1", "--fmax", "0.01"]);
    assert_eq!(relaxed.code, 0, "{}", relaxed.stderr);
    let original = std::fs::read_to_string(poscar).expect("a file");
    let numbers = |line: &str| -> Vec<f64> {
        line.split_whitespace().map(|w| w.parse().expect("a number")).collect()
    };
    let rows: Vec<_> = relaxed.stdout.lines().skip(8).map(numbers).collect();
    for axis in 0..3 {
        assert!((rows[1][axis] - rows[0][axis] - 0.25).abs() < 2e-3, "{rows:?}");
    }
    // Nothing but the rows of atoms has changed.
    let head = |text: &str| text.lines().take(8).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(head(&relaxed.stdout), head(&original));

    let numbers = cellwright(&["relax", poscar, "--cell", "--format", "json"]).json("relax");
    let energy = |end: &str| numbers[0][end]["energy_per_atom"].as_f64().expect("a number");
    assert!(energy("last") <= energy("initial"), "{numbers:#}");
}

#[test]
fn predictions_get_energies_and_are_relaxed() {
    if !installed() {
        return;
    }
    let still =
        cellwright(&["predict", "KCl", "--z", "1", "--energy", "-n", "3", "--format", "json"]);
    assert_eq!(still.code, 0, "{}", still.stderr);
    let still = still.json("predict");
    let first = &still["candidates"][0];
    assert!(first["energy"].as_f64().is_some_and(|e| (-5.0..-2.0).contains(&e)), "{first:#}");
    assert!(first["relaxation"].is_null());
    // The library knows potassium chloride, so the hull is that of the salt itself.
    assert!(still["hull"]["phases"].as_u64().is_some_and(|n| n > 1), "{:#}", still["hull"]);
    let moved =
        cellwright(&["predict", "KCl", "--z", "1", "--relax", "20", "-n", "3", "--format", "json"]);
    let moved = moved.json("predict");
    let best = &moved["candidates"][0];
    assert!(best["energy"].as_f64() <= first["energy"].as_f64(), "{best:#}");
    assert!(best["relaxation"]["steps"].as_u64().is_some_and(|n| n <= 20));
    let above = best["above_hull"]["energy"].as_f64().expect("a distance");
    assert!(above.abs() < 0.05, "{above}");
    let table = cellwright(&["predict", "KCl", "--z", "1", "--relax", "3", "-n", "1"]);
    assert!(
        table.stdout.contains("above hull") && table.stdout.contains("known phases"),
        "{}",
        table.stdout
    );
}

#[test]
fn what_the_potential_does_not_know_stays_without_energy() {
    if !installed() {
        return;
    }
    // Curium is beyond CHGNet, berkelium beyond the library too.
    let run = cellwright(&["predict", "CmO2", "--relax", "2", "-n", "2", "--format", "json"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stderr.contains("no energy: ") && run.stderr.contains("Cm"), "{}", run.stderr);
    assert!(run.stderr.contains("no hull: "), "{}", run.stderr);
    let answer = run.json("predict");
    assert!(
        answer["candidates"][0]["energy"].is_null()
            && answer["candidates"][0]["relaxation"].is_null()
    );
}

#[test]
fn searches_and_finishing_are_measured() {
    let dir = tempfile::tempdir().expect("a folder");
    prepare(dir.path(), 1);
    let path = |name: &str| dir.path().join(name).to_str().expect("UTF-8").to_owned();
    let (data, records) = (path("data"), path("records.jsonl"));
    let set = ["--data", &data, "--dataset", "salts", "--format", "json"];
    let short = ["--evaluations", "6", "--relaxed", "2", "--relax", "3", "-n", "1,2"];
    let search =
        |method| cellwright(&[&["eval", "csp", "--method", method], &set[..], &short[..]].concat());
    if !installed() {
        let refused = search("random");
        assert_eq!(refused.code, 2);
        assert!(refused.stderr.contains("models pull"), "{}", refused.stderr);
        return;
    }
    for method in ["random", "swarm", "bayesian"] {
        let run = search(method);
        assert_eq!(run.code, 0, "{}", run.stderr);
        let answer = run.json("eval");
        assert_eq!(answer["method"], method);
        assert_eq!(answer["potential"]["model"], "CHGNet");
        let rates: Vec<f64> =
            (0..2).map(|i| answer["rows"][i]["match_rate"].as_f64().expect("a number")).collect();
        assert!(rates[0] <= rates[1], "{rates:?}");
    }
    let more = ["-n", "3", "--steps", "2", "--shipped", "--records", &records];
    let finish = || cellwright(&[&["eval", "finish"], &set[..], &more[..]].concat());
    let answer = finish().json("eval-finish");
    assert_eq!((&answer["crystals"], &answer["shipped"]), (&2.into(), &true.into()));
    assert_eq!(std::fs::read_to_string(&records).expect("records").lines().count(), 2);
    // What is recorded is not done again.
    assert_eq!(finish().json("eval-finish"), answer);
}
