//! The counts of a POSCAR against its species and its rows.

use cellwright_syntax::{File, Problem, ProblemKind, Span};

use crate::{Context, Finding, Rule, Severity, rules::syntax};

/// The rule.
pub(crate) static RULE: Rule = Rule {
    code: "poscar-counts",
    severity: Severity::Error,
    summary: "the counts fit neither the species nor the rows of atoms",
    docs: r"Line 7 says how many atoms of each species of line 6 follow. VASP reads exactly that many rows and ignores the rest without a word, or reads velocities as
atoms. So a row that was added or deleted without changing the counts gives another crystal.

```poscar
salt
1.0
5.64 0 0
0 5.64 0
0 0 5.64
Na Cl
1 1
Direct
0 0 0
0.5 0.5 0.5
0.5 0 0
```

## How to mend it

Change the count of the species to which the row belongs. With one species the fix does it. Source: VASP wiki, page POSCAR.
",
    check: |context, findings: &mut Vec<Finding>| {
        let problems = context.parsed.problems.iter();
        findings.extend(
            problems.filter(|p| is_about_counts(context, p)).map(|p| syntax::finding(&RULE, p)),
        );
    },
};

/// Whether a problem of the text says that counts disagree with species or rows.
pub(super) fn is_about_counts(context: &Context<'_>, problem: &Problem) -> bool {
    let File::Poscar(poscar) = &context.parsed.file else { return false };
    let line = poscar.counts.iter().map(|c| c.span).reduce(Span::cover);
    problem.kind == ProblemKind::CountMismatch
        || (problem.kind == ProblemKind::BadLine
            && line.is_some_and(|line| problem.span.touches(line.start)))
}

#[cfg(test)]
mod tests {
    use crate::testing::{check, check_fix};

    #[test]
    fn a_row_too_many_and_one_too_few() {
        check(
            r#"
x
1.0
8 0 0
0 8 0
0 0 8
Na Cl
1 1
Direct
0 0 0
0.5 0.5 0.5
0.5 0 0
^^^^^^^ error poscar-counts: 3 rows of atoms where the counts add up to 2
| line 7 "1 1": the counts: 2 atoms
"#,
        );
        check(
            r#"
x
1.0
8 0 0
0 8 0
0 0 8
Na Cl
1 2
Direct
0 0 0
0.5 0.5 0.5
^^^^^^^^^^^ error poscar-counts: 2 rows of atoms where the counts add up to 3
| line 7 "1 2": the counts: 3 atoms
"#,
        );
    }

    #[test]
    fn species_without_counts() {
        check(
            r#"
x
1.0
8 0 0
0 8 0
0 0 8
Na Cl K
1 1
^^^ error poscar-counts: 3 species, but 2 numbers of atoms
Direct
0 0 0
0.5 0.5 0.5
"#,
        );
    }

    #[test]
    fn one_species_has_one_count() {
        check_fix(
            "poscar-counts",
            r#"
x
1.0
8 0 0
0 8 0
0 0 8
Fe
1
Direct
0 0 0
0.5 0.5 0.5
"#,
            r#"
x
1.0
8 0 0
0 8 0
0 0 8
Fe
2
Direct
0 0 0
0.5 0.5 0.5
"#,
        );
    }
}
