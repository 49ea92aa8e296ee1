//! Completion by a model whose chances are known.

use cellwright_crystal::cells::supercell;
use cellwright_crystal::{Lattice, Site};
use nalgebra::{Matrix3, Vector3};

use super::*;
use crate::Evaluation;
use crate::data::testing::caesium_chloride;
use crate::data::{Crystal, Entry};
use crate::eval::selfsup as eval;
use crate::prototypes::{Known, Provenance, build};
use crate::tasks::finish::Evaluate;
use crate::tasks::mender::Mended;

/// Chances of F, O, Na and Mg on a masked site, by what else is in the cell.
struct Rules(fn(&Structure, usize) -> [f64; 4]);

fn element(symbol: &str) -> Element {
    symbol.parse().unwrap()
}

impl Mender for Rules {
    fn provenance(&self) -> crate::Provenance {
        crate::Provenance { model: "rules".into(), version: "1".into(), device: "cpu".into() }
    }

    fn mend(&self, cells: &[Structure], _: &dyn Fn() -> bool) -> Result<Vec<Mended>, ModelError> {
        let names = ["F", "O", "Na", "Mg"].map(element);
        let chances = |cell: &Structure, i: usize| {
            let mut all = vec![0.0; Element::COUNT];
            for (e, p) in names.into_iter().zip((self.0)(cell, i)) {
                all[usize::from(e.z()) - 1] = p;
            }
            all
        };
        let cell = |cell: &Structure| Mended {
            probabilities: (0..cell.len()).map(|i| chances(cell, i)).collect(),
            displacement: vec![Vector3::zeros(); cell.len()],
        };
        Ok(cells.iter().map(cell).collect())
    }
}

/// A row of atoms; `?` is masked.
fn row(symbols: &[&str]) -> Structure {
    let site = |(i, symbol): (usize, &&str)| Site {
        element: Element::from_symbol(symbol),
        ..Site::new(Element::H, Vector3::new(i as f64 / symbols.len() as f64, 0.0, 0.0))
    };
    Structure {
        lattice: Lattice::from_parameters([8.0, 4.0, 4.0], [90.0; 3]).unwrap(),
        sites: symbols.iter().enumerate().map(site).collect(),
    }
}

fn never() -> bool {
    false
}

/// Ask the model alone.
fn ask(rules: &Rules, question: &Question) -> Result<Completion, ModelError> {
    complete(rules, question, Evidence::none(), &never)
}

#[test]
fn charges_speak_beside_the_model() {
    let question = Question::separate(row(&["Mg", "?"]), 4);
    let quick = Weights { charged: 2.0, ..Weights::NEUTRAL };
    let evidence = Evidence {
        weighing: Weighing::same(Levels { quick, ..Levels::NEUTRAL }),
        ..Evidence::none()
    };
    let done = complete(&Rules(|_, _| [0.5, 0.3, 0.1, 0.1]), &question, evidence, &never).unwrap();
    let first = &done.joint[0];
    assert_eq!((first.elements[0], first.charge_balanced), (element("O"), Some(true)));
    // MgF cannot be neutral; MgNa and Mg2 are metals.
    let charged = 0.5 * (-2.0_f64).exp();
    let total = charged + 0.3 + 0.1 + 0.1;
    assert!((first.probability - 0.3 / total).abs() < 1e-12);
    let fluoride = done.joint.iter().find(|a| a.elements[0] == element("F")).unwrap();
    assert_eq!(fluoride.charge_balanced, Some(false));
    assert!((fluoride.probability - charged / total).abs() < 1e-12);
    assert_eq!(done.groups[0][0], (first.elements[0], first.probability));
    let sum: f64 = done.joint.iter().map(|a| a.probability).sum();
    assert!((sum - 1.0).abs() < 1e-12);
}

/// What a potential says of two atoms at rest under a pressure (GPa).
fn pressed(pressure: f64) -> Evaluation {
    Evaluation {
        energy_per_atom: -3.0,
        forces: vec![Vector3::zeros(); 2],
        stress: Matrix3::from_diagonal_element(pressure),
        magmoms: Vec::new(),
        site_energies: vec![-3.0; 2],
        cautions: Vec::new(),
    }
}

#[test]
fn a_potential_says_who_belongs_in_the_cell() {
    let rules = Rules(|_, _| [0.5, 0.3, 0.15, 0.05]);
    let question = Question::separate(row(&["Mg", "?"]), 4);
    // Oxygen alone leaves the cell at rest; sodium is refused and keeps its chance.
    let mut asked = 0;
    let mut evaluate = |cells: &[&Structure]| {
        let answer = |cell: &&Structure| {
            asked += 1;
            let name = cell.sites[1].element.map(Element::symbol);
            if name == Some("Na") {
                return Err(ModelError::Unsupported("no sodium".into()));
            }
            Ok(pressed(if name == Some("O") { 0.0 } else { 19.0 }))
        };
        cells.iter().map(answer).collect()
    };
    let thorough = Weights { pressure: 2.0, ..Weights::NEUTRAL };
    let weighing = Weighing::same(Levels { thorough, ..Levels::NEUTRAL });
    let potentials = Some(Potentials { evaluate: &mut evaluate, fine: false, energies: None });
    let evidence = Evidence { potentials, weighing, ..Evidence::none() };
    let done = complete(&rules, &question, evidence, &never).unwrap();
    assert_eq!(asked, 4);
    let chance =
        |symbol| done.joint.iter().find(|a| a.elements[0] == element(symbol)).unwrap().probability;
    // 20 GPa, to the power of the weight, between them.
    assert!((chance("O") / chance("F") - 0.3 / 0.5 * 400.0).abs() < 1e-9);
    assert!((chance("Na") - 0.15).abs() < 1e-12);
    assert_eq!(
        done.joint[0].probe,
        Some(Probe { energy: Some(-3.0), pressure: 0.0, shear: 0.0, fine: false })
    );
    let sodium = done.joint.iter().find(|a| a.elements[0] == element("Na")).unwrap();
    assert_eq!(sodium.probe, None);
}

#[test]
fn energies_are_those_of_the_potential_that_is_asked_for_them() {
    let rules = Rules(|_, _| [0.4, 0.3, 0.2, 0.1]);
    let question = Question::separate(row(&["Mg", "?"]), 4);
    let mut evaluate = |cells: &[&Structure]| cells.iter().map(|_| Ok(pressed(1.0))).collect();
    // It knows no sodium.
    let mut energies = |cells: &[&Structure]| {
        let answer = |cell: &&Structure| match cell.sites[1].element.map(Element::symbol) {
            Some("Na") => Err(ModelError::Unsupported("no sodium".into())),
            _ => Ok(Evaluation { energy_per_atom: -7.0, ..pressed(0.0) }),
        };
        cells.iter().map(answer).collect()
    };
    let energies = Some(&mut energies as &mut Evaluate<'_>);
    let potentials = Some(Potentials { evaluate: &mut evaluate, fine: true, energies });
    let evidence = Evidence { potentials, ..Evidence::none() };
    let done = complete(&rules, &question, evidence, &never).unwrap();
    let probe = |symbol| {
        done.joint.iter().find(|a| a.elements[0] == element(symbol)).unwrap().probe.unwrap()
    };
    assert_eq!(probe("O"), Probe { energy: Some(-7.0), pressure: 1.0, shear: 0.0, fine: true });
    assert_eq!(probe("Na"), Probe { energy: None, pressure: 1.0, shear: 0.0, fine: true });
}

#[test]
fn a_broken_potential_is_not_passed_over() {
    let rules = Rules(|_, _| [0.4, 0.3, 0.2, 0.1]);
    let question = Question::separate(row(&["Mg", "?"]), 4);
    let torn = |cells: &[&Structure]| -> Vec<Result<Evaluation, ModelError>> {
        cells.iter().map(|_| Err(ModelError::BadWeights("torn".into()))).collect()
    };
    let good = |cells: &[&Structure]| cells.iter().map(|_| Ok(pressed(0.0))).collect();
    for first_is_torn in [true, false] {
        let (mut torn, mut good) = (torn, good);
        let (torn, good) = (&mut torn as &mut Evaluate<'_>, &mut good as &mut Evaluate<'_>);
        let (evaluate, energies) = if first_is_torn { (torn, good) } else { (good, torn) };
        let potentials = Some(Potentials { evaluate, fine: true, energies: Some(energies) });
        let evidence = Evidence { potentials, ..Evidence::none() };
        let error = complete(&rules, &question, evidence, &never).unwrap_err();
        assert!(matches!(error, ModelError::BadWeights(_)), "{error}");
    }
}

#[test]
fn what_is_chosen_first_is_seen_by_the_next() {
    // The second site is sure of what it is only if the first is known.
    let rules = Rules(|cell, i| match (i, cell.sites[0].element.map(Element::symbol)) {
        (0, _) => [0.0, 0.1, 0.6, 0.3],
        (_, Some("Na")) => [1.0, 0.0, 0.0, 0.0],
        (_, Some("Mg")) => [0.0, 1.0, 0.0, 0.0],
        _ => [0.25; 4],
    });
    let done = ask(&rules, &Question::separate(row(&["?", "?"]), 3)).unwrap();
    let best: Vec<(&str, &str)> = done
        .joint
        .iter()
        .take(2)
        .map(|a| (a.elements[0].symbol(), a.elements[1].symbol()))
        .collect();
    assert_eq!(best, [("Na", "F"), ("Mg", "O")]);
    assert!(done.joint[0].probability > 0.55 && done.joint[1].probability > 0.25);
    let second = &done.groups[1];
    assert_eq!((second[0].0, second[1].0), (element("F"), element("O")));
    let structure = Completion::completed(&Question::separate(row(&["?", "?"]), 1), &done.joint[0]);
    assert_eq!(structure.composition().formula(), "NaF");
}

#[test]
fn sites_of_a_group_take_one_element() {
    // One site says F, the other O: the product decides, and both get the same.
    let rules = Rules(|_, i| if i == 1 { [0.6, 0.4, 0.0, 0.0] } else { [0.2, 0.8, 0.0, 0.0] });
    let question =
        Question { groups: vec![vec![1, 2]], ..Question::separate(row(&["Ti", "?", "?"]), 2) };
    let done = ask(&rules, &question).unwrap();
    assert_eq!(done.joint[0].elements, [element("O")]);
    assert_eq!(Completion::completed(&question, &done.joint[0]).composition().formula(), "TiO2");
    // Sites that agree are not surer together than alone.
    let same = Rules(|_, _| [0.0, 0.7, 0.0, 0.3]);
    let ti = Question { groups: vec![vec![1, 2]], ..Question::separate(row(&["Ti", "?", "?"]), 2) };
    let done = ask(&same, &ti).unwrap();
    assert!((done.joint[0].probability - 0.7).abs() < 1e-9, "{done:?}");
}

#[test]
fn only_allowed_elements_are_answered() {
    let rules = Rules(|_, _| [0.5, 0.3, 0.1, 0.1]);
    let mut question = Question::separate(row(&["Mg", "?"]), 4);
    question.allowed = vec![element("O"), element("F")];
    let done = ask(&rules, &question).unwrap();
    let found: Vec<&str> = done.groups[0].iter().map(|(e, _)| e.symbol()).collect();
    assert_eq!(found, ["F", "O"]);
    question.allowed = vec![element("Xe"), element("Rn")];
    let error = ask(&rules, &question).unwrap_err().to_string();
    assert_eq!(error, "the model has seen none of Xe, Rn");
}

#[test]
fn many_groups_do_not_overstate_their_chance() {
    let rules = Rules(|_, _| [0.4, 0.3, 0.2, 0.1]);
    let question = Question::separate(row(&["?"; 6]), 5);
    let done = ask(&rules, &question).unwrap();
    let sum: f64 = done.joint.iter().map(|a| a.probability).sum();
    // 16 of 4⁵ beginnings are looked at: the rest keeps its share.
    assert!(sum < 0.2, "{sum}");
    assert_eq!(done.joint.len(), 5);
    assert!(done.groups.iter().all(|g| g.iter().map(|(_, p)| p).sum::<f64>() < 0.5));
}

#[test]
fn what_cannot_be_asked_is_refused() {
    let rules = Rules(|_, _| [0.25; 4]);
    let refused = |q: &Question| ask(&rules, q).unwrap_err().to_string();
    assert!(refused(&Question::separate(row(&["Mg"]), 1)).contains("no site is masked"));
    assert!(refused(&Question::separate(row(&["?"]), 0)).contains("at least one answer"));
    let twice = Question { groups: vec![vec![0], vec![0]], ..Question::separate(row(&["?"]), 1) };
    assert!(refused(&twice).contains("in one group"));
    let lost = Question { groups: vec![vec![0]], ..Question::separate(row(&["?", "?"]), 1) };
    assert!(refused(&lost).contains("in one group"));
    let known = Question { groups: vec![vec![0, 1]], ..Question::separate(row(&["?", "O"]), 1) };
    assert!(refused(&known).contains("in one group"));
    for broken in [Rules(|_, _| [0.0; 4]), Rules(|_, _| [f64::NAN; 4])] {
        let question = Question::separate(row(&["Mg", "?"]), 1);
        let error = ask(&broken, &question).unwrap_err().to_string();
        assert_eq!(error, "the model gives no chances for site 2");
    }
    let stopped = complete(&rules, &Question::separate(row(&["?"]), 1), Evidence::none(), &|| true)
        .unwrap_err();
    assert!(matches!(stopped, ModelError::Cancelled));
}

#[test]
fn a_measured_cell_is_looked_at_as_it_would_be_computed() {
    // Row of 8 × 4 × 4 Å; what is larger holds sodium.
    let rules = Rules(|cell, _| match cell.lattice.volume() / 128.0 {
        ..1.01 => [0.0, 0.9, 0.1, 0.0],
        ..1.03 => [0.0, 0.1, 0.9, 0.0],
        _ => [0.0, 0.0, 1.0, 0.0],
    });
    let sodium = |measured| {
        let question = Question { measured, ..Question::separate(row(&["Mg", "?"]), 4) };
        let done = ask(&rules, &question).unwrap();
        let sum: f64 = done.joint.iter().map(|a| a.probability).sum();
        assert!((sum - 1.0).abs() < 1e-9, "{done:?}");
        done.groups[0].iter().find(|(e, _)| *e == element("Na")).map_or(0.0, |(_, p)| *p)
    };
    assert!((sodium(Some(false)) - 0.1).abs() < 1e-9);
    assert!((sodium(Some(true)) - 0.95).abs() < 1e-9);
    assert!((sodium(None) - (0.4 * 0.1 + 0.3 * 0.9 + 0.3)).abs() < 1e-9);
}

/// A library of caesium chlorides.
fn library(salts: &[(u8, u8, f64)]) -> Library {
    let known = |salt: &(u8, u8, f64)| {
        let crystal = caesium_chloride(*salt);
        let entry = Entry { crystal, hull: Some(0.0), space_group: Some(221) };
        Known::new(entry).unwrap().unwrap()
    };
    build(salts.iter().map(known).collect(), Provenance::default())
}

fn chlorides() -> Library {
    library(&[(11, 17, 3.45), (19, 35, 4.05), (37, 53, 4.45)])
}

#[test]
fn known_structures_propose_what_they_have_in_its_place() {
    let library = library(&[(11, 17, 3.45), (19, 35, 4.05), (3, 9, 2.45), (37, 53, 4.45)]);
    let known = |question: &eval::Question| known_chances(&library, &question.asked(1));
    // Potassium chloride: what is there beside chlorine? Sodium in its own place, potassium in that of bromine.
    let questions = |crystal| eval::questions(&[crystal], eval::Mask::Alpha, 0.05, 1).unwrap();
    let chances = known(&questions(caesium_chloride((19, 17, 3.75)))[1]).unwrap();
    assert!((chances.iter().map(|(_, p)| p).sum::<f64>() - 1.0).abs() < 1e-12);
    let chance =
        |symbol| chances.iter().find(|(e, _)| *e == element(symbol)).map_or(0.0, |(_, p)| *p);
    assert!(chance("K") + chance("Na") > 0.9, "{chances:?}");
    assert!(chance("Li") < chance("K"));
    let strange = Crystal {
        id: "12".to_owned(),
        numbers: vec![12, 17, 17],
        frac: vec![[0.0; 3], [0.5, 0.5, 0.4], [0.5, 0.5, 0.6]],
        lengths: [4.0, 4.0, 6.0],
        angles: [90.0; 3],
    };
    assert_eq!(known(&questions(strange)[0]), None);
}

#[test]
fn known_structures_vote_for_what_they_hold_together() {
    let site = |x: f64| Site { element: None, ..Site::new(Element::H, Vector3::from_element(x)) };
    let lattice = Lattice::from_parameters([4.05; 3], [90.0; 3]).unwrap();
    let structure = Structure { lattice, sites: vec![site(0.0), site(0.5)] };
    let question = Question::separate(structure.clone(), 4);
    let pairs = [["K", "Br"], ["Br", "K"], ["K", "Cl"], ["K", "K"]].map(|p| p.map(element));
    let assignments: Vec<&[Element]> = pairs.iter().map(|p| &p[..]).collect();
    let library = chlorides();
    let volume = question.structure.lattice.volume();
    let votes = Ballot::new(&library, &question).votes(&assignments, volume);
    // Both places of caesium chloride are the same; nobody holds KCl, and one element makes another structure.
    assert!(votes[0] > 0.9 && (votes[0] - votes[1]).abs() < 1e-12, "{votes:?}");
    assert_eq!(votes[2..], [0.0, 0.0]);
    // Eight cells in one are the same crystal.
    let eight = Matrix3::from_diagonal_element(2);
    let large = supercell(&structure_with(&structure, "K", "Br"), &eight).unwrap().structure;
    let masked = |s: &Site| s.element == Some(element("K"));
    let group: Vec<usize> = (0..large.len()).filter(|i| masked(&large.sites[*i])).collect();
    let mut asked = large;
    group.iter().for_each(|i| asked.sites[*i].element = None);
    let question = Question { groups: vec![group], ..Question::separate(asked, 1) };
    let chances = known_chances(&chlorides(), &question).unwrap();
    let best = chances.iter().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
    assert!(best.0 == element("K") && best.1 > 0.9, "{chances:?}");
}

fn structure_with(of: &Structure, a: &str, b: &str) -> Structure {
    let mut structure = of.clone();
    structure.sites[0].element = Some(element(a));
    structure.sites[1].element = Some(element(b));
    structure
}
