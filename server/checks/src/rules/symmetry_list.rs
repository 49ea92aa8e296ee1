//! A list of operations that is no space group.

use std::collections::HashMap;

use cellwright_crystal::symmetry::Setting;
use cellwright_syntax::reading::{ObstacleKind, OperationSource};
use cellwright_syntax::{Reading, TextEdit};

use crate::words::{plural, whole_lines};
use crate::{Context, Finding, Rule, Severity, group};

/// The rule.
pub(crate) static RULE: Rule = Rule {
    code: "symmetry-list",
    severity: Severity::Warning,
    summary: "the list of symmetry operations is no space group",
    docs: r"The operations under `_space_group_symop_operation_xyz` (or `_symmetry_equiv_pos_as_xyz`) are not those
of a space group:

- an operation cannot be read, or does not map the lattice onto itself (its determinant is not ±1);
- an operation is there twice, perhaps shifted by whole cells: some programs then make every atom twice;
- the product of two operations is not in the list (International Tables for Crystallography, vol. A, section 1.1): the atoms that
  it should make are missing, and which ones depends on the program.

```cif
data_twice
_cell_length_a 4
_cell_length_b 5
_cell_length_c 6
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
loop_
_space_group_symop_operation_xyz
x,y,z
-x,-y,-z
1-x,-y,-z
```

## How to mend it

Delete the operation that is there twice; the fix does it. Add what is missing: the full lists are in International Tables A, and
a right Hermann–Mauguin symbol makes the list superfluous.
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (reading, facts) in context.readings() {
        let unreadable = reading.obstacles.iter().filter(|o| o.kind == ObstacleKind::Operation);
        let before = findings.len();
        for obstacle in unreadable {
            let message = format!("this is no symmetry operation: {}", obstacle.message);
            findings.push(Finding::new(&RULE, obstacle.span, message).severity(Severity::Error));
        }
        let listed = reading.symmetry.source == OperationSource::Xyz
            && reading.symmetry.operation_spans.len() == reading.symmetry.operations.len();
        if findings.len() > before || !facts.operations || !listed {
            continue;
        }
        findings.extend(repeated(context, reading));
        findings.extend(open(reading));
    }
}

/// Operations that are there twice, all in one finding.
fn repeated(context: &Context<'_>, reading: &Reading) -> Option<Finding> {
    let symmetry = &reading.symmetry;
    let mut first: HashMap<group::Key, usize> = HashMap::new();
    let mut twice = Vec::new();
    for (i, operation) in symmetry.operations.iter().enumerate() {
        let known = *first.entry(group::key(operation)).or_insert(i);
        // One value that stands for two operations is the reader's doing: centring, or an identity that
        // was left out.
        if known != i && symmetry.operation_spans[known] != symmetry.operation_spans[i] {
            twice.push((i, known));
        }
    }
    let ((again, known), more) = (*twice.first()?, twice.len() - 1);
    let mut message =
        format!("this operation is in the list already: {}", symmetry.operations[known]);
    if more > 0 {
        message +=
            &format!("; so {} more", if more == 1 { "is 1".into() } else { format!("are {more}") });
    }
    let mut finding = Finding::new(&RULE, symmetry.operation_spans[again], message)
        .relate(symmetry.operation_spans[known], "first here");
    let lines: Vec<_> = twice
        .iter()
        .map(|(i, _)| whole_lines(&context.parsed.text, symmetry.operation_spans[*i]))
        .collect();
    // A row can go where it has its line for itself. No group has more than 192 operations; a list that is
    // much longer is no work of hands.
    let rows_are_lines = symmetry.operations.len() <= 1000
        && symmetry.operation_spans.iter().enumerate().all(|(i, span)| {
            lines
                .iter()
                .zip(&twice)
                .all(|(line, (j, _))| i == *j || span.end <= line.start || span.start >= line.end)
        });
    let sorted = lines.windows(2).all(|w| w[0].end <= w[1].start);
    if rows_are_lines && sorted {
        let edits = lines.into_iter().map(TextEdit::delete).collect();
        finding =
            finding.fix(format!("Delete {}", plural(twice.len(), "repeated operation")), edits);
    }
    Some(finding)
}

/// A list that is not closed. Where a symbol names the group, the comparison with the symbol says more.
fn open(reading: &Reading) -> Option<Finding> {
    let symmetry = &reading.symmetry;
    let named = symmetry.hm.as_ref().is_some_and(|hm| !Setting::candidates(&hm.value).is_empty())
        || symmetry.hall.as_ref().is_some_and(|hall| Setting::from_hall(&hall.value).is_some());
    if named {
        return None;
    }
    let (a, b, product) = group::missing_product(&symmetry.operations)?;
    let (first, second) = (symmetry.operations[a], symmetry.operations[b]);
    let message = format!(
        "the operations form no group: {first} after {second} is {product}, which is not in the list"
    );
    let finding = Finding::new(&RULE, symmetry.operation_spans[b], message);
    Some(if a == b {
        finding
    } else {
        finding.relate(symmetry.operation_spans[a], first.to_string())
    })
}

#[cfg(test)]
mod tests {
    use crate::testing::{check, check_fix};

    #[test]
    fn an_operation_that_is_none() {
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
_space_group_symop_operation_xyz
x,y,z
-x,-y
^^^^^ error symmetry-list: this is no symmetry operation: a symmetry operation has three parts, this has 2
"#,
        );
    }

    #[test]
    fn a_product_that_is_missing() {
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
_space_group_symop_operation_xyz
x,y,z
-x,-y,z
^^^^^^^ warning symmetry-list: the operations form no group: -x,y,-z after -x,-y,z is x,-y,-z, which is not in the list
| line 12 "-x,y,-z": -x,y,-z
-x,y,-z
"#,
        );
    }

    #[test]
    fn repeated_operations_go() {
        check_fix(
            "symmetry-list",
            r#"
data_x
_cell_length_a 5.64
_cell_length_b 5.64
_cell_length_c 5.64
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
loop_
_space_group_symop_operation_xyz
x,y,z
-x,-y,-z
1-x,-y,-z
'x, y, z'
"#,
            r#"
data_x
_cell_length_a 5.64
_cell_length_b 5.64
_cell_length_c 5.64
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
loop_
_space_group_symop_operation_xyz
x,y,z
-x,-y,-z
"#,
        );
    }
}
