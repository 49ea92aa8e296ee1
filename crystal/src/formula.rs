//! Chemical formulas as people and files write them: `LiFePO4`, `C10 H12 O2`, `Ca5 (P O4)3 F`,
//! `(Mg.7 Fe.3) (Al1.42 Cr.58) O4`.

use std::str::FromStr;

use crate::{Composition, Element};

/// Why a text is no formula, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} at character {}", .character + 1)]
pub struct FormulaError {
    /// What is wrong.
    pub kind: FormulaErrorKind,
    /// Which character of the text, counted from 0.
    pub character: usize,
}

/// What is wrong with a formula.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FormulaErrorKind {
    /// No element at all.
    #[error("a formula is missing")]
    Empty,
    /// Starts like a symbol, but no element up to lawrencium has it.
    #[error("'{0}' is no element from H to Lr")]
    UnknownElement(String),
    /// Neither symbol, number nor bracket.
    #[error("'{0}' cannot stand in a formula")]
    Unexpected(char),
    /// A count such as `1.2.3`.
    #[error("'{0}' is no count")]
    BadCount(String),
    /// A bracket that is never closed, or closed and never opened.
    #[error("bracket '{0}' has no partner")]
    Bracket(char),
}

/// Reads a formula. Brackets of any kind nest and take a count; counts may have decimals; deuterium and
/// tritium count as hydrogen; an element may be named more than once.
impl FromStr for Composition {
    type Err = FormulaError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = |kind, rest: &str| {
            let character = text[..text.len() - rest.len()].chars().count();
            FormulaError { kind, character }
        };
        let mut amounts: Vec<(Element, f64)> = Vec::new();
        // Each open bracket: the text from it on, and the amounts that stood before it.
        let mut open: Vec<(&str, Vec<(Element, f64)>)> = Vec::new();
        let mut rest = text.trim_start();
        while let Some(first) = rest.chars().next() {
            match first {
                '(' | '[' | '{' => {
                    open.push((rest, std::mem::take(&mut amounts)));
                    rest = &rest[1..];
                }
                ')' | ']' | '}' => {
                    let Some((_, before)) = open.pop() else {
                        return Err(error(FormulaErrorKind::Bracket(first), rest));
                    };
                    let (factor, after) = count(&rest[1..]).map_err(|k| error(k, &rest[1..]))?;
                    let inner = std::mem::replace(&mut amounts, before);
                    amounts.extend(inner.into_iter().map(|(e, n)| (e, n * factor)));
                    rest = after;
                }
                'A'..='Z' => {
                    let (element, after) = symbol(rest).map_err(|k| error(k, rest))?;
                    let (amount, behind) = count(after).map_err(|k| error(k, after))?;
                    amounts.push((element, amount));
                    rest = behind;
                }
                _ => return Err(error(FormulaErrorKind::Unexpected(first), rest)),
            }
            rest = rest.trim_start();
        }
        if let Some((unclosed, _)) = open.pop() {
            let bracket = unclosed.chars().next().unwrap_or('(');
            return Err(error(FormulaErrorKind::Bracket(bracket), unclosed));
        }
        if let Some((_, endless)) = amounts.iter().find(|(_, n)| !n.is_finite()) {
            return Err(error(FormulaErrorKind::BadCount(endless.to_string()), text));
        }
        let amounts: Self = amounts.into_iter().collect();
        if amounts.is_empty() {
            return Err(error(FormulaErrorKind::Empty, text));
        }
        Ok(amounts)
    }
}

/// The element at the start and the text behind it; two letters win over one.
fn symbol(text: &str) -> Result<(Element, &str), FormulaErrorKind> {
    let second = text[1..].chars().next().filter(char::is_ascii_lowercase);
    let (symbol, rest) = text.split_at(1 + usize::from(second.is_some()));
    let element = Element::from_symbol(symbol);
    Ok((element.ok_or_else(|| FormulaErrorKind::UnknownElement(symbol.to_owned()))?, rest))
}

/// The number at the start, 1 where there is none, and the text behind it.
fn count(text: &str) -> Result<(f64, &str), FormulaErrorKind> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    if end == 0 {
        return Ok((1.0, text));
    }
    let (number, rest) = text.split_at(end);
    let value = number.parse().map_err(|_| FormulaErrorKind::BadCount(number.to_owned()))?;
    Ok((value, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        match text.parse::<Composition>() {
            Ok(composition) => composition.formula(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn formulas_are_read_as_they_are_written() {
        for (text, expected) in [
            ("NaCl", "NaCl"),
            (" Cl1 Na1 ", "NaCl"),
            ("Ca(OH)2", "CaH2O2"),
            ("Ca5 (P O4)3 F", "Ca5P3O12F"),
            ("[Co(NH3)6]Cl3", "CoH18N6Cl3"),
            ("(Mg.7 Fe.3) (Al1.42 Cr.58) O4", "Mg0.7Al1.42Cr0.58Fe0.3O4"),
            ("C6 H5 D O2", "H6C6O2"),
            ("CH3COOH", "H4C2O2"),
            ("Co", "Co"),
            ("CO", "CO"),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_formula_is_told_with_its_place() {
        for (text, expected) in [
            ("", "a formula is missing at character 1"),
            ("Na0", "a formula is missing at character 1"),
            ("Na1-x Cl", "'-' cannot stand in a formula at character 4"),
            ("LiXx2", "'Xx' is no element from H to Lr at character 3"),
            ("RfO2", "'Rf' is no element from H to Lr at character 1"),
            ("Na (Cl", "bracket '(' has no partner at character 4"),
            ("Na)2", "bracket ')' has no partner at character 3"),
            ("na", "'n' cannot stand in a formula at character 1"),
            ("Ä", "'Ä' cannot stand in a formula at character 1"),
            ("Na1.2.3", "'1.2.3' is no count at character 3"),
            ("Na·Ä", "'·' cannot stand in a formula at character 3"),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
        let endless = format!("Na{}", "9".repeat(400));
        assert!(endless.parse::<Composition>().is_err());
    }
}
