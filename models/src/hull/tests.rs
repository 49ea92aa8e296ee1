use nalgebra::{DMatrix, DVector};
use proptest::prelude::*;

use super::*;

fn composition(formula: &str) -> Composition {
    formula.parse().unwrap()
}

fn phase(id: &str, formula: &str, energy: f64) -> Phase {
    Phase { id: id.into(), composition: composition(formula), energy }
}

/// A binary system with one stable compound, a second polymorph of it, and one above the hull.
fn oxides() -> Vec<Phase> {
    vec![
        phase("metal", "Mg", -1.5),
        phase("gas", "O2", -5.0),
        phase("rock salt", "MgO", -6.25),
        phase("other", "Mg2O2", -6.0),
        phase("peroxide", "MgO2", -5.0),
        phase("foreign", "CaO", -60.0),
    ]
}

#[test]
fn a_known_phase_lies_on_the_hull_it_makes() {
    let hull = Hull::new(&oxides(), &composition("Mg4O4")).unwrap();
    assert_eq!(hull.phases, 5);
    assert!((hull.above(-6.25)).abs() < 1e-9);
    assert!((hull.above(-6.0) - 0.25).abs() < 1e-9);
    assert_eq!(hull.mixture(), "1 MgO");
    // What is lower than everything known is below by what it gains.
    assert!((hull.above(-6.5) + 0.25).abs() < 1e-9);
}

#[test]
fn between_phases_the_mixture_is_named_with_its_amounts() {
    // MgO2 = MgO + ½ O2: atoms 2/3 of MgO at −6.25 and 1/3 of O2 at −5.
    let hull = Hull::new(&oxides(), &composition("MgO2")).unwrap();
    let expected = (2.0 * -6.25 - 5.0) / 3.0;
    assert!((hull.energy - expected).abs() < 1e-9, "{}", hull.energy);
    assert_eq!(hull.mixture(), "1 MgO + 1 O");
    assert_eq!(hull.products[0].id, "rock salt");
    assert!((hull.above(-5.0) - (-5.0 - expected)).abs() < 1e-9);
}

#[test]
fn an_element_is_compared_with_itself() {
    let hull = Hull::new(&oxides(), &composition("Mg3")).unwrap();
    assert_eq!((hull.phases, hull.energy), (1, -1.5));
    let one = Hull::new(&[phase("only", "NaCl", -3.0)], &composition("NaCl")).unwrap();
    assert_eq!((one.phases, one.mixture().as_str()), (1, "1 NaCl"));
    assert!((one.above(-2.9) - 0.1).abs() < 1e-9);
}

#[test]
fn where_phases_are_missing_there_is_no_number() {
    let of = |formula: &str| Hull::new(&oxides(), &composition(formula)).unwrap_err().to_string();
    assert_eq!(of("MgAl2O4"), "no hull: no known phase of this chemical system holds Al");
    assert_eq!(Hull::new(&oxides(), &Composition::default()), Err(NoHull::Empty));
    // Without the elements themselves only mixtures of the compounds can be reached.
    let salts = [phase("a", "NaCl", -3.0), phase("b", "NaCl3", -2.5)];
    assert!(Hull::new(&salts, &composition("NaCl2")).is_ok());
    assert_eq!(Hull::new(&salts, &composition("Na2Cl")), Err(NoHull::NoMixture(2)));
    let nonsense = [phase("a", "NaCl", f64::NAN)];
    assert!(matches!(Hull::new(&nonsense, &composition("NaCl")), Err(NoHull::Without(_))));
}

/// Lowest energy over all sets of independent phases that contain the composition: every vertex of the linear program.
fn brute(phases: &[Phase], asked: &Composition) -> Option<f64> {
    let part = |c: &Composition, e| c.amount(e) / c.total();
    let elements: Vec<Element> = asked.iter().map(|(e, _)| e).collect();
    let target = DVector::from_iterator(elements.len(), elements.iter().map(|e| part(asked, *e)));
    let inside: Vec<&Phase> = phases
        .iter()
        .filter(|p| p.composition.iter().all(|(e, _)| elements.contains(&e)))
        .collect();
    let mut best: Option<f64> = None;
    for set in 1_u32..1 << inside.len() {
        let chosen: Vec<&&Phase> =
            (0..inside.len()).filter(|i| set >> i & 1 == 1).map(|i| &inside[i]).collect();
        if chosen.len() > elements.len() {
            continue;
        }
        let matrix = DMatrix::from_fn(elements.len(), chosen.len(), |row, column| {
            part(&chosen[column].composition, elements[row])
        });
        let Ok(x) = matrix.clone().svd(true, true).solve(&target, 1e-10) else { continue };
        let exact = (&matrix * &x - &target).amax() < 1e-9;
        if exact && x.iter().all(|share| *share > -1e-9) {
            let energy = x.iter().zip(&chosen).map(|(x, p)| x * p.energy).sum::<f64>();
            best = Some(best.map_or(energy, |b| b.min(energy)));
        }
    }
    best
}

fn some_composition() -> impl Strategy<Value = Composition> {
    let symbols = ["Li", "Fe", "P", "O"].map(|s| Element::from_symbol(s).unwrap());
    proptest::array::uniform4(0_u8..4).prop_filter_map("nothing", move |counts| {
        let pairs = symbols.iter().zip(counts).filter(|(_, n)| *n > 0);
        let composition: Composition = pairs.map(|(e, n)| (*e, f64::from(n))).collect();
        (!composition.is_empty()).then_some(composition)
    })
}

proptest! {
    #[test]
    fn the_hull_is_the_lowest_of_all_mixtures(
        asked in some_composition(),
        known in proptest::collection::vec((some_composition(), -8.0..0.0_f64), 1..10),
    ) {
        let phases: Vec<Phase> = known
            .into_iter()
            .map(|(composition, energy)| Phase { id: String::new(), composition, energy })
            .collect();
        match (Hull::new(&phases, &asked), brute(&phases, &asked)) {
            (Ok(hull), Some(energy)) => {
                prop_assert!((hull.energy - energy).abs() < 1e-7, "{} {energy}", hull.energy);
                // The products add up to what was asked for.
                let unit = asked.reduced().0;
                for (element, amount) in unit.iter() {
                    let of = |p: &Product| p.amount * composition(&p.formula).amount(element);
                    let sum: f64 = hull.products.iter().map(of).sum();
                    prop_assert!((sum - amount).abs() < 1e-6, "{element} {sum} {amount}");
                }
            }
            (Err(_), None) => {}
            (hull, energy) => prop_assert!(false, "{hull:?} {energy:?}"),
        }
    }
}
