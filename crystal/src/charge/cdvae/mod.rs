//! Compositional validity as published tables of generated crystals mean it.
//!
//! The rule of the evaluation script of CDVAE (Xie et al., *Crystal diffusion variational autoencoder for
//! periodic material generation*, ICLR 2022), which later work took over: `smact_validity` over the
//! oxidation states and electronegativities of SMACT 2.2.1 (Davies et al., *Chem* **1**, 617 (2016)).
//!
//! One element, or metals only, is valid. Otherwise every atom of an element has the same state, the sum
//! must be zero, and each cation must be less electronegative than each anion. What that script does by
//! accident belongs to the rule, for numbers are compared: pairs are tested in the order of atomic
//! numbers, two ions of like charge fail where an electronegativity is missing (promethium, radon,
//! lawrencium), and two of unlike charge end the test with success. Helium, neon and argon have no state.
//!
//! It is for comparison with published tables; what people should be told is in [`super::balance`].

use std::collections::HashSet;

use crate::{Composition, Element};

mod table;

/// What the rule needs of one element.
struct Row {
    states: &'static [i8],
    electronegativity: Option<f64>,
    metal: bool,
}

/// What the rule says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Valid: one element.
    Element,
    /// Valid: metals only.
    Alloy,
    /// Valid: these states (e), one for each element in order of atomic number, are neutral and in the
    /// order of electronegativity. They are the first such that the script comes upon.
    Balanced(Vec<(Element, i8)>),
    /// Not valid: neutral combinations exist, but in none of them are the cations the less
    /// electronegative elements.
    Unordered,
    /// Not valid: no combination of states is neutral.
    Charged,
}

impl Verdict {
    /// Whether the composition counts as valid.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        matches!(self, Self::Element | Self::Alloy | Self::Balanced(_))
    }
}

/// A composition that the rule is not made for.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Unsuited {
    /// Nothing in it.
    #[error("the composition is empty")]
    Empty,
    /// An amount that is no whole number: the rule counts atoms.
    #[error("the rule counts whole atoms, and there are {1} of {0}")]
    NotWhole(Element, f64),
    /// So many elements or atoms that trying all their states would not end.
    #[error("more than {MOST_ELEMENTS} elements or {MOST_ATOMS} atoms in the formula unit")]
    TooLarge,
}

/// Most elements that are looked into.
pub const MOST_ELEMENTS: usize = 12;

/// Most atoms of a formula unit that are looked into.
pub const MOST_ATOMS: u64 = 10_000;

/// From this many elements on, dead ends are remembered.
const REMEMBER_FROM: usize = 6;

/// Judges a composition by the rule. Below a microsecond for two and three elements, without
/// allocation unless states are found.
///
/// # Errors
/// [`Unsuited`].
pub fn verdict(composition: &Composition) -> Result<Verdict, Unsuited> {
    let mut search = Search::new(composition)?;
    let rows = &search.rows[..search.len];
    if rows.len() == 1 {
        return Ok(Verdict::Element);
    }
    if rows.iter().all(|row| row.metal) {
        return Ok(Verdict::Alloy);
    }
    if search.descend(0, 0) {
        let elements = search.elements[..search.len].iter().copied();
        return Ok(Verdict::Balanced(elements.zip(search.states).collect()));
    }
    search.dead.clear();
    search.ordered = false;
    Ok(if search.descend(0, 0) { Verdict::Unordered } else { Verdict::Charged })
}

/// The states tried, element by element in order of atomic number.
struct Search {
    len: usize,
    elements: [Element; MOST_ELEMENTS],
    rows: [&'static Row; MOST_ELEMENTS],
    counts: [i64; MOST_ELEMENTS],
    states: [i8; MOST_ELEMENTS],
    /// Least and greatest charge that the elements from here on can add.
    rest: [(i64, i64); MOST_ELEMENTS],
    /// Whether the order of electronegativity is asked for.
    ordered: bool,
    /// Whether an electronegativity is missing, so that only whole combinations can be judged.
    partial: bool,
    /// Where nothing was found: how many states are chosen, their charge, which of them are negative.
    dead: HashSet<(usize, i64, u16)>,
}

impl Search {
    fn new(composition: &Composition) -> Result<Self, Unsuited> {
        if composition.is_empty() {
            return Err(Unsuited::Empty);
        }
        for (element, amount) in composition.iter() {
            if amount.fract() != 0.0 {
                return Err(Unsuited::NotWhole(element, amount));
            }
        }
        let (unit, _) = composition.reduced();
        if unit.len() > MOST_ELEMENTS || unit.total() > MOST_ATOMS as f64 {
            return Err(Unsuited::TooLarge);
        }
        let mut search = Self {
            len: unit.len(),
            elements: [Element::H; MOST_ELEMENTS],
            rows: [&table::TABLE[0]; MOST_ELEMENTS],
            counts: [0; MOST_ELEMENTS],
            states: [0; MOST_ELEMENTS],
            rest: [(0, 0); MOST_ELEMENTS],
            ordered: true,
            partial: false,
            dead: HashSet::new(),
        };
        for (place, (element, _)) in search.elements.iter_mut().zip(unit.iter()) {
            *place = element;
        }
        search.elements[..unit.len()].sort_unstable();
        for k in (0..unit.len()).rev() {
            let element = search.elements[k];
            let row = &table::TABLE[usize::from(element.z()) - 1];
            let count = unit.amount(element) as i64;
            let reach = |state: Option<&i8>| count * i64::from(state.copied().unwrap_or(0));
            let (least, most) = if k + 1 < unit.len() { search.rest[k + 1] } else { (0, 0) };
            search.rest[k] = (least + reach(row.states.first()), most + reach(row.states.last()));
            search.rows[k] = row;
            search.counts[k] = count;
            search.partial |= row.electronegativity.is_none();
        }
        Ok(search)
    }

    /// Chooses states for the elements from `k` on; `charge` is that of those before.
    fn descend(&mut self, k: usize, charge: i64) -> bool {
        let row = self.rows[k];
        if k + 1 == self.len {
            return self.finish(row, charge);
        }
        let (least, most) = self.rest[k];
        if charge + least > 0 || charge + most < 0 {
            return false;
        }
        let key = (k, charge, self.negative(k));
        if self.len >= REMEMBER_FROM && self.dead.contains(&key) {
            return false;
        }
        for &state in row.states {
            self.states[k] = state;
            let fits = !self.ordered || self.partial || self.fits(k);
            if fits && self.descend(k + 1, charge + self.counts[k] * i64::from(state)) {
                return true;
            }
        }
        if self.len >= REMEMBER_FROM {
            self.dead.insert(key);
        }
        false
    }

    /// The last element has no choice: it must take what is left.
    fn finish(&mut self, row: &Row, charge: i64) -> bool {
        let last = self.len - 1;
        let needed = -charge / self.counts[last];
        let Ok(state) = i8::try_from(needed) else { return false };
        if needed * self.counts[last] != -charge || !row.states.contains(&state) {
            return false;
        }
        self.states[last] = state;
        match (self.ordered, self.partial) {
            (false, _) => true,
            (true, false) => self.fits(last),
            (true, true) => self.fits_as_in_the_script(),
        }
    }

    /// Whether the state of `k` agrees with each one before it, all electronegativities known.
    fn fits(&self, k: usize) -> bool {
        (0..k).all(|i| self.pair(i, k) == Some(true))
    }

    /// The test pair by pair, in order: the first pair that fails or cannot be compared decides.
    fn fits_as_in_the_script(&self) -> bool {
        for i in 0..self.len {
            for j in i + 1..self.len {
                match self.pair(i, j) {
                    Some(true) => {}
                    Some(false) => return false,
                    None => return true,
                }
            }
        }
        true
    }

    /// Whether two elements may have their states; `None` where the comparison of a cation with an
    /// anion lacks a number.
    fn pair(&self, i: usize, j: usize) -> Option<bool> {
        let (a, b) = (self.rows[i].electronegativity, self.rows[j].electronegativity);
        match (self.states[i] > 0, self.states[j] > 0) {
            (true, false) => Some(a? < b?),
            (false, true) => Some(a? > b?),
            _ => Some(a.is_some() && b.is_some()),
        }
    }

    /// Which of the first `k` elements are negative.
    fn negative(&self, k: usize) -> u16 {
        (0..k).filter(|i| self.states[*i] < 0).map(|i| 1 << i).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(formula: &str) -> Result<Verdict, Unsuited> {
        verdict(&formula.parse().unwrap())
    }

    fn states(formula: &str) -> Vec<i8> {
        match judge(formula) {
            Ok(Verdict::Balanced(states)) => states.into_iter().map(|(_, q)| q).collect(),
            other => panic!("{formula}: {other:?}"),
        }
    }

    #[test]
    fn the_first_combination_is_given() {
        assert_eq!(states("NaCl"), [1, -1]);
        // Iron 4 is what neutrality leaves for titanium 3, the first state that can be completed.
        assert_eq!(states("Ti4FeSe8"), [3, 4, -2]);
        // In order of atomic number Li, O, P, Fe; no chemist, the script takes phosphorus 1 with iron 6.
        assert_eq!(states("Li4Fe4P4O16"), [1, -2, 1, 6]);
    }

    #[test]
    fn elements_and_alloys_are_valid_and_nonsense_is_not() {
        assert_eq!(judge("Fe4"), Ok(Verdict::Element));
        assert_eq!(judge("GaSb"), Ok(Verdict::Alloy));
        assert_eq!(judge("NaCl2"), Ok(Verdict::Charged));
        // Helium has no state.
        assert_eq!(judge("He2O"), Ok(Verdict::Charged));
        // No mixed valence: magnetite is not valid.
        assert_eq!(judge("Fe3O4"), Ok(Verdict::Charged));
        // Boron has no negative state in this list, titanium has one but is the more electropositive.
        assert_eq!(judge("TiB"), Ok(Verdict::Unordered));
        assert!(!judge("TiB").unwrap().is_valid());
    }

    #[test]
    fn a_missing_electronegativity_passes_between_unlike_ions_and_fails_between_like_ones() {
        assert_eq!(states("O3Pm2"), [-2, 3]);
        assert_eq!(states("F2Rn"), [-1, 2]);
        // The pair of fluorine with carbon, both negative, is in order; the next lacks a number and passes.
        assert_eq!(states("CFPm"), [-2, -1, 3]);
        // Sulfur and hydrogen, both known, disagree before promethium is looked at.
        assert_eq!(judge("HSNb2Pm"), Ok(Verdict::Unordered));
    }

    #[test]
    fn odd_input_is_an_error_or_answered_at_once() {
        assert_eq!(verdict(&Composition::default()), Err(Unsuited::Empty));
        let half = judge("Fe0.5O");
        assert_eq!(half, Err(Unsuited::NotWhole(Element::from_symbol("Fe").unwrap(), 0.5)));
        assert_eq!(judge("HLiBeBCNOFNaMgAlSiP"), Err(Unsuited::TooLarge));
        assert_eq!(judge("Na20001Cl"), Err(Unsuited::TooLarge));
        // Twelve elements of many states, in numbers that leave little to share; with and without a gap.
        for formula in
            ["Mn7Tc11Ru13Os17Ir19Cl23C29N31Re37S41P43W47", "Pm7Mn11Tc13Ru17Os19Cl23C29N31"]
        {
            assert!(judge(formula).is_ok(), "{formula}");
        }
    }
}
