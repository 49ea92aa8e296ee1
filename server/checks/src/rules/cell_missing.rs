//! Atoms without a complete cell.

use cellwright_crystal::symmetry::CrystalSystem;
use cellwright_syntax::cif::Block;
use cellwright_syntax::reading::Cell;
use cellwright_syntax::{File, Reading, Span, TextEdit};

use crate::words::{line_break, list, trimmed, whole_lines};
use crate::{Context, Finding, Rule, Severity};

/// The rule.
pub(crate) static RULE: Rule = Rule {
    code: "cell-missing",
    severity: Severity::Error,
    summary: "atoms without a complete cell",
    docs: r"The block has atom sites in fractional coordinates, but not all six cell parameters, so no distance, density or volume can be
computed and most programs refuse the file.

Lengths that are missing are an error. An angle that is not mentioned is a warning: the core dictionary once gave it the default
90°, and some programs (Cellwright too) still read it so, others refuse.

```cif
data_no_angles
_cell_length_a 4.2
_cell_length_b 4.2
_cell_length_c 4.2
_space_group_name_H-M_alt 'P m -3 m'
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Cs1 0 0 0
Cl1 0.5 0.5 0.5
```

## How to mend it

Give all six parameters. Where the space group fixes the missing ones (a = b = c and 90° in a cubic group), the fix writes them.
",
    check,
};

const NAMES: [&str; 6] = [
    "_cell_length_a",
    "_cell_length_b",
    "_cell_length_c",
    "_cell_angle_alpha",
    "_cell_angle_beta",
    "_cell_angle_gamma",
];

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let File::Cif(cif) = &context.parsed.file else { return };
    for (reading, _) in context.readings() {
        // Cartesian coordinates have no fractional ones, and rows without any place need no cell.
        let atoms = reading.sites.iter().any(|s| s.coordinate_spans.iter().any(Option::is_some));
        if let (Some(block), true) = (cif.blocks.get(reading.block), atoms) {
            findings.extend(check_block(context, reading, block));
        }
    }
}

fn check_block(context: &Context<'_>, reading: &Reading, block: &Block) -> Option<Finding> {
    let given = parameters(reading);
    let missing: Vec<usize> = (0..6)
        // A value that is there but no number, and a name whose value is missing, have findings of
        // their own.
        .filter(|i| given[*i].is_none() && is_absent(context, block, NAMES[*i]))
        .collect();
    if missing.is_empty() {
        return None;
    }
    let mentioned = |i: &usize| spelled(block, NAMES[*i]).is_some();
    let lengths = missing.iter().any(|i| *i < 3 || mentioned(i));
    let names: Vec<String> = missing.iter().map(|i| NAMES[*i].to_owned()).collect();
    let (place, message) = if missing.len() == 6 {
        (reading.header, "the block has atoms and no cell".to_owned())
    } else {
        let verb = if missing.len() == 1 { "is" } else { "are" };
        let default = if lengths { "" } else { ": read as 90°, other programs refuse it" };
        let unknown = missing.iter().find_map(|i| spelled(block, NAMES[*i]));
        let place = unknown.or(last_line(context, block)).unwrap_or(reading.header);
        (place, format!("{} {verb} missing{default}", list(&names)))
    };
    let severity = if lengths { Severity::Error } else { Severity::Warning };
    let mut finding = Finding::new(&RULE, place, message).severity(severity);
    if !missing.iter().any(mentioned)
        && let Some(values) = fixed_by_symmetry(reading, &given, &missing)
    {
        let text = &*context.parsed.text;
        let lines: String = missing
            .iter()
            .zip(values)
            .map(|(i, value)| format!("{}{} {value}", line_break(text), NAMES[*i]))
            .collect();
        let title = format!("Add {}, which the space group fixes", list(&names));
        finding = finding.fix(title, vec![TextEdit::insert(place.end, lines)]);
    }
    Some(finding)
}

fn parameters(reading: &Reading) -> [Option<(f64, Span)>; 6] {
    let Some(Cell::Parameters { lengths, angles }) = &reading.cell else { return [None; 6] };
    let of = |n: &Option<cellwright_syntax::value::Spanned<cellwright_syntax::value::Number>>| {
        n.as_ref().map(|n| (n.value.value, n.span))
    };
    [
        of(&lengths[0]),
        of(&lengths[1]),
        of(&lengths[2]),
        of(&angles[0]),
        of(&angles[1]),
        of(&angles[2]),
    ]
}

/// The name as the block spells it: with the point of the newer dictionaries or without.
fn spelled(block: &Block, name: &str) -> Option<Span> {
    let newer = name.replacen("_cell_", "_cell.", 1);
    let items = block.items.iter().map(|i| &i.name);
    let looped = block.loops.iter().flat_map(|l| &l.names);
    items.chain(looped).find(|n| n.value == name || n.value == newer).map(|n| n.span)
}

/// Whether a parameter is not mentioned, or its value is `?` or `.`.
fn is_absent(context: &Context<'_>, block: &Block, name: &str) -> bool {
    let newer = name.replacen("_cell_", "_cell.", 1);
    if spelled(block, name).is_none() {
        return true;
    }
    let value = block.any_value(&[name, &newer]);
    value.is_some_and(|v| v.is_null(&context.parsed.text))
}

/// The last line that says something about the cell, without its line break.
fn last_line(context: &Context<'_>, block: &Block) -> Option<Span> {
    let items = block.items.iter().filter(|i| {
        NAMES
            .iter()
            .any(|n| i.name.value == *n || i.name.value == n.replacen("_cell_", "_cell.", 1))
    });
    let last = items
        .map(|i| i.value.map_or(i.name.span, |v| i.name.span.cover(v.span)))
        .max_by_key(|s| s.end)?;
    let line = whole_lines(&context.parsed.text, last);
    // Another item on the same line would be torn apart by new lines behind this one, but it stays right;
    // a comment would swallow what follows it, so the new lines go behind it.
    let trimmed = line.text(&context.parsed.text).trim_end_matches(['\n', '\r']).len();
    Some(Span::new(last.start, line.start + trimmed))
}

/// The missing parameters where the crystal system of the declared space group fixes all of them.
fn fixed_by_symmetry(
    reading: &Reading,
    given: &[Option<(f64, Span)>; 6],
    missing: &[usize],
) -> Option<Vec<String>> {
    use CrystalSystem::{Cubic, Hexagonal, Orthorhombic, Tetragonal};
    let setting = reading.symmetry.setting?;
    let system = setting.system();
    let length = |like: &[usize]| {
        let known = like.iter().find_map(|i| given[*i])?;
        Some(trimmed(known.0, 6))
    };
    missing
        .iter()
        .map(|i| match (system, i) {
            (Orthorhombic | Tetragonal | Cubic, 3..) | (Hexagonal, 3 | 4) => Some("90".to_owned()),
            (Hexagonal, 5) => Some("120".to_owned()),
            (Cubic, 0..3) => length(&[0, 1, 2]),
            (Hexagonal | Tetragonal, 0 | 1) => length(&[0, 1]),
            _ => None,
        })
        .collect()
}

/// Calls `say` for every cell parameter that has a value which is no number.
pub(super) fn not_numbers(context: &Context<'_>, mut say: impl FnMut(Span, String)) {
    let File::Cif(cif) = &context.parsed.file else { return };
    let text = &*context.parsed.text;
    for (reading, _) in context.readings() {
        let Some(block) = cif.blocks.get(reading.block) else { continue };
        for name in NAMES {
            let newer = name.replacen("_cell_", "_cell.", 1);
            let Some(value) = block.any_value(&[name, &newer]) else { continue };
            let no_number = !value.is_null(text) && value.number(text).is_none();
            if no_number && !context.is_disturbed(value.span) {
                say(value.span, format!("{name} is no number"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{check, check_fix};

    #[test]
    fn atoms_without_a_cell() {
        check(
            r#"
data_x
^^^^^^ error cell-missing: the block has atoms and no cell
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Na1 0 0 0
"#,
        );
    }

    #[test]
    fn a_length_that_is_unknown() {
        check(
            r#"
data_x
_cell_length_a 4
_cell_length_b ?
^^^^^^^^^^^^^^ error cell-missing: _cell_length_b is missing
_cell_length_c 4
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Na1 0 0 0
"#,
        );
    }

    #[test]
    fn no_atoms_need_no_cell() {
        check(
            r#"
data_x
_cell_length_a 4
_chemical_name_common salt
"#,
        );
    }

    #[test]
    fn an_angle_that_is_not_mentioned() {
        check(
            r#"
data_x
_cell_length_a 4
_cell_length_b 5
_cell_length_c 6
_cell_angle_alpha 90
_cell_angle_beta 90
^^^^^^^^^^^^^^^^^^^ warning cell-missing: _cell_angle_gamma is missing: read as 90°, other programs refuse it
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Na1 0 0 0
"#,
        );
    }

    #[test]
    fn the_space_group_fixes_the_rest() {
        check_fix(
            "cell-missing",
            r#"
data_x
_cell_length_a 4.2(1)
_space_group_name_H-M_alt 'P m -3 m'
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Po1 0 0 0
"#,
            r#"
data_x
_cell_length_a 4.2(1)
_cell_length_b 4.2
_cell_length_c 4.2
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_space_group_name_H-M_alt 'P m -3 m'
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Po1 0 0 0
"#,
        );
    }

    #[test]
    fn one_cause_one_finding() {
        check(
            r#"
data_x
_cell_length_a 4
_cell_length_b four
               ^^^^ error bad-number: _cell_length_b is no number
_cell_length_c 4
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Na1 0 0 0
"#,
        );
        check(
            r#"
data_x
_cell_length_a 4
_cell_length_b
^^^^^^^^^^^^^^ error missing-value: `_cell_length_b` has no value; `?` says that it is unknown
| fix: Insert `?` for an unknown value
_cell_length_c 4
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Na1 0 0 0
"#,
        );
    }
}
