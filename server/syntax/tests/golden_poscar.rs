//! Parity with pymatgen and ase over the reference cases for POSCAR. VASP's documentation decides where
//! they are wrong.

mod common;

use cellwright_crystal::{Element, Structure};
use serde_json::Value;

/// Cases where a program is not to be followed, and why. `true` where neither is.
const EXCEPTIONS: [(&str, &str, &str); 1] = [(
    "scale_negative_volume_cartesian",
    "pymatgen",
    "it multiplies Cartesian coordinates by the raw negative scale",
)];

#[test]
fn every_case_agrees() {
    let Some(golden) = common::golden("crystal/poscar.json") else { return };
    let mut wrong = Vec::new();
    for case in golden["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let parsed = common::poscar(case["poscar"].as_str().unwrap());
        assert_eq!(parsed.readings.len(), 1, "{name}");
        let structure = parsed.readings[0].structure.as_ref();
        for program in ["pymatgen", "ase"] {
            if EXCEPTIONS.iter().any(|(n, p, _)| *n == name && *p == program) {
                continue;
            }
            if let Err(why) = compare(structure, &case[program]) {
                wrong.push(format!("{name}, {program}: {why}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

fn compare(ours: Option<&Structure>, theirs: &Value) -> Result<(), String> {
    if theirs["error"].is_string() {
        // What a program cannot read we may read.
        return Ok(());
    }
    let ours = ours.ok_or("no structure")?;
    let number = |v: &Value| v.as_f64().unwrap_or(f64::NAN);
    for (i, row) in theirs["matrix"].as_array().unwrap().iter().enumerate() {
        for j in 0..3 {
            let (a, b) = (ours.lattice.matrix()[(i, j)], number(&row[j]));
            if (a - b).abs() > 1e-8 {
                return Err(format!("vector {i} component {j} is {a}, not {b}"));
            }
        }
    }
    let frac = theirs["frac_raw"].as_array().unwrap();
    if frac.len() != ours.len() {
        return Err(format!("{} atoms, not {}", ours.len(), frac.len()));
    }
    for (site, theirs) in ours.sites.iter().zip(frac) {
        for j in 0..3 {
            let (a, b) = (site.frac[j], number(&theirs[j]));
            if (a - b).abs() > 1e-8 {
                return Err(format!("a coordinate is {a}, not {b}"));
            }
        }
    }
    // Names that a program made up are no reference.
    if theirs["true_names"] == false {
        return Ok(());
    }
    for (site, theirs) in ours.sites.iter().zip(theirs["species"].as_array().unwrap()) {
        let a = site.element.map_or("?", Element::symbol);
        if Some(a) != theirs.as_str() {
            return Err(format!("{a}, not {theirs}"));
        }
    }
    Ok(())
}
