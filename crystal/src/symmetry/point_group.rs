//! The 32 crystallographic point groups.

/// A crystallographic point group (geometric crystal class).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PointGroup {
    /// Hermann–Mauguin symbol without spaces: `-42m`, `6/mmm`.
    pub hm: &'static str,
    /// Schoenflies symbol: `D2d`, `D6h`.
    pub schoenflies: &'static str,
}

impl PointGroup {
    /// The point group of a space group by its International Tables number, 1 to 230: the space groups are
    /// listed by point group, so the last class that begins at or before the number is it.
    pub(super) fn of(number: u16) -> Self {
        let after = CLASSES.partition_point(|(first, ..)| *first <= number);
        let (_, hm, schoenflies) = CLASSES[after.saturating_sub(1)];
        Self { hm, schoenflies }
    }
}

/// The first space group of each point group (International Tables A, table 2.1.2.1), and its symbols.
#[rustfmt::skip]
const CLASSES: [(u16, &str, &str); 32] = [
    (1, "1", "C1"),
    (2, "-1", "Ci"),
    (3, "2", "C2"),
    (6, "m", "Cs"),
    (10, "2/m", "C2h"),
    (16, "222", "D2"),
    (25, "mm2", "C2v"),
    (47, "mmm", "D2h"),
    (75, "4", "C4"),
    (81, "-4", "S4"),
    (83, "4/m", "C4h"),
    (89, "422", "D4"),
    (99, "4mm", "C4v"),
    (111, "-42m", "D2d"),
    (123, "4/mmm", "D4h"),
    (143, "3", "C3"),
    (147, "-3", "C3i"),
    (149, "32", "D3"),
    (156, "3m", "C3v"),
    (162, "-3m", "D3d"),
    (168, "6", "C6"),
    (174, "-6", "C3h"),
    (175, "6/m", "C6h"),
    (177, "622", "D6"),
    (183, "6mm", "C6v"),
    (187, "-6m2", "D3h"),
    (191, "6/mmm", "D6h"),
    (195, "23", "T"),
    (200, "m-3", "Th"),
    (207, "432", "O"),
    (215, "-43m", "Td"),
    (221, "m-3m", "Oh"),
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use moyo::data::arithmetic_crystal_class_entry;

    use super::*;
    use crate::symmetry::Setting;
    use crate::symmetry::spacegroup::entry;

    #[test]
    fn every_setting_has_the_point_group_of_its_arithmetic_class() {
        let mut seen = HashSet::new();
        for setting in Setting::all() {
            let class = entry(setting.hall_number()).arithmetic_number;
            let want = arithmetic_crystal_class_entry(class).unwrap().geometric_crystal_class;
            assert_eq!(setting.point_group().hm, want.to_string(), "{}", setting.hm());
            seen.insert(setting.point_group());
        }
        let symbols: HashSet<_> = seen.iter().map(|group| group.schoenflies).collect();
        assert_eq!((seen.len(), symbols.len()), (32, 32));
    }

    #[test]
    fn symbols_of_both_conventions() {
        let of = |number| (PointGroup::of(number).hm, PointGroup::of(number).schoenflies);
        assert_eq!(of(1), ("1", "C1"));
        assert_eq!(of(122), ("-42m", "D2d"));
        assert_eq!(of(166), ("-3m", "D3d"));
        assert_eq!(of(230), ("m-3m", "Oh"));
    }
}
