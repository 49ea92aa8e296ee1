//! Real files: all of them are read without panic, and where both reference programs agree we agree with them.

mod common;

use std::path::Path;

use cellwright_crystal::Element;
use cellwright_crystal::structure::wrap_half;
use cellwright_syntax::edit::{Update, update, update_as_p1};
use cellwright_syntax::text::{apply_edits, decode};
use cellwright_syntax::{Language, Parsed};
use serde_json::Value;

/// Files that differ from both programs, with the reason.
const EXCEPTIONS: [(&str, &str); 1] =
    [("cif/amcsd_10560__missing_.cif", "pymatgen takes the label NH3 for nihonium, it is ammonia")];

#[test]
fn real_files_are_read_as_both_programs_read_them() {
    let Some(corpus) = common::shared("corpus") else { return };
    let manifest = std::fs::read_to_string(corpus.join("manifest.json")).unwrap();
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
    let files = manifest["files"].as_array().unwrap();
    let mut wrong = Vec::new();
    for entry in files {
        let file = entry["file"].as_str().unwrap();
        if let Err(why) = compare(&corpus, entry)
            && !EXCEPTIONS.iter().any(|(f, _)| *f == file)
        {
            wrong.push(format!("{file}: {why}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), files.len(), wrong.join("\n"));
}

/// In every real file: no change gives no edit; atoms moved anywhere come back from the P 1 rewrite, and nothing is
/// wrong with its text that was not wrong before.
#[test]
fn real_files_survive_editing() {
    let Some(corpus) = common::shared("corpus") else { return };
    let mut seen = 0;
    for folder in ["cif", "poscar"] {
        for entry in std::fs::read_dir(corpus.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let bytes = std::fs::read(&path).unwrap();
            let language = if folder == "cif" { Language::Cif } else { Language::Poscar };
            let parsed = Parsed::new(language, &decode(&bytes).0);
            let Some(reading) = common::first(&parsed) else { continue };
            let mut new = reading.structure.clone().unwrap();
            assert_eq!(update(&parsed, reading, &new), Ok(Update::default()), "{}", path.display());
            for (i, site) in new.sites.iter_mut().enumerate() {
                site.frac[i % 3] += 0.01 + 0.001 * (i % 7) as f64;
            }
            let edits = update_as_p1(&parsed, reading, &new).unwrap().edits;
            let after = Parsed::new(language, &apply_edits(&parsed.text, &edits));
            let got = common::first(&after).and_then(|r| r.structure.as_ref()).unwrap();
            assert_eq!(got.len(), new.len(), "{}", path.display());
            for (a, b) in got.sites.iter().zip(&new.sites) {
                let apart = (a.frac - b.frac).map(wrap_half).amax();
                assert!(a.element == b.element && apart < 1e-4, "{}: {apart}", path.display());
            }
            assert!(after.problems.len() <= parsed.problems.len(), "{}", path.display());
            seen += 1;
        }
    }
    assert!(seen > 100, "{seen}");
}

fn compare(corpus: &Path, entry: &Value) -> Result<(), String> {
    let bytes = std::fs::read(corpus.join(entry["file"].as_str().unwrap())).unwrap();
    let (text, _) = decode(&bytes);
    let cif = entry["kind"] == "cif";
    let parsed = Parsed::new(if cif { Language::Cif } else { Language::Poscar }, &text);
    let structure = common::first(&parsed).and_then(|r| r.structure.as_ref());
    let pymatgen = &entry["pymatgen"];
    let other = &entry[if cif { "gemmi" } else { "ase" }];
    if pymatgen["ok"] != true || other["ok"] != true {
        return Ok(());
    }
    let theirs = (
        pymatgen["n_sites"].as_u64().unwrap_or(0),
        other[if cif { "n_sites_cell" } else { "n_sites" }].as_u64().unwrap_or(0),
    );
    let structure = structure.ok_or(format!("no structure, they have {theirs:?} sites"))?;
    if theirs.0 == theirs.1 && structure.len() as u64 != theirs.0 {
        return Err(format!("{} sites, both have {}", structure.len(), theirs.0));
    }
    let volume = other["volume"].as_f64().unwrap_or(f64::NAN);
    if (structure.lattice.volume() / volume - 1.0).abs() > 1e-6 {
        return Err(format!("volume {}, they have {volume}", structure.lattice.volume()));
    }
    // gemmi gives no formula; ase's is the second opinion for a POSCAR.
    if cif && theirs.0 == theirs.1 {
        let formula = pymatgen["formula"].as_str().unwrap();
        let ours = structure.composition();
        let mut elements = 0;
        for word in formula.split_whitespace() {
            let symbol: String = word.chars().take_while(char::is_ascii_alphabetic).collect();
            let amount: f64 = word[symbol.len()..].parse().unwrap_or(1.0);
            let element = Element::from_symbol(&symbol).ok_or("element")?;
            elements += 1;
            if (ours.amount(element) - amount).abs() > 2e-3 * amount.max(1.0) {
                return Err(format!("{ours}, pymatgen has {formula}"));
            }
        }
        if elements != ours.len() {
            return Err(format!("{ours}, pymatgen has {formula}"));
        }
    }
    Ok(())
}
