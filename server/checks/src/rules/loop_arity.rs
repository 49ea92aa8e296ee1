//! A loop whose values do not fill its rows.

use cellwright_syntax::ProblemKind;

use crate::{Rule, Severity, rules::syntax};

/// The rule.
pub(crate) static RULE: Rule = Rule {
    code: "loop-arity",
    severity: Severity::Error,
    summary: "the number of values in a loop is no multiple of the number of names",
    docs: r"A loop is read value by value, not line by line: with four names, every four values are a row. One value too few or too many
shifts all that follow, so an x becomes a y and an occupancy a coordinate. The row that is shown is the first that does not have as many values as the
loop has names; nothing else is reported about the table.

```cif
data_salt
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Na1 0 0 0
Cl1 0.5 0.5
Cl2 0 0 0.5
```

## How to mend it

Write `?` for a value that is not known and `.` for one that makes no sense. Quote values with spaces in them. Source: International Tables for
Crystallography, vol. G, section 2.2.7.
",
    check: |context, findings| syntax::report(context, &RULE, ProblemKind::LoopArity, findings),
};

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn the_row_that_breaks_and_nothing_else() {
        check(
            r#"
data_x
_cell_length_a 5.64
_cell_length_b 5.64
_cell_length_c 5.64
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Na1 0 0 0
Cl1 0.5 0.5
^^^^^^^^^^^ error loop-arity: row 2 has 3 values where the loop has 4 names
| line 9 "_atom_site_label": 4 names, 15 values in all
Cl2 0 0 0.5
Na2 0.5 0.5 0.5
"#,
        );
    }
}
