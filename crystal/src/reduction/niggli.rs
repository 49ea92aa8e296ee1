//! The Niggli cell: the one reduced cell that every description of a lattice leads to.

use nalgebra::Matrix3;

use super::work::Work;
use super::{Reduced, ReductionError};
use crate::Lattice;

/// After the pairs are shortened a dozen steps are usual.
const MOST_STEPS: usize = 1000;

/// The Niggli-reduced cell (International Tables A, 3.1.3), by the steps of Křivý & Gruber, Acta Cryst. A32
/// (1976) 297, with every comparison made within ε as Grosse-Kunstleve, Sauter & Adams, Acta Cryst. A60
/// (2004) 1, found to be stable.
///
/// `tolerance` is relative, 1e-5 is usual: ε = tolerance · V^⅔ in the units of the metric tensor (Å²), so
/// that the result does not depend on the unit of length (the paper has V^⅓). Lattices that differ by less
/// may have different Niggli cells where one condition just holds and just does not; their volume and
/// the lattice they span are the same.
///
/// # Errors
/// See [`ReductionError`].
pub fn niggli(lattice: &Lattice, tolerance: f64) -> Result<Reduced, ReductionError> {
    if !(0.0..=0.1).contains(&tolerance) {
        return Err(ReductionError::Tolerance(tolerance));
    }
    let epsilon = tolerance * lattice.volume().cbrt().powi(2);
    let mut work = Work::new(lattice);
    work.shorten_pairs()?;
    for _ in 0..MOST_STEPS {
        match Metric::of(&work, epsilon).step() {
            Some(step) => work.apply(&step)?,
            None => return work.finish(),
        }
    }
    Err(ReductionError::NoEnd(MOST_STEPS))
}

/// The six numbers of the metric tensor and the tolerance they are compared with (Å²).
struct Metric {
    a: f64,
    b: f64,
    c: f64,
    /// 2 b·c.
    xi: f64,
    /// 2 a·c.
    eta: f64,
    /// 2 a·b.
    zeta: f64,
    epsilon: f64,
}

impl Metric {
    fn of(work: &Work, epsilon: f64) -> Self {
        let [a, b, c] = [0, 1, 2].map(|i| work.vector(i));
        Self {
            a: a.norm_squared(),
            b: b.norm_squared(),
            c: c.norm_squared(),
            xi: 2.0 * b.dot(&c),
            eta: 2.0 * a.dot(&c),
            zeta: 2.0 * a.dot(&b),
            epsilon,
        }
    }

    /// The next change of basis, in the numbering of the paper; `None` when the cell is reduced.
    fn step(&self) -> Option<Matrix3<i64>> {
        let Self { a, b, c, xi, eta, zeta, .. } = *self;
        // 1 and 2: by length.
        if self.less(b, a) || (self.equal(a, b) && self.less(eta.abs(), xi.abs())) {
            return Some(Matrix3::new(0, -1, 0, -1, 0, 0, 0, 0, -1));
        }
        if self.less(c, b) || (self.equal(b, c) && self.less(zeta.abs(), eta.abs())) {
            return Some(Matrix3::new(-1, 0, 0, 0, 0, -1, 0, -1, 0));
        }
        // 3 and 4: all angles acute or none.
        let signs = self.signs();
        if signs != [1, 1, 1] {
            return Some(Matrix3::from_diagonal(&signs.into()));
        }
        // 5, 6 and 7: by one vector in a face.
        let sign = |x: f64| if x > 0.0 { -1 } else { 1 };
        if self.leans(xi, b, 2.0 * eta, zeta) {
            return Some(Matrix3::new(1, 0, 0, 0, 1, 0, 0, sign(xi), 1));
        }
        if self.leans(eta, a, 2.0 * xi, zeta) {
            return Some(Matrix3::new(1, 0, 0, 0, 1, 0, sign(eta), 0, 1));
        }
        if self.leans(zeta, a, 2.0 * xi, eta) {
            return Some(Matrix3::new(1, 0, 0, sign(zeta), 1, 0, 0, 0, 1));
        }
        // 8: by the diagonal of the cell.
        let diagonal = xi + eta + zeta + a + b;
        let longer = self.less(0.0, 2.0 * (a + eta) + zeta);
        if self.less(diagonal, 0.0) || (self.equal(diagonal, 0.0) && longer) {
            return Some(Matrix3::new(1, 0, 0, 0, 1, 0, 1, 1, 1));
        }
        None
    }

    /// Signs of a, b and c, their product +1, that make all of ξ, η, ζ positive, or none.
    fn signs(&self) -> [i64; 3] {
        let scalars = [self.xi, self.eta, self.zeta];
        let sign = scalars.map(|x| i64::from(self.less(0.0, x)) - i64::from(self.less(x, 0.0)));
        if sign.iter().product::<i64>() > 0 {
            return sign;
        }
        let mut signs = sign.map(|s| if s > 0 { -1 } else { 1 });
        if signs.iter().product::<i64>() < 0 {
            // A right angle turns freely; there is one, or the product of the scalars were positive.
            if let Some(free) = sign.iter().rposition(|s| *s == 0) {
                signs[free] = -1;
            }
        }
        signs
    }

    /// Whether one vector leans so far over another, of squared length `length`, that it is shorter, or no
    /// longer and better placed, one step back.
    fn leans(&self, scalar: f64, length: f64, twice: f64, other: f64) -> bool {
        self.less(length, scalar.abs())
            || (self.equal(scalar, length) && self.less(twice, other))
            || (self.equal(scalar, -length) && self.less(other, 0.0))
    }

    fn less(&self, x: f64, y: f64) -> bool {
        x < y - self.epsilon
    }

    fn equal(&self, x: f64, y: f64) -> bool {
        !self.less(x, y) && !self.less(y, x)
    }
}
