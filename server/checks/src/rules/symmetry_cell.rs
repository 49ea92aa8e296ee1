//! The symmetry operations against the shape of the cell.

use cellwright_crystal::Lattice;
use cellwright_crystal::symmetry::{Operation, metric_misfit};
use cellwright_syntax::Span;
use cellwright_syntax::reading::{Cell, Reading};
use nalgebra::Matrix3;

use super::symmetry_symbol;
use crate::words::{list, trimmed};
use crate::{Context, Finding, Rule, Severity};

/// The rule.
pub(crate) static RULE: Rule = Rule {
    code: "symmetry-cell",
    severity: Severity::Warning,
    summary: "the cell has not the shape that the symmetry operations need",
    docs: r"A symmetry operation keeps all lengths and angles, so its rotation part W must leave the metric tensor G of the
cell as it is: WᵀGW = G (International Tables for Crystallography, vol. A, section 1.3). Here it does not: a cubic group with
b ≠ a, a hexagonal group with γ = 90°. Distances then depend on which image of an atom they are measured from.

Differences below 0.2 % of a length, and what rounding and the standard uncertainties of the parameters allow, are accepted.

```cif
data_stretched
_cell_length_a 5.64
_cell_length_b 5.64
_cell_length_c 5.94
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_space_group_name_H-M_alt 'F m -3 m'
```

## How to mend it

Correct the parameter that is named, or choose the space group (or the setting: hexagonal or rhombohedral axes, unique axis b
or c) that fits the cell.
",
    check,
};

/// Relative change of the metric tensor that is accepted whatever the parameters say: 0.2 % of a length.
const ACCEPTED: f64 = 4e-3;

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (reading, facts) in context.readings() {
        let Some(Ok(lattice)) = &reading.lattice else { continue };
        let operations = &reading.symmetry.operations;
        // A list that is not that of the symbol is one fault, whatever cell it fits.
        let told = Context::is_told(findings, reading, &[&symmetry_symbol::RULE]);
        if !facts.operations_readable || told {
            continue;
        }
        if metric_misfit(operations, lattice) > ACCEPTED.max(uncertainty(reading, lattice)) {
            findings.extend(report(reading, lattice, operations));
        }
    }
}

/// Relative change of the metric tensor that rounding and three standard uncertainties may make.
fn uncertainty(reading: &Reading, lattice: &Lattice) -> f64 {
    let Some(Cell::Parameters { lengths, angles }) = &reading.cell else { return 0.0 };
    let slack = |n: &cellwright_syntax::value::Number| {
        3.0 * n.su.unwrap_or(0.0) + 0.5 * 10f64.powi(-i32::from(n.decimals))
    };
    let shortest = lattice.lengths().into_iter().fold(f64::INFINITY, f64::min);
    let length = lengths.iter().flatten().map(|n| slack(&n.value) / shortest).fold(0.0, f64::max);
    let angle = angles.iter().flatten().map(|n| slack(&n.value).to_radians()).fold(0.0, f64::max);
    // Each entry of G is a product of two lengths and a cosine; a quarter is the most that may hide.
    (2.0 * 2.0 * length + 2.0 * angle).min(0.25)
}

fn report(reading: &Reading, lattice: &Lattice, operations: &[Operation]) -> Option<Finding> {
    let wanted = symmetrized(lattice, operations)?;
    let names = ["a", "b", "c", "α", "β", "γ"];
    let both = |l: &Lattice| {
        let ([a, b, c], [alpha, beta, gamma]) = (l.lengths(), l.angles());
        [a, b, c, alpha, beta, gamma]
    };
    let (is, should) = (both(lattice), both(&wanted));
    let constraint = constraint(&should);
    let now: Vec<String> = (0..6)
        .filter(|i| (is[*i] - should[*i]).abs() > 5e-4 * should[*i])
        .map(|i| format!("{} = {}{}", names[i], trimmed(is[i], 4), if i < 3 { " Å" } else { "°" }))
        .collect();
    let symbol = reading.symmetry.hm.as_ref().or(reading.symmetry.hall.as_ref());
    let whose = symbol.map_or_else(|| "the operations".to_owned(), |s| format!("'{}'", s.value));
    let needs = if symbol.is_some() { "needs" } else { "need" };
    let message = format!("{whose} {needs} {constraint}, the cell has {}", list(&now));
    let mut finding = Finding::new(&RULE, cell_span(reading)?, message);
    if let Some(symbol) = symbol {
        finding = finding.relate(symbol.span, "the symmetry");
    }
    Some(finding)
}

/// The lattice with the mean of the metric tensor over the operations.
fn symmetrized(lattice: &Lattice, operations: &[Operation]) -> Option<Lattice> {
    let metric = lattice.metric();
    let sum: Matrix3<f64> = operations
        .iter()
        .map(|op| op.rotation.cast::<f64>())
        .map(|w| w.transpose() * metric * w)
        .sum();
    let mean = sum / operations.len() as f64;
    Lattice::from_rows(mean.cholesky()?.l()).ok()
}

/// What a symmetric cell's parameters have in common, in words: `a = b = c and α = β = γ = 90°`.
fn constraint(parameters: &[f64; 6]) -> String {
    let [a, b, c, angles @ ..] = parameters;
    let same = |x: f64, y: f64| (x - y).abs() < 1e-6 * x.abs().max(y.abs());
    let mut words = Vec::new();
    match (same(*a, *b), same(*b, *c), same(*a, *c)) {
        (true, true, _) => words.push("a = b = c".to_owned()),
        (true, ..) => words.push("a = b".to_owned()),
        (_, true, _) => words.push("b = c".to_owned()),
        (_, _, true) => words.push("a = c".to_owned()),
        _ => {}
    }
    let fixed = |angle: f64| [90.0, 120.0, 60.0].into_iter().find(|x| same(*x, angle));
    for value in [90.0, 120.0, 60.0] {
        let those: Vec<&str> = ["α", "β", "γ"]
            .into_iter()
            .zip(angles)
            .filter(|(_, angle)| fixed(**angle) == Some(value))
            .map(|(name, _)| name)
            .collect();
        if !those.is_empty() {
            words.push(format!("{} = {value}°", those.join(" = ")));
        }
    }
    if angles.iter().all(|x| fixed(*x).is_none())
        && same(angles[0], angles[1])
        && same(angles[1], angles[2])
    {
        words.push("α = β = γ".to_owned());
    }
    if words.is_empty() { "another shape of cell".to_owned() } else { list(&words) }
}

fn cell_span(reading: &Reading) -> Option<Span> {
    super::cell_degenerate::place(reading)
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn a_cubic_group_in_a_stretched_cell() {
        check(
            r#"
data_x
_cell_length_a 5.64
               ^^^^ warning symmetry-cell: 'F m -3 m' needs a = b = c and α = β = γ = 90°, the cell has a = 5.64 Å, b = 5.64 Å and c = 5.94 Å
               | line 8 "'F m -3 m'": the symmetry
_cell_length_b 5.64
_cell_length_c 5.94
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_space_group_name_H-M_alt 'F m -3 m'
"#,
        );
    }

    #[test]
    fn a_hexagonal_group_with_right_angles() {
        check(
            r#"
data_x
_cell_length_a 5
               ^ warning symmetry-cell: the operations need a = b, α = β = 90° and γ = 120°, the cell has a = 5 Å, b = 5 Å and γ = 90°
_cell_length_b 5
_cell_length_c 8
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_space_group_IT_number 194
"#,
        );
    }

    #[test]
    fn rounding_and_uncertainties_are_accepted() {
        check(
            r#"
data_x
_cell_length_a 5.641
_cell_length_b 5.64
_cell_length_c 5.6(1)
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_space_group_name_H-M_alt 'F m -3 m'
"#,
        );
    }
}
