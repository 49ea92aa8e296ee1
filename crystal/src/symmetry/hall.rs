//! Hall symbols: operations from the explicit-origin notation of Hall (1981), as International Tables B,
//! section A1.4.2.3, gives it. Any symbol of the notation is understood, tabulated or not.

use nalgebra::{Matrix3, Vector3};

use super::Operation;
use super::group::generate;

/// Every operation of the group a Hall symbol stands for, centring included, identity first; `None`
/// where the text is no Hall symbol.
///
/// Quotes may be `'` and `"` or, as tables without quotes write them, `^` and `=`; underscores count as
/// spaces. The last part may be an origin shift in twelfths, `(0 0 1)`, or a change of basis with
/// determinant ±1, `(x,y,z+1/12)`.
#[must_use]
pub fn hall_operations(symbol: &str) -> Option<Vec<Operation>> {
    let symbol = symbol.trim().replace('_', " ");
    let (symbol, change) = match symbol.split_once('(') {
        Some((symbol, change)) => (symbol, change_of_basis(change.strip_suffix(')')?)?),
        None => (symbol.as_str(), Operation::identity()),
    };
    let mut parts = symbol.split_whitespace();
    let lattice = parts.next()?;
    let (inversion, lattice) = match lattice.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, lattice),
    };
    let mut generators: Vec<_> = centring(lattice)?
        .iter()
        .map(|t| Operation::new(Matrix3::identity(), Vector3::from(t.map(|n| f64::from(n) / 6.0))))
        .collect();
    if inversion {
        generators.push(Operation::new(-Matrix3::identity(), Vector3::zeros()));
    }
    let mut before = Before { order: 0, axis: Axis::Z };
    for (place, part) in parts.enumerate() {
        generators.push(matrix_symbol(part, place, &mut before)?);
    }
    let back = change.inverse()?;
    for op in &mut generators {
        *op = change.compose(op).compose(&back);
    }
    generate(&generators)
}

/// Centring translations in sixths.
fn centring(letter: &str) -> Option<&'static [[u8; 3]]> {
    Some(match letter {
        "P" | "p" => &[],
        "A" | "a" => &[[0, 3, 3]],
        "B" | "b" => &[[3, 0, 3]],
        "C" | "c" => &[[3, 3, 0]],
        "I" | "i" => &[[3, 3, 3]],
        "R" | "r" => &[[4, 2, 2], [2, 4, 4]],
        "H" | "h" => &[[4, 2, 0], [2, 4, 0]],
        "F" | "f" => &[[0, 3, 3], [3, 0, 3], [3, 3, 0]],
        _ => return None,
    })
}

fn change_of_basis(text: &str) -> Option<Operation> {
    if text.contains(',') {
        return text.parse().ok();
    }
    let twelfths: Option<Vec<f64>> =
        text.split_whitespace().map(|t| Some(f64::from(t.parse::<i8>().ok()?))).collect();
    let twelfths = twelfths.filter(|t| t.len() == 3)?;
    Some(Operation::new(Matrix3::identity(), Vector3::from_vec(twelfths) / 12.0))
}

#[derive(Clone, Copy, PartialEq)]
enum Axis {
    X,
    Y,
    Z,
}

/// What the symbol before says about the default axis of the next.
struct Before {
    order: u8,
    axis: Axis,
}

/// One `N` of a Hall symbol with its axis and translations, `-4bd` or `2=c`.
fn matrix_symbol(text: &str, place: usize, before: &mut Before) -> Option<Operation> {
    let (improper, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let mut chars = text.chars().peekable();
    let order = chars.next()?.to_digit(10).filter(|n| matches!(n, 1..=4 | 6))? as u8;
    let mut take = |set: &str| chars.next_if(|c| set.contains(*c)).map(|c| c.to_ascii_lowercase());
    let mark = take("'\"^=*");
    let named = take("xyzXYZ").map(|c| match c {
        'x' => Axis::X,
        'y' => Axis::Y,
        _ => Axis::Z,
    });
    // The marks' default axis is that of the symbol before; a second 2 is along a after 2 and 4, along
    // a − b after 3 and 6; a third 3 is along a + b + c.
    let (rotation, axis) = match (order, mark, named, place) {
        (1, None, ..) => (Matrix3::identity(), Axis::Z),
        (3, Some('*'), None, _) | (3, None, None, 2) => (body_diagonal(), Axis::Z),
        (2, Some(mark @ ('\'' | '^' | '"' | '=')), axis, _) => {
            let axis = axis.unwrap_or(before.axis);
            (face_diagonal(matches!(mark, '"' | '='), axis), axis)
        }
        (_, None, Some(axis), _) => (about(order, axis), axis),
        (_, None, None, 0) => (about(order, Axis::Z), Axis::Z),
        (2, None, None, 1) if matches!(before.order, 2 | 4) => (about(2, Axis::X), Axis::X),
        (2, None, None, 1) if matches!(before.order, 3 | 6) => {
            (face_diagonal(false, Axis::Z), Axis::Z)
        }
        _ => return None,
    };
    let mut shift = Vector3::zeros();
    for c in chars {
        shift += match c.to_ascii_lowercase() {
            'a' => Vector3::new(0.5, 0.0, 0.0),
            'b' => Vector3::new(0.0, 0.5, 0.0),
            'c' => Vector3::new(0.0, 0.0, 0.5),
            'n' => Vector3::repeat(0.5),
            'u' => Vector3::new(0.25, 0.0, 0.0),
            'v' => Vector3::new(0.0, 0.25, 0.0),
            'w' => Vector3::new(0.0, 0.0, 0.25),
            'd' => Vector3::repeat(0.25),
            // A digit is the screw component along the axis, in fractions of the order.
            digit @ '1'..='5' => {
                let along = f64::from(digit.to_digit(10)?) / f64::from(order);
                cyclic_vector(Vector3::new(0.0, 0.0, along), axis)
            }
            _ => return None,
        };
    }
    *before = Before { order, axis };
    let sign = if improper { -1 } else { 1 };
    Some(Operation::new(rotation * sign, shift))
}

/// Rotation about an axis, counter-clockwise.
fn about(order: u8, axis: Axis) -> Matrix3<i32> {
    let about_z = match order {
        2 => Matrix3::new(-1, 0, 0, 0, -1, 0, 0, 0, 1),
        3 => Matrix3::new(0, -1, 0, 1, -1, 0, 0, 0, 1),
        4 => Matrix3::new(0, -1, 0, 1, 0, 0, 0, 0, 1),
        6 => Matrix3::new(1, -1, 0, 1, 0, 0, 0, 0, 1),
        _ => Matrix3::identity(),
    };
    cyclic(about_z, axis)
}

/// A half turn about a face diagonal: a − b, or a + b where `sum`, and cyclic.
fn face_diagonal(sum: bool, axis: Axis) -> Matrix3<i32> {
    let s = if sum { 1 } else { -1 };
    cyclic(Matrix3::new(0, s, 0, s, 0, 0, 0, 0, -1), axis)
}

/// A third of a turn about a + b + c.
fn body_diagonal() -> Matrix3<i32> {
    Matrix3::new(0, 0, 1, 1, 0, 0, 0, 1, 0)
}

/// How far the axes move on when z becomes this axis.
fn steps(axis: Axis) -> usize {
    match axis {
        Axis::X => 1,
        Axis::Y => 2,
        Axis::Z => 0,
    }
}

fn cyclic(m: Matrix3<i32>, axis: Axis) -> Matrix3<i32> {
    let back = 3 - steps(axis);
    Matrix3::from_fn(|i, j| m[((i + back) % 3, (j + back) % 3)])
}

fn cyclic_vector(v: Vector3<f64>, axis: Axis) -> Vector3<f64> {
    let back = 3 - steps(axis);
    Vector3::from_fn(|i, _| v[(i + back) % 3])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::group::same_set;
    use super::super::spacegroup::Setting;
    use super::*;

    #[test]
    fn every_tabulated_symbol_gives_the_tabulated_operations() {
        for setting in Setting::all() {
            let operations = hall_operations(setting.hall());
            let operations = operations.unwrap_or_else(|| panic!("{}", setting.hall()));
            assert!(same_set(&operations, &setting.operations()), "{}", setting.hall());
        }
    }

    #[test]
    fn symbols_that_no_table_holds() {
        // C-centred P4/mmm, and an inversion centre away from the origin.
        assert_eq!(hall_operations("-C 4 2").unwrap().len(), 32);
        let shifted = hall_operations("-P 1 (0 0 3)").unwrap();
        assert_eq!(shifted[1].to_string(), "-x,-y,-z+1/2");
        assert_eq!(hall_operations("-P 1 (x,y,z+1/4)").unwrap(), shifted);
        assert_eq!(hall_operations("P 2y1").unwrap()[1].to_string(), "-x,y+1/2,-z");
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", " ", "-", "Q 1", "P 5", "P 2q", "P -", "P 2 2 2 2 2 (", "P 1 (1 2)", "P3"]
        {
            assert_eq!(hall_operations(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[-PABCIRF1-6xyzabcnuvwd'\"*=^() ,/é]{0,16}") {
            let _ = hall_operations(&text);
        }
    }
}
