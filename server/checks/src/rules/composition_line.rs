//! Composition lines that cannot be understood.

use cellwright_syntax::composition_line::{Spelling, composition_lines};

use crate::{Context, Finding, Rule, Severity};

/// The rule.
pub(crate) static RULE: Rule = Rule {
    code: "composition-line",
    severity: Severity::Warning,
    summary: "a request for a structure that cannot be understood",
    docs: r"A file may give a composition and no atoms, and have the structure predicted from it. There are three ways to write that: a block with
`_chemical_formula_sum` (and `_cell_formula_units_Z` and a space group, if wanted) and no atom sites; a POSCAR with species and counts and nothing below; a comment
with a formula and, if wanted, `Z`, `spacegroup` (number or symbol) and `n`, the number of answers.

```cif
# predict: Li Fe P O4, Z=4 spacegroup=Pnma colour=red
```

## How to mend it

Write elements from H to Lr with whole counts, and only the options above. A formula with fractions has to be multiplied until every count is whole.
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let lines = composition_lines(context.parsed).into_iter();
    // A formula without atoms may be there for its own sake.
    let meant = lines.filter(|line| match line.spelling {
        Spelling::Formula => false,
        Spelling::Counts => !context.is_disturbed(line.span),
        // A comment is one whatever is wrong around it, a missing block for instance.
        Spelling::Comment => true,
    });
    let complaints = meant.filter_map(|line| line.wanted.err());
    findings.extend(complaints.map(|c| Finding::new(&RULE, c.span, c.message)));
}

#[cfg(test)]
mod tests {
    use cellwright_syntax::Language;

    use crate::testing::findings_as;

    #[test]
    fn the_wrong_word_is_marked() {
        let of = |text: &str| {
            let findings = findings_as(Language::Cif, text);
            let mine = findings.into_iter().filter(|f| f.code == "composition-line");
            mine.map(|f| format!("{}: {}", f.span.text(text), f.message)).collect::<Vec<_>>()
        };
        assert_eq!(
            of("# predict: NaCl colour=red\n"),
            ["red: 'colour' is no option; there are Z, spacegroup and n"]
        );
        assert!(of("# predict: NaCl, Z=4\n").is_empty());
        assert!(of("data_a\n_chemical_formula_sum 'Na0.5 Cl'\n").is_empty());
    }
}
