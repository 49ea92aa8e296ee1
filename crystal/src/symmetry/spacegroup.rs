//! The 530 tabulated settings of the 230 space groups (from moyo's Hall symbol tables).

use std::sync::OnceLock;

use moyo::data::{HallSymbol, HallSymbolEntry, hall_symbol_entry};

use super::group::same_set;
use super::{Operation, PointGroup, hall_operations, hm};
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

    /// Every setting in the order of Hall numbers.
    pub fn all() -> impl ExactSizeIterator<Item = Self> {
        (0..530).map(|n| Self(n + 1))
    }

    /// The standard setting of International Tables number 1 to 230 (cell choice 1, origin choice 2 where there are two,
    /// hexagonal axes).
    #[must_use]
    pub fn standard(number: u16) -> Option<Self> {
        let number = i32::from(number);
        let known = (1..=230).contains(&number);
        let hall = known.then(|| moyo::data::Setting::Standard.hall_number(number)).flatten()?;
        Some(Self(hall as u16))
    }

    /// From a Hermann–Mauguin symbol as files spell it: short, full or extended, with or without
    /// spaces and underscores, any case of the lattice letter, bars as `-` or trailing, `:1 :2 :H :R`, `S`/`Z`/`H` suffixes,
    /// screw axes as `21`, `2_1` or `2(1)`. The first of [`Self::candidates`].
    #[must_use]
    pub fn from_hm(symbol: &str) -> Option<Self> {
        Self::candidates(symbol).into_iter().next()
    }

    /// All settings a Hermann–Mauguin symbol may stand for, the conventional one first. `P 21/c` without axes given
    /// is one; `F d -3 m` has two origins.
    #[must_use]
    pub fn candidates(symbol: &str) -> Vec<Self> {
        hm::candidates(symbol)
    }

    /// From a Hall symbol, tabulated settings only. Any symbol with the operations of a tabulated setting
    /// will do: `-C 2bc 2` and `-C 2ac 2` are the same group. For others see [`hall_operations`].
    #[must_use]
    pub fn from_hall(symbol: &str) -> Option<Self> {
        let same = |s: &Self| s.hall().split(' ').eq(symbol.split_whitespace());
        Self::all().find(same).or_else(|| Self::from_operations(&hall_operations(symbol)?))
    }

    /// The setting that has exactly these operations, in any order. Where two settings of the table have
    /// the same operations (`C c c a :1` and `C c c b :1`), the first.
    #[must_use]
    pub fn from_operations(operations: &[Operation]) -> Option<Self> {
        Self::all().find(|s| same_set(s.table(), operations))
    }

    /// Hall number, 1 to 530.
    #[must_use]
    pub fn hall_number(self) -> u16 {
        self.0
    }

    /// International Tables number, 1 to 230.
    #[must_use]
    pub fn number(self) -> u16 {
        entry(self.0).number as u16
    }

    /// Short Hermann–Mauguin symbol with spaces: `F m -3 m`, setting suffix where there is one (`:2`).
    #[must_use]
    pub fn hm(self) -> &'static str {
        hm::display(self.0)
    }

    /// Short Hermann–Mauguin symbol without a suffix for the choice of origin or axes: `F d -3 m`.
    #[must_use]
    pub fn hm_without_choice(self) -> &'static str {
        hm::without_choice(self.0)
    }

    /// Hall symbol.
    #[must_use]
    pub fn hall(self) -> &'static str {
        entry(self.0).hall_symbol
    }

    /// Crystal system of the group.
    #[must_use]
    pub fn system(self) -> CrystalSystem {
        match self.number() {
            ..=2 => CrystalSystem::Triclinic,
            3..=15 => CrystalSystem::Monoclinic,
            16..=74 => CrystalSystem::Orthorhombic,
            75..=142 => CrystalSystem::Tetragonal,
            143..=167 => CrystalSystem::Trigonal,
            168..=194 => CrystalSystem::Hexagonal,
            _ => CrystalSystem::Cubic,
        }
    }

    /// Point group of the group.
    #[must_use]
    pub fn point_group(self) -> PointGroup {
        PointGroup::of(self.number())
    }

    /// Every operation of the setting, centring translations included, identity first.
    #[must_use]
    pub fn operations(self) -> Vec<Operation> {
        self.table().to_vec()
    }

    /// The operations, worked out once for each setting.
    fn table(self) -> &'static [Operation] {
        static TABLES: [OnceLock<Vec<Operation>>; 530] = [const { OnceLock::new() }; 530];
        TABLES[usize::from(self.0) - 1].get_or_init(|| {
            let Some(hall) = HallSymbol::new(self.hall()) else { return Vec::new() };
            let centred = hall.centering.lattice_points().into_iter();
            let coset = hall.traverse();
            let shifted = centred.flat_map(|shift| {
                coset.iter().map(move |op| Operation::new(op.rotation, op.translation + shift))
            });
            shifted.collect()
        })
    }

    /// Whether the cell's metric allows this setting: largest relative change that an operation makes to the metric tensor,
    /// 0 for a perfect fit.
    #[must_use]
    pub fn metric_misfit(self, lattice: &Lattice) -> f64 {
        metric_misfit(self.table(), lattice)
    }
}

/// Hall numbers of the table.
pub(super) const HALL_NUMBERS: std::ops::RangeInclusive<u16> = 1..=530;

/// A row of moyo's table.
pub(super) fn entry(hall_number: u16) -> HallSymbolEntry {
    hall_symbol_entry(i32::from(hall_number)).expect("Hall numbers are checked when made")
}

/// How badly a lattice breaks a set of operations: the largest `|WᵀGW − G|` over the operations, relative to the
/// largest entry of the metric tensor G.
#[must_use]
pub fn metric_misfit(operations: &[Operation], lattice: &Lattice) -> f64 {
    let metric = lattice.metric();
    let largest = operations.iter().map(|op| {
        let rotation = op.rotation.cast::<f64>();
        (rotation.transpose() * metric * rotation - metric).amax()
    });
    largest.fold(0.0, f64::max) / metric.amax()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::symmetry::generate;

    /// A lattice that the setting's operations leave as it is: the metric of any lattice, averaged over
    /// the group.
    fn conforming(setting: Setting) -> Lattice {
        let any = Lattice::from_parameters([5.0, 6.0, 7.0], [85.0, 95.0, 100.0]).unwrap();
        let turned = setting.operations().into_iter().map(|op| {
            let rotation = op.rotation.cast::<f64>();
            rotation.transpose() * any.metric() * rotation
        });
        let sum: nalgebra::Matrix3<f64> = turned.sum();
        let metric = sum / setting.operations().len() as f64;
        Lattice::from_rows(metric.cholesky().unwrap().l()).unwrap()
    }

    #[test]
    fn every_setting_is_a_group_that_its_own_lattice_has() {
        for setting in Setting::all() {
            let operations = setting.operations();
            let name = setting.hm();
            assert_eq!(operations[0], Operation::identity(), "{name}");
            let group = generate(&operations).unwrap();
            assert!(same_set(&group, &operations), "{name} is not closed");
            assert!(operations.iter().all(|op| op.inverse().is_some()), "{name}");
            assert!(setting.metric_misfit(&conforming(setting)) < 1e-12, "{name}");
        }
    }

    #[test]
    fn a_wrong_cell_does_not_fit() {
        let lattice = Lattice::from_parameters([4.0, 4.0, 4.2], [90.0; 3]).unwrap();
        let misfit = |number| Setting::standard(number).unwrap().metric_misfit(&lattice);
        assert_eq!((misfit(47), misfit(123)), (0.0, 0.0));
        assert!((misfit(221) - (4.2 * 4.2 - 16.0) / (4.2 * 4.2)).abs() < 1e-12);
        assert!(misfit(194) > 0.1);
    }

    #[test]
    fn standard_settings() {
        let hall = |number| Setting::standard(number).map(Setting::hall_number);
        assert_eq!(hall(14), Some(81));
        assert_eq!(hall(227), Some(526));
        assert_eq!(hall(166), Some(458));
        assert_eq!((hall(0), hall(231), Setting::from_hall_number(531)), (None, None, None));
        for number in 1..=230 {
            let setting = Setting::standard(number).unwrap();
            assert_eq!(setting.number(), number);
            assert_eq!(Setting::from_operations(&setting.operations()), Some(setting));
        }
        assert_eq!(Setting::standard(227).unwrap().hm(), "F d -3 m :2");
        assert_eq!(Setting::standard(227).unwrap().hm_without_choice(), "F d -3 m");
        assert_eq!(Setting::standard(227).unwrap().system(), CrystalSystem::Cubic);
        assert_eq!(Setting::standard(227).unwrap().operations().len(), 192);
    }

    #[test]
    fn hall_symbols_of_other_tables_mean_the_same_group() {
        let hall = |symbol| Setting::from_hall(symbol).map(Setting::hall_number);
        for (number, symbol) in [
            (82, "-P 2yn"),
            (82, " -p  2YN "),
            (304, "-C 2bc 2"),
            (458, "-R 3 2\""),
            (472, "P 61 2 (0 0 5)"),
            (440, "P 31 2 (x,y,z+1/3)"),
            (526, "-F 4vw 2vw 3"),
        ] {
            assert_eq!(hall(symbol), Some(number), "{symbol}");
        }
        assert_eq!(hall("-C 4 2"), None);
        assert_eq!(hall("nonsense"), None);
    }
}
