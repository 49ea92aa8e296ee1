//! The search for a match allocates its answer and nothing else, however many mappings, translations and
//! assignments it goes through.

use allocation_counter::{AllocationInfo, measure};
use cellwright_crystal::cells::supercell;
use cellwright_crystal::matching::{Matcher, Prepared};
use cellwright_crystal::{Lattice, Site, Structure};
use nalgebra::{Matrix3, Vector3};

/// Cells as they are: a row of cells is matched as a row, however little its atoms were moved.
const MATCHER: Matcher =
    Matcher { ltol: 0.3, stol: 0.5, angle_tol: 10.0, primitive: false, scale: true };

/// `n` cells of cubic perovskite in a row, every atom moved by some tenths of an Å.
fn perovskite(n: i32, noise: f64) -> Structure {
    let site = |symbol: &str, at: [f64; 3]| Site::new(symbol.parse().unwrap(), Vector3::from(at));
    let cell = Structure {
        lattice: Lattice::from_parameters([3.905; 3], [90.0; 3]).unwrap(),
        sites: vec![
            site("Sr", [0.0; 3]),
            site("Ti", [0.5; 3]),
            site("O", [0.5, 0.5, 0.0]),
            site("O", [0.5, 0.0, 0.5]),
            site("O", [0.0, 0.5, 0.5]),
        ],
    };
    let mut row = supercell(&cell, &Matrix3::from_diagonal(&[n, 1, 1].into())).unwrap().structure;
    for (i, site) in row.sites.iter_mut().enumerate() {
        let way = Vector3::new(3 * i + 1, 5 * i + 2, 7 * i + 3).map(|k| (k as f64).sin() * noise);
        site.frac += row.lattice.to_fractional(&way);
    }
    row
}

/// What the second of two equal calls allocates: the first one gives the thread its room.
fn second<T>(run: impl Fn() -> T) -> AllocationInfo {
    drop(run());
    measure(|| drop(run()))
}

#[test]
fn a_search_allocates_only_its_answer() {
    let matcher = MATCHER;
    for n in [1, 3, 8] {
        let [a, b] =
            [0.0, 0.2].map(|noise| matcher.prepare(&perovskite(n, noise)).expect("a crystal"));
        assert!(matcher.rms(&a, &b).is_some() && matcher.fit(&a, &b), "{n}");
        let (rms, fit) = (second(|| matcher.rms(&a, &b)), second(|| matcher.fit(&a, &b)));
        // The partners of the match.
        assert_eq!((rms.count_total, fit.count_total), (1, 1), "{n} cells");
        assert_eq!(rms.bytes_total as usize, size_of::<usize>() * a.len(), "{n} cells");
        // Nothing fits within a thousandth: all is tried, and nothing is answered.
        let strict = Matcher { stol: 1e-3, ..matcher };
        let [rms, fit] = [
            second(|| assert!(strict.rms(&a, &b).is_none())),
            second(|| assert!(!strict.fit(&a, &b))),
        ];
        assert_eq!((rms.count_total, fit.count_total), (0, 0), "{n} cells");
    }
}

/// Replacements of elements are looked through in lists that are made once for each search: there are no more
/// of them for more mappings, translations and permutations.
#[test]
fn an_anonymous_search_allocates_no_more_for_more_atoms() {
    let matcher = MATCHER;
    let prepare = |n: i32, noise: f64| -> Prepared {
        matcher.prepare(&perovskite(n, noise)).expect("a crystal")
    };
    let count = |n: i32| {
        let (a, b) = (prepare(n, 0.0), prepare(n, 0.2));
        assert!(matcher.rms_anonymous(&a, &b).is_some(), "{n} cells");
        second(|| matcher.rms_anonymous(&a, &b)).count_total
    };
    let [few, many] = [3, 8].map(count);
    assert_eq!(few, many);
}
