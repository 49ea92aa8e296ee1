//! Mendeleev numbers: the elements in one row, chemically similar ones next to each other.

use cellwright_crystal::Element;

/// Villars et al., *J. Alloys Compd.* **367**, 167 (2004), in order of atomic number.
#[rustfmt::skip]
const NUMBERS: [u8; Element::COUNT] = [
    103, 1, 12, 77, 86, 95, 100, 101, 102, 2, 11, 73, 80, 85, 90, 94, 99, 3,
    10, 16, 19, 51, 54, 57, 60, 61, 64, 67, 72, 76, 81, 84, 89, 93, 98, 4,
    9, 15, 25, 49, 53, 56, 59, 62, 65, 69, 71, 75, 79, 83, 88, 92, 97, 5,
    8, 14, 33, 32, 31, 30, 29, 28, 18, 27, 26, 24, 23, 22, 21, 17, 20, 50,
    52, 55, 58, 63, 66, 68, 70, 74, 78, 82, 87, 91, 96, 6, 7, 13, 48, 47,
    46, 45, 44, 43, 42, 41, 40, 39, 38, 37, 36, 35, 34,
];

/// Mendeleev number of an element, 1 to 103.
pub(crate) fn mendeleev(element: Element) -> f64 {
    f64::from(NUMBERS[usize::from(element.z()) - 1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_occurs_once_and_neighbours_are_alike() {
        let mut numbers = NUMBERS.to_vec();
        numbers.sort_unstable();
        assert!(numbers.iter().zip(1..).all(|(n, i)| *n == i));
        let of = |symbol: &str| mendeleev(symbol.parse().unwrap());
        assert_eq!((of("Na") - of("K")).abs(), 1.0);
        assert!((of("Na") - of("Cl")).abs() > 50.0);
    }
}
