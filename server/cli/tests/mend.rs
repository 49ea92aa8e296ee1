//! Masked sites, denoising and substitutions, by the model that comes with the program.

use crate::support::{cellwright, file, installed, run, without_weights};

/// Perovskite; what stands in braces is the symbol of the titanium and the oxygen.
fn perovskite(symbols: [&str; 2]) -> String {
    let [ti, o] = symbols;
    format!(
        "data_x # kept\n_cell_length_a 3.905\n_cell_length_b 3.905\n_cell_length_c 3.905\n\
         _cell_angle_alpha 90\n_cell_angle_beta 90\n_cell_angle_gamma 90\n\
         _space_group_name_H-M_alt 'P m -3 m'\nloop_\n_atom_site_label\n_atom_site_type_symbol\n\
         _atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\nSr1 Sr 0.5 0.5 0.5\n\
         B1 {ti} 0.0 0.0 0.0\nA1 {o} 0.5 0.0 0.0\n"
    )
}

#[test]
fn masked_sites_are_named_and_written() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("out.cif");
    let target = path.to_str().expect("UTF-8");
    let text = perovskite(["Ti", "?"]);
    let done =
        run(&["complete", "-", "--no-energy", "-o", target, "--format", "json"], text.as_bytes());
    assert_eq!(done.code, 0, "{}", done.stderr);
    let answer = done.json("complete");
    let site = &answer[0]["sites"][0];
    assert_eq!((&site["site"], &site["atoms"]), (&"A1".into(), &3.into()));
    let best = site["elements"][0]["element"].as_str().expect("a symbol");
    let chances = site["elements"].as_array().expect("a list");
    let p = |i: usize| chances[i]["probability"].as_f64().expect("a number");
    assert!(p(0) >= p(1) && p(0) > 0.0 && p(0) <= 1.0);
    assert_eq!(std::fs::read_to_string(&path).expect("a file"), perovskite(["Ti", best]));
    assert_eq!(answer[0]["assignments"][0]["elements"][0], best);
    // Oxygen and sulfur only: the chances of the two add up to one.
    let two = run(&["complete", "-", "--elements", "O,S", "--format", "json"], text.as_bytes());
    let two = two.json("complete");
    let list = two[0]["sites"][0]["elements"].as_array().expect("a list");
    let sum: f64 = list.iter().map(|c| c["probability"].as_f64().expect("a number")).sum();
    assert!(list.len() == 2 && (sum - 1.0).abs() < 1e-6, "{two:#}");
    assert_eq!(list[0]["element"], "O", "{two:#}");
}

#[test]
fn several_masked_sites_are_named_together() {
    let text = perovskite(["?", "?"]);
    let done = run(&["complete", "-", "--no-energy", "-n", "3"], text.as_bytes());
    assert_eq!(done.code, 0, "{}", done.stderr);
    let together = done.stdout.split("together:").nth(1).expect("a list");
    assert_eq!(together.trim().lines().count(), 3, "{}", done.stdout);
    let poscar = "x\n1\n4.12 0 0\n0 4.12 0\n0 0 4.12\nCs  X\n1 1\nDirect\n0 0 0\n.5 .5 .5\n";
    let done = run(&["complete", "-", "--elements", "Cl", "--format", "json"], poscar.as_bytes());
    assert_eq!(done.json("complete")[0]["assignments"][0]["formula"], "CsCl");
}

#[test]
fn energies_are_asked_where_there_are_any() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("masked.cif");
    std::fs::write(&path, perovskite(["Ti", "?"])).expect("a file");
    let name = path.to_str().expect("UTF-8");
    let args = ["complete", name, "--elements", "O,S", "--cell", "measured", "--format", "json"];
    let without = without_weights(dir.path(), &args);
    assert_eq!(without.code, 0, "{}", without.stderr);
    let without = without.json("complete");
    let note = without[0]["notes"][0].as_str().expect("a note");
    assert!(note.starts_with("no energies") && note.contains("models pull"), "{note}");
    assert!(without[0]["assignments"][0]["pressure"].is_null());
    if !installed() {
        return;
    }
    let answer = cellwright(&args).json("complete");
    let best = &answer[0]["assignments"][0];
    assert_eq!(best["elements"][0], "O");
    let number = |name: &str| best[name].as_f64().expect("a number");
    // 3.905 Å is measured: in the slightly larger cell that the model knows there is hardly any pressure.
    assert!(number("pressure").abs() < 5.0 && number("energy_per_atom") < -7.0, "{best:#}");
    assert!(number("probability") > without[0]["assignments"][0]["probability"].as_f64().unwrap());
}

#[test]
fn what_cannot_be_completed_is_refused() {
    let refused = |text: &str, words: &str| {
        let done = run(&["complete", "-"], text.as_bytes());
        assert_eq!(done.code, 2);
        assert!(done.stderr.contains(words), "{}", done.stderr);
    };
    refused(&perovskite(["Ti", "O"]), "no site is masked: write ?");
    refused(&perovskite(["Lr", "?"]), "never seen Lr");
    let disordered = perovskite(["?", "O"])
        .replace("_fract_z\n", "_fract_z\n_atom_site_occupancy\n")
        .replace("0.5 0.5 0.5\n", "0.5 0.5 0.5 0.5\n")
        .replace("0.0 0.0 0.0\n", "0.0 0.0 0.0 1\n")
        .replace("0.5 0.0 0.0\n", "0.5 0.0 0.0 1\n");
    refused(&disordered, "disordered");
    let large: String = (0..70).map(|i| format!("{} 0 0\n", f64::from(i) / 70.0)).collect();
    let chain = format!("x\n1\n210 0 0\n0 4 0\n0 0 4\nNa X\n69 1\nDirect\n{large}");
    refused(&chain, "70 atoms are too many");
    let done =
        run(&["complete", "-", "--weights", "/nowhere/x"], perovskite(["Ti", "?"]).as_bytes());
    assert!(done.code == 2 && done.stderr.contains("/nowhere/x"), "{}", done.stderr);
}

#[test]
fn denoising_keeps_the_file_and_says_how_far_atoms_move() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("POSCAR");
    let text = "SrTiO3\n1.0\n3.905 0 0\n0 3.905 0\n0 0 3.905\nSr Ti O\n1 1 3\nDirect\n\
                0.500000 0.500000 0.500000\n0.030000 0.000000 0.000000\n\
                0.500000 0.020000 0.000000\n0.000000 0.500000 0.030000\n0.000000 0.000000 0.480000\n";
    std::fs::write(&path, text).expect("written");
    let name = path.to_str().expect("UTF-8");
    let done = without_weights(dir.path(), &["denoise", name, "--format", "json"]);
    assert_ne!(done.code, 2, "{}", done.stderr);
    let answer = done.json("denoise");
    assert!(answer[0]["energies"].is_null());
    assert!(answer[0]["notes"][0].as_str().expect("a note").contains("models pull"), "{answer:#}");
    // One site only: the rows of the others are as they were.
    let one = without_weights(dir.path(), &["denoise", name, "--sites", "Ti1"]);
    assert_ne!(one.code, 2, "{}", one.stderr);
    let rows: Vec<_> = one.stdout.lines().collect();
    let old: Vec<_> = text.lines().collect();
    assert_eq!(rows.len(), old.len());
    for (i, (new, old)) in rows.iter().zip(&old).enumerate() {
        assert!(i == 9 || new == old, "{}", one.stdout);
    }
    let nobody = without_weights(dir.path(), &["denoise", name, "--sites", "Fe7"]);
    assert!(nobody.code == 2 && nobody.stderr.contains("there is no site 'Fe7'"));
}

#[test]
fn a_symmetric_crystal_keeps_its_symmetry() {
    let rutile = file("rutile.cif");
    let rutile = rutile.to_str().expect("UTF-8");
    let done = cellwright(&["denoise", rutile, "--no-energy"]);
    assert_ne!(done.code, 2, "{}", done.stderr);
    let text = std::fs::read_to_string(rutile).expect("a file");
    assert_eq!(done.stdout.lines().count(), text.lines().count());
    let found = run(&["check", "-", "--language", "cif"], done.stdout.as_bytes());
    let before = cellwright(&["check", rutile]);
    assert_eq!(found.code, before.code, "{}", found.stdout);
}

#[test]
fn substitutions_of_a_site_and_of_an_element() {
    let rutile = file("rutile.cif");
    let site = format!("{}:Ti1", rutile.display());
    let answer = cellwright(&["substitutions", &site, "--format", "json"]).json("substitutions");
    let list = answer["environments"][0]["elements"].as_array().expect("a list");
    assert_eq!(list.len(), 10);
    let table = cellwright(&["substitutions", "K", "--crystals", "6", "-n", "3"]);
    assert_eq!(table.code, 0, "{}", table.stderr);
    assert!(table.stdout.contains("neighbours, "), "{}", table.stdout);
    let json = cellwright(&["substitutions", "K", "--crystals", "6", "--format", "json"]);
    let json = json.json("substitutions");
    let crystals = json["environments"].as_array().expect("a list").iter();
    assert!(crystals.map(|e| e["crystals"].as_u64().expect("a number")).sum::<u64>() >= 6);
    for (what, words) in [
        ("Kx", "neither an element nor a site"),
        (&format!("{}:Fe9", rutile.display()), "there is no site 'Fe9'"),
    ] {
        let done = cellwright(&["substitutions", what]);
        assert!(done.code == 2 && done.stderr.contains(words), "{}", done.stderr);
    }
}
