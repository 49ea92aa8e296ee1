//! Which of two origins a file means that does not say.

use cellwright_crystal::symmetry::Setting;
use cellwright_crystal::{Composition, Element, Lattice};

use super::expand::{self, Row};
use super::names::Names;

/// Of settings that fit the cell equally well (origin choices of one group) the one whose atoms fit best.
///
/// Atoms sit on special positions of the origin they were measured from, and on general ones of another: the right
/// origin gives the formula if there is one, and then the fewest atoms. Where neither decides the first,
/// conventional one is taken.
pub(super) fn choose(
    candidates: &[Setting],
    lattice: Option<&Lattice>,
    rows: &[Row],
    formula: Option<&Composition>,
) -> Option<Setting> {
    let first = *candidates.first()?;
    let (Some(lattice), false) = (lattice, candidates.len() < 2 || rows.is_empty()) else {
        return Some(first);
    };
    let rank =
        |setting: &Setting| match expand::expand(lattice, &setting.operations(), rows.to_vec()) {
            Ok((cell, _)) => {
                let fits = formula.is_none_or(|f| proportional(&cell.composition(), f));
                (!fits, cell.len())
            }
            Err(expand::TooMany(images)) => (true, images),
        };
    // `min_by_key` takes the first of equal ones.
    candidates.iter().min_by_key(|s| rank(s)).copied()
}

/// Whether two compositions have the same ratios, as far as the elements of the first go: formulas count hydrogens that
/// nobody located.
fn proportional(cell: &Composition, formula: &Composition) -> bool {
    let ratios: Vec<f64> = cell.iter().map(|(e, n)| formula.amount(e) / n).collect();
    let (low, high) =
        ratios.iter().fold((f64::INFINITY, 0.0f64), |(l, h), r| (l.min(*r), h.max(*r)));
    low > 0.0 && high <= 1.05 * low
}

/// `_chemical_formula_sum`, if it is written as the dictionary asks: `'C6 H6 O0.5'`.
pub(super) fn formula(text: &str, names: &Names) -> Option<Composition> {
    let value = names.value(text, "_chemical_formula_sum")?;
    let part = |word: &str| {
        let symbol = word.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
        let amount = &word[symbol.len()..];
        let amount = if amount.is_empty() { 1.0 } else { amount.parse().ok()? };
        Some((Element::from_symbol(symbol)?, amount))
    };
    value.text(text).split_whitespace().map(part).collect()
}
