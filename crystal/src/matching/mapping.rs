//! Lattice mappings: the bases of one lattice that look like the cell of another.

use std::ops::ControlFlow;

use nalgebra::{Matrix3, Vector3};

use crate::Lattice;

/// A basis of the first lattice whose lengths and angles are near those of the second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Mapping {
    /// Rows: the new lattice vectors in terms of the first lattice's; determinant ±1.
    pub(super) basis: Matrix3<i32>,
    /// Lengths of the new basis (Å).
    pub(super) lengths: [f64; 3],
    /// Angles of the new basis (degrees).
    pub(super) angles: [f64; 3],
}

/// How near is near.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    /// Lengths may differ by a factor within 1/(1 + ltol) … 1 + ltol.
    pub(super) ltol: f64,
    /// Angles may differ by this much (degrees).
    pub(super) angle_tol: f64,
}

/// A lattice vector of the first lattice that may stand for an axis of the second.
#[derive(Debug, Clone, Copy)]
struct Axis {
    index: Vector3<i32>,
    cart: Vector3<f64>,
    length: f64,
}

/// Room for the axes in question, kept between searches.
#[derive(Debug, Default, Clone)]
pub(super) struct Mappings {
    axes: [Vec<Axis>; 3],
    /// For one choice of a: the vectors that may be c, with the cosine of β.
    third: Vec<(usize, f64)>,
}

/// More lattice points than this within reach of one axis: the lattices have nothing to do with each
/// other, or the tolerance is meaningless.
const MOST_POINTS: f64 = 2e7;

impl Mappings {
    /// Calls `visit` with every mapping of `first` onto the cell with `lengths` (Å) and `angles` (degrees),
    /// until it breaks. Mirrored bases are visited too.
    pub(super) fn each(
        &mut self,
        first: &Lattice,
        lengths: [f64; 3],
        angles: [f64; 3],
        window: Window,
        mut visit: impl FnMut(&Mapping) -> ControlFlow<()>,
    ) {
        self.collect(first, lengths, window.ltol);
        let [alpha, beta, gamma] = angles.map(|angle| CosineRange::about(angle, window.angle_tol));
        let [first_axes, second_axes, third_axes] = &self.axes;
        for a in first_axes {
            self.third.clear();
            for (k, c) in third_axes.iter().enumerate() {
                let cosine = cosine(a, c);
                if beta.holds(cosine) {
                    self.third.push((k, cosine));
                }
            }
            for b in second_axes {
                let cos_gamma = cosine(a, b);
                if !gamma.holds(cos_gamma) {
                    continue;
                }
                for &(k, cos_beta) in &self.third {
                    let c = &third_axes[k];
                    let cos_alpha = cosine(b, c);
                    if !alpha.holds(cos_alpha) {
                        continue;
                    }
                    let basis = Matrix3::from_columns(&[a.index, b.index, c.index]).transpose();
                    if determinant(&basis).abs() != 1 {
                        continue;
                    }
                    let mapping = Mapping {
                        basis,
                        lengths: [a.length, b.length, c.length],
                        angles: [cos_alpha, cos_beta, cos_gamma].map(|x| x.acos().to_degrees()),
                    };
                    if visit(&mapping).is_break() {
                        return;
                    }
                }
            }
        }
    }

    /// Sorts the points of the lattice by the axes that they may stand for.
    fn collect(&mut self, lattice: &Lattice, lengths: [f64; 3], ltol: f64) {
        self.axes.iter_mut().for_each(Vec::clear);
        let ranges = lengths.map(|l| (l / (1.0 + ltol), l * (1.0 + ltol)));
        let reach = ranges.iter().fold(0.0, |most: f64, range| most.max(range.1));
        // |n_i| = |x · b*_i| ≤ |x| |b*_i|, and b*_i is one over the height.
        let most = lattice.heights().map(|height| (reach / height + 1e-8).floor());
        if most.iter().map(|m| 2.0 * m + 1.0).product::<f64>() > MOST_POINTS {
            return;
        }
        let [p, q, r] = most.map(|m| m as i32);
        let [a, b, c] = [0, 1, 2].map(|i| lattice.vector(i));
        for i in -p..=p {
            for j in -q..=q {
                let plane = a * f64::from(i) + b * f64::from(j);
                for k in -r..=r {
                    let cart = plane + c * f64::from(k);
                    let length = cart.norm();
                    if length > reach {
                        continue;
                    }
                    let axis = Axis { index: Vector3::new(i, j, k), cart, length };
                    for (list, (low, high)) in self.axes.iter_mut().zip(ranges) {
                        if low < length && length < high {
                            list.push(axis);
                        }
                    }
                }
            }
        }
    }
}

fn cosine(a: &Axis, b: &Axis) -> f64 {
    (a.cart.dot(&b.cart) / (a.length * b.length)).clamp(-1.0, 1.0)
}

/// Cosines of the angles within a tolerance of one angle.
#[derive(Debug, Clone, Copy)]
struct CosineRange {
    low: f64,
    high: f64,
}

impl CosineRange {
    fn about(angle: f64, tolerance: f64) -> Self {
        let cos = |degrees: f64| degrees.clamp(0.0, 180.0).to_radians().cos();
        Self { low: cos(angle + tolerance), high: cos(angle - tolerance) }
    }

    fn holds(self, cosine: f64) -> bool {
        self.low <= cosine && cosine <= self.high
    }
}

/// Determinant of a matrix of whole numbers; 64 bits, since the entries of far apart axes multiply.
fn determinant(m: &Matrix3<i32>) -> i64 {
    let at = |i: usize, j: usize| i64::from(m[(i, j)]);
    at(0, 0) * (at(1, 1) * at(2, 2) - at(1, 2) * at(2, 1))
        - at(0, 1) * (at(1, 0) * at(2, 2) - at(1, 2) * at(2, 0))
        + at(0, 2) * (at(1, 0) * at(2, 1) - at(1, 1) * at(2, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mappings(first: &Lattice, second: &Lattice, ltol: f64, angle_tol: f64) -> Vec<Mapping> {
        let mut found = Vec::new();
        let window = Window { ltol, angle_tol };
        Mappings::default().each(first, second.lengths(), second.angles(), window, |mapping| {
            found.push(*mapping);
            ControlFlow::Continue(())
        });
        found
    }

    fn cell(lengths: [f64; 3], angles: [f64; 3]) -> Lattice {
        Lattice::from_parameters(lengths, angles).unwrap()
    }

    #[test]
    fn a_cell_maps_onto_itself_as_often_as_its_lattice_has_symmetry() {
        let cases = [
            ([4.0, 4.0, 4.0], [90.0, 90.0, 90.0], 48),
            ([3.0, 3.0, 5.0], [90.0, 90.0, 120.0], 24),
            ([3.0, 3.0, 3.0], [60.0, 60.0, 60.0], 48),
            ([3.0, 4.0, 5.0], [90.0, 90.0, 90.0], 8),
            ([3.0, 4.0, 5.0], [90.0, 100.0, 90.0], 4),
            ([3.0, 4.0, 5.0], [80.0, 85.0, 75.0], 2),
        ];
        for (lengths, angles, order) in cases {
            let lattice = cell(lengths, angles);
            let found = mappings(&lattice, &lattice, 1e-3, 0.1);
            assert_eq!(found.len(), order, "{lengths:?} {angles:?}");
            for mapping in found {
                assert_eq!(determinant(&mapping.basis).abs(), 1);
                let rows = mapping.basis.map(f64::from) * lattice.matrix();
                let mapped = Lattice::from_rows(rows).unwrap();
                for i in 0..3 {
                    assert!((mapped.lengths()[i] - mapping.lengths[i]).abs() < 1e-9);
                    assert!((mapped.angles()[i] - mapping.angles[i]).abs() < 1e-6);
                    assert!((mapped.angles()[i] - angles[i]).abs() < 0.1);
                }
            }
        }
    }

    #[test]
    fn windows_are_those_of_the_tolerances() {
        let cube = cell([4.0; 3], [90.0; 3]);
        assert_eq!(mappings(&cube, &cell([4.7; 3], [90.0; 3]), 0.2, 5.0).len(), 48);
        assert_eq!(mappings(&cube, &cell([4.9; 3], [90.0; 3]), 0.2, 5.0).len(), 0);
        assert_eq!(mappings(&cube, &cell([3.4; 3], [90.0; 3]), 0.2, 5.0).len(), 48);
        assert_eq!(mappings(&cube, &cell([3.3; 3], [90.0; 3]), 0.2, 5.0).len(), 0);
        assert_eq!(mappings(&cube, &cell([4.0; 3], [86.0, 90.0, 94.0]), 0.2, 5.0).len(), 48);
        assert_eq!(mappings(&cube, &cell([4.0; 3], [84.0, 90.0, 94.0]), 0.2, 5.0).len(), 0);
    }

    #[test]
    fn lattices_of_other_worlds_are_given_up_at_once() {
        let (atom, galaxy) = (cell([1.0; 3], [90.0; 3]), cell([1e6; 3], [90.0; 3]));
        assert!(mappings(&atom, &galaxy, 0.2, 5.0).is_empty());
        assert!(mappings(&galaxy, &atom, 0.2, 5.0).is_empty());
    }
}
