use serde_json::{Value, json};

use crate::support::{cellwright, file, run};

/// Rock salt in its primitive cell, as a POSCAR.
const SALT: &str = "salt\n1.0\n 0 2.82 2.82\n 2.82 0 2.82\n 2.82 2.82 0\nNa Cl\n1 1\nDirect\n 0 0 0\n 0.5 0.5 0.5\n";

fn cell(input: &str, args: &[&str]) -> Value {
    let run = run(&[&["cell", "-", "--format", "json"], args].concat(), input.as_bytes());
    assert_eq!(run.code, 0, "{}", run.stderr);
    run.json("cell")[0].clone()
}

fn info(text: &str) -> Value {
    run(&["info", "-", "--format", "json"], text.as_bytes()).json("info")[0].clone()
}

fn near(value: &Value, want: f64) {
    let got = value.as_f64().expect("a number");
    assert!((got - want).abs() < 1e-6, "{got}, not {want}");
}

#[test]
fn the_conventional_cell_follows_from_the_primitive_one() {
    let conventional = cell(SALT, &["--to", "conventional"]);
    assert_eq!((&conventional["n_atoms"], &conventional["format"]), (&json!(8), &json!("poscar")));
    near(&conventional["parameters"]["a"], 5.64);
    near(&conventional["parameters"]["gamma"], 90.0);
    near(&conventional["volume"], 5.64_f64.powi(3));
    let about = &conventional["standard"];
    assert_eq!((&about["number"], &about["symbol"]), (&json!(225), &json!("F m -3 m")));
    let text = conventional["text"].as_str().expect("a text");
    assert_eq!(info(text)["spacegroup"]["number"], 225);

    let primitive = cell(text, &["--to", "primitive"]);
    assert_eq!((&primitive["n_atoms"], &primitive["sites"]), (&json!(2), &json!([0, 4])));
    near(&primitive["volume"], 5.64_f64.powi(3) / 4.0);
}

#[test]
fn a_supercell_of_any_shape() {
    let doubled = cell(SALT, &["--to", "supercell", "--matrix", "-1 1 1 1 -1 1 1 1 -1"]);
    assert_eq!((&doubled["n_atoms"], &doubled["standard"]), (&json!(8), &Value::Null));
    assert_eq!(doubled["sites"], json!([0, 0, 0, 0, 1, 1, 1, 1]));
    assert_eq!(doubled["transform"], json!([[-1.0, 1.0, 1.0], [1.0, -1.0, 1.0], [1.0, 1.0, -1.0]]));
    near(&doubled["parameters"]["a"], 5.64);
    let slab = cell(SALT, &["--to", "supercell", "--matrix", "1x1x3", "--to-format", "cif"]);
    assert_eq!(slab["format"], "cif");
    let text = slab["text"].as_str().expect("a text");
    assert_eq!(info(text)["formula"], "Na3 Cl3");
}

#[test]
fn reduced_cells_of_a_skewed_one() {
    let skewed = cell(SALT, &["--to", "supercell", "--matrix", "1 5 0 0 1 0 0 -7 1"]);
    for to in ["niggli", "delaunay"] {
        let reduced = cell(skewed["text"].as_str().expect("a text"), &["--to", to]);
        for length in ["a", "b", "c"] {
            near(&reduced["parameters"][length], 2.82 * 2.0_f64.sqrt());
        }
        let text = reduced["text"].as_str().expect("a text");
        assert_eq!(info(text)["spacegroup"]["number"], 225);
    }
}

#[test]
fn the_result_goes_where_it_is_told_in_the_format_of_its_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("POSCAR");
    let rutile = file("rutile.cif");
    let run = cellwright(&[
        "cell".as_ref(),
        rutile.as_os_str(),
        "--to".as_ref(),
        "niggli".as_ref(),
        "-o".as_ref(),
        out.as_os_str(),
    ]);
    assert_eq!((run.code, run.stdout.as_str()), (0, ""), "{}", run.stderr);
    let text = std::fs::read_to_string(out).expect("the result");
    let counts: Vec<_> = text.lines().nth(6).expect("a line").split_whitespace().collect();
    assert_eq!(counts, ["2", "4"], "{text}");
}

/// The rms of a file and a text that was made of it, and whether they fit, by `cellwright match`.
fn compare(given: &std::path::Path, text: &str, more: &[&str]) -> Value {
    let args = [&["match", given.to_str().expect("UTF-8"), "-", "--format", "json"], more].concat();
    let run = run(&args, text.as_bytes());
    assert_ne!(run.code, 2, "{}", run.stderr);
    run.json("match")
}

#[test]
fn every_cell_in_every_format_reads_back_as_the_same_crystal() {
    let folder = tempfile::tempdir().expect("a folder");
    let (cif, poscar) = (file("rutile.cif"), folder.path().join("POSCAR"));
    let cif_name = cif.to_str().expect("UTF-8");
    std::fs::write(&poscar, cellwright(&["convert", cif_name]).stdout).expect("a file");
    let cells: [&[&str]; 10] = [
        &[],
        &["--to", "primitive"],
        &["--to", "conventional"],
        &["--to", "conventional", "--idealise"],
        &["--to", "niggli"],
        &["--to", "delaunay"],
        &["--to", "supercell", "--matrix", "2x1x3"],
        &["--to", "supercell", "--matrix", "1 1 0 -1 1 0 0 0 2"],
        &["--translate", "0.3 -2.2 0.75", "--sort", "position"],
        &["--translate", "0.3,-2.2,0.75", "--sort", "symbol", "--no-wrap"],
    ];
    let formats: [&[&str]; 3] = [
        &["--to-format", "cif"],
        &["--to-format", "poscar"],
        &["--to-format", "poscar", "--cartesian"],
    ];
    for given in [&cif, &poscar] {
        for (cell, format) in cells.iter().flat_map(|c| formats.iter().map(move |f| (c, f))) {
            let name = given.to_str().expect("UTF-8");
            let made = cellwright(&[&["cell", name], *cell, *format].concat());
            assert_eq!(made.code, 0, "{cell:?} {format:?}: {}", made.stderr);
            let answer = compare(given, &made.stdout, &["--no-scale"]);
            assert_eq!(answer["fit"], true, "{cell:?} {format:?}: {}", made.stdout);
            let rms = answer["rms"].as_f64().expect("a number");
            assert!(rms < 1e-5, "{cell:?} {format:?}: {rms}");
        }
    }
}

#[test]
fn edits_do_what_they_say_and_no_more() {
    let rutile = file("rutile.cif");
    let name = rutile.to_str().expect("UTF-8");
    let edited = |args: &[&str]| -> Value {
        let run = cellwright(&[&["cell", name, "--format", "json"], args].concat());
        assert_eq!(run.code, 0, "{}", run.stderr);
        run.json("cell")[0].clone()
    };
    let given = edited(&[]);
    let length = |cell: &Value, name: &str| cell["parameters"][name].as_f64().expect("a number");
    let strained =
        edited(&["--strain", "0 0 0.02 0 0 0", "--to", "supercell", "--matrix", "1 1 2"]);
    near(&strained["parameters"]["c"], 2.0 * 1.02 * length(&given, "c"));
    near(&strained["parameters"]["a"], length(&given, "a"));
    let tin = edited(&["--substitute", "Ti=Sn"]);
    let text = tin["text"].as_str().expect("a text");
    assert_eq!(info(text)["formula"], "Sn2 O4");
    assert_eq!(compare(&rutile, text, &[])["fit"], false);
    assert_eq!(compare(&rutile, text, &["--anonymous"])["elements"], json!({"Ti": "Sn", "O": "O"}));
    let swapped = edited(&["--substitute", "Ti=O,O=Ti", "--to", "niggli"]);
    assert_eq!(info(swapped["text"].as_str().expect("a text"))["formula"], "Ti4 O2");
    let sorted = edited(&["--sort", "number"]);
    assert_eq!(sorted["sites"], json!([2, 3, 4, 5, 0, 1]));

    // The second chlorine repeats the first, one cell away; the sites that are left keep their numbers.
    let twice = SALT.replace("1 1\nDirect\n", "1 2\nDirect\n") + " 1.5 0.5001 0.5\n";
    let mended = cell(&twice, &["--remove-duplicates", "0.1", "--sort", "symbol"]);
    assert_eq!((&mended["n_atoms"], &mended["sites"]), (&json!(2), &json!([1, 0])));
    assert_eq!(cell(&twice, &["--remove-duplicates", "1e-4"])["n_atoms"], 3);
}

#[test]
fn symmetry_is_made_exact_where_asked() {
    let near_salt =
        SALT.replace("0.5 0.5 0.5", "0.501 0.5 0.5").replace("2.82 2.82 0\n", "2.82 2.821 0\n");
    let number = |cell: &Value| {
        let text = cell["text"].as_str().expect("a text");
        let args = ["info", "-", "--format", "json", "--symprec", "1e-4"];
        run(&args, text.as_bytes()).json("info")[0]["spacegroup"]["number"].clone()
    };
    let to = |more: &[&str]| {
        cell(&near_salt, &[&["--to", "conventional", "--symprec", "0.02"], more].concat())
    };
    assert_eq!(to(&[])["standard"]["number"], 225);
    assert_ne!(number(&to(&[])), 225);
    let ideal = to(&["--idealise"]);
    assert_eq!(number(&ideal), 225);
    for angle in ["alpha", "beta", "gamma"] {
        near(&ideal["parameters"][angle], 90.0);
    }
}

#[test]
fn what_cannot_be_done_is_refused_with_the_reason() {
    let refused = |args: &[&str], reason: &str| {
        let run = run(&[&["cell", "-"], args].concat(), SALT.as_bytes());
        assert_eq!(run.code, 2);
        assert!(run.stderr.contains(reason), "{}", run.stderr);
    };
    refused(&["--to", "supercell"], "--matrix");
    refused(&["--to", "niggli", "--matrix", "2x2x2"], "--matrix belongs to --to supercell");
    refused(&["--to", "supercell", "--matrix", "1 1 0 1 1 0 0 0 1"], "determinant 0");
    refused(&["--to", "supercell", "--matrix", "2x2"], "not 2");
    refused(&["--to", "primitive", "--symprec", "0"], "no tolerance");
    refused(&["--to", "niggli", "--idealise"], "--idealise belongs to");
    refused(&["--strain", "0 0 0"], "6 numbers are needed");
    refused(&["--strain", "-1 0 0 0 0 0"], "volume");
    refused(&["--translate", "a b c"], "every entry is a number");
    refused(&["--substitute", "Na=Xx"], "Xx");
    refused(&["--substitute", "Na=K,Na=Li"], "two species");
    refused(&["--remove-duplicates", "nan"], "finite");
    // One bad file does not stop the others.
    let (rutile, broken) = (file("rutile.cif"), file("nothing.cif"));
    let both = ["cell".as_ref(), broken.as_os_str(), rutile.as_os_str()];
    let more = ["--to", "niggli", "--format", "json"].map(AsRef::as_ref);
    let run = cellwright(&[&both[..], &more].concat());
    assert_eq!((run.code, run.json("cell").as_array().map(Vec::len)), (2, Some(1)));
}
