use super::*;
use crate::data::{Crystal, Entry};
use crate::prototypes::{Known, Provenance, build};

fn request(formula: &str, units: Option<u32>) -> Request {
    let composition: Composition = formula.parse().unwrap();
    let composition = composition.iter().map(|(e, n)| (e, n as u32)).collect();
    Request {
        composition,
        units,
        space_group: None,
        answers: 20,
        samples: 0,
        starts: Some(0),
        seed: 0,
    }
}

fn known(id: &str, numbers: &[u8], frac: &[[f64; 3]], a: f64, angle: f64) -> Known {
    known_at(0.0, id, numbers, frac, [a, angle])
}

/// A crystal so far above the hull (eV/atom).
fn known_at(hull: f64, id: &str, numbers: &[u8], frac: &[[f64; 3]], [a, angle]: [f64; 2]) -> Known {
    let crystal = Crystal {
        id: id.into(),
        numbers: numbers.to_vec(),
        frac: frac.to_vec(),
        lengths: [a; 3],
        angles: [angle; 3],
    };
    let entry = Entry { crystal, hull: Some(hull), space_group: None };
    Known::new(entry).unwrap().unwrap()
}

/// Rock salt, caesium chloride, fluorite and perovskite.
fn small() -> Predictor {
    let half = [[0.0; 3], [0.5; 3]];
    let fluorite = [[0.0; 3], [0.25; 3], [0.75; 3]];
    let perovskite = [[0.0; 3], [0.5; 3], [0.5, 0.5, 0.0], [0.5, 0.0, 0.5], [0.0, 0.5, 0.5]];
    let crystals = vec![
        known("salt", &[11, 17], &half, 3.988, 60.0),
        known("oxide", &[12, 8], &half, 2.978, 60.0),
        known("caesium", &[55, 17], &half, 4.12, 90.0),
        known("fluorite", &[20, 9, 9], &fluorite, 3.86, 60.0),
        known("titanate", &[38, 22, 8, 8, 8], &perovskite, 3.905, 90.0),
    ];
    let library = build(crystals, Provenance::default());
    assert_eq!((library.classes().len(), library.crystals()), (4, 5));
    Predictor::new(Prototypes { library, ranker: None })
}

fn predict(predictor: &Predictor, request: &Request) -> Prediction {
    predictor.predict(request, &|| false, &mut |_| ()).unwrap()
}

#[test]
fn a_salt_takes_the_structure_of_its_neighbour() {
    let answer = predict(&small(), &request("KCl", None));
    let first = &answer.candidates[0];
    assert_eq!(first.source, Source::Prototype { id: "salt".into(), formula: "NaCl".into() });
    assert_eq!(first.space_group.as_ref().map(|g| g.0), Some(225));
    assert_eq!((first.units, first.charge_balanced), (1, Some(true)));
    // Sites come in the order of the composition, and the cell has grown.
    assert_eq!(first.structure.sites[0].element, "K".parse().ok());
    assert!(first.structure.lattice.volume() > 3.988_f64.powi(3) / 2.0_f64.sqrt());
    // The other two structures of such salts are there once: their exchange is a symmetry.
    assert_eq!(answer.candidates.len(), 2);
    assert_eq!(answer.candidates[1].space_group.as_ref().map(|g| g.0), Some(221));
}

#[test]
fn a_space_group_can_be_asked_for() {
    let wanted = Request { space_group: Some(221), ..request("KCl", None) };
    let answer = predict(&small(), &wanted);
    assert_eq!(answer.candidates.len(), 1);
    let none = Request { space_group: Some(62), ..request("KCl", None) };
    let answer = predict(&small(), &none);
    assert!(answer.candidates.is_empty());
    assert!(answer.notes.iter().any(|n| n.contains("space group")), "{:?}", answer.notes);
}

#[test]
fn both_ways_to_fill_a_perovskite_are_tried() {
    let answer = predict(&small(), &request("BaZrO3", Some(1)));
    assert_eq!(answer.candidates.len(), 2);
    let twice = predict(&small(), &request("BaZrO3", Some(2)));
    assert!(twice.candidates.is_empty());
    assert!(twice.notes[0].contains("known in primitive cells are 1"), "{:?}", twice.notes);
}

#[test]
fn what_cannot_be_answered_is_explained() {
    let empty = Predictor::new(Prototypes { library: Library::default(), ranker: None });
    let note = |p: &Predictor, formula| predict(p, &request(formula, None)).notes.join("; ");
    assert!(note(&empty, "NaCl").contains("library of known structures is empty"));
    assert!(note(&small(), "Ca7O3").contains("no known structure has this ratio"));
    assert!(note(&small(), "PuO").contains("no known structure holds Pu"));
    assert!(note(&small(), "NaCl2").contains("neutral"));
    let refused = |request: &Request| {
        small().predict(request, &|| false, &mut |_| ()).unwrap_err().to_string()
    };
    assert!(refused(&request("NaCl", Some(300))).contains("600 atoms"));
    assert!(refused(&request("NaCl", Some(0))).contains("at least one formula unit"));
    let none = Request { answers: 0, ..request("NaCl", None) };
    assert!(refused(&none).contains("one answer"));
    let odd = Request { space_group: Some(231), ..request("NaCl", None) };
    assert!(refused(&odd).contains("no space group 231"));
    let nothing = Request { composition: Vec::new(), ..request("NaCl", None) };
    assert!(refused(&nothing).contains("whole counts"));
}

#[test]
fn a_watcher_can_stop() {
    let stopped = small().predict(&request("KCl", None), &|| true, &mut |_| ());
    assert!(matches!(stopped, Err(ModelError::Cancelled)));
}

#[test]
fn the_shipped_library_knows_its_chemistry() {
    let predictor = Predictor::shipped().unwrap();
    assert!(predictor.prototypes().library.crystals() > 10_000);
    assert!(LIBRARY.len() < 3 << 20);
    let answer = predict(&predictor, &request("SrTiO3", Some(1)));
    let first = &answer.candidates[0];
    assert_eq!(first.structure.composition().formula(), "SrTiO3");
    assert!((first.density - 5.1).abs() < 0.5, "{}", first.density);
    let chances: Vec<f64> = answer.candidates.iter().filter_map(|c| c.probability).collect();
    assert!(!chances.is_empty());
    assert!(chances.is_sorted_by(|a, b| a >= b) && chances.iter().sum::<f64>() <= 1.0 + 1e-9);
    assert!(chances[0] > 0.5, "{chances:?}");
}

#[test]
fn z_of_the_conventional_cell_and_of_the_primitive_one_are_understood() {
    let predictor = Predictor::shipped().unwrap();
    for (units, atoms) in [(1, 2), (4, 8)] {
        let answer = predict(&predictor, &request("NaCl", Some(units)));
        let first = &answer.candidates[0];
        assert_eq!(first.space_group.as_ref().map(|g| g.0), Some(225), "Z = {units}");
        assert_eq!((first.structure.len(), first.units), (atoms, units));
        let chances = answer.candidates.iter().filter_map(|c| c.probability);
        assert!(chances.sum::<f64>() <= 1.0 + 1e-9);
        assert!(answer.candidates.iter().all(|c| c.units == units));
    }
}

#[test]
fn the_shipped_energies_are_those_of_the_shipped_library() {
    assert!(ENERGIES.len() < 100_000, "{}", ENERGIES.len());
    let energies = Energies::from_bytes(ENERGIES, LIBRARY).unwrap();
    assert_eq!(energies.asked(), energies.iter().len());
    assert!(energies.known() > 18_000, "{}", energies.known());
    let predictor = Predictor::shipped().unwrap();
    let hull = predictor.hull(&"NaCl".parse().unwrap()).unwrap();
    assert!((hull.energy + 3.67).abs() < 0.05 && hull.phases > 1, "{hull:?}");
    assert_eq!(hull.mixture(), "1 NaCl");
    let strange = predictor.hull(&"CmO2".parse().unwrap()).unwrap_err();
    assert!(matches!(strange, NoHull::Without(_)), "{strange}");
    assert!(matches!(small().hull(&"NaCl".parse().unwrap()), Err(NoHull::NoEnergies)));
}

#[test]
fn polymorphs_are_told_apart_by_stability_and_leave_room_for_what_is_not_known() {
    let half = [[0.0; 3], [0.5; 3]];
    let chances = |rock_salt: f64, caesium: f64| {
        let crystals = vec![
            known_at(rock_salt, "a", &[55, 17], &half, [4.9, 60.0]),
            known_at(caesium, "b", &[55, 17], &half, [4.12, 90.0]),
            known("c", &[37, 17], &[[0.0; 3], [0.25; 3]], 4.8, 60.0),
        ];
        let library = build(crystals, Provenance::default());
        let composition = request("CsCl", None).composition;
        let question = crate::prototypes::Question::new(&composition, &[1], None).unwrap();
        let (hits, _) = library.query(&question, 9);
        assert_eq!(hits.len(), 3);
        let known = polymorphs::polymorphs(&library, &hits);
        assert_eq!(known.len(), 2);
        let of = |id: &str| {
            let is = |(i, _): &&(usize, f64)| library.classes()[hits[*i].class].members[0].id == id;
            known.iter().find(is).unwrap().1
        };
        ["a", "b"].map(of)
    };
    let [stable, other] = chances(0.0, 0.015);
    assert!((stable / other - 2.0).abs() < 0.01 && (stable + other - 0.988).abs() < 1e-9);
    // With none of them on the hull the one that is meant is missing more often.
    let [other, best] = chances(0.115, 0.1);
    assert!((best / other - 2.0).abs() < 0.01 && (best + other - 0.94).abs() < 1e-9);
}

#[test]
fn a_structure_that_neighbours_suggest_is_not_crowded_out_by_polymorphs() {
    // 27 crystals of this formula are known, none of them on the hull; olivine is not among them, but LiMnPO4 is.
    let predictor = Predictor::shipped().unwrap();
    let found = predict(&predictor, &request("LiFePO4", Some(4)));
    let from = |c: &Candidate| match &c.source {
        Source::Prototype { formula, .. } => formula.clone(),
        _ => String::new(),
    };
    assert_eq!(from(&found.candidates[0]), "LiFePO4");
    let olivine = found.candidates.iter().find(|c| from(c) == "LiMnPO4").unwrap();
    assert_eq!(olivine.space_group.as_ref().unwrap().0, 62);
}

#[test]
fn where_nothing_fits_there_are_random_starts() {
    let asked = Request { starts: None, answers: 6, ..request("Mg5N2", Some(1)) };
    let predict = || small().predict(&asked, &|| false, &mut |_| ()).unwrap();
    let found = predict();
    assert_eq!(found, predict());
    assert!(found.candidates.len() > 3, "{:?}", found.notes);
    for candidate in &found.candidates {
        assert!(matches!(candidate.source, Source::Search { .. }));
        assert_eq!((candidate.structure.len(), candidate.probability), (7, None));
        assert!(candidate.shortest.is_some_and(|d| d > 1.0));
    }
    let other = Request { seed: 1, ..asked.clone() };
    assert_ne!(small().predict(&other, &|| false, &mut |_| ()).unwrap(), found);
    let large = Request { units: Some(6), ..asked };
    let none = small().predict(&large, &|| false, &mut |_| ()).unwrap();
    assert!(none.candidates.is_empty());
    assert!(none.notes.iter().any(|n| n.contains("at most 40 atoms")), "{:?}", none.notes);
}

#[test]
fn samples_join_the_list_where_the_model_knows_such_cells() {
    let sampling = |formula: &str, units| {
        let asked = Request { samples: 6, ..request(formula, units) };
        let predictor = Predictor { diffusion: Learned::Shipped, ..small() };
        predictor.predict(&asked, &|| false, &mut |_| ()).unwrap()
    };
    // No known structure of the small library has this ratio, nor a part of one.
    let found = sampling("Ti2O2N", Some(1));
    let mut samples = 0;
    for candidate in &found.candidates {
        if let Source::Diffusion { model, agreeing, samples: of, .. } = &candidate.source {
            assert!(["EquiCSP MP", "EquiCSP Perov-5"].contains(&model.as_str()) && *of == 6);
            samples += agreeing;
        }
    }
    assert!((1..=12).contains(&samples), "{samples}");
    // The model of perovskites knows cells of five atoms only, the other one larger ones.
    let large = sampling("BaTiO3", Some(2));
    let by = |c: &Candidate| matches!(&c.source, Source::Diffusion { model, .. } if model == "EquiCSP MP");
    assert!(large.candidates.iter().any(by), "{:?}", large.notes);
    assert!(!large.notes.iter().any(|n| n.contains("EquiCSP")), "{:?}", large.notes);
    let too_large = sampling("BaTiO3", Some(5)).notes;
    assert!(too_large.iter().any(|n| n.contains("cells of 5 atoms")), "{too_large:?}");
    let strange = sampling("RnTiO3", Some(1));
    assert!(strange.notes.iter().any(|n| n.contains("never seen Rn")), "{:?}", strange.notes);
    let without = Request { samples: 6, ..request("KCl", None) };
    let without = small().predict(&without, &|| false, &mut |_| ()).unwrap();
    assert!(without.notes.iter().any(|n| n.contains("no diffusion model")));
}
