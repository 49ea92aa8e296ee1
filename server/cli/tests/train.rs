//! `cellwright train` and `eval` on a handful of crystals of our own.

use std::path::Path;

use crate::support::cellwright;

const CRYSTALS: &str = concat!(
    r#"{"id":"a","Z":[11,17],"frac":[[0,0,0],[0.5,0.5,0.5]],"lattice":[3.9,3.9,3.9,60,60,60],"e_hull":0.0}"#,
    "\n",
    r#"{"id":"b","Z":[12,8],"frac":[[0,0,0],[0.5,0.5,0.5]],"lattice":[3.0,3.0,3.0,60,60,60],"e_hull":0.3}"#,
    "\n",
);

/// Settings and data in a folder; zstd data as one raw block, which needs no compressor.
pub(crate) fn prepare(dir: &Path, epochs: u32) {
    let data = dir.join("data/salts");
    std::fs::create_dir_all(&data).expect("a folder");
    for split in ["train", "val"] {
        std::fs::write(data.join(format!("{split}.jsonl.zst")), raw_zstd(CRYSTALS))
            .expect("written");
    }
    let config = format!(
        r#"{{"data":{{"train":"salts"}},"batch":2,
            "model":{{"network":{{"hidden":8,"layers":1,"frequencies":2,"time":4}},
                      "diffusion":{{"table_draws":1000}}}},
            "train":{{"epochs":{epochs}}}}}"#
    );
    std::fs::write(dir.join("run.json"), config).expect("written");
}

/// RFC 8878: magic, frame header (single segment, four bytes of size), one last raw block.
fn raw_zstd(text: &str) -> Vec<u8> {
    let size = u32::try_from(text.len()).expect("short");
    let mut bytes = vec![0x28, 0xb5, 0x2f, 0xfd, 0xa0];
    bytes.extend(size.to_le_bytes());
    bytes.extend(&(size << 3 | 1).to_le_bytes()[..3]);
    bytes.extend(text.as_bytes());
    bytes
}

fn train(dir: &Path, more: &[&str]) -> crate::support::Run {
    train_model("equicsp", dir, more)
}

fn train_model(model: &str, dir: &Path, more: &[&str]) -> crate::support::Run {
    let path = |name: &str| dir.join(name).to_str().expect("UTF-8").to_owned();
    let mut args = vec!["train".to_owned(), model.to_owned()];
    for (option, name) in [("--config", "run.json"), ("--data", "data"), ("--out", "out")] {
        args.extend([option.to_owned(), path(name)]);
    }
    args.extend(more.iter().map(|&s| s.to_owned()));
    cellwright(&args)
}

#[test]
fn crystals_are_made_up() {
    let dir = tempfile::tempdir().expect("a folder");
    prepare(dir.path(), 1);
    let path = |name: &str| dir.path().join(name).to_str().expect("UTF-8").to_owned();
    // A network that chooses species needs a number for each element.
    let config = std::fs::read_to_string(path("run.json")).expect("a file");
    let species = config.replace(r#""hidden":8"#, r#""hidden":20,"elements":20,"species":true"#);
    std::fs::write(path("run.json"), species).expect("written");
    let trained = train(dir.path(), &[]);
    assert_eq!(trained.code, 0, "{}", trained.stderr);
    let model = path("out/model.safetensors");
    let generate = |more: &[&str]| {
        cellwright(&[&["generate", "--model", &model, "--steps", "3", "-n", "4"], more].concat())
    };
    let answer = generate(&["--format", "json"]).json("generate");
    assert_eq!(
        (&answer["asked"], answer["crystals"].as_array().map(Vec::len)),
        (&4.into(), Some(4))
    );
    assert_eq!(answer, generate(&["--format", "json"]).json("generate"));
    assert_ne!(answer, generate(&["--format", "json", "--seed", "1"]).json("generate"));
    assert_eq!(generate(&[]).stdout.lines().count(), 5);
    let cif = generate(&["--format", "cif"]).stdout;
    assert_eq!(cif.matches("data_").count(), 4, "{cif}");
    let refused = generate(&["--atoms", "3"]);
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("none of them of 3"), "{}", refused.stderr);
    let data = path("data");
    let eval = |more: &[&str]| {
        let args = ["eval", "generation", "--model", &model, "--data", &data, "--dataset", "salts"];
        cellwright(&[&args[..], &["--steps", "3", "-n", "4"], more].concat())
    };
    let answer = eval(&["--format", "json"]).json("eval-generation");
    assert_eq!((&answer["draws"], &answer["crystals"]), (&4.into(), &4.into()));
    assert!(answer["structural"]["value"].as_f64().is_some_and(|x| (0.0..=1.0).contains(&x)));
    assert!(eval(&[]).stdout.contains("both: valid"));
    assert_eq!(eval(&["-n", "0"]).code, 2);
    // A model that has to be told what it is made of makes up nothing.
    std::fs::remove_dir_all(path("out")).expect("removed");
    std::fs::write(path("run.json"), config).expect("written");
    assert_eq!(train(dir.path(), &[]).code, 0);
    assert_eq!(generate(&[]).code, 2);
}

#[test]
fn a_run_is_made_and_taken_up_again() {
    let dir = tempfile::tempdir().expect("a folder");
    prepare(dir.path(), 2);
    let first = train(dir.path(), &["--format", "json"]);
    assert_eq!(first.code, 0, "{}", first.stderr);
    let answer = first.json("train");
    assert_eq!((&answer["end"], &answer["epoch"]), (&"done".into(), &2.into()));
    assert!(answer["validation"]["total"].as_f64().is_some_and(|x| x > 0.0));
    for file in ["checkpoint.safetensors", "model.safetensors", "curve.jsonl", "curve.svg"] {
        assert!(dir.path().join("out").join(file).is_file(), "{file}");
    }
    let again = train(dir.path(), &[]);
    assert_eq!(again.code, 2);
    assert!(again.stderr.contains("--resume"), "{}", again.stderr);
    prepare(dir.path(), 3);
    let resumed = train(dir.path(), &["--resume", "--format", "json"]);
    assert_eq!(resumed.json("train")["epoch"], 3, "{}", resumed.stderr);
    let curve = std::fs::read_to_string(dir.path().join("out/curve.jsonl")).expect("a curve");
    assert_eq!(curve.lines().count(), 3);
    let path = |name: &str| dir.path().join(name).to_str().expect("UTF-8").to_owned();
    let (model, data) = (path("out/model.safetensors"), path("data"));
    let args = ["eval", "csp", "--model", &model, "--data", &data, "--dataset", "salts"];
    let eval = cellwright(&[&args[..], &["--steps", "3", "-n", "2", "--format", "json"]].concat());
    let answer = eval.json("eval");
    assert_eq!(
        (&answer["crystals"], &answer["answers"]),
        (&2.into(), &2.into()),
        "{}",
        eval.stderr
    );
    let agreed = ["--steps", "3", "--churn", "0", "--corrector", "0", "--samples", "3"];
    let eval = cellwright(&[&args[..], &agreed[..], &["--format", "json"]].concat());
    let answer = eval.json("eval");
    assert_eq!((&answer["answers"], &answer["samples"]), (&1.into(), &3.into()), "{}", eval.stderr);
    let few = cellwright(&[&args[..], &["-n", "4", "--samples", "3"]].concat());
    assert_eq!(few.code, 2);
    assert!(few.stderr.contains("4 answers need as many samples"), "{}", few.stderr);
}

#[test]
fn a_stop_file_ends_the_run() {
    let dir = tempfile::tempdir().expect("a folder");
    prepare(dir.path(), 1_000_000);
    std::fs::create_dir(dir.path().join("out")).expect("a folder");
    std::fs::write(dir.path().join("out/stop"), "").expect("written");
    let run = train(dir.path(), &["--format", "json"]);
    assert_eq!(run.json("train")["end"], "stopped", "{}", run.stderr);
    assert!(!dir.path().join("out/stop").exists());
}

#[test]
fn what_is_wrong_is_said() {
    let dir = tempfile::tempdir().expect("a folder");
    prepare(dir.path(), 1);
    let config = dir.path().join("run.json");
    let text = std::fs::read_to_string(&config).expect("settings");
    for (from, to, message) in [
        ("\"salts\"", "\"sugars\"", "cannot be opened"),
        ("\"hidden\"", "\"hiden\"", "unknown field `hiden`"),
        ("\"time\":4", "\"time\":3", "time is even"),
    ] {
        std::fs::write(&config, text.replace(from, to)).expect("written");
        let run = train(dir.path(), &[]);
        assert_eq!(run.code, 2);
        assert!(run.stderr.contains(message), "{}", run.stderr);
    }
}

#[test]
fn pre_training_is_taken_up_again() {
    let dir = tempfile::tempdir().expect("a folder");
    prepare(dir.path(), 1);
    let config = |epochs: u32| {
        let text = format!(
            r#"{{"data":{{"train":"salts"}},"batch":2,
                "model":{{"network":{{"lmax":1,"mmax":1,"blocks":1,"channels":4,"neighbors":6}}}},
                "train":{{"epochs":{epochs}}}}}"#
        );
        std::fs::write(dir.path().join("run.json"), text).expect("written");
    };
    config(1);
    let first = train_model("selfsup", dir.path(), &["--format", "json"]);
    assert_eq!(first.code, 0, "{}", first.stderr);
    let answer = first.json("train");
    assert!(answer["validation"]["species"].as_f64().is_some_and(|x| x > 0.0));
    config(2);
    let resumed = train_model("selfsup", dir.path(), &["--resume", "--format", "json"]);
    assert_eq!(resumed.json("train")["epoch"], 2, "{}", resumed.stderr);
    let path = |name: &str| dir.path().join(name).to_str().expect("UTF-8").to_owned();
    let (model, data) = (path("out/model.safetensors"), path("data"));
    let eval = |more: &[&str]| {
        let args = ["eval", "ssl", "--model", &model, "--data", &data, "--dataset", "salts"];
        cellwright(&[&args[..], more].concat())
    };
    let run = eval(&["--masks", "alpha,gamma", "--noise", "0.1", "--format", "json"]);
    let answer = run.json("eval-ssl");
    let rows = answer["rows"].as_array().expect("rows");
    assert_eq!(rows.len(), 11, "{}", run.stderr);
    assert_eq!((&rows[0]["mask"], &rows[0]["questions"]), (&"alpha".into(), &4.into()));
    assert_eq!((&rows[6]["mask"], &rows[6]["questions"]), (&"gamma".into(), &2.into()));
    assert_eq!(answer["validity"]["structural"]["value"], 1.0);
    let table = eval(&["--masks", "beta", "--noise", "0.2", "--markdown"]).stdout;
    assert_eq!(table.lines().filter(|line| line.starts_with("| β | 0.2 |")).count(), 5, "{table}");
    assert_eq!(eval(&["--noise", "2"]).code, 2);
}

#[test]
fn a_discriminator_joins_in() {
    let dir = tempfile::tempdir().expect("a folder");
    prepare(dir.path(), 1);
    let path = |name: &str| dir.path().join(name).to_str().expect("UTF-8").to_owned();
    let network = r#"{"lmax":1,"mmax":1,"blocks":1,"channels":4,"neighbors":6}"#;
    let pretraining = |epochs: u32| {
        format!(
            r#"{{"data":{{"train":"salts"}},"batch":2,"model":{{"network":{network}}},
                "train":{{"epochs":{epochs}}}}}"#
        )
    };
    let finetuning = |property: &str| {
        format!(
            r#"{{"data":{{"train":"salts"}},"batch":2,"network":{network},
                "property":{property},"train":{{"epochs":1}}}}"#
        )
    };
    let configure = |text: &str| std::fs::write(path("run.json"), text).expect("written");
    // Each run leaves its weights under a name of their own.
    let trained = |model: &str, name: &str, text: &str| {
        configure(text);
        let run = train_model(model, dir.path(), &[]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        std::fs::rename(path("out"), path(name)).expect("moved");
        path(&format!("{name}/model.safetensors"))
    };
    let first = trained("selfsup", "first", &pretraining(1));
    let stable = trained("selfsup-finetune", "stable", &finetuning(r#"{"stable":{"within":0.1}}"#));

    let second = |epochs: u32| {
        configure(&format!(r#"{{"generator":{},"adversary":{{"every":1}}}}"#, pretraining(epochs)));
    };
    second(1);
    let gan = |more: &[&str]| train_model("selfsup-gan", dir.path(), more);
    for (more, message) in [
        (&["--start-from", &first][..], "a classifier of stability (--discriminator)"),
        (&["--start-from", &first, "--discriminator", &first], "is a model of selfsup"),
    ] {
        let refused = gan(more);
        assert_eq!(refused.code, 2);
        assert!(refused.stderr.contains(message), "{}", refused.stderr);
    }
    let run = gan(&["--start-from", &first, "--discriminator", &stable, "--format", "json"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let validation = &run.json("train")["validation"];
    for term in ["species", "removed", "discriminator", "accuracy_real", "accuracy_mended"] {
        assert!(validation[term].is_f64(), "{term}: {validation}");
    }
    second(2);
    let resumed = gan(&["--resume", "--format", "json"]);
    assert_eq!(resumed.json("train")["epoch"], 2, "{}", resumed.stderr);
    let (model, data) = (path("out/model.safetensors"), path("data"));
    let args = ["eval", "ssl", "--model", &model, "--data", &data, "--dataset", "salts"];
    let eval = cellwright(&[&args[..], &["--masks", "alpha", "--format", "json"]].concat());
    assert_eq!(eval.json("eval-ssl")["rows"][0]["questions"], 4, "{}", eval.stderr);

    configure(&pretraining(1));
    let misplaced = train_model("selfsup", dir.path(), &["--discriminator", &stable]);
    assert_eq!(misplaced.code, 2);
    assert!(misplaced.stderr.contains("is for selfsup-gan"), "{}", misplaced.stderr);
}
