//! The lattice as six unbounded numbers.
//!
//! `k = (ln a, ln b, ln c, tan(α − π/2), tan(β − π/2), tan(γ − π/2))`: any six numbers are lengths above zero and
//! angles between 0 and π. Not every three angles close a cell; whoever draws a `k` must check that with
//! [`Lattice::from_parameters`].

use std::f64::consts::FRAC_PI_2;

use cellwright_crystal::Lattice;
use cellwright_crystal::lattice::LatticeError;

/// Orders of the three axes other than the identity; `ORDERS[p][i]` is the old axis that becomes axis `i`.
pub const ORDERS: [[usize; 3]; 5] = [[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

/// Six numbers from lengths (Å) and angles (degrees).
#[must_use]
pub fn to_numbers(lengths: [f64; 3], angles: [f64; 3]) -> [f64; 6] {
    let [a, b, c] = lengths.map(f64::ln);
    let [alpha, beta, gamma] = angles.map(|x| (x.to_radians() - FRAC_PI_2).tan());
    [a, b, c, alpha, beta, gamma]
}

/// Lengths (Å) and angles (degrees) from six numbers.
#[must_use]
pub fn to_parameters(k: [f64; 6]) -> ([f64; 3], [f64; 3]) {
    let [a, b, c, alpha, beta, gamma] = k;
    let angle = |x: f64| (x.atan() + FRAC_PI_2).to_degrees();
    ([a, b, c].map(f64::exp), [alpha, beta, gamma].map(angle))
}

/// The lattice of six numbers.
///
/// # Errors
/// When the lengths overflow or the angles close no cell.
pub fn to_lattice(k: [f64; 6]) -> Result<Lattice, LatticeError> {
    let (lengths, angles) = to_parameters(k);
    Lattice::from_parameters(lengths, angles)
}

/// Six numbers with the axes in another order.
#[must_use]
pub fn permute(k: [f64; 6], order: [usize; 3]) -> [f64; 6] {
    let [i, j, l] = order;
    [k[i], k[j], k[l], k[3 + i], k[3 + j], k[3 + l]]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let (lengths, angles) = ([3.0, 12.5, 0.7], [60.0, 90.0, 135.5]);
        let (l, a) = to_parameters(to_numbers(lengths, angles));
        for i in 0..3 {
            assert!((l[i] - lengths[i]).abs() < 1e-12 && (a[i] - angles[i]).abs() < 1e-12);
        }
    }

    #[test]
    fn an_impossible_cell_is_an_error_not_a_flat_cell() {
        let impossible = to_numbers([4.0; 3], [60.0, 60.0, 130.0]);
        assert!(to_lattice(impossible).is_err());
        assert!(to_lattice([1e9, 0.0, 0.0, 0.0, 0.0, 0.0]).is_err());
        assert!(to_lattice([f64::NAN; 6]).is_err());
    }

    #[test]
    fn orders_are_all_but_the_identity() {
        let mut orders = ORDERS.to_vec();
        orders.push([0, 1, 2]);
        orders.sort_unstable();
        orders.dedup();
        assert_eq!(orders.len(), 6);
        assert_eq!(
            permute([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [2, 0, 1]),
            [3.0, 1.0, 2.0, 6.0, 4.0, 5.0]
        );
    }
}
