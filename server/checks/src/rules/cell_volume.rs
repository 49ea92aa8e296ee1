//! The volume that is stated against the one of the cell.

use cellwright_crystal::Lattice;
use cellwright_syntax::cif::Value;
use cellwright_syntax::reading::Cell;
use cellwright_syntax::value::Number;
use cellwright_syntax::{File, Reading, TextEdit};

use crate::words::trimmed;
use crate::{Context, Finding, Rule, Severity};

/// The rule.
pub(crate) static RULE: Rule = Rule {
    code: "cell-volume",
    severity: Severity::Warning,
    summary: "_cell_volume is not the volume of the cell parameters",
    docs: r"The volume that is stated is not that of the cell parameters,

V = abc · √(1 − cos²α − cos²β − cos²γ + 2 cos α cos β cos γ)

(International Tables for Crystallography, vol. A, section 1.3). One of the seven numbers is wrong. This is the test CELLV_01 of
checkCIF. The two may differ by what the last digits leave open, by three standard uncertainties, and by 0.1 %.

```cif
data_volume
_cell_length_a 5.64
_cell_length_b 5.64
_cell_length_c 5.64
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_cell_volume 197.4
```

```cif
data_volume
_cell_length_a 5.64
_cell_length_b 5.64
_cell_length_c 5.64
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_cell_volume 179.4
```

## How to mend it

Compare the parameters with their source. Where they are right, the fix sets the volume.
",
    check,
};

/// Relative difference that is accepted: programs round cosines.
const ACCEPTED: f64 = 1e-3;

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let File::Cif(cif) = &context.parsed.file else { return };
    let text = &*context.parsed.text;
    for (reading, facts) in context.readings() {
        let (Some(Ok(lattice)), Some(block)) = (&reading.lattice, cif.blocks.get(reading.block))
        else {
            continue;
        };
        if !facts.cell {
            continue;
        }
        let Some(value) = block.any_value(&["_cell_volume", "_cell.volume"]) else { continue };
        let Some(stated) = value.number(text).filter(|_| !context.is_disturbed(value.span)) else {
            continue;
        };
        findings.extend(compare(reading, lattice, value, &stated));
    }
}

fn compare(
    reading: &Reading,
    lattice: &Lattice,
    value: &Value,
    stated: &Number,
) -> Option<Finding> {
    let volume = lattice.volume();
    let allowed = ACCEPTED * volume + slack(stated) + uncertainty(reading, volume);
    if (stated.value - volume).abs() <= allowed {
        return None;
    }
    let decimals = usize::from(stated.decimals.clamp(1, 6));
    let right = format!("{volume:.decimals$}");
    let message = format!(
        "the volume is stated as {} Å³, the cell parameters give {right} Å³",
        trimmed(stated.value, decimals)
    );
    let finding = Finding::new(&RULE, value.span, message);
    let finding = match super::cell_degenerate::place(reading) {
        Some(cell) => finding.relate(cell, "the cell parameters"),
        None => finding,
    };
    let fix = format!("Set the volume to {right}");
    Some(finding.fix(fix, vec![TextEdit::replace(value.span, right)]))
}

/// What the last digit and three standard uncertainties of a number leave open.
fn slack(number: &Number) -> f64 {
    3.0 * number.su.unwrap_or(0.0) + 0.5 * 10f64.powi(-i32::from(number.decimals))
}

/// By how much the volume of the parameters is uncertain (Å³): the sum over the parameters of |∂V/∂p| times what p
/// leaves open, by differences.
fn uncertainty(reading: &Reading, volume: f64) -> f64 {
    let Some(Cell::Parameters { lengths, angles }) = &reading.cell else { return 0.0 };
    let all: Vec<Number> =
        lengths.iter().chain(angles).map(|n| n.as_ref().map_or(RIGHT_ANGLE, |n| n.value)).collect();
    let values: Vec<f64> = all.iter().map(|n| n.value).collect();
    (0..6)
        .map(|i| {
            let mut moved = values.clone();
            moved[i] += slack(&all[i]);
            let [a, b, c, alpha, beta, gamma] = moved[..] else { return 0.0 };
            let lattice = Lattice::from_parameters([a, b, c], [alpha, beta, gamma]);
            lattice.map_or(0.0, |l| (l.volume() - volume).abs())
        })
        .sum()
}

/// What an angle that is not mentioned is read as: exactly 90°.
const RIGHT_ANGLE: Number = Number { value: 90.0, su: None, decimals: 9 };

#[cfg(test)]
mod tests {
    use crate::testing::{check, check_fix};

    #[test]
    fn a_slip_of_digits_is_found() {
        check(
            r#"
data_x
_cell_length_a 5.64
_cell_length_b 5.64
_cell_length_c 5.64
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_cell_volume 197.4
             ^^^^^ warning cell-volume: the volume is stated as 197.4 Å³, the cell parameters give 179.4 Å³
             | line 2 "5.64": the cell parameters
             | fix: Set the volume to 179.4
"#,
        );
    }

    #[test]
    fn uncertainties_and_rounding_are_accepted() {
        check(
            r#"
data_x
_cell_length_a 5.64(2)
_cell_length_b 5.6
_cell_length_c 5.64
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_cell_volume 179(1)
"#,
        );
    }

    #[test]
    fn the_volume_is_set_with_the_digits_it_had() {
        check_fix(
            "cell-volume",
            r#"
data_x
_cell_length_a 5.64
_cell_length_b 5.64
_cell_length_c 5.64
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_cell_volume 200.123
"#,
            r#"
data_x
_cell_length_a 5.64
_cell_length_b 5.64
_cell_length_c 5.64
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_cell_volume 179.406
"#,
        );
    }
}
