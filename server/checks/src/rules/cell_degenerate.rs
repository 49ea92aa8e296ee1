//! A cell that is none.

use cellwright_crystal::LatticeError;
use cellwright_syntax::reading::Cell;
use cellwright_syntax::{File, Reading, Span, TextEdit};

use crate::{Context, Finding, Rule, Severity, radians};

/// The rule.
pub(crate) static RULE: Rule = Rule {
    code: "cell-degenerate",
    severity: Severity::Error,
    summary: "the cell encloses no volume",
    docs: r"The cell parameters or lattice vectors enclose no volume: a length or the scale is zero or negative, an angle is not
between 0° and 180°, two vectors are parallel, or the three angles close no parallelepiped. Three angles do when

1 − cos²α − cos²β − cos²γ + 2 cos α cos β cos γ > 0

(the square of V/abc; International Tables for Crystallography, vol. A, section 1.3), that is, when each is smaller than the
sum of the other two and their sum is below 360°. Three angles below 3.2 are taken for radians.

```cif
data_impossible
_cell_length_a 5
_cell_length_b 5
_cell_length_c 5
_cell_angle_alpha 30
_cell_angle_beta 40
_cell_angle_gamma 100
```

```cif
data_possible
_cell_length_a 5
_cell_length_b 5
_cell_length_c 5
_cell_angle_alpha 80
_cell_angle_beta 90
_cell_angle_gamma 100
```

## How to mend it

Look for a digit or a point that is missing, for a row of the lattice that is there twice. Of angles in radians the fix makes degrees.
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (reading, _) in context.readings() {
        if let Some(degrees) = radians::in_degrees(reading) {
            findings.extend(in_radians(context, reading, degrees));
            continue;
        }
        let Some(Err(error)) = &reading.lattice else { continue };
        let Some(span) = culprit(reading, error) else { continue };
        // Text that is wrong already explains a cell that is wrong.
        let scale = match &context.parsed.file {
            File::Poscar(poscar) => poscar.scale.iter().map(|s| s.span).reduce(Span::cover),
            File::Cif(_) => None,
        };
        if ![Some(span), scale].into_iter().flatten().any(|s| context.is_disturbed(s)) {
            findings.push(Finding::new(&RULE, span, error.to_string()));
        }
    }
}

/// One finding at the angles, with the fix that writes them as degrees.
fn in_radians(context: &Context<'_>, reading: &Reading, degrees: [f64; 3]) -> Option<Finding> {
    let Some(Cell::Parameters { angles, .. }) = &reading.cell else { return None };
    let written: Vec<_> = angles.iter().flatten().collect();
    let span = written.iter().map(|n| n.span).reduce(Span::cover)?;
    if context.is_disturbed(span) {
        return None;
    }
    // A radian is 57°: two digits less say as much.
    let text = |i: usize| {
        let decimals = usize::from(written[i].value.decimals.saturating_sub(2)).min(4);
        format!("{:.decimals$}", degrees[i])
    };
    let [alpha, beta, gamma] = [0, 1, 2].map(text);
    let message = format!(
        "the cell angles are in radians: in degrees they are {alpha}°, {beta}° and {gamma}°"
    );
    let finding = Finding::new(&RULE, span, message);
    // What is known of the uncertainty is not thrown away by a quick fix.
    if written.iter().any(|n| n.value.su.is_some()) {
        return Some(finding);
    }
    let values = [&alpha, &beta, &gamma];
    let edits = written.iter().zip(values).map(|(n, text)| TextEdit::replace(n.span, text));
    let edits = edits.collect();
    Some(finding.fix(format!("Write {alpha}, {beta} and {gamma}"), edits))
}

/// Where the fault is; `None` where a parameter is missing or no number, which other rules say.
fn culprit(reading: &Reading, error: &LatticeError) -> Option<Span> {
    let Some(Cell::Parameters { lengths, angles }) = &reading.cell else { return place(reading) };
    let length = |i: usize| lengths[i].as_ref().map(|n| n.span);
    let angle = |i: usize| angles[i].as_ref().map(|n| n.span);
    match error {
        LatticeError::Length(axis, _) => length(['a', 'b', 'c'].iter().position(|x| x == axis)?),
        LatticeError::Angle(name, _) => {
            angle(["alpha", "beta", "gamma"].iter().position(|x| x == name)?)
        }
        LatticeError::Gram(..) => (0..3).filter_map(angle).reduce(Span::cover),
        LatticeError::Volume(_) => place(reading),
    }
}

/// The text that states the cell.
pub(super) fn place(reading: &Reading) -> Option<Span> {
    match reading.cell.as_ref()? {
        Cell::Vectors(span) => Some(*span),
        Cell::Parameters { lengths, angles } => {
            lengths.iter().chain(angles).flatten().map(|n| n.span).reduce(Span::cover)
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{check, check_fix};

    #[test]
    fn each_way_to_be_no_cell() {
        check(
            r#"
data_x
_cell_length_a 0
               ^ error cell-degenerate: cell length a = 0 Å is not a positive finite number
_cell_length_b 4
_cell_length_c 5
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
"#,
        );
        check(
            r#"
data_x
_cell_length_a 4
_cell_length_b 4
_cell_length_c 5
_cell_angle_alpha 90
_cell_angle_beta 180
                 ^^^ error cell-degenerate: cell angle beta = 180° is not between 0 and 180
_cell_angle_gamma 90
"#,
        );
        check(
            r#"
data_x
_cell_length_a 4
_cell_length_b 4
_cell_length_c 5
_cell_angle_alpha 30
                  ^^ error cell-degenerate: no cell has the angles 30°, 40°, 100°: their Gram determinant is not positive
_cell_angle_beta 40
_cell_angle_gamma 100
"#,
        );
        check(
            r#"
flat
1.0
4 0 0
^^^^^ error cell-degenerate: the lattice vectors span no finite volume (|det| = 0 Å³)
0 4 0
4 4 0
Na Cl
1 1
Direct
0 0 0
0 0 0.01
"#,
        );
    }

    #[test]
    fn radians_are_one_finding_and_become_degrees() {
        let file = |angles: [&str; 3]| {
            format!(
                "data_x\n_cell_length_a 5\n_cell_length_b 5\n_cell_length_c 7\n_cell_angle_alpha {}\n\
                 _cell_angle_beta {}\n_cell_angle_gamma {}\n_cell_volume 151.55\n\
                 _space_group_name_H-M_alt 'P 6/m m m'\nloop_\n_atom_site_label\n_atom_site_fract_x\n\
                 _atom_site_fract_y\n_atom_site_fract_z\nFe1 0 0 0\n",
                angles[0], angles[1], angles[2]
            )
        };
        let wrong = file(["1.5708", "1.5708", "2.0944"]);
        assert_eq!(crate::testing::codes(&wrong), ["cell-degenerate"]);
        check_fix("cell-degenerate", &wrong, &file(["90.00", "90.00", "120.00"]));
        check_fix("cell-degenerate", &file(["1.57", "1.57", "2.09"]), &file(["90", "90", "120"]));
    }

    #[test]
    fn a_scale_of_zero() {
        check(
            r#"
zero
0.0
^^^ error bad-number: the scale must not be zero
4 0 0
0 4 0
0 0 4
Na
1
Direct
0 0 0
"#,
        );
    }
}
