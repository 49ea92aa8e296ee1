//! How far two distributions of a property are apart.

/// Values that make no distribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DistributionError {
    /// One side has no values.
    #[error("a distribution needs at least one value")]
    Empty,
    /// A value is NaN or infinite.
    #[error("a value is not a finite number")]
    NotFinite,
}

/// The earth mover's distance (Wasserstein-1) of two samples, in the unit of the values: the least mean
/// way by which one becomes the other,
///
/// `∫ |F(x) − G(x)| dx`
///
/// with the empirical distribution functions F and G. Exact, for samples of any two sizes (Vallender,
/// *Theory Probab. Appl.* **18**, 784 (1974)).
///
/// # Errors
/// [`DistributionError`].
pub fn earth_mover(a: &[f64], b: &[f64]) -> Result<f64, DistributionError> {
    let (a, b) = (sorted(a)?, sorted(b)?);
    let (mut i, mut j) = (0, 0);
    let mut x = a[0].min(b[0]);
    let mut distance = 0.0;
    while i < a.len() || j < b.len() {
        let next = match (a.get(i), b.get(j)) {
            (Some(p), Some(q)) => p.min(*q),
            (Some(p), None) | (None, Some(p)) => *p,
            (None, None) => break,
        };
        let apart = i as f64 / a.len() as f64 - j as f64 / b.len() as f64;
        distance += apart.abs() * (next - x);
        x = next;
        i += a[i..].iter().take_while(|p| **p <= x).count();
        j += b[j..].iter().take_while(|q| **q <= x).count();
    }
    Ok(distance)
}

fn sorted(values: &[f64]) -> Result<Vec<f64>, DistributionError> {
    if values.is_empty() {
        return Err(DistributionError::Empty);
    }
    if values.iter().any(|v| !v.is_finite()) {
        return Err(DistributionError::NotFinite);
    }
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    Ok(sorted)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn agrees_with_scipy() {
        // scipy.stats.wasserstein_distance 1.17.1.
        for (a, b, expected) in [
            (&[0.0, 1.0, 3.0][..], &[5.0, 6.0, 8.0][..], 5.0),
            (&[0.0, 1.0][..], &[0.0, 1.0, 2.0], 0.5),
            (&[3.4, 3.9, 7.5, 7.8], &[4.5, 1.4], 2.7),
            (&[2.0, 2.0, 2.0, -1.5], &[2.0], 0.875),
            (
                &[1.0, 4.0, 9.0, 16.0, 25.0],
                &[2.0, 3.0, 5.0, 7.0, 11.0, 13.0, 17.0],
                3.5714285714285707,
            ),
        ] {
            let got = earth_mover(a, b).unwrap();
            assert!((got - expected).abs() < 1e-12, "{a:?} {b:?}: {got} {expected}");
        }
    }

    #[test]
    fn nothing_and_nonsense_are_errors() {
        assert_eq!(earth_mover(&[], &[1.0]), Err(DistributionError::Empty));
        assert_eq!(earth_mover(&[1.0], &[f64::NAN]), Err(DistributionError::NotFinite));
    }

    proptest! {
        #[test]
        fn is_a_distance_that_moves_with_its_samples(
            a in prop::collection::vec(-10.0..10.0_f64, 1..20),
            b in prop::collection::vec(-10.0..10.0_f64, 1..20),
            shift in -5.0..5.0_f64,
        ) {
            let moved: Vec<f64> = a.iter().map(|x| x + shift).collect();
            let forth = earth_mover(&a, &b).unwrap();
            prop_assert!((forth - earth_mover(&b, &a).unwrap()).abs() < 1e-12);
            prop_assert!((earth_mover(&a, &moved).unwrap() - shift.abs()).abs() < 1e-9);
            prop_assert!(forth <= shift.abs() + earth_mover(&moved, &b).unwrap() + 1e-9);
        }
    }
}
