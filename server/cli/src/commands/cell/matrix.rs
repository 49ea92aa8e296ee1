//! Supercells as people write them.

use nalgebra::Matrix3;

/// Nine whole numbers, row after row, or three for a diagonal matrix; blanks, commas, semicolons or, between
/// the three, `x` part them.
pub(super) fn parse(text: &str) -> Result<Matrix3<i32>, String> {
    let parts = text.split([' ', '\t', ',', ';', 'x', 'X', '×']).filter(|part| !part.is_empty());
    let numbers: Result<Vec<i32>, _> = parts.map(str::parse).collect();
    let numbers = numbers.map_err(|_| "every entry is a whole number".to_owned())?;
    match numbers[..] {
        [a, b, c] => Ok(Matrix3::from_diagonal(&[a, b, c].into())),
        _ if numbers.len() == 9 => Ok(Matrix3::from_row_slice(&numbers)),
        _ => Err(format!("a matrix has 9 numbers, or 3 on its diagonal, not {}", numbers.len())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_a_supercell() {
        let diagonal = Matrix3::new(2, 0, 0, 0, 2, 0, 0, 0, 1);
        for text in
            ["2x2x1", "2 2 1", "2,2,1", "2 × 2 × 1", "2 0 0 0 2 0 0 0 1", "2,0,0; 0,2,0; 0,0,1"]
        {
            assert_eq!(parse(text), Ok(diagonal), "{text}");
        }
        assert_eq!(parse("0 1 1 1 0 1 1 -1 0"), Ok(Matrix3::new(0, 1, 1, 1, 0, 1, 1, -1, 0)));
        for text in ["", "2x2", "2 2 1.5", "a b c", "1 2 3 4", "99999999999 1 1"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
