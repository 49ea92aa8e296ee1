//! Completion by a model whose chances are known.

use cellwright_crystal::{Lattice, Site};
use nalgebra::Vector3;

use super::*;
use crate::Provenance;
use crate::tasks::mender::Mended;

/// Chances of F, O, Na and Mg on a masked site, by what else is in the cell.
struct Rules(fn(&Structure, usize) -> [f64; 4]);

fn element(symbol: &str) -> Element {
    symbol.parse().unwrap()
}

impl Mender for Rules {
    fn provenance(&self) -> Provenance {
        Provenance { model: "rules".into(), version: "1".into(), device: "cpu".into() }
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

#[test]
fn charges_speak_beside_the_model() {
    let question = Question::separate(row(&["Mg", "?"]), 4);
    let done = complete(&Rules(|_, _| [0.5, 0.3, 0.1, 0.1]), &question, &never).unwrap();
    let first = &done.joint[0];
    assert_eq!((first.elements[0], first.charge_balanced), (element("O"), Some(true)));
    // MgF cannot be neutral; MgNa and Mg2 are metals.
    let total = 0.5 * CHARGED + 0.3 + 0.1 + 0.1;
    assert!((first.probability - 0.3 / total).abs() < 1e-12);
    let fluoride = done.joint.iter().find(|a| a.elements[0] == element("F")).unwrap();
    assert_eq!(fluoride.charge_balanced, Some(false));
    assert!((fluoride.probability - 0.5 * CHARGED / total).abs() < 1e-12);
    assert_eq!(done.groups[0][0], (first.elements[0], first.probability));
    let sum: f64 = done.joint.iter().map(|a| a.probability).sum();
    assert!((sum - 1.0).abs() < 1e-12);
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
    let done = complete(&rules, &Question::separate(row(&["?", "?"]), 3), &never).unwrap();
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
    let done = complete(&rules, &question, &never).unwrap();
    assert_eq!(done.joint[0].elements, [element("O")]);
    assert_eq!(Completion::completed(&question, &done.joint[0]).composition().formula(), "TiO2");
    // Sites that agree are not surer together than alone.
    let same = Rules(|_, _| [0.0, 0.7, 0.0, 0.3]);
    let ti = Question { groups: vec![vec![1, 2]], ..Question::separate(row(&["Ti", "?", "?"]), 2) };
    let done = complete(&same, &ti, &never).unwrap();
    assert!((done.joint[0].probability - 0.7).abs() < 1e-9, "{done:?}");
}

#[test]
fn only_allowed_elements_are_answered() {
    let rules = Rules(|_, _| [0.5, 0.3, 0.1, 0.1]);
    let mut question = Question::separate(row(&["Mg", "?"]), 4);
    question.allowed = vec![element("O"), element("F")];
    let done = complete(&rules, &question, &never).unwrap();
    let found: Vec<&str> = done.groups[0].iter().map(|(e, _)| e.symbol()).collect();
    assert_eq!(found, ["O", "F"]);
    question.allowed = vec![element("Xe"), element("Rn")];
    let error = complete(&rules, &question, &never).unwrap_err().to_string();
    assert_eq!(error, "the model has seen none of Xe, Rn");
}

#[test]
fn many_groups_do_not_overstate_their_chance() {
    let rules = Rules(|_, _| [0.4, 0.3, 0.2, 0.1]);
    let question = Question::separate(row(&["?"; 6]), 5);
    let done = complete(&rules, &question, &never).unwrap();
    let sum: f64 = done.joint.iter().map(|a| a.probability).sum();
    // 16 of 4⁵ beginnings are looked at: the rest keeps its share.
    assert!(sum < 0.2, "{sum}");
    assert_eq!(done.joint.len(), 5);
    assert!(done.groups.iter().all(|g| g.iter().map(|(_, p)| p).sum::<f64>() < 0.5));
}

#[test]
fn what_cannot_be_asked_is_refused() {
    let rules = Rules(|_, _| [0.25; 4]);
    let refused = |q: &Question| complete(&rules, q, &never).unwrap_err().to_string();
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
        let error = complete(&broken, &question, &never).unwrap_err().to_string();
        assert_eq!(error, "the model gives no chances for site 2");
    }
    let stopped = complete(&rules, &Question::separate(row(&["?"]), 1), &|| true).unwrap_err();
    assert!(matches!(stopped, ModelError::Cancelled));
}
