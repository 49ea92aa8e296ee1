//! Values and numbers with standard uncertainties.

use crate::text::Span;

/// Something read, with the place it was read from.
#[derive(Debug, Clone, PartialEq)]
pub struct Spanned<T> {
    /// What it is.
    pub value: T,
    /// Where it stands.
    pub span: Span,
}

/// A number as files write it: `1.234(5)`, `-.5`, `1.5E-3`, Fortran's `2.5D-1` (POSCAR only).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Number {
    /// The value; always finite.
    pub value: f64,
    /// Standard uncertainty in the units of the value: `1.234(5)` has 0.005.
    pub su: Option<f64>,
    /// Digits behind the decimal point, as written.
    pub decimals: u8,
}

/// Reads a CIF number. `None` for anything else, for NaN, and for numbers that overflow.
#[must_use]
pub fn parse_cif_number(text: &str) -> Option<Number> {
    todo!()
}

/// Reads a number as VASP does: also `D` exponents, no uncertainty.
#[must_use]
pub fn parse_fortran_number(text: &str) -> Option<Number> {
    todo!()
}
