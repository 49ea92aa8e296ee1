use nalgebra::{Matrix3, Rotation3, Vector3};
use proptest::prelude::*;

use super::*;
use crate::arbitrary::{any_crystal, any_unimodular};
use crate::{Element, Lattice, Site};

fn element(symbol: &str) -> Element {
    symbol.parse().unwrap()
}

fn structure(lattice: Lattice, sites: &[(&str, [f64; 3])]) -> Structure {
    let site = |(symbol, frac): &(&str, [f64; 3])| Site {
        element: Element::from_symbol(symbol),
        ..Site::new(Element::H, Vector3::from(*frac))
    };
    Structure { lattice, sites: sites.iter().map(site).collect() }
}

fn cube(a: f64) -> Lattice {
    Lattice::from_parameters([a; 3], [90.0; 3]).unwrap()
}

fn caesium_chloride(a: f64, [m, x]: [&str; 2]) -> Structure {
    structure(cube(a), &[(m, [0.0; 3]), (x, [0.5; 3])])
}

fn rms(a: &Structure, b: &Structure) -> Option<f64> {
    let matcher = Matcher::default();
    let [a, b] = [a, b].map(|s| matcher.prepare(s).unwrap());
    matcher.rms(&a, &b).map(|found| found.rms)
}

/// Another way to write down the same crystal.
#[derive(Debug, Clone)]
struct Description {
    basis: Matrix3<f64>,
    turn: Rotation3<f64>,
    mirror: bool,
    origin: Vector3<f64>,
    cells: [usize; 3],
    first: usize,
}

fn any_description() -> impl Strategy<Value = Description> {
    let vector = || prop::array::uniform3(-2.0..2.0_f64).prop_map(Vector3::from);
    let cells = prop_oneof![Just([1, 1, 1]), Just([2, 1, 1]), Just([1, 2, 1]), Just([1, 1, 3])];
    (any_unimodular(), vector(), any::<bool>(), vector(), cells, 0..7_usize).prop_map(
        |(basis, axis, mirror, origin, cells, first)| {
            let turn = Rotation3::new(axis);
            Description { basis, turn, mirror, origin, cells, first }
        },
    )
}

/// The crystal in other words, and for each of its sites the site of the crystal that it is.
fn describe(crystal: &Structure, how: &Description) -> (Structure, Vec<usize>) {
    let sign = if how.mirror { -1.0 } else { 1.0 };
    let cells = Vector3::from(how.cells).map(|n| n as f64);
    let turned = crystal.lattice.matrix() * how.turn.matrix().transpose() * sign;
    let basis = Matrix3::from_diagonal(&cells) * how.basis;
    let lattice = Lattice::from_rows(basis * turned).unwrap();
    let inverse = basis.try_inverse().unwrap();
    let count = crystal.len();
    let (mut sites, mut names) = (Vec::new(), Vec::new());
    for k in 0..count {
        let i = (how.first + k) % count;
        let site = &crystal.sites[i];
        let [n, m, p] = how.cells;
        for (x, y, z) in
            (0..n).flat_map(|x| (0..m).flat_map(move |y| (0..p).map(move |z| (x, y, z))))
        {
            // Translations by the vectors of the changed basis fill the larger cell.
            let copy = how.basis.tr_mul(&Vector3::new(x, y, z).map(|k| k as f64));
            let frac = inverse.tr_mul(&(site.frac + how.origin + copy));
            sites.push(Site { frac, ..site.clone() });
            names.push(i);
        }
    }
    (Structure { lattice, sites }, names)
}

/// The crystal with every atom moved by at most `size` Å.
fn shaken(crystal: &Structure, size: f64, seed: f64) -> Structure {
    let mut moved = crystal.clone();
    for (i, site) in moved.sites.iter_mut().enumerate() {
        let direction = Vector3::new(1.0, 2.0, 3.0).map(|k| (k * seed + 7.0 * i as f64).sin());
        site.frac += crystal.lattice.to_fractional(&(direction.normalize() * size));
    }
    moved
}

proptest! {
    #[test]
    fn one_crystal_in_two_descriptions_is_one_crystal(
        crystal in any_crystal(),
        how in any_description(),
    ) {
        let found = rms(&crystal, &describe(&crystal, &how).0);
        prop_assert!(found.is_some_and(|rms| rms < 1e-6), "{found:?}");
    }

    #[test]
    fn distances_do_not_depend_on_the_description(
        crystal in any_crystal(),
        seed in 0.1..6.0_f64,
        (one, other) in (any_description(), any_description()),
    ) {
        let moved = shaken(&crystal, 0.05, seed);
        let want = rms(&crystal, &moved).expect("atoms were hardly moved");
        let per_site = (crystal.lattice.volume() / crystal.len() as f64).cbrt();
        prop_assert!(want <= 0.05 / per_site + 1e-9, "{want}");
        let (a, b) = (describe(&crystal, &one).0, describe(&moved, &other).0);
        for (got, which) in [(rms(&a, &b), "described"), (rms(&b, &a), "exchanged")] {
            prop_assert!(got.is_some_and(|got| (got - want).abs() < 1e-6), "{which}: {got:?} {want}");
        }
        prop_assert!(Matcher::default().fit(
            &Matcher::default().prepare(&a).unwrap(),
            &Matcher::default().prepare(&b).unwrap(),
        ));
    }

    #[test]
    fn partners_lie_on_each_other(
        crystal in any_crystal(),
        how in any_description(),
    ) {
        let moved = shaken(&crystal, 0.02, 1.0);
        let (other, names) = describe(&moved, &how);
        let matcher = Matcher::default();
        let (a, b) = (matcher.prepare(&crystal).unwrap(), matcher.prepare(&other).unwrap());
        let found = matcher.rms(&a, &b).expect("atoms were hardly moved");
        let mut seen = vec![false; other.len()];
        for (i, &j) in found.partners.iter().enumerate() {
            for &site in b.members(j) {
                prop_assert_eq!(
                    crystal.sites[a.members(i)[0]].element,
                    crystal.sites[names[site]].element
                );
                seen[site] = true;
            }
        }
        prop_assert!(seen.into_iter().all(|s| s), "every atom has a partner");
        // The translation and the basis say the same as the partners.
        let into = prepare::inverse(&found.basis).transpose();
        for (i, &j) in found.partners.iter().enumerate() {
            let between = into * a.frac(i) - b.frac(j) - found.translation;
            let way = periodic::short(between);
            let cart = b.lattice().to_cartesian(&way);
            prop_assert!(cart.norm() < 0.06, "{} Å", cart.norm());
        }
    }

    #[test]
    fn elements_by_other_names_match_anonymously(
        crystal in any_crystal(),
        how in any_description(),
    ) {
        let mut renamed = describe(&crystal, &how).0;
        for site in &mut renamed.sites {
            let name = match site.element.unwrap().symbol() {
                "Na" => "K",
                "Cl" => "Br",
                _ => "S",
            };
            site.element = Some(element(name));
        }
        let matcher = Matcher::default();
        let (a, b) = (matcher.prepare(&crystal).unwrap(), matcher.prepare(&renamed).unwrap());
        prop_assert!(matcher.rms(&a, &b).is_none());
        let found = matcher.rms_anonymous(&a, &b).expect("a prototype");
        prop_assert!(found.found.rms < 1e-6);
        prop_assert!(matcher.fit_anonymous(&a, &b).is_some());
        let back = matcher.rms_anonymous(&a, &a).expect("itself");
        prop_assert!(back.elements.iter().all(|(from, to)| from == to), "{:?}", back.elements);
    }
}

#[test]
fn an_atom_is_a_crystal_and_so_is_a_mask() {
    let (copper, gold) =
        (structure(cube(2.6), &[("Cu", [0.1; 3])]), structure(cube(2.9), &[("Au", [0.0; 3])]));
    assert_eq!(rms(&copper, &structure(cube(3.5), &[("Cu", [0.9; 3])])), Some(0.0));
    assert_eq!(rms(&copper, &gold), None);
    let masked = structure(cube(2.6), &[("?", [0.3; 3])]);
    assert_eq!(rms(&masked, &masked), Some(0.0));
    assert_eq!(rms(&masked, &copper), None);
    // A mask stays one whatever elements become.
    let matcher = Matcher::default();
    let [masked, copper, gold] = [masked, copper, gold].map(|s| matcher.prepare(&s).unwrap());
    assert!(matcher.rms_anonymous(&masked, &copper).is_none());
    assert!(matcher.rms_anonymous(&masked, &masked).is_some());
    let found = matcher.rms_anonymous(&copper, &gold).unwrap();
    assert_eq!(found.elements, [(element("Cu"), element("Au"))]);
}

#[test]
fn sizes_matter_unless_scaled_away() {
    let (small, large) = (caesium_chloride(4.0, ["Cs", "Cl"]), caesium_chloride(5.0, ["Cs", "Cl"]));
    assert_eq!(rms(&small, &large), Some(0.0));
    let matcher = Matcher { scale: false, ..Matcher::default() };
    let [a, b] = [&small, &large].map(|s| matcher.prepare(s).unwrap());
    assert_eq!(matcher.rms(&a, &b), None);
}

#[test]
fn cells_are_kept_where_asked() {
    let small = caesium_chloride(4.0, ["Cs", "Cl"]);
    let double = Structure {
        lattice: Lattice::from_parameters([4.0, 4.0, 8.0], [90.0; 3]).unwrap(),
        sites: (0..2)
            .flat_map(|k| {
                small.sites.iter().map(move |site| Site {
                    frac: Vector3::new(
                        site.frac.x,
                        site.frac.y,
                        (site.frac.z + f64::from(k)) / 2.0,
                    ),
                    ..site.clone()
                })
            })
            .collect(),
    };
    assert_eq!(rms(&small, &double), Some(0.0));
    let matcher = Matcher::default();
    let prepared = matcher.prepare(&double).unwrap();
    assert_eq!(
        (prepared.len(), prepared.members(0), prepared.members(1)),
        (2, &[1, 3][..], &[0, 2][..])
    );
    let whole = Matcher { primitive: false, ..matcher };
    let [a, b] = [&small, &double].map(|s| whole.prepare(s).unwrap());
    assert!(whole.rms(&a, &b).is_none() && whole.rms(&b, &b).is_some());
}

#[test]
fn of_equally_good_replacements_the_likest_is_taken() {
    // In this type the two places are alike, so that both ways to replace have no rms at all.
    let matcher = Matcher::default();
    let [salt, other] = [["Cs", "Cl"], ["Br", "Rb"]]
        .map(|pair| matcher.prepare(&caesium_chloride(4.0, pair)).unwrap());
    let want = [(element("Cl"), element("Br")), (element("Cs"), element("Rb"))];
    for found in [
        matcher.rms_anonymous(&salt, &other),
        matcher.fit_anonymous(&salt, &other),
        matcher.substitution(&salt, &other),
    ] {
        assert_eq!(found.unwrap().elements, want);
    }
}

#[test]
fn many_elements_do_not_explode() {
    // Twelve elements on sites that are all within reach of each other: 479 001 600 permutations.
    let symbols = ["Sc", "Ti", "V", "Cr", "Mn", "Fe", "Co", "Ni", "Cu", "Zn", "Ga", "Ge"];
    let at = |i: usize| [0.137, 0.311, 0.073].map(|step| (step * (i * i + i) as f64).fract());
    let alloy = |turn: usize| {
        let sites: Vec<_> =
            symbols.iter().enumerate().map(|(i, _)| (symbols[(i + turn) % 12], at(i))).collect();
        structure(Lattice::from_parameters([5.0, 5.6, 6.1], [84.0, 97.0, 102.0]).unwrap(), &sites)
    };
    let matcher = Matcher { ltol: 0.3, stol: 0.5, angle_tol: 10.0, ..Matcher::default() };
    let [a, b] = [0, 5].map(|turn| matcher.prepare(&alloy(turn)).unwrap());
    let found = matcher.rms_anonymous(&a, &b).unwrap();
    assert!(found.found.rms < 1e-6);
    for (from, to) in found.elements {
        let place = |e: Element| symbols.iter().position(|s| *s == e.symbol()).unwrap();
        assert_eq!((place(from) + 5) % 12, place(to));
    }
}

#[test]
fn classes_hold_what_fits_their_first_member() {
    let matcher = Matcher::default();
    let list: Vec<_> = [
        caesium_chloride(4.0, ["Cs", "Cl"]),
        structure(cube(2.6), &[("Cu", [0.0; 3])]),
        caesium_chloride(4.3, ["Cs", "Br"]),
        caesium_chloride(4.1, ["Cl", "Cs"]),
        structure(cube(3.0), &[("Cu", [0.4; 3])]),
    ]
    .iter()
    .map(|s| matcher.prepare(s).unwrap())
    .collect();
    assert_eq!(matcher.group(&list), [vec![0, 3], vec![1, 4], vec![2]]);
    assert_eq!(matcher.group_anonymous(&list), [vec![0, 2, 3], vec![1, 4]]);
    assert!(matcher.group(&[]).is_empty());
    let pairs: Vec<_> = list.iter().map(|other| (&list[0], other)).collect();
    let found: Vec<_> = matcher.rms_all(&pairs).iter().map(Option::is_some).collect();
    assert_eq!(found, [true, false, false, true, false]);
}

#[test]
fn absurd_occupancies_are_matched_like_others() {
    let matcher = Matcher::default();
    let mut absurd = structure(cube(4.0), &[("Po", [0.0; 3]), ("Po", [0.5, 0.4, 0.3])]);
    absurd.sites.iter_mut().for_each(|site| site.occupancy = 1e300);
    let one = structure(cube(4.0), &[("Po", [0.0; 3]), ("Po", [0.5, 0.4, 0.3])]);
    let [absurd, one] = [absurd, one].map(|s| matcher.prepare(&s).unwrap());
    assert!(matcher.fit_anonymous(&absurd, &absurd).is_some());
    assert!(matcher.fit_anonymous(&absurd, &one).is_none());
}

#[test]
fn what_is_no_crystal_is_refused_with_the_reason() {
    let matcher = Matcher::default();
    let refused = |s: &Structure| matcher.prepare(s).unwrap_err();
    assert_eq!(refused(&structure(cube(3.0), &[])), MatchError::Empty);
    let mut broken = caesium_chloride(4.0, ["Cs", "Cl"]);
    broken.sites[1].frac.y = f64::NAN;
    assert_eq!(refused(&broken), MatchError::NotFinite(1));
    broken.sites[1].frac.y = 1e18;
    assert_eq!(refused(&broken), MatchError::TooFar(1));
    broken.sites[1].frac.y = 0.5;
    broken.sites[0].occupancy = f64::INFINITY;
    assert_eq!(refused(&broken), MatchError::NotFinite(0));
    for site in &mut broken.sites {
        site.occupancy = 0.0;
    }
    assert_eq!(refused(&broken), MatchError::Empty);
    let tiny = structure(cube(1e-10), &[("H", [0.0; 3])]);
    assert!(matches!(refused(&tiny), MatchError::Volume(_)));
    let wire = Lattice::from_parameters([2.0, 2.0, 1e5], [90.0; 3]).unwrap();
    let wire = structure(wire, &[("C", [0.0; 3])]);
    assert!(matches!(refused(&wire), MatchError::Elongated(_)));
    let salt = caesium_chloride(4.0, ["Cs", "Cl"]);
    for tolerance in [f64::NAN, -0.1, 1e9] {
        let refused = Matcher { stol: tolerance, ..matcher }.prepare(&salt).unwrap_err();
        assert!(matches!(refused, MatchError::Tolerance("stol", _)));
    }
}
