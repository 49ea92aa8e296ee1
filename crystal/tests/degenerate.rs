//! Whatever numbers and texts come in, every function of the crate gives a value or an error value, soon, and
//! numbers that it gives are numbers.

use cellwright_crystal::cells::{
    Order, Substitution, remove_duplicates, sort, standard, strain, substitute, substitute_sites,
    supercell, translate, voigt, wrap,
};
use cellwright_crystal::charge::bond_valence::{Bonds, bond_valence_sums};
use cellwright_crystal::charge::cdvae::verdict;
use cellwright_crystal::charge::{Declared, balance, balance_with, certain_states, oxygen_states};
use cellwright_crystal::fingerprint::average_minimum_distances;
use cellwright_crystal::matching::Matcher;
use cellwright_crystal::metrics::{
    Matches, best_of, bootstrap, earth_mover, is_structurally_valid,
};
use cellwright_crystal::neighbors::{closest_pair, neighbors};
use cellwright_crystal::reduction::{delaunay, niggli};
use cellwright_crystal::symmetry::{
    Operation, Setting, detect, generate, hall_operations, idealise, metric_misfit,
    site_permutations, symmetric_lattice,
};
use cellwright_crystal::{Composition, Element, Lattice, Site, Structure};
use nalgebra::{Matrix3, Vector3};
use proptest::prelude::*;

/// Numbers of all kinds, the odd ones more often than life has them.
fn odd() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => -5.0..5.0_f64,
        1 => prop::sample::select(vec![
            0.0, -0.0, 0.5, 1.0, -1.0, 1e-30, -1e-10, 1e10, -1e30, 1e300, f64::MIN_POSITIVE,
            f64::MAX, f64::EPSILON, f64::NAN, f64::INFINITY, f64::NEG_INFINITY,
        ]),
    ]
}

fn vector() -> impl Strategy<Value = Vector3<f64>> {
    prop::array::uniform3(odd()).prop_map(Vector3::from)
}

/// Three vectors: any, in a line, in a plane, nearly so, tiny, huge, or a good cell.
fn rows() -> impl Strategy<Value = Matrix3<f64>> {
    let any = prop::array::uniform9(odd()).prop_map(|m| Matrix3::from_row_slice(&m));
    let good = (2.0..6.0_f64, 2.0..6.0_f64, 2.0..6.0_f64)
        .prop_map(|(a, b, c)| Matrix3::new(a, 0.0, 0.0, 0.3, b, 0.0, -0.2, 0.4, c));
    let flat = (vector(), odd(), odd(), -12..3_i32).prop_map(|(v, a, b, power)| {
        let off = Vector3::new(0.0, 0.0, 10.0_f64.powi(power));
        let w = Vector3::new(1.0, 2.0, -1.0);
        Matrix3::from_rows(&[v.transpose(), w.transpose(), (v * a + w * b + off).transpose()])
    });
    let line = (vector(), odd(), odd()).prop_map(|(v, a, b)| {
        Matrix3::from_rows(&[v.transpose(), (v * a).transpose(), (v * b).transpose()])
    });
    let scaled = (good.clone(), -30..30_i32).prop_map(|(m, power)| m * 10.0_f64.powi(power));
    prop_oneof![any, good, flat, line, scaled]
}

fn species() -> impl Strategy<Value = Option<Element>> {
    prop::option::weighted(0.9, (1..=103_u8).prop_map(|z| Element::from_z(z).unwrap()))
}

fn site() -> impl Strategy<Value = Site> {
    (species(), prop::option::of(odd()), prop_oneof![3 => Just(1.0), 1 => odd()], vector())
        .prop_map(|(element, oxidation, occupancy, frac)| Site {
            element,
            oxidation,
            occupancy,
            frac,
        })
}

/// A structure in any lattice that there is.
fn structure() -> impl Strategy<Value = Structure> {
    (rows(), prop::collection::vec(site(), 0..5)).prop_filter_map("a lattice", |(rows, sites)| {
        Some(Structure { lattice: Lattice::from_rows(rows).ok()?, sites })
    })
}

fn is_finite(lattice: &Lattice) -> bool {
    lattice.matrix().iter().chain(lattice.inverse()).all(|x| x.is_finite())
        && lattice.volume() > 0.0
}

proptest! {
    #![proptest_config(ProptestConfig { max_global_rejects: 100_000, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn lattices(
        rows in rows(),
        lengths in prop::array::uniform3(odd()),
        angles in prop::array::uniform3(prop_oneof![0.0..180.0_f64, odd()]),
        tolerance in odd(),
    ) {
        let made = [Lattice::from_rows(rows).ok(), Lattice::from_parameters(lengths, angles).ok()];
        for lattice in made.into_iter().flatten() {
            prop_assert!(is_finite(&lattice), "{lattice:?}");
            let numbers = [lattice.lengths(), lattice.angles(), lattice.heights()].concat();
            prop_assert!(numbers.iter().all(|x| *x >= 0.0), "{lattice:?} {numbers:?}");
            for tolerance in [tolerance, 1e-5] {
                for reduced in [niggli(&lattice, tolerance), delaunay(&lattice, tolerance)] {
                    prop_assert!(reduced.is_ok_and(|r| is_finite(&r.lattice)) || reduced.is_err());
                }
            }
            for setting in [1, 227, 460, 530].map(|n| Setting::from_hall_number(n).unwrap()) {
                let _ = setting.metric_misfit(&lattice);
                let _ = metric_misfit(&setting.operations(), &lattice);
                let symmetric = symmetric_lattice(&lattice, &setting.operations());
                prop_assert!(symmetric.is_none_or(|l| is_finite(&l)));
            }
        }
    }

    #[test]
    fn distances(crystal in structure(), cutoff in odd(), k in 0..40_usize) {
        let frac = crystal.fractional();
        for cutoff in [cutoff, 3.0] {
            if let Ok(list) = neighbors(&crystal.lattice, &frac, cutoff) {
                prop_assert!(list.iter().all(|(_, n)| n.distance <= cutoff + 1e-6));
            }
        }
        let pairs = [crystal.closest_pair(), closest_pair(&crystal.lattice, &frac)];
        for pair in pairs.into_iter().flatten().flatten() {
            prop_assert!(pair.distance.is_finite());
        }
        if let Ok(fingerprint) = average_minimum_distances(&crystal, k) {
            prop_assert!(fingerprint.iter().all(|d| d.is_finite()));
        }
        let _ = is_structurally_valid(&crystal);
        let _ = (crystal.density(), crystal.composition().reduced(), crystal.is_ordered());
    }

    #[test]
    fn symmetry(crystal in structure(), symprec in prop_oneof![Just(0.01), Just(0.1), odd()]) {
        if let Ok(found) = detect(&crystal, symprec) {
            prop_assert!((1..=230).contains(&found.number));
            prop_assert_eq!(found.wyckoffs.len(), crystal.len());
            let _ = site_permutations(&crystal, &found.operations, symprec);
            let mut ideal = crystal.clone();
            if idealise(&mut ideal, &found.operations, symprec).is_ok() {
                prop_assert!(is_finite(&ideal.lattice));
            }
        }
        if let Ok(mut cells) = standard(&crystal, symprec) {
            let _ = cells.idealise(symprec);
            prop_assert!(is_finite(&cells.primitive.structure.lattice));
            prop_assert!(is_finite(&cells.conventional.structure.lattice));
        }
    }

    #[test]
    fn cells(
        crystal in structure(),
        matrix in prop::array::uniform9(prop_oneof![8 => -3..4_i32, 1 => prop::sample::select(vec![i32::MIN, i32::MAX, 20])]),
        strains in prop::array::uniform6(odd()),
        by in vector(),
        within in odd(),
        from in species(),
        to in species(),
        place in 0..9_usize,
    ) {
        if let Ok(new) = supercell(&crystal, &Matrix3::from_row_slice(&matrix)) {
            prop_assert!(is_finite(&new.structure.lattice));
        }
        let mut changed = crystal.clone();
        let _ = strain(&mut changed, &voigt(strains));
        prop_assert!(is_finite(&changed.lattice));
        translate(&mut changed, &by);
        wrap(&mut changed);
        for order in [Order::Electronegativity, Order::AtomicNumber, Order::Symbol, Order::Position] {
            sort(&mut changed, order);
        }
        let _ = remove_duplicates(&mut changed, within);
        let _ = substitute(&mut changed, &[Substitution { from, to, oxidation: Some(by.x) }]);
        let _ = substitute_sites(&mut changed, &[place], to, None);
        prop_assert!(changed.len() <= crystal.len());
    }

    #[test]
    fn matching(
        a in structure(),
        b in structure(),
        tolerances in prop::array::uniform3(prop_oneof![0.0..0.9_f64, odd()]),
        (primitive, scale) in any::<(bool, bool)>(),
    ) {
        let [ltol, stol, angle_tol] = tolerances;
        let odd = Matcher { ltol, stol, angle_tol, primitive, scale };
        for matcher in [odd, Matcher::default()] {
            let [first, second] = [&a, &b].map(|s| matcher.prepare(s));
            let prepared: Vec<_> = [first, second].into_iter().flatten().collect();
            for (a, b) in prepared.iter().zip(prepared.iter().rev()) {
                let found = matcher.rms(a, b);
                prop_assert!(found.is_none_or(|m| m.rms.is_finite() && m.max.is_finite()));
                let _ = (matcher.fit(a, b), matcher.fit_anonymous(a, b));
                let _ = (matcher.rms_anonymous(a, b), matcher.substitution(a, b));
            }
            let _ = (matcher.group(&prepared), matcher.group_anonymous(&prepared));
        }
    }

    #[test]
    fn charges(
        crystal in structure(),
        amounts in prop::collection::vec((1..=103_u8, prop_oneof![3 => 0.0..9.0_f64, 1 => odd()]), 0..6),
        declared in prop::collection::vec((1..=103_u8, odd(), odd()), 0..3),
        tolerance in odd(),
        (decay, cutoff) in (odd(), odd()),
    ) {
        let element = |z: u8| Element::from_z(z).unwrap();
        let composition: Composition = amounts.iter().map(|(z, n)| (element(*z), *n)).collect();
        let mut known: Vec<_> = declared
            .iter()
            .map(|(z, state, amount)| Declared { element: element(*z), state: *state, amount: *amount })
            .collect();
        known.extend(amounts.first().map(|(z, n)| Declared { element: element(*z), state: 2.0, amount: *n }));
        let _ = (balance(&composition, tolerance), balance_with(&composition, &known, tolerance));
        let _ = (verdict(&composition), composition.reduced(), composition.formula());
        let _ = (certain_states(&crystal), oxygen_states(&crystal));
        let states: Vec<_> = crystal.sites.iter().map(|s| s.oxidation.unwrap_or(1.0)).collect();
        let _ = bond_valence_sums(&crystal, &states, Bonds { decay, cutoff });
        let _ = bond_valence_sums(&crystal, &states, Bonds::default());
    }

    #[test]
    fn metrics(
        a in prop::collection::vec(odd(), 0..6),
        b in prop::collection::vec(odd(), 0..6),
        level in odd(),
        stol in odd(),
    ) {
        let _ = earth_mover(&a, &b);
        let some: Vec<_> = a.iter().map(|x| (*x < 1.0).then_some(*x)).collect();
        let _ = (Matches::of(&some, stol), best_of(some.iter().copied()));
        let _ = bootstrap(a.len(), |draw| draw.iter().map(|i| a[*i]).sum(), 5, level, 1);
    }

    #[test]
    fn texts(text in "[-+ A-Za-z0-9_:.,/*()'\"{}é\u{2212}]{0,20}") {
        let _ = (text.parse::<Operation>(), text.parse::<Composition>(), text.parse::<Element>());
        let _ = (Setting::from_hm(&text), Setting::from_hall(&text));
        if let Some(operations) = hall_operations(&text) {
            prop_assert!(generate(&operations).is_some());
        }
    }
}
