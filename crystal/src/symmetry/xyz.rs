//! Reading `x,y,z` notation.

use std::str::FromStr;

use nalgebra::{Matrix3, Vector3};

use super::Operation;
use super::operation::{determinant, snap};

/// Why a text is no symmetry operation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OperationError {
    /// Not three comma-separated expressions.
    #[error("a symmetry operation has three parts, this has {0}")]
    Parts(usize),
    /// A character or number that no xyz expression holds; the byte offset is inside the text.
    #[error("'{text}' cannot stand at column {offset} of a symmetry operation")]
    Unexpected {
        /// What was found.
        text: String,
        /// Byte offset in the operation's text.
        offset: usize,
    },
    /// The rotation part maps the lattice onto no lattice: its determinant is not ±1.
    #[error("the rotation part has determinant {0}, not ±1")]
    Determinant(i32),
}

/// Files give thirds and sixths with three decimals or more; a written decimal this close to a
/// fraction of 24 is that fraction.
const DECIMAL_TOLERANCE: f64 = 1e-3;

/// Rotation parts of real settings hold 0, ±1, rarely ±2; anything beyond this is a slip of the pen.
const LARGEST_FACTOR: f64 = 99.0;

/// Reads `x,y,z` notation as International Tables and real files write it: `1/2+x`, `x+.5`, `-X`,
/// `-1*x`, spaces, tabs, surrounding quotes not included.
impl FromStr for Operation {
    type Err = OperationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.split(',').count();
        if parts != 3 {
            return Err(OperationError::Parts(parts));
        }
        let mut rotation = Matrix3::zeros();
        let mut translation = Vector3::zeros();
        let mut start = 0;
        for (i, part) in text.split(',').enumerate() {
            let mut reader = Reader { text, end: start + part.len(), at: start };
            let (row, shift) = reader.expression()?;
            rotation.set_row(i, &row.transpose());
            translation[i] = snap(shift, DECIMAL_TOLERANCE);
            start += part.len() + 1;
        }
        match determinant(&rotation) {
            1 | -1 => Ok(Self { rotation, translation }),
            other => Err(OperationError::Determinant(other)),
        }
    }
}

/// One of the three expressions: `end` is where its comma or the text ends.
struct Reader<'t> {
    text: &'t str,
    end: usize,
    at: usize,
}

impl Reader<'_> {
    /// `[±] term {± term}`, a term being `[number[*]] letter` or a number.
    fn expression(&mut self) -> Result<(Vector3<i32>, f64), OperationError> {
        let mut row = Vector3::zeros();
        let mut shift = 0.0;
        let mut first = true;
        loop {
            let sign = match self.peek() {
                Some('+') => 1.0,
                Some('-') => -1.0,
                Some(_) if first => 1.0,
                None if !first => break,
                _ => return Err(self.unexpected()),
            };
            if matches!(self.peek(), Some('+' | '-')) {
                self.at += 1;
            }
            first = false;
            let (before, number) = (self.peek_at(), self.number()?);
            if number.is_some() && self.peek() == Some('*') {
                self.at += 1;
                if self.letter().is_none() {
                    return Err(self.unexpected());
                }
            }
            let factor = sign * number.unwrap_or(1.0);
            match (self.letter(), number) {
                (Some(axis), _) => {
                    let sum = f64::from(row[axis]) + factor;
                    if factor.fract() != 0.0 || sum.abs() > LARGEST_FACTOR {
                        let text = self.text[before..self.at].trim().to_owned();
                        return Err(OperationError::Unexpected { text, offset: before });
                    }
                    self.at += 1;
                    row[axis] = sum as i32;
                }
                (None, Some(_)) => shift += factor,
                (None, None) => return Err(self.unexpected()),
            }
        }
        Ok((row, shift))
    }

    /// The next character that is no blank; the position moves up to it.
    fn peek(&mut self) -> Option<char> {
        self.at = self.peek_at();
        self.text[self.at..self.end].chars().next()
    }

    fn peek_at(&self) -> usize {
        let rest = &self.text[self.at..self.end];
        self.end - rest.trim_start().len()
    }

    /// The axis the next character names.
    fn letter(&mut self) -> Option<usize> {
        match self.peek()? {
            'x' | 'X' => Some(0),
            'y' | 'Y' => Some(1),
            'z' | 'Z' => Some(2),
            _ => None,
        }
    }

    /// A number with decimals or as a quotient, where one stands next.
    fn number(&mut self) -> Result<Option<f64>, OperationError> {
        let Some(numerator) = self.decimal()? else { return Ok(None) };
        if self.peek() != Some('/') {
            return Ok(Some(numerator));
        }
        self.at += 1;
        let start = self.peek_at();
        match self.decimal()? {
            Some(denominator) if denominator != 0.0 => Ok(Some(numerator / denominator)),
            Some(_) => {
                self.at = start;
                Err(self.unexpected())
            }
            None => Err(self.unexpected()),
        }
    }

    fn decimal(&mut self) -> Result<Option<f64>, OperationError> {
        if !matches!(self.peek(), Some('0'..='9' | '.')) {
            return Ok(None);
        }
        let rest = &self.text[self.at..self.end];
        let length = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let digits = &rest[..length];
        let offset = self.at;
        self.at += length;
        match digits.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(Some(value)),
            _ => Err(OperationError::Unexpected { text: digits.to_owned(), offset }),
        }
    }

    fn unexpected(&mut self) -> OperationError {
        let text = match self.peek() {
            Some(c) => c.to_string(),
            None => self.text[self.end..].chars().next().map_or("end".to_owned(), String::from),
        };
        OperationError::Unexpected { text, offset: self.at }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::symmetry::operation::tests::any_operation;

    fn read(text: &str) -> Operation {
        text.parse().unwrap_or_else(|e| panic!("{text}: {e}"))
    }

    #[test]
    fn spellings_of_real_files() {
        let want = read("-x+1/2,y,-z+1/4");
        for text in [
            "1/2-x,y,1/4-z",
            " -X + 1/2 , Y , -Z+1/4 ",
            ".5-x,+y,0.25-z",
            "-1*x+0.5,1*y,-1*z+2/8",
            "-x\t+\t1 / 2,y,-z+.2500",
            "-x-1/2,y-1,-z+5/4",
            "-x+1./2.,y+0,-z+0.25",
        ] {
            assert_eq!(read(text), want, "{text}");
        }
        assert_eq!(read("x-y,x,z+0.167").translation.z, 1.0 / 6.0);
        assert_eq!(read("x+2/3,y+.667,z+0.333333"), read("x+2/3,y+2/3,z+1/3"));
        assert_eq!(read("x,y,z+0.1").translation.z, 0.1);
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        let error = |text: &str| text.parse::<Operation>().unwrap_err();
        let unexpected =
            |text: &str, offset| OperationError::Unexpected { text: text.to_owned(), offset };
        assert_eq!(error("x,y"), OperationError::Parts(2));
        assert_eq!(error(""), OperationError::Parts(1));
        assert_eq!(error("x,y,z,1"), OperationError::Parts(4));
        assert_eq!(error("x,y,q"), unexpected("q", 4));
        assert_eq!(error("x,,z"), unexpected(",", 2));
        assert_eq!(error("x,y,"), unexpected("end", 4));
        assert_eq!(error("x,y+,z"), unexpected(",", 4));
        assert_eq!(error("x y,y,z"), unexpected("y", 2));
        assert_eq!(error("x+1/0,y,z"), unexpected("0", 4));
        assert_eq!(error("x+1.2.3,y,z"), unexpected("1.2.3", 2));
        assert_eq!(error("0.5x,y,z"), unexpected("0.5", 0));
        assert_eq!(error("2*,y,z"), unexpected(",", 2));
        assert_eq!(error("x,x,z"), OperationError::Determinant(0));
        assert_eq!(error("2x,y,z"), OperationError::Determinant(2));
        assert_eq!(error("x,y,z é"), unexpected("é", 6));
    }

    /// One of the many ways to write an operation: `choices` decide on each part.
    fn spelled(op: &Operation, choices: &[usize]) -> String {
        let mut choices = choices.iter().cycle();
        let mut pick = |n: usize| choices.next().map_or(0, |choice| choice % n);
        let mut expression = |i: usize| {
            let mut terms = Vec::new();
            for (j, letters) in [["x", "X"], ["y", "Y"], ["z", "Z"]].into_iter().enumerate() {
                let (factor, letter) = (op.rotation[(i, j)], letters[pick(2)]);
                let sign = if factor < 0 { "-" } else { "+" };
                match (factor.abs(), pick(3)) {
                    (0, _) => {}
                    (1, 0) => terms.push(format!("{sign}{letter}")),
                    (n, 1) => terms.push(format!("{sign}{n}*{letter}")),
                    (n, _) => terms.push(format!("{sign} {n}{letter}")),
                }
            }
            let n = (op.translation[i] * 24.0).round();
            match pick(4) {
                _ if n == 0.0 && !terms.is_empty() => {}
                0 => terms.push(format!("+{n}/24")),
                1 => terms.push(format!("-{} / 24.", 24.0 - n)),
                2 => terms.push(format!("+{:.4}", n / 24.0)),
                _ => terms.push(format!("+{:.4}", n / 24.0).replace("0.", ".")),
            }
            let first = pick(terms.len());
            terms.rotate_left(first);
            let text = terms.join(["", " ", "\t"][pick(3)]);
            match text.strip_prefix('+') {
                Some(bare) if pick(2) == 0 => bare.to_owned(),
                _ => text,
            }
        };
        [0, 1, 2].map(&mut expression).join([",", ", ", " ,"][pick(3)])
    }

    proptest! {
        #[test]
        fn every_spelling_is_understood(
            op in any_operation(),
            choices in proptest::collection::vec(0..12_usize, 1..30),
        ) {
            let text = spelled(&op, &choices);
            prop_assert_eq!(text.parse::<Operation>(), Ok(op), "{}", text);
        }

        #[test]
        fn no_text_panics(text in "[-+xyzXYZ0-9./*, \té]{0,24}") {
            let _ = text.parse::<Operation>();
        }
    }
}
