use serde_json::Value;

use crate::support::{cellwright, run, without_weights};

#[test]
fn a_composition_gets_candidates() {
    let run = cellwright(&["predict", "SrTiO3", "--z", "1", "-n", "5", "--format", "json"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let answer = run.json("predict");
    let candidates = answer["candidates"].as_array().expect("a list");
    assert!(!candidates.is_empty() && candidates.len() <= 5);
    assert_eq!((&candidates[0]["formula"], &candidates[0]["units"]), (&"SrTiO3".into(), &1.into()));
    assert_eq!(candidates[0]["sites"].as_array().map(Vec::len), Some(5));
    assert_eq!(candidates[0]["charge_balanced"], true);
}

#[test]
fn candidates_are_files_that_can_be_read_again() {
    let cif = cellwright(&["predict", "Li Fe P O4, Z=4, n=3", "--format", "cif"]);
    assert_eq!(cif.code, 0, "{}", cif.stderr);
    assert!(cif.stdout.contains("data_LiFePO4_1"));
    let poscar = cellwright(&["predict", "KCl", "--format", "poscar"]);
    let info =
        run(&["info", "-", "--language", "poscar", "--format", "json"], poscar.stdout.as_bytes());
    assert_eq!(info.code, 0, "{}", info.stderr);
    assert!(info.stdout.contains("KCl"), "{}", info.stdout);
    let table = cellwright(&["predict", "KCl"]);
    assert!(table.stdout.contains("space group"), "{}", table.stdout);
}

#[test]
fn what_is_no_composition_is_refused() {
    for (text, reason) in [
        ("LiXx2", "'Xx' is no element"),
        ("Fe0.95O", "whole atoms"),
        ("NaCl, Z=many", "'many' cannot be one"),
        ("NaCl, colour=red", "'colour' is no option"),
        ("NaCl, Z=400", "800 atoms"),
    ] {
        let run = cellwright(&["predict", text]);
        assert_eq!(run.code, 2, "{text}");
        assert!(run.stderr.contains(reason), "{text}: {}", run.stderr);
    }
    let none = cellwright(&["predict", "Fe97O3"]);
    assert_eq!(none.code, 1);
    assert!(none.stderr.contains("no known structure has this ratio"), "{}", none.stderr);
}

#[test]
fn a_batch_goes_on_where_it_was_stopped() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = |name: &str| dir.path().join(name).to_str().expect("UTF-8").to_owned();
    std::fs::write(path("in"), "# salts\nNaCl\nKBr, n=2 # two\n\nLiXx\nMgO\n").expect("written");
    let again = || cellwright(&["predict", "--input", &path("in"), "--out", &path("out")]);
    let first = again();
    assert_eq!(first.code, 2, "{}", first.stderr);
    let text = std::fs::read_to_string(path("out")).expect("read");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 4);
    for line in &lines {
        first.with_stdout(line).json("predict");
    }
    let answer = |line: &str| serde_json::from_str::<Value>(line).expect("JSON");
    assert_eq!(answer(lines[1])["candidates"].as_array().map(Vec::len), Some(2));
    assert!(answer(lines[2])["error"].as_str().is_some_and(|e| e.contains("'Xx'")));
    // Cut in the middle of the last line, as a run that was killed leaves it.
    let cut = text.len() - 100;
    std::fs::write(path("out"), &text[..cut]).expect("written");
    let second = again();
    assert_eq!(second.code, 0, "{}", second.stderr);
    assert!(second.stderr.contains("3 of them there already"), "{}", second.stderr);
    assert_eq!(std::fs::read_to_string(path("out")).expect("read"), text);
}

#[test]
fn a_library_is_built_and_shown() {
    let dir = tempfile::tempdir().expect("a folder");
    crate::train::prepare(dir.path(), 1);
    let path = |name: &str| dir.path().join(name).to_str().expect("UTF-8").to_owned();
    let built = cellwright(&[
        "library",
        "build",
        "--sets",
        "salts/train",
        "--data",
        &path("data"),
        "--licence",
        "ours",
        "--out",
        &path("l"),
        "--format",
        "json",
    ]);
    assert_eq!(built.code, 0, "{}", built.stderr);
    let answer = built.json("library");
    assert_eq!((&answer["crystals"], &answer["classes"]), (&2.into(), &1.into()));
    assert_eq!(answer["licence"], "ours");
    let shown = cellwright(&["library", "info", &path("l"), "--format", "json"]);
    assert_eq!(shown.json("library"), answer);
    let used = cellwright(&["predict", "KCl", "--library", &path("l")]);
    assert!(used.stdout.contains("NaCl (a)"), "{} {}", used.stdout, used.stderr);
    let clean = cellwright(&[
        "library",
        "build",
        "--sets",
        "salts/train",
        "--clean-of",
        "salts/val",
        "--data",
        &path("data"),
        "--out",
        &path("l"),
        "--format",
        "json",
    ]);
    assert_eq!(clean.json("library")["crystals"], 0);
    let empty = cellwright(&["predict", "KCl", "--library", &path("l")]);
    assert_eq!(empty.code, 1);
    assert!(empty.stderr.contains("library of known structures is empty"), "{}", empty.stderr);
    std::fs::write(path("l"), "cellwright prototypes 9\n{}\n").expect("written");
    let old = cellwright(&["library", "info", &path("l")]);
    assert_eq!(old.code, 2);
    assert!(old.stderr.contains("version 9"), "{}", old.stderr);
}

#[test]
fn prototypes_are_measured() {
    let dir = tempfile::tempdir().expect("a folder");
    crate::train::prepare(dir.path(), 1);
    let path = |name: &str| dir.path().join(name).to_str().expect("UTF-8").to_owned();
    let measure = |more: &[&str]| {
        let data = path("data");
        let args = [
            "eval",
            "csp",
            "--method",
            "prototypes",
            "--dataset",
            "salts",
            "--data",
            &data,
            "-n",
            "1,20",
        ];
        cellwright(&[&args[..], more].concat())
    };
    let run = measure(&["--format", "json"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let answer = run.json("eval");
    assert_eq!(answer["rows"].as_array().map(Vec::len), Some(2));
    assert_eq!(answer["rows"][1]["match_rate"], 1.0);
    assert_eq!((&answer["clean"], &answer["potential"]), (&false.into(), &Value::Null));
    let plot = path("found.svg");
    let both = measure(&["--same-formula", "removed,kept", "--plot", &plot, "--format", "json"]);
    let kept: Vec<_> = both.json("eval")["measurements"]
        .as_array()
        .expect("two")
        .iter()
        .map(|m| m["with_same_formula"].clone())
        .collect();
    assert_eq!(kept, [false, true]);
    assert!(std::fs::read_to_string(&plot).expect("drawn").contains("same formula kept"));
    let table = measure(&["--markdown"]);
    assert!(table.stdout.contains("| answers | match % |"), "{}", table.stdout);
    assert!(table.stdout.contains("| halides |"), "{}", table.stdout);
}

#[test]
fn what_cannot_be_measured_is_said() {
    let dir = tempfile::tempdir().expect("a folder");
    crate::train::prepare(dir.path(), 1);
    let path = |name: &str| dir.path().join(name).to_str().expect("UTF-8").to_owned();
    let refused = |more: &[&str], reason: &str| {
        let data = path("data");
        let args = ["eval", "csp", "--method", "prototypes", "--data", &data];
        let run = cellwright(&[&args[..], more].concat());
        assert_eq!(run.code, 2, "{}", run.stdout);
        assert!(run.stderr.contains(reason), "{}", run.stderr);
    };
    refused(&["--dataset", "pepper"], "no data set pepper");
    refused(&["--dataset", "pepper"], "it has salts");
    refused(&["--dataset", "salts", "--split", "tset"], "no split tset: it has");
    refused(&["--dataset", "salts", "-n", "0"], "no answer");
    let missing = path("missing.safetensors");
    refused(&["--dataset", "salts", "--ranker", &missing], "missing.safetensors");
    let empty = path("empty.bin");
    let data = path("data");
    let args = ["library", "build", "--sets", "salts/train", "--clean-of", "salts/val"];
    cellwright(&[&args[..], &["--data", &data, "--out", &empty]].concat());
    refused(&["--dataset", "salts", "--library", &empty], "holds no structure");
}

#[test]
fn without_weights_the_list_is_given_all_the_same() {
    let dir = tempfile::tempdir().expect("a folder");
    for more in [["--energy"], ["--relax"]] {
        let args = [&["predict", "KCl", "--format", "json"], &more[..]].concat();
        let run = without_weights(dir.path(), &args);
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert!(
            run.stderr.contains("no energies: ") && run.stderr.contains("models pull"),
            "{}",
            run.stderr
        );
        let answer = run.json("predict");
        assert!(answer["candidates"].as_array().is_some_and(|list| !list.is_empty()));
        assert!(answer["candidates"][0]["energy"].is_null() && answer["hull"].is_null());
    }
    // Whoever asks for nothing is told nothing.
    let plain = without_weights(dir.path(), &["predict", "KCl"]);
    assert!(
        !plain.stderr.contains("models pull") && !plain.stdout.contains("eV/atom"),
        "{}",
        plain.stderr
    );
}

#[test]
fn energies_of_another_library_are_refused() {
    let dir = tempfile::tempdir().expect("a folder");
    crate::train::prepare(dir.path(), 1);
    let path = |name: &str| dir.path().join(name).to_str().expect("UTF-8").to_owned();
    let (data, library) = (path("data"), path("l"));
    let args = ["library", "build", "--sets", "salts/train", "--data", &data, "--out", &library];
    assert_eq!(cellwright(&args).code, 0);
    let shipped =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/weights/prototypes/energies.bin");
    let args = ["predict", "KCl", "--library", &library, "--library-energies", shipped];
    let run = cellwright(&args);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("made from another library"), "{}", run.stderr);
}

#[test]
fn a_predicted_file_says_where_it_came_from() {
    let origin = "predicted by Cellwright ";
    let cif = cellwright(&["predict", "KCl", "-n", "1", "--format", "cif"]);
    assert!(cif.stdout.starts_with(&format!("# {origin}")), "{}", cif.stdout);
    let poscar = cellwright(&["predict", "KCl", "--format", "poscar"]);
    assert!(poscar.stdout.starts_with(&format!("KCl ! {origin}")), "{}", poscar.stdout);
}
