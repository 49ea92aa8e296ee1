//! The 530 tabulated settings of the 230 space groups (from moyo's Hall symbol tables).

use super::Operation;
use crate::Lattice;

/// The seven crystal systems.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum CrystalSystem {
    Triclinic,
    Monoclinic,
    Orthorhombic,
    Tetragonal,
    Trigonal,
    Hexagonal,
    Cubic,
}

/// One tabulated setting of a space group, by Hall number (1 to 530).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Setting(u16);

impl Setting {
    /// By Hall number, 1 to 530.
    #[must_use]
    pub fn from_hall_number(number: u16) -> Option<Self> {
        (1..=530).contains(&number).then_some(Self(number))
    }

    /// The standard setting of International Tables number 1 to 230 (cell choice 1, origin choice 2 where there are two,
    /// hexagonal axes).
    #[must_use]
    pub fn standard(number: u16) -> Option<Self> {
        todo!()
    }

    /// From a Hermann–Mauguin symbol as files spell it: short, full or extended, with or without
    /// spaces and underscores, any case of the lattice letter, bars as `-` or trailing, `:1 :2 :H :R`, `S`/`Z`/`H` suffixes,
    /// screw axes as `21`, `2_1` or `2(1)`.
    #[must_use]
    pub fn from_hm(symbol: &str) -> Option<Self> {
        todo!()
    }

    /// All settings a Hermann–Mauguin symbol may stand for, the conventional one first. `P 21/c` without axes given
    /// is one; `F d -3 m` has two origins.
    #[must_use]
    pub fn candidates(symbol: &str) -> Vec<Self> {
        todo!()
    }

    /// From a Hall symbol, tabulated settings only (spaces and case as in the standard are normalised).
    #[must_use]
    pub fn from_hall(symbol: &str) -> Option<Self> {
        todo!()
    }

    /// Hall number, 1 to 530.
    #[must_use]
    pub fn hall_number(self) -> u16 {
        self.0
    }

    /// International Tables number, 1 to 230.
    #[must_use]
    pub fn number(self) -> u16 {
        todo!()
    }

    /// Short Hermann–Mauguin symbol with spaces: `F m -3 m`, setting suffix where there is one (`:2`).
    #[must_use]
    pub fn hm(self) -> &'static str {
        todo!()
    }

    /// Hall symbol.
    #[must_use]
    pub fn hall(self) -> &'static str {
        todo!()
    }

    /// Crystal system of the group.
    #[must_use]
    pub fn system(self) -> CrystalSystem {
        todo!()
    }

    /// Every operation of the setting, centring translations included, identity first.
    #[must_use]
    pub fn operations(self) -> Vec<Operation> {
        todo!()
    }

    /// Whether the cell's metric allows this setting: largest relative change that an operation makes to the metric tensor,
    /// 0 for a perfect fit.
    #[must_use]
    pub fn metric_misfit(self, lattice: &Lattice) -> f64 {
        metric_misfit(&self.operations(), lattice)
    }
}

/// How badly a lattice breaks a set of operations: the largest `|WᵀGW − G|` over the operations, relative to the
/// largest entry of the metric tensor G.
#[must_use]
pub fn metric_misfit(operations: &[Operation], lattice: &Lattice) -> f64 {
    todo!()
}
