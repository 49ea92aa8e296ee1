//! Parity with the reference programs, over a data pack that is not part of the repository: where it is
//! absent these tests say so and check nothing.

mod support;

use std::collections::{BTreeMap, BTreeSet};

use cellwright_crystal::cells::standard;
use cellwright_crystal::neighbors::neighbors;
use cellwright_crystal::symmetry::{Setting, detect, site_permutations};
use serde_json::Value;
use support::{cases, list, number, structure, text};

#[test]
fn neighbours_agree_with_pymatgen_and_ase() {
    let Some(cases) = cases("neighbors.json") else { return };
    for case in &cases {
        let id = &case["id"];
        let crystal = structure(case);
        let cutoff = number(&case["cutoff"]);
        let found = neighbors(&crystal.lattice, &crystal.fractional(), cutoff).unwrap();
        assert_eq!(found.pairs() as f64, number(&case["n_pairs_directed"]), "case {id}");
        let counts: Vec<_> = (0..found.len()).map(|i| found.of(i).len() as f64).collect();
        assert_eq!(counts, list(&case["per_atom_counts"], number), "case {id}");
        let mut distances: Vec<_> = found.iter().map(|(_, n)| n.distance).collect();
        distances.sort_by(f64::total_cmp);
        for (got, want) in distances.iter().zip(list(&case["first_50_distances"], number)) {
            assert!((got - want).abs() < 1e-6, "case {id}: {got} {want}");
        }
        let sum: f64 = distances.iter().sum();
        let want = number(&case["sum_distances"]);
        assert!((sum - want).abs() < 1e-8 * want, "case {id}: {sum} {want}");
        // The closest pair is a property of the crystal, not of the cutoff.
        let pair = crystal.closest_pair().unwrap().unwrap();
        let shortest = list(&case["first_50_distances"], number)[0];
        assert!((pair.distance - shortest).abs() < 1e-6, "case {id}: {pair:?} {shortest}");
    }
    assert!(cases.len() >= 30);
}

/// A partition of the sites as sets of sets.
fn classes(labels: &[usize]) -> BTreeSet<Vec<usize>> {
    let mut classes: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (site, label) in labels.iter().enumerate() {
        classes.entry(*label).or_default().push(site);
    }
    classes.into_values().collect()
}

/// Site symmetries without the dots that tell their orientation, with the number of sites of each: what
/// does not depend on the choice of origin.
fn site_symmetries(symbols: &[String]) -> BTreeMap<String, usize> {
    let mut count = BTreeMap::new();
    for symbol in symbols {
        *count.entry(symbol.replace('.', "")).or_insert(0) += 1;
    }
    count
}

/// Cases of atoms moved by about the tolerance in which spglib, having tightened its tolerance, finds fewer
/// operations than hold within it (space group there, and here): in 173, for one, all 24 operations of P m -3
/// bring every atom within 0.0074 Å of its like where 0.01 Å are allowed.
const MORE_SYMMETRY: [(u64, &str, u64, u16); 5] = [
    (173, "0.01", 6, 200),
    (175, "0.1", 1, 7),
    (176, "0.01", 160, 225),
    (193, "0.1", 1, 8),
    (194, "0.01", 44, 225),
];

#[test]
fn symmetry_agrees_with_spglib() {
    let Some(cases) = cases("symmetry.json") else { return };
    let mut differences = Vec::new();
    let mut more = Vec::new();
    let mut compared = 0;
    for case in &cases {
        let crystal = structure(case);
        for (precision, symprec) in [("0.01", 0.01), ("0.1", 0.1)] {
            if case["unstable"][precision] == Value::Bool(true) {
                continue;
            }
            compared += 1;
            let want = &case["spglib"][precision];
            let id = format!("case {} at {precision} Å", case["id"]);
            let found = match detect(&crystal, symprec) {
                Ok(found) => found,
                Err(error) => {
                    differences.push(format!("{id}: {error}"));
                    continue;
                }
            };
            // What was found is a symmetry: every operation permutes the sites within the tolerance.
            if let Err(error) = site_permutations(&crystal, &found.operations, symprec) {
                differences.push(format!("{id}: {error}"));
            }
            let (group, operations) = (&want["number"], &want["n_operations"]);
            if case["mode"] != "asis"
                && found.operations.len() as u64 > operations.as_u64().expect("a number")
            {
                more.push((
                    case["id"].as_u64().expect("a number"),
                    precision,
                    group.as_u64().expect("a number"),
                    found.number,
                ));
                continue;
            }
            let mut differs = |what: &str, got: String, want: String| {
                if got != want {
                    differences.push(format!("{id}: {what} {got}, not {want}"));
                }
            };
            differs("group", found.number.to_string(), group.to_string());
            differs("point group", found.point_group().hm.to_owned(), text(&want["pointgroup"]));
            differs("operations", found.operations.len().to_string(), operations.to_string());
            let orbits = list(&want["crystallographic_orbits"], |i| number(i) as usize);
            differs(
                "orbits",
                format!("{:?}", classes(&found.equivalent)),
                format!("{:?}", classes(&orbits)),
            );
            let symbols = list(&want["site_symmetry_symbols"], text);
            differs(
                "site symmetries",
                format!("{:?}", site_symmetries(&found.site_symmetry)),
                format!("{:?}", site_symmetries(&symbols)),
            );
            // Letters depend on which of the equivalent origins is chosen (spglib takes origin choice 1 where
            // there are two, this crate choice 2); which sites share one does not.
            let letters: Vec<_> = found.wyckoffs.iter().map(|c| *c as usize).collect();
            let theirs = list(&want["wyckoffs"], |c| text(c).bytes().next().map_or(0, usize::from));
            differs(
                "sites by letter",
                format!("{:?}", classes(&letters)),
                format!("{:?}", classes(&theirs)),
            );
            let standard = standard(&crystal, symprec).unwrap();
            let conventional = &standard.conventional.structure;
            differs(
                "standard sites",
                conventional.len().to_string(),
                want["n_std_atoms"].to_string(),
            );
            let tabulated = Setting::from_hall_number(standard.hall_number).unwrap().operations();
            if let Err(error) = site_permutations(conventional, &tabulated, 4.0 * symprec) {
                differences.push(format!("{id}: conventional cell: {error}"));
            }
        }
    }
    assert!(compared > 195, "only {compared} were compared");
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), differences.join("\n"));
    assert_eq!(more, MORE_SYMMETRY);
}
