//! Lattice vectors in left-handed order.

use cellwright_syntax::poscar::{Mode, PoscarFile};
use cellwright_syntax::{File, Span, TextEdit};

use crate::{Context, Finding, Rule, Severity};

/// The rule.
pub(crate) static RULE: Rule = Rule {
    code: "cell-left-handed",
    severity: Severity::Information,
    summary: "the lattice vectors form a left-handed system",
    docs: r"The triple product a · (b × c) of the lattice vectors is negative. The crystal is the same, but VASP stops
with 'The triple product of the basis vectors is negative! exchange two basis vectors', and other programs turn chiral crystals
into their mirror images when they change the cell.

```poscar
left-handed
1.0
3 0 0
0 0 4
0 5 0
Fe
1
Direct
0 0 0
```

## How to mend it

Exchange two vectors together with the two fractional coordinates of every atom; the fix exchanges the second and the third.
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let File::Poscar(poscar) = &context.parsed.file else { return };
    for (reading, facts) in context.readings() {
        let Some(Ok(lattice)) = &reading.lattice else { continue };
        if lattice.matrix().determinant() > 0.0 {
            continue;
        }
        let Some(span) = super::cell_degenerate::place(reading) else { continue };
        let message = "the lattice vectors form a left-handed system: VASP refuses it";
        let mut finding = Finding::new(&RULE, span, message);
        // Velocities and what follows them would have to be exchanged too.
        if facts.composition
            && poscar.tail.is_none()
            && let Some(edits) = exchange(context, poscar)
        {
            finding = finding.fix("Exchange the second and the third lattice vector", edits);
        }
        findings.push(finding);
    }
}

/// Exchanges the second and the third lattice vector and, where they count along them, coordinates and
/// flags.
fn exchange(context: &Context<'_>, poscar: &PoscarFile) -> Option<Vec<TextEdit>> {
    let swap = |a: Span, b: Span| {
        [TextEdit::replace(a, context.text(b)), TextEdit::replace(b, context.text(a))]
    };
    let row = |numbers: &[cellwright_syntax::value::Spanned<_>; 3]| {
        numbers[0].span.cover(numbers[2].span)
    };
    let [_, b, c] = poscar.lattice.as_slice() else { return None };
    let mut edits = swap(row(b), row(c)).to_vec();
    if poscar.mode.as_ref()?.value == Mode::Direct {
        for atom in &poscar.atoms {
            let [_, y, z] = &atom.coordinates;
            edits.extend(swap(y.span, z.span));
            if let Some([_, y, z]) = &atom.flags
                && y.value != z.value
            {
                edits.extend(swap(y.span, z.span));
            }
        }
    }
    Some(edits)
}

#[cfg(test)]
mod tests {
    use crate::testing::{check, check_fix};

    #[test]
    fn direct_coordinates_and_flags_follow() {
        check_fix(
            "cell-left-handed",
            r#"
x
1.0
3 0 0
0 0 4
0 5.5 0
Fe O
1 1
Selective dynamics
Direct
0 0.1 0.2 T T F
0.5 0.6 0.7 T T T  O
"#,
            r#"
x
1.0
3 0 0
0 5.5 0
0 0 4
Fe O
1 1
Selective dynamics
Direct
0 0.2 0.1 T F T
0.5 0.7 0.6 T T T  O
"#,
        );
    }

    #[test]
    fn cartesian_coordinates_stay() {
        check_fix(
            "cell-left-handed",
            r#"
x
1.0
3 0 0
0 0 4
0 5.5 0
Fe
1
Cartesian
0 0.1 0.2
"#,
            r#"
x
1.0
3 0 0
0 5.5 0
0 0 4
Fe
1
Cartesian
0 0.1 0.2
"#,
        );
    }

    #[test]
    fn with_velocities_nothing_is_exchanged() {
        check(
            r#"
x
1.0
3 0 0
^^^^^ information cell-left-handed: the lattice vectors form a left-handed system: VASP refuses it
0 0 4
0 5.5 0
Fe
1
Direct
0 0.1 0.2

0.01 0.02 0.03
"#,
        );
    }
}
