//! Files as people publish them are mostly right, so most of them must be without findings. Looks at the
//! corpus and the golden files beside the data folder, and skips loudly without them.

use std::io::Write;
use std::path::{Path, PathBuf};

use cellwright_checks::{Severity, Tolerances, check};
use cellwright_syntax::text::decode;
use cellwright_syntax::{Language, Parsed};

/// A path beside `CELLWRIGHT_DATA` (default: `../shared/data` beside the repository).
fn beside_data(name: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let data =
        std::env::var_os("CELLWRIGHT_DATA").map_or(root.join("../shared/data"), PathBuf::from);
    let path = data.parent()?.join(name);
    if path.exists() {
        return Some(path);
    }
    let message = format!("SKIPPED: {} is not there; set CELLWRIGHT_DATA\n", path.display());
    std::io::stderr().write_all(message.as_bytes()).expect("stderr");
    None
}

/// Codes of the warnings and errors of a text, each once.
fn faults(language: Language, text: &str) -> Vec<&'static str> {
    let findings = check(&Parsed::new(language, text), &Tolerances::default());
    let mut codes: Vec<_> =
        findings.iter().filter(|f| f.severity <= Severity::Warning).map(|f| f.code).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

/// Every warning in the corpus was looked at; these are deserved.
const DESERVED: [(&str, &[&str]); 10] = [
    // KHCO3 and Li0.4H0.6SbO3 whose hydrogen is neither among the sites nor in the formula.
    ("cif/amcsd_04414__missing_.cif", &["charge-imbalance"]),
    ("cif/amcsd_14343__missing_.cif", &["charge-imbalance"]),
    // Pb2.198(Si2.4Al1.6)O8 has 2.8 charges too many; NaSbF4O2 is NaSbF4(OH)2 without its hydrogen.
    ("cif/amcsd_01757__missing_.cif", &["charge-imbalance"]),
    ("cif/amcsd_17085__missing_.cif", &["charge-imbalance"]),
    // Kanemite, NaHSi2O5·3H2O: the formula counts the water and not the silanol.
    ("cif/amcsd_06765_Kanemite.cif", &["charge-imbalance"]),
    // PdS with Pd–Pd of 1.61 Å (2.75 Å in the metal).
    ("cif/amcsd_11641__missing_.cif", &["short-distance"]),
    // CuInP2Se6: the c glide brings Cu2 onto P1.
    ("cif/amcsd_12822__missing_.cif", &["occupancy-sum", "short-distance"]),
    // Bunsenite with an occupancy of 1.04.
    ("cif/amcsd_15496_Bunsenite.cif", &["occupancy-range"]),
    // BaTiO3 with Ti–O of 1.16 Å.
    ("cif/amcsd_18582__missing_.cif", &["short-distance"]),
    // Numbers such as 3.141*^-3, which VASP does not read.
    ("poscar/matterviz_scientific-notation.poscar", &["bad-number"]),
];

#[test]
fn published_files_have_the_faults_they_have_and_no_others() {
    let Some(corpus) = beside_data("corpus") else { return };
    let mut unexpected = Vec::new();
    let mut count = 0;
    for folder in ["cif", "poscar"] {
        for entry in std::fs::read_dir(corpus.join(folder)).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = format!("{folder}/{}", path.file_name().unwrap().to_string_lossy());
            let bytes = std::fs::read(&path).expect("a file");
            let (text, _) = decode(&bytes);
            let language = if folder == "cif" { Language::Cif } else { Language::Poscar };
            let found = faults(language, &text);
            let deserved = DESERVED.iter().find(|(file, _)| *file == name).map_or(&[][..], |d| d.1);
            if found != deserved {
                unexpected.push((name, found));
            }
            count += 1;
        }
    }
    assert!(count > 100, "only {count} files");
    assert!(unexpected.is_empty(), "{unexpected:#?}");
}

#[test]
fn files_written_by_programs_are_right() {
    let Some(path) = beside_data("golden/crystal/cif_roundtrip.json") else { return };
    let text = std::fs::read_to_string(path).expect("the golden file");
    let golden: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let cases = golden["cases"].as_array().expect("cases");
    let written: Vec<_> = cases.iter().filter(|c| c["handmade"] == false).collect();
    assert!(written.len() > 20, "only {} cases", written.len());
    for case in written {
        let found = faults(Language::Cif, case["cif"].as_str().expect("a CIF"));
        assert_eq!(found, [""; 0], "{}", case["name"]);
    }
}
