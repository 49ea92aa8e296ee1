//! Parity with pymatgen and gemmi over the reference cases for CIF. The standard decides where they are wrong.

mod common;

use cellwright_crystal::structure::wrap_half;
use cellwright_crystal::{Element, Structure};
use nalgebra::Vector3;
use serde_json::Value;

/// Cases where the number of sites is not gemmi's, with our number and the reason.
const NOT_GEMMI: [(&str, usize, &str); 2] = [
    ("dummy_and_vacancy", 2, "calc_flag dum marks a dummy site, which is no atom"),
    ("nacl_number_only_225", 8, "gemmi does not take the operations from a number alone"),
];

/// Cases where the amounts of elements are not pymatgen's, and the reason.
const NOT_PYMATGEN: [(&str, &str); 0] = [];

#[test]
fn every_case_agrees() {
    let Some(golden) = common::golden("crystal/cif_roundtrip.json") else { return };
    let mut wrong = Vec::new();
    for case in golden["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        if let Err(why) = compare(name, case) {
            wrong.push(format!("{name}: {why}"));
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

fn compare(name: &str, case: &Value) -> Result<(), String> {
    let parsed = common::cif(case["cif"].as_str().unwrap());
    let reading = common::first(&parsed);
    let structure = reading.and_then(|r| r.structure.as_ref());
    let ours = structure.map_or(0, Structure::len);

    let exception = NOT_GEMMI.iter().find(|(n, ..)| *n == name);
    let gemmi = case["gemmi"]["n_sites_cell"].as_u64();
    if let Some((_, want, _)) = exception {
        if ours != *want {
            return Err(format!("{ours} sites, the table of reasons says {want}"));
        }
    } else if let Some(theirs) = gemmi
        && ours as u64 != theirs
    {
        return Err(format!("{ours} sites, gemmi has {theirs}"));
    }
    if let (None, Some(structure), Some(sites)) =
        (exception, structure, case["gemmi"]["sites_cell"].as_array())
    {
        same_sites(structure, sites)?;
    }
    let pymatgen = &case["pymatgen"];
    if let Some(composition) = pymatgen["composition"].as_object() {
        let structure = structure.ok_or("no structure, pymatgen has one")?;
        if NOT_PYMATGEN.iter().any(|(n, _)| *n == name) {
            return Ok(());
        }
        let ours = structure.composition();
        for (symbol, amount) in composition {
            let symbol: String = symbol.chars().take_while(char::is_ascii_alphabetic).collect();
            let element = Element::from_symbol(&symbol).ok_or("element")?;
            let (ours, theirs) = (ours.amount(element), amount.as_f64().unwrap());
            if (ours - theirs).abs() > 1e-3 {
                return Err(format!("{ours} {symbol} in the cell, pymatgen has {theirs}"));
            }
        }
        if ours.len() != composition.len() {
            return Err(format!("{ours} in the cell, pymatgen has {composition:?}"));
        }
        let volume = pymatgen["volume"].as_f64().unwrap();
        if (structure.lattice.volume() / volume - 1.0).abs() > 1e-8 {
            return Err(format!("volume {}, pymatgen has {volume}", structure.lattice.volume()));
        }
        let density = pymatgen["density_g_cm3"].as_f64().unwrap();
        if (structure.density() / density - 1.0).abs() > 2e-3 {
            return Err(format!("density {}, pymatgen has {density}", structure.density()));
        }
    }
    Ok(())
}

/// Every site of gemmi is one of ours with the same element, occupancy and position, and each only once.
fn same_sites(structure: &Structure, sites: &[Value]) -> Result<(), String> {
    let mut free: Vec<_> = structure.sites.iter().collect();
    for site in sites {
        let frac = &site["frac"];
        let frac = Vector3::from_fn(|i, _| frac[i].as_f64().unwrap_or(f64::NAN));
        let symbol = site["element"].as_str().unwrap();
        let occupancy = site["occ"].as_f64().unwrap();
        let matches = |s: &&cellwright_crystal::Site| {
            let apart = structure.lattice.to_cartesian(&(s.frac - frac).map(wrap_half)).norm();
            let element = s.element.map_or("X", Element::symbol);
            let same = element == symbol || (symbol == "D" && element == "H") || symbol == "X";
            same && (s.occupancy - occupancy).abs() < 1e-6 && apart < 0.11
        };
        let Some(i) = free.iter().position(matches) else {
            return Err(format!("no {symbol} at {frac:?} with occupancy {occupancy}"));
        };
        free.swap_remove(i);
    }
    Ok(())
}
