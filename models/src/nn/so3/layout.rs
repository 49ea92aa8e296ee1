//! Which harmonics an edge keeps, and in which order.

/// The harmonics of degree at most `lmax` and order at most `mmax`, sorted by |m|: first m = 0 of every degree, then for
/// each m = 1, 2, … all degrees l ≥ m with +m, then all with −m.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Largest degree.
    pub lmax: usize,
    /// Largest order, at most `lmax`.
    pub mmax: usize,
}

impl Layout {
    /// Number of rows.
    #[must_use]
    pub fn rows(self) -> usize {
        (0..=self.mmax).map(|m| self.degrees(m) * if m == 0 { 1 } else { 2 }).sum()
    }

    /// Number of rows of an atom, all orders: (lmax + 1)².
    #[must_use]
    pub fn atom_rows(self) -> usize {
        (self.lmax + 1) * (self.lmax + 1)
    }

    /// Number of degrees that have the order `m`: its rows with either sign.
    #[must_use]
    pub fn degrees(self, m: usize) -> usize {
        self.lmax + 1 - m
    }

    /// Number of pairs of a degree and an |m|: radial weights are the same for +m and −m.
    #[must_use]
    pub fn pairs(self) -> usize {
        (0..=self.mmax).map(|m| self.degrees(m)).sum()
    }

    /// Degree and order of every row.
    #[must_use]
    pub fn harmonics(self) -> Vec<(usize, isize)> {
        let mut rows = Vec::with_capacity(self.rows());
        for m in 0..=self.mmax {
            let signs: &[isize] = if m == 0 { &[0] } else { &[1, -1] };
            for sign in signs {
                rows.extend((m..=self.lmax).map(|l| (l, sign * m as isize)));
            }
        }
        rows
    }

    /// Factor of a degree whose outer orders are cut off, so that rotating there and back keeps its size on average
    /// (EquiformerV2's release): √((2l + 1)/(2M + 1)) for l > M, else 1.
    #[must_use]
    pub fn rescale(self, l: usize) -> f64 {
        if l > self.mmax { ((2 * l + 1) as f64 / (2 * self.mmax + 1) as f64).sqrt() } else { 1.0 }
    }
}

/// Degree and order of every row of an atom's features, l² + l + m.
#[must_use]
pub fn atom_harmonics(lmax: usize) -> Vec<(usize, isize)> {
    (0..=lmax).flat_map(|l| (-(l as isize)..=l as isize).map(move |m| (l, m))).collect()
}

/// Row of an atom's features.
#[must_use]
pub fn atom_row(l: usize, m: isize) -> usize {
    (l * l + l).wrapping_add_signed(m)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_sorted_by_order() {
        let layout = Layout { lmax: 3, mmax: 2 };
        let rows = layout.harmonics();
        assert_eq!((rows.len(), layout.rows(), layout.pairs()), (14, 14, 9));
        assert_eq!(rows[..6], [(0, 0), (1, 0), (2, 0), (3, 0), (1, 1), (2, 1)]);
        assert_eq!(rows[10..], [(2, 2), (3, 2), (2, -2), (3, -2)]);
        assert_eq!(atom_harmonics(2)[atom_row(2, -1)], (2, -1));
        assert!((layout.rescale(3) - 1.4_f64.sqrt()).abs() < 1e-15);
    }
}
