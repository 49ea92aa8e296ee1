use crate::support::{cellwright, file, run};

#[test]
fn info_describes_the_whole_cell() {
    let rutile = file("rutile.cif");
    let rutile = rutile.to_str().expect("UTF-8");
    let info = cellwright(&["info", rutile, "--format", "json"]);
    assert_eq!(info.code, 0, "{}", info.stderr);
    let info = info.json("info");
    let info = &info[0];
    assert_eq!(info["formula"], "Ti2 O4");
    assert_eq!(info["n_atoms"], 6);
    assert_eq!(info["spacegroup"]["number"], 136);
    assert_eq!(info["spacegroup"]["declared"], "P 42/m n m");
    let close = |key: &str, want: f64, tolerance: f64| {
        let got = info[key].as_f64().expect("a number");
        assert!((got - want).abs() < tolerance, "{key}: {got}");
    };
    close("volume", 4.5937 * 4.5937 * 2.9587, 1e-9);
    close("density", 4.249, 2e-3);
    // Ti–O along the diagonal: 0.3048 √2 a = 1.980 Å; the four others are at 1.949 Å.
    close("min_distance", 1.949, 2e-3);
    assert_eq!(info["sites"].as_array().map(Vec::len), Some(6));
    assert_eq!(info["sites"][0]["label"], "Ti1");
    let valence = |site: usize| info["sites"][site]["bond_valence"].as_f64().expect("a number");
    assert!((valence(0) - 4.0).abs() < 0.2 && (valence(5) + 2.0).abs() < 0.1);

    let text = cellwright(&["info", rutile, "--sites"]);
    assert!(text.stdout.contains("P 42/m n m (136), declared P 42/m n m"), "{}", text.stdout);
    assert_eq!(text.stdout.lines().filter(|l| l.contains("O1 ")).count(), 4, "{}", text.stdout);
    assert_eq!(text.stdout.lines().filter(|l| l.contains("  v -")).count(), 4, "{}", text.stdout);
}

#[test]
fn line_ends_and_encodings_make_no_difference() {
    let text = std::fs::read_to_string(file("rutile.cif")).expect("a file");
    let latin1 = text.replace("textbook", "M\u{fc}nchner");
    let latin1: Vec<u8> = latin1.chars().map(|c| c as u8).collect();
    let variants = [
        text.replace('\n', "\r\n").into_bytes(),
        text.replace('\n', "\r").into_bytes(),
        format!("\u{feff}{text}").into_bytes(),
        latin1,
    ];
    for bytes in variants {
        let info = run(&["info", "-", "--format", "json"], &bytes);
        assert_eq!(info.code, 0, "{}", info.stderr);
        assert_eq!(info.json("info")[0]["n_atoms"], 6);
    }
}

#[test]
fn a_file_without_a_structure_says_so() {
    let empty = run(&["info", "-", "--format", "json"], b"data_nothing\n_journal_year 1999\n");
    assert_eq!(empty.code, 2);
    assert!(empty.stderr.contains("no structure"), "{}", empty.stderr);
}
