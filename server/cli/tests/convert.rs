use crate::support::{cellwright, file, run};

#[test]
fn a_cif_becomes_a_poscar_and_comes_back() {
    let rutile = file("rutile.cif");
    let rutile = rutile.to_str().expect("UTF-8");
    let poscar = cellwright(&["convert", rutile]);
    assert_eq!(poscar.code, 0, "{}", poscar.stderr);
    let lines: Vec<_> = poscar.stdout.lines().collect();
    assert_eq!(lines[5].split_whitespace().collect::<Vec<_>>(), ["Ti", "O"]);
    assert_eq!(lines[6].split_whitespace().collect::<Vec<_>>(), ["2", "4"]);

    let back = run(&["convert", "-", "--to", "cif"], poscar.stdout.as_bytes());
    assert_eq!(back.code, 0, "{}", back.stderr);
    let info = run(&["info", "-", "--format", "json"], back.stdout.as_bytes()).json("info");
    assert_eq!(info[0]["formula"], "Ti2 O4");
    assert_eq!(info[0]["spacegroup"]["number"], 136);
    assert_eq!(info[0]["problems"].as_array().map(Vec::len), Some(0), "{info:#}");
}

#[test]
fn several_files_go_into_a_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("made");
    let (a, b) = (file("rutile.cif"), file("POSCAR"));
    let run = cellwright(&[
        "convert".as_ref(),
        a.as_os_str(),
        b.as_os_str(),
        "-o".as_ref(),
        out.as_os_str(),
    ]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(out.join("rutile.vasp").is_file());
    assert!(out.join("POSCAR.cif").is_file());
}

#[test]
fn a_disordered_structure_is_refused_with_the_reason() {
    let text = std::fs::read_to_string(file("rutile.cif")).expect("a file");
    let text = text
        .replace("_atom_site_fract_z\n", "_atom_site_fract_z\n  _atom_site_occupancy\n")
        .replace("Ti1 Ti 0 0 0", "Ti1 Ti 0 0 0 0.9")
        .replace("0.3048(1) 0 ", "0.3048(1) 0 1 ");
    let refused = run(&["convert", "-", "--to", "poscar"], text.as_bytes());
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("partly occupied"), "{}", refused.stderr);
}
