//! What a type symbol or a site label stands for.

use cellwright_crystal::Element;

/// What was read from a symbol or label.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Species {
    /// An element, with its charge where the text states one.
    Element(Element, Option<f64>),
    /// The file asks what sits here.
    Masked,
    /// A vacancy: nothing sits here, on purpose.
    Vacancy,
    /// Neither.
    Unknown,
}

/// Groups that people write in place of an element, with the atom that carries the position.
const GROUPS: [(&str, &str); 10] = [
    ("WAT", "O"),
    ("OH", "O"),
    ("OW", "O"),
    ("OH2", "O"),
    ("H2O", "O"),
    ("HW", "H"),
    ("NH3", "N"),
    ("NH4", "N"),
    ("NO3", "N"),
    ("CH3", "C"),
];

/// Reads a type symbol: `Fe`, `FE`, `Fe3+`, `Fe+3`, `O2-`, `Si0+`, `D`, `Fe1`, `Cval`, `X`, `?`, `Vac`.
///
/// A symbol is a statement, so whatever is not clearly an element, a mask or a known group is unknown.
pub(super) fn from_symbol(symbol: &str) -> Species {
    let symbol = symbol.trim();
    let (letters, rest) = symbol.split_at(leading_letters(symbol));
    let upper = letters.to_ascii_uppercase();
    match upper.as_str() {
        "" if symbol.starts_with('?') => return Species::Masked,
        "" => return Species::Unknown,
        "X" => return Species::Masked,
        "VA" | "VAC" | "VACANCY" => return Species::Vacancy,
        _ => {}
    }
    if let Some(element) = Element::from_symbol(letters) {
        return Species::Element(element, charge(rest));
    }
    let name = symbol.trim_end_matches(['+', '-']).to_ascii_uppercase();
    if let Some((_, atom)) = GROUPS.iter().find(|(g, _)| *g == name || *g == upper) {
        return Element::from_symbol(atom).map_or(Species::Unknown, |e| Species::Element(e, None));
    }
    // Scattering-factor variants such as `Cval`, `Siva`, `Csp2`, `Hiso`.
    const VARIANTS: [&str; 7] = ["val", "va", "sp", "iso", "ani", "cov", "bond"];
    let variant = [2, 1].into_iter().find_map(|n| {
        let (head, tail) = letters.split_at_checked(n)?;
        VARIANTS
            .contains(&tail.to_ascii_lowercase().as_str())
            .then(|| Element::from_symbol(head))?
    });
    variant.map_or(Species::Unknown, |e| Species::Element(e, None))
}

/// Reads a site label where there is no type symbol: `Fe1A`, `O(1)`, `OW1`, `Wat`, `WatM3`, `CA`, `1HB`, `X2`.
///
/// A label is only a hint. Of the two readings that its first letters allow, the one whose element `known` (the
/// elements of the formula or of the atom types, empty when neither is given) holds is taken; where that does not
/// decide, two letters beat one, except that a capital second letter after H, or one that a third letter
/// follows, is taken for a name (`HO1`, `CAB`).
pub(super) fn from_label(label: &str, known: &[Element]) -> Species {
    if label.starts_with('?') {
        return Species::Masked;
    }
    let label = label.trim_start_matches(|c: char| c.is_ascii_digit());
    let (letters, rest) = label.split_at(leading_letters(label));
    let holds = |e: &Element| known.contains(e);
    let upper = letters.to_ascii_uppercase();
    match upper.as_str() {
        "X" => return Species::Masked,
        "VA" | "VAC" => return Species::Vacancy,
        // Nothing but water is spelled so, whatever tells it from other water: `WatI`, `WatM`.
        _ if upper.starts_with("WAT") || matches!(upper.as_str(), "OW" | "OH") => {
            return Element::from_symbol("O")
                .map_or(Species::Unknown, |o| Species::Element(o, None));
        }
        _ => {}
    }
    let two = letters.get(..2).and_then(Element::from_symbol);
    // A T is a tetrahedral site far more often than tritium.
    let one = letters.get(..1).filter(|l| !l.eq_ignore_ascii_case("t"));
    let one = one.and_then(Element::from_symbol);
    let element = match (two, one) {
        (Some(two), Some(one)) => {
            let proper = letters.as_bytes()[1].is_ascii_lowercase();
            let name = letters.len() > 2 && letters.as_bytes()[2].is_ascii_uppercase();
            let two_fits = proper || !(name || one == Element::H);
            match (holds(&two), holds(&one)) {
                (true, false) => Some(two),
                (false, true) => Some(one),
                (true, true) if !proper && name => Some(one),
                (true, true) => Some(two),
                (false, false) => Some(if two_fits { two } else { one }),
            }
        }
        (two, one) => two.or(one),
    };
    let Some(element) = element else { return Species::Unknown };
    // Water is called W in many mineral tables; tungsten is meant only if the formula has it.
    let oxygen = Element::from_symbol("O").filter(holds);
    if element.symbol() == "W" && !holds(&element) && oxygen.is_some() {
        return oxygen.map_or(Species::Unknown, |o| Species::Element(o, None));
    }
    // Only a label that is element and charge and nothing else states a charge.
    let bare = letters.len() == element.symbol().len();
    Species::Element(element, if bare { charge(rest) } else { None })
}

/// The elements that a formula names, whatever its style: `K P (O4 H2)`, `'C6 H6'`, `NaCl`.
pub(super) fn elements_of_formula(formula: &str) -> Vec<Element> {
    let bytes = formula.as_bytes();
    let mut found = Vec::new();
    let mut i = 0;
    while i < bytes.len() {
        let lower = bytes.get(i + 1).is_some_and(u8::is_ascii_lowercase);
        let length = if lower { 2 } else { 1 };
        if bytes[i].is_ascii_uppercase() {
            found.extend(formula.get(i..i + length).and_then(Element::from_symbol));
            i += length;
        } else {
            i += 1;
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// A charge with its sign, before or behind: `3+`, `+3`, `2-`, `+`, `1.5+`. Anything else is none.
fn charge(text: &str) -> Option<f64> {
    let (digits, sign) = match (text.strip_suffix(['+', '-']), text.strip_prefix(['+', '-'])) {
        (Some(digits), _) => (digits, text.as_bytes()[text.len() - 1]),
        (None, Some(digits)) => (digits, text.as_bytes()[0]),
        (None, None) => return None,
    };
    if !digits.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return None;
    }
    let size: f64 = if digits.is_empty() { 1.0 } else { digits.parse().ok()? };
    // Whole charges above 8 are labels with a stray sign, not oxidation numbers.
    (size <= 8.0).then_some(if sign == b'-' && size > 0.0 { -size } else { size })
}

fn leading_letters(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_alphabetic).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(symbol: &str) -> Element {
        Element::from_symbol(symbol).unwrap()
    }

    #[test]
    fn type_symbols() {
        let cases = [
            ("Fe", "Fe", None),
            ("FE", "Fe", None),
            ("o", "O", None),
            ("Fe3+", "Fe", Some(3.0)),
            ("Fe+3", "Fe", Some(3.0)),
            ("O2-", "O", Some(-2.0)),
            ("O-", "O", Some(-1.0)),
            ("Si0+", "Si", Some(0.0)),
            ("Mn3.5+", "Mn", Some(3.5)),
            ("D", "H", None),
            ("Fe1", "Fe", None),
            ("Cval", "C", None),
            ("Siva", "Si", None),
            ("OH", "O", None),
            ("OH2", "O", None),
            ("NH4+", "N", None),
            ("Wat", "O", None),
            ("Xe", "Xe", None),
        ];
        for (symbol, want, oxidation) in cases {
            assert_eq!(from_symbol(symbol), Species::Element(element(want), oxidation), "{symbol}");
        }
        for masked in ["?", "X", "X1"] {
            assert_eq!(from_symbol(masked), Species::Masked, "{masked}");
        }
        for vacancy in ["Va", "Vac", "VAC0+"] {
            assert_eq!(from_symbol(vacancy), Species::Vacancy, "{vacancy}");
        }
        for unknown in ["M", "Qq", "Fx", "1", "", "é", "☃"] {
            assert_eq!(from_symbol(unknown), Species::Unknown, "{unknown}");
        }
    }

    #[test]
    fn labels_without_context() {
        let cases = [
            ("Fe1A", "Fe"),
            ("O(1)", "O"),
            ("O2A", "O"),
            ("OW1", "O"),
            ("Ow", "O"),
            ("Oh3", "O"),
            ("Wat", "O"),
            ("WatI", "O"),
            ("WatM3", "O"),
            ("WAT2B", "O"),
            ("Ca1", "Ca"),
            ("Co3", "Co"),
            ("CL1", "Cl"),
            ("FE1", "Fe"),
            ("H12B", "H"),
            ("HO1", "H"),
            ("1HB", "H"),
            ("CAB", "C"),
            ("SiT1", "Si"),
            ("FeM2", "Fe"),
            ("NH1", "N"),
            ("W1", "W"),
            ("OIII", "O"),
        ];
        for (label, want) in cases {
            assert_eq!(from_label(label, &[]), Species::Element(element(want), None), "{label}");
        }
        assert_eq!(from_label("Fe3+", &[]), Species::Element(element("Fe"), Some(3.0)));
        assert_eq!(from_label("X1", &[]), Species::Masked);
        assert_eq!(from_label("?1", &[]), Species::Masked);
        for unknown in ["M1", "T2", "A", "", "42", "é1"] {
            assert_eq!(from_label(unknown, &[]), Species::Unknown, "{unknown}");
        }
    }

    #[test]
    fn the_formula_decides_between_two_readings() {
        let known = |list: &[&str]| list.iter().map(|s| element(s)).collect::<Vec<_>>();
        let read = |label, list: &[&str]| from_label(label, &known(list));
        let is = |s: &str| Species::Element(element(s), None);
        assert_eq!(read("CA1", &["C", "H", "N"]), is("C"));
        assert_eq!(read("CA1", &["Ca", "F"]), is("Ca"));
        assert_eq!(read("CA1", &["Ca", "C", "O"]), is("Ca"));
        assert_eq!(read("Ho1", &["Al", "O", "H"]), is("H"));
        assert_eq!(read("Ho1", &["Ho", "O"]), is("Ho"));
        assert_eq!(read("W1", &["Al", "O", "H"]), is("O"));
        assert_eq!(read("W1", &["W", "O"]), is("W"));
        assert_eq!(read("WO2", &["Na", "O", "H"]), is("O"));
        assert_eq!(read("WO2", &["W", "O"]), is("W"));
        assert_eq!(read("HF1", &["Hf", "O"]), is("Hf"));
    }

    #[test]
    fn elements_are_found_in_any_formula() {
        let names = |f| elements_of_formula(f).iter().map(|e| e.symbol()).collect::<Vec<_>>();
        assert_eq!(names("K P (O4 H2)"), ["H", "O", "P", "K"]);
        assert_eq!(names("C6 H6"), ["H", "C"]);
        assert_eq!(names("(Fe.7Mg1.3)SiO4·nÅ"), ["O", "Mg", "Si", "Fe"]);
    }
}
