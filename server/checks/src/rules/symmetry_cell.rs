//! The symmetry operations against the shape of the cell.

use cellwright_crystal::Lattice;
use cellwright_crystal::symmetry::{Operation, Setting, metric_misfit, symmetric_lattice};
use cellwright_syntax::Span;
use cellwright_syntax::reading::{Cell, Reading};

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
        if !facts.cell || !facts.operations_readable || told {
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
    // What the group asks of any cell shows in a cell that has no symmetry of its own.
    let generic = Lattice::from_parameters([5.1, 6.3, 7.7], [83.0, 97.0, 106.0]).ok()?;
    let wanted = parameters(&symmetric_lattice(&generic, operations)?);
    let is = parameters(lattice);
    let constraint = constraint(&wanted);
    let now: Vec<String> = offenders(&is, &wanted)
        .into_iter()
        .map(|i| format!("{} = {}{}", NAMES[i], trimmed(is[i], 4), if i < 3 { " Å" } else { "°" }))
        .collect();
    let symbol = reading.symmetry.hm.as_ref().or(reading.symmetry.hall.as_ref());
    let whose = symbol.map_or_else(|| "the operations".to_owned(), |s| format!("'{}'", s.value));
    let needs = if symbol.is_some() { "needs" } else { "need" };
    let fits = other_setting(reading, lattice);
    let message = format!("{whose} {needs} {constraint}, the cell has {}{fits}", list(&now));
    let mut finding = Finding::new(&RULE, cell_span(reading)?, message);
    if let Some(symbol) = symbol {
        finding = finding.relate(symbol.span, "the symmetry");
    }
    Some(finding)
}

const NAMES: [&str; 6] = ["a", "b", "c", "α", "β", "γ"];

fn parameters(lattice: &Lattice) -> [f64; 6] {
    let ([a, b, c], [alpha, beta, gamma]) = (lattice.lengths(), lattice.angles());
    [a, b, c, alpha, beta, gamma]
}

/// Which parameters are not what the symmetry makes of those of a generic cell: lengths or angles that
/// should be equal and are not, angles that should have one value and have another.
fn offenders(is: &[f64; 6], wanted: &[f64; 6]) -> Vec<usize> {
    let differs = |x: f64, y: f64| (x - y).abs() > 5e-4 * x.abs().max(y.abs());
    let same = |x: f64, y: f64| (x - y).abs() < 1e-6 * x.abs();
    let offends = |i: usize| {
        let like = if i < 3 { 0..3 } else { 3..6 };
        let fixed = i >= 3 && ANGLES.iter().any(|angle| same(*angle, wanted[i]));
        let unequal = like.into_iter().any(|j| same(wanted[i], wanted[j]) && differs(is[i], is[j]));
        if fixed { differs(is[i], wanted[i]) } else { unequal }
    };
    (0..6).filter(|i| offends(*i)).collect()
}

/// Angles that symmetry asks for.
const ANGLES: [f64; 3] = [90.0, 120.0, 60.0];

/// Names a setting of the same space group whose shape the cell has: other axes are the usual reason.
fn other_setting(reading: &Reading, lattice: &Lattice) -> String {
    let Some(setting) = reading.symmetry.setting else { return String::new() };
    let mut others = Setting::all()
        .filter(|s| s.number() == setting.number() && s.metric_misfit(lattice) <= ACCEPTED);
    match (others.next(), others.next()) {
        (Some(only), None) => format!("; it fits the setting '{}'", only.hm()),
        (Some(first), Some(_)) => format!("; it fits other settings, such as '{}'", first.hm()),
        _ => String::new(),
    }
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
    let fixed = |angle: f64| ANGLES.into_iter().find(|x| same(*x, angle));
    for value in ANGLES {
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
               ^ warning symmetry-cell: the operations need a = b, α = β = 90° and γ = 120°, the cell has γ = 90°
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
    fn other_axes_are_named_and_short_distances_are_their_consequence() {
        check(
            r#"
data_x
_cell_length_a 5.15
               ^^^^ warning symmetry-cell: 'P 1 21/c 1' needs α = γ = 90°, the cell has γ = 99.2°; it fits other settings, such as 'P 1 1 21/a'
               | line 8 "'P 1 21/c 1'": the symmetry
_cell_length_b 5.31
_cell_length_c 5.21
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 99.2
_space_group_name_H-M_alt 'P 1 21/c 1'
"#,
        );
        check(
            r#"
data_corundum
_cell_length_a 5.12
               ^^^^ warning symmetry-cell: 'R -3 c :H' needs a = b, α = β = 90° and γ = 120°, the cell has α = 55.3°, β = 55.3° and γ = 55.3°; it fits the setting 'R -3 c :R'
               | line 8 "'R -3 c :H'": the symmetry
_cell_length_b 5.12
_cell_length_c 5.12
_cell_angle_alpha 55.3
_cell_angle_beta 55.3
_cell_angle_gamma 55.3
_space_group_name_H-M_alt 'R -3 c :H'
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Al1 0.352 0.352 0.352
O1 0.556 0.944 0.25
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
