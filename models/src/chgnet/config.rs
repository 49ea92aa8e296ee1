//! The sizes and cutoffs of one CHGNet version.

/// What the shapes of the weights do not say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Config {
    /// Longest bond of the atom graph (Å).
    pub atom_cutoff: f64,
    /// Longest bond of the bond graph, between whose bonds there are angles (Å).
    pub bond_cutoff: f64,
    /// Exponent p of the smooth cutoff.
    pub envelope_exponent: i32,
    /// Radial functions per bond.
    pub radial: usize,
    /// Angular functions per angle: a constant, then sines and cosines of as many frequencies.
    pub angular: usize,
    /// Interaction blocks; the last one updates atoms only.
    pub blocks: usize,
    /// Elements known, H to this atomic number.
    pub elements: usize,
    /// Width of the features of atoms, bonds and angles.
    pub width: usize,
}

impl Config {
    /// CHGNet 0.3.0, the arguments stored in its checkpoint.
    pub const V0_3_0: Self = Self {
        atom_cutoff: 6.0,
        bond_cutoff: 3.0,
        envelope_exponent: 8,
        radial: 31,
        angular: 31,
        blocks: 4,
        elements: 94,
        width: 64,
    };
}
