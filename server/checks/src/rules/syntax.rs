//! Syntax: one rule for each kind of cause. The text is judged by `cellwright-syntax`, which gives one
//! problem per cause; here each kind gets its code, its severity and its documentation.

use cellwright_syntax::mistyped::mistyped_cif_number;
use cellwright_syntax::reading::ObstacleKind;
use cellwright_syntax::{Problem, ProblemKind, Span, TextEdit};

use crate::{Context, Finding, Fix, Related, Rule, Severity};

/// A string or text field without an end.
pub(crate) static UNTERMINATED_TEXT: Rule = Rule {
    code: "unterminated-text",
    severity: Severity::Error,
    summary: "a quoted string or text field that never ends",
    docs: r"A string in quotes must end on its line: the closing quote counts in CIF 1.1 where white space follows it. A text field between
semicolons ends with a `;` in the first column. Without it, everything behind it is swallowed.

```cif
data_salt
_chemical_name_common 'rock salt
_cell_length_a 5.64
```

## How to mend it

Close the string where it was meant to end. For more than one line use a text field.

Source: Hall, Allen & Brown, *Acta Cryst.* A47, 655 (1991); International Tables for Crystallography, vol. G, section 2.2.7.
",
    check: |context, findings| {
        report(context, &UNTERMINATED_TEXT, ProblemKind::Unterminated, findings);
    },
};

/// Text before the first block.
pub(crate) static NO_DATA_BLOCK: Rule = Rule {
    code: "no-data-block",
    severity: Severity::Error,
    summary: "text before the first data block, or no data block at all",
    docs: r"Everything in a CIF stands in a data block, which begins with `data_` and a name.

```cif
_cell_length_a 5.64
data_salt
_cell_length_b 5.64
```

## How to mend it

Put `data_` and a name on a line of its own in front; the fix does it.
",
    check: |context, findings| report(context, &NO_DATA_BLOCK, ProblemKind::NoBlock, findings),
};

/// A name without a value.
pub(crate) static MISSING_VALUE: Rule = Rule {
    code: "missing-value",
    severity: Severity::Error,
    summary: "a data name without a value",
    docs: r"A data name must be followed by its value. A value that is not known is written `?`, one that makes no sense here `.`.

```cif
data_salt
_cell_length_a
_cell_length_b 5.64
```

## How to mend it

Write the value, or `?`; the fix inserts the question mark.
",
    check: |context, findings| report(context, &MISSING_VALUE, ProblemKind::MissingValue, findings),
};

/// Values without a name.
pub(crate) static STRAY_VALUE: Rule = Rule {
    code: "stray-value",
    severity: Severity::Error,
    summary: "values that belong to no data name",
    docs: r"A data name takes one value. What follows it belongs to nothing: mostly a text with spaces that is not quoted, or names of a table without `loop_`
before them.

```cif
data_salt
_chemical_name_common rock salt
```

```cif
data_salt
_chemical_name_common 'rock salt'
```

## How to mend it

Quote a value with spaces. Put `loop_` in front of the names of a table.
",
    check: |context, findings| report(context, &STRAY_VALUE, ProblemKind::StrayValue, findings),
};

/// A loop without names or values.
pub(crate) static EMPTY_LOOP: Rule = Rule {
    code: "empty-loop",
    severity: Severity::Error,
    summary: "a loop without names or without values",
    docs: r"`loop_` is followed by data names and then by at least one row of values.

```cif
data_salt
loop_
_atom_site_label
_atom_site_fract_x
```

## How to mend it

Fill the table or delete it.
",
    check: |context, findings| report(context, &EMPTY_LOOP, ProblemKind::EmptyLoop, findings),
};

/// Something that cannot stand here.
pub(crate) static UNEXPECTED_TOKEN: Rule = Rule {
    code: "unexpected-token",
    severity: Severity::Error,
    summary: "a reserved word, bracket or character that cannot stand here",
    docs: r"A reserved word of STAR (`stop_`, `global_`), a save frame that never ends, a bracket that is never closed, a value that begins with a
character that needs quotes, or a control character.

```cif
data_salt
_chemical_name_common $salt
```

## How to mend it

Quote a value that begins with one of `_ # $ ' [ ]` or reads like a reserved word. Delete control characters; editors show them
when asked to.
",
    check: |context, findings| {
        report(context, &UNEXPECTED_TOKEN, ProblemKind::Unexpected, findings);
    },
};

/// A line or name that is too long.
pub(crate) static TOO_LONG: Rule = Rule {
    code: "too-long",
    severity: Severity::Warning,
    summary: "a line, name or block code longer than CIF 1.1 allows",
    docs: r"A line of a CIF has at most 2048 characters, a data name or block code at most 75. Some programs cut what is longer.

```cif
data_a_block_code_of_more_than_seventy_five_characters_is_longer_than_any_program_must_accept
_cell_length_a 5.64
```

## How to mend it

Break a long line between two values, or write the value as a text field. Shorten the name.
",
    check: |context, findings| report(context, &TOO_LONG, ProblemKind::TooLong, findings),
};

/// A number was needed.
pub(crate) static BAD_NUMBER: Rule = Rule {
    code: "bad-number",
    severity: Severity::Error,
    summary: "a number is needed here",
    docs: r"A number is needed here and this is none, or it is NaN, infinite, or too large to be one. CIF writes numbers as `5.6402`, `5.640(2)`,
`-.5`, `1.5E-3`; there are no fractions and no decimal commas. POSCAR also takes Fortran's `1.5D-3`; stars (`*****`) mean that a number
did not fit into its columns.

```poscar
salt
1.0
5.6.4 0 0
0 5.64 0
0 0 5.64
Na
1
Direct
0 0 0
```

## How to mend it

Write the number with a decimal point.
",
    check: bad_number,
};

/// A POSCAR that ends too early.
pub(crate) static MISSING_LINE: Rule = Rule {
    code: "missing-line",
    severity: Severity::Error,
    summary: "the POSCAR ends before the line that should follow",
    docs: r"VASP reads a POSCAR line by line: comment, scale, three lattice vectors, species, counts, optionally `Selective dynamics`, the mode (`Direct` or
`Cartesian`), then one line for each atom. The file ends too early.

```poscar
salt
1.0
5.64 0 0
0 5.64 0
```

## How to mend it

Write the lines that are missing. Source: VASP wiki, page POSCAR.
",
    check: |context, findings| report(context, &MISSING_LINE, ProblemKind::MissingLine, findings),
};

/// A line with wrong fields.
pub(crate) static BAD_LINE: Rule = Rule {
    code: "bad-line",
    severity: Severity::Error,
    summary: "a line of the POSCAR has too few fields, or fields of the wrong kind",
    docs: r"VASP reads a POSCAR line by line and takes a fixed number of fields from each: three numbers for a lattice vector or an atom, three flags
(`T` or `F`) besides under selective dynamics, one scale or three. An empty line counts as a line.

```poscar
salt
1.0
5.64 0
0 5.64 0
0 0 5.64
Na
1
Direct
0 0 0
```

## How to mend it

Write the fields that are missing. Source: VASP wiki, page POSCAR.
",
    check: |context, findings| {
        for problem in of_kind(context, ProblemKind::BadLine) {
            if !super::poscar_counts::is_about_counts(context, problem) {
                findings.push(finding(&BAD_LINE, problem));
            }
        }
    },
};

/// Reports every problem of a kind under a rule.
pub(super) fn report(
    context: &Context<'_>,
    rule: &Rule,
    kind: ProblemKind,
    findings: &mut Vec<Finding>,
) {
    findings.extend(of_kind(context, kind).map(|problem| finding(rule, problem)));
}

fn of_kind<'a>(context: &Context<'a>, kind: ProblemKind) -> impl Iterator<Item = &'a Problem> {
    context.parsed.problems.iter().filter(move |p| p.kind == kind)
}

/// A problem of the text as a finding.
pub(super) fn finding(rule: &Rule, problem: &Problem) -> Finding {
    let related = problem.related.iter();
    let fixes = problem.fix.iter();
    Finding {
        related: related
            .map(|(span, message)| Related { span: *span, message: message.clone() })
            .collect(),
        fixes: fixes
            .map(|(title, edits)| Fix { title: title.clone(), edits: edits.clone() })
            .collect(),
        ..Finding::new(rule, problem.span, problem.message.clone())
    }
}

/// Where grammar does not ask for a number, the crystal does: coordinates and cell parameters of a CIF.
fn bad_number(context: &Context<'_>, findings: &mut Vec<Finding>) {
    report(context, &BAD_NUMBER, ProblemKind::BadNumber, findings);
    for (reading, facts) in context.readings() {
        // In a table whose values have slipped nothing stands where it should.
        if !facts.geometry {
            continue;
        }
        for obstacle in reading.obstacles.iter().filter(|o| o.kind == ObstacleKind::Coordinate) {
            // `?` asks for a coordinate and `.` says that there is none: both are right.
            let text = context.text(obstacle.span);
            if !matches!(text, "?" | ".") && !context.is_disturbed(obstacle.span) {
                findings.push(no_number(context, obstacle.span, obstacle.message.clone()));
            }
        }
    }
    super::cell_missing::not_numbers(context, |span, message| {
        findings.push(no_number(context, span, message));
    });
}

/// A word that is no number, with what it was meant to be where that can be told.
fn no_number(context: &Context<'_>, span: Span, message: String) -> Finding {
    let Some(mistyped) = mistyped_cif_number(context.text(span)) else {
        return Finding::new(&BAD_NUMBER, span, message);
    };
    let finding = Finding::new(&BAD_NUMBER, span, format!("{message}: {}", mistyped.why));
    match mistyped.meant {
        Some(meant) => {
            let edit = TextEdit::replace(span, meant.clone());
            finding.fix(format!("Write {meant}"), vec![edit])
        }
        None => finding,
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{check, check_fix, codes};

    #[test]
    fn each_kind_has_its_code() {
        let cases = [
            ("data_x\n_cell_volume 'a\n", "unterminated-text"),
            ("data_x\n_a\n;\ntext\n", "unterminated-text"),
            ("_cell_volume 1\ndata_x\n_cell_length_a 4\n", "no-data-block"),
            ("data_x\n_cell_volume\n", "missing-value"),
            ("data_x\n_cell_volume 1 2\n", "stray-value"),
            ("data_x\nloop_\n_a\n_b\n", "empty-loop"),
            ("data_x\nstop_\n_a 1\n", "unexpected-token"),
            ("x\n1\n1 0 0\n", "missing-line"),
            ("x\n1\n4 0 0\n0 4\n0 0 4\nNa\n1\nDirect\n0 0 0\n", "bad-line"),
            ("x\n1\n4 0 0\n0 4 0\n0 0 4\nNa\n1\nDirect\n0 zero 0\n", "bad-number"),
        ];
        for (text, code) in cases {
            assert_eq!(codes(text), [code], "{text}");
        }
    }

    #[test]
    fn a_string_without_end_is_one_finding() {
        check(
            r#"
data_x
_cell_length_a 5.64
_cell_length_b 5.64
_cell_length_c 5.64
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_chemical_name_common 'salt
                      ^^^^^ error unterminated-text: the string has no closing `'` on its line
                      | fix: Insert `'`
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Na1 0 0 0
Cl1 0 0 0.5
"#,
        );
    }

    #[test]
    fn usual_mistakes_in_numbers_are_named_and_mended() {
        let file = |a: &str, x: &str| {
            format!(
                "data_x\n_cell_length_a {a}\n_cell_length_b 5.64\n_cell_length_c 5.64\n_cell_angle_alpha 90\n\
                 _cell_angle_beta 90\n_cell_angle_gamma 90\nloop_\n_atom_site_label\n_atom_site_fract_x\n\
                 _atom_site_fract_y\n_atom_site_fract_z\nNa1 {x} 0 0\n"
            )
        };
        check_fix("bad-number", &file("5,6402(2)", "0"), &file("5.6402(2)", "0"));
        check_fix("bad-number", &file("5.64", "\u{2212}0.25"), &file("5.64", "-0.25"));
        check_fix(
            "bad-number",
            "x\n1\n4 0 0\n0 \u{2212}4 0\n0 0 4\nNa\n1\nDirect\n0 0 0\n",
            "x\n1\n4 0 0\n0 -4 0\n0 0 4\nNa\n1\nDirect\n0 0 0\n",
        );
    }

    #[test]
    fn coordinates_must_be_numbers_or_be_asked_for() {
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
Na1 0 zero 0
      ^^^^ error bad-number: the coordinate 'zero' is not a number
Cl1 ? ? ?
Cl2 0.5 0.5 0.5
"#,
        );
    }
}
