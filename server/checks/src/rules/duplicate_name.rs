//! The same name twice.

use cellwright_syntax::ProblemKind;

use crate::{Rule, Severity, rules::syntax};

/// The rule.
pub(crate) static RULE: Rule = Rule {
    code: "duplicate-name",
    severity: Severity::Error,
    summary: "the same data name twice in a block, or two blocks of one name",
    docs: r"A data name stands once in a block, and a block code once in a file; upper and lower case make no difference. Of two values some programs take the
first, some the last, some refuse the file.

```cif
data_salt
_cell_length_a 5.64
_Cell_Length_A 5.46
```

## How to mend it

Delete the one that is wrong; where both say the same, the fix deletes the second. Source: International Tables for Crystallography, vol. G, section
2.2.7.
",
    check: |context, findings| syntax::report(context, &RULE, ProblemKind::Duplicate, findings),
};

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn upper_and_lower_case_are_the_same() {
        check(
            r#"
data_x
_cell_length_a 4
_Cell_Length_A 5
^^^^^^^^^^^^^^ error duplicate-name: `_Cell_Length_A` stands a second time in this block (names are the same in upper and lower case)
| line 2 "_cell_length_a": the first time
"#,
        );
    }

    #[test]
    fn two_blocks_of_one_name() {
        check(
            r#"
data_x
_cell_length_a 4
data_X
^^^^^^ error duplicate-name: a second data block with the name `X`
| line 1 "data_x": the first data block of this name
_cell_length_a 5
"#,
        );
    }
}
