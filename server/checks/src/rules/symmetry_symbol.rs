//! The list of operations against the symbol of the space group.

use cellwright_crystal::symmetry::{Operation, Setting};
use cellwright_syntax::reading::OperationSource;
use cellwright_syntax::value::Spanned;
use cellwright_syntax::{Reading, TextEdit};

use crate::words::{line_break, list, plural, whole_lines};
use crate::{Context, Finding, Rule, Severity, group};

/// The rule.
pub(crate) static RULE: Rule = Rule {
    code: "symmetry-symbol",
    severity: Severity::Warning,
    summary: "the symmetry operations are not those of the space-group symbol",
    docs: r"The operations listed are not those that the Hermann–Mauguin symbol (or, without one, the Hall symbol) stands for. Programs
differ in which of the two they believe, so they read two different crystals from one file. Cellwright expands with the
list.

Operations are compared as sets, modulo lattice translations, with every setting that the symbol may mean. A list that
differs from the symbol only in the choice of origin is accepted, unless the symbol states its origin (`:1`, `:2`): a symbol
without one says nothing about it.

```cif
data_incomplete
_cell_length_a 6
_cell_length_b 7
_cell_length_c 8
_cell_angle_alpha 90
_cell_angle_beta 100
_cell_angle_gamma 90
_space_group_name_H-M_alt 'P 1 21/c 1'
loop_
_space_group_symop_operation_xyz
x,y,z
-x,y+1/2,-z+1/2
-x,-y,-z
```

## How to mend it

Find out which is right: the number of formula units, the density and the distances tell. Where the list is a part of the
group, the fix adds the operations that are missing. Where all atoms of the cell are listed, the symbol must be `P 1`.
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (reading, facts) in context.readings() {
        let symmetry = &reading.symmetry;
        let listed = symmetry.source == OperationSource::Xyz
            && symmetry.operation_spans.len() == symmetry.operations.len();
        if listed && facts.operations_readable {
            findings.extend(compare(context, reading));
        }
    }
}

fn compare(context: &Context<'_>, reading: &Reading) -> Option<Finding> {
    let symmetry = &reading.symmetry;
    let (symbol, candidates) = named(reading)?;
    if context.is_disturbed(symbol.span) {
        return None;
    }
    let listed = &symmetry.operations;
    let settings: Vec<Vec<Operation>> = candidates.iter().map(|s| s.operations()).collect();
    let origin_stated = symbol.value.contains(':') || symmetry.hm.is_none();
    let mut elsewhere = None;
    for wanted in &settings {
        match group::origin_shift(listed, wanted) {
            Some([0, 0, 0]) => return None,
            Some(shift) => elsewhere = Some(shift),
            None => {}
        }
    }
    if let Some(shift) = elsewhere {
        if !origin_stated {
            return None;
        }
        let [x, y, z] = shift.map(|n| fraction(n.into()));
        let message = format!(
            "the operations are those of {} with another origin: it lies at {x} {y} {z}",
            symbol.value
        );
        let finding = Finding::new(&RULE, symbol.span, message);
        return Some(finding.relate(symmetry.operation_spans[0], "the operations"));
    }
    Some(report(context, reading, symbol, candidates[0], &settings))
}

/// The symbol that counts and what it may stand for.
fn named(reading: &Reading) -> Option<(&Spanned<String>, Vec<Setting>)> {
    let symmetry = &reading.symmetry;
    let by_hm = symmetry.hm.as_ref().map(|hm| (hm, Setting::candidates(&hm.value)));
    if let Some((hm, settings)) = by_hm.filter(|(_, settings)| !settings.is_empty()) {
        return Some((hm, settings));
    }
    let hall = symmetry.hall.as_ref()?;
    Some((hall, vec![Setting::from_hall(&hall.value)?]))
}

fn report(
    context: &Context<'_>,
    reading: &Reading,
    symbol: &Spanned<String>,
    setting: Setting,
    settings: &[Vec<Operation>],
) -> Finding {
    let symmetry = &reading.symmetry;
    let given = group::index(&symmetry.operations);
    // Of the settings the symbol may mean, the one that shares most with the list.
    let shared = |wanted: &[Operation]| {
        wanted.iter().filter(|op| given.contains_key(&group::key(op))).count()
    };
    let best = settings.iter().max_by_key(|wanted| shared(wanted)).map_or(&[][..], Vec::as_slice);
    let wanted = group::index(best);
    let missing: Vec<&Operation> =
        best.iter().filter(|op| !given.contains_key(&group::key(op))).collect();
    let foreign: Vec<usize> = (0..symmetry.operations.len())
        .filter(|i| !wanted.contains_key(&group::key(&symmetry.operations[*i])))
        .collect();
    let mut message = format!(
        "{} has {}, the list has {}",
        symbol.value,
        plural(best.len(), "operation"),
        given.len()
    );
    if let Some(actual) = symmetry.setting.filter(|s| {
        s.number() != setting.number()
            && group::index(&s.operations()).keys().all(|k| given.contains_key(k))
            && s.operations().len() == given.len()
    }) {
        message += &format!(": those of {}", actual.hm());
    } else if foreign.is_empty() {
        message += &format!(": {} missing", examples(&missing));
    } else {
        let foreign: Vec<&Operation> = foreign.iter().map(|i| &symmetry.operations[*i]).collect();
        message += &format!(": {} not of this group", examples(&foreign));
    }
    let mut finding = Finding::new(&RULE, symbol.span, message);
    finding = match foreign.first() {
        Some(i) => finding.relate(symmetry.operation_spans[*i], "not of this group"),
        None => {
            let last = symmetry.operation_spans.iter().max_by_key(|s| s.end);
            finding.relate(*last.unwrap_or(&symbol.span), "the last of the list")
        }
    };
    if foreign.is_empty()
        && given.len() > 1
        && let Some(edits) = append(context, reading, &missing)
    {
        let title = format!("Add {}", plural(missing.len(), "missing operation"));
        finding = finding.fix(title, edits);
    }
    finding
}

/// `x,y,z and -x,-y,-z are`, shortened after three.
fn examples(operations: &[&Operation]) -> String {
    const SHOWN: usize = 3;
    let mut words: Vec<String> = operations.iter().take(SHOWN).map(ToString::to_string).collect();
    if operations.len() > SHOWN {
        words.push(format!("{} more", operations.len() - SHOWN));
    }
    format!("{} {}", list(&words), if operations.len() == 1 { "is" } else { "are" })
}

/// New rows behind the last, written like it: for a loop of operations alone, one a line.
fn append(
    context: &Context<'_>,
    reading: &Reading,
    missing: &[&Operation],
) -> Option<Vec<TextEdit>> {
    let text = &*context.parsed.text;
    let last = reading.symmetry.operation_spans.iter().max_by_key(|s| s.end)?;
    let line = whole_lines(text, *last);
    let before = &text[line.start..last.start];
    let alone = before.trim().is_empty() && text[last.end..line.end].trim().is_empty();
    if !alone {
        return None;
    }
    let written = last.text(text);
    let quote = written.chars().next().filter(|c| matches!(c, '\'' | '"')).map(String::from);
    let quote = quote.unwrap_or_default();
    let rows: String = missing
        .iter()
        .map(|op| format!("{}{before}{quote}{op}{quote}", line_break(text)))
        .collect();
    Some(vec![TextEdit::insert(last.end, rows)])
}

/// A number of 24ths as a fraction.
fn fraction(n: u32) -> String {
    let divisor = [24, 12, 8, 6, 4, 3, 2].into_iter().find(|d| n.is_multiple_of(*d)).unwrap_or(1);
    if n == 0 { "0".to_owned() } else { format!("{}/{}", n / divisor, 24 / divisor) }
}

#[cfg(test)]
mod tests {
    use crate::testing::{check, check_fix};

    #[test]
    fn another_group_is_named() {
        check(
            r#"
data_x
_cell_length_a 6
_cell_length_b 7
_cell_length_c 8
_cell_angle_alpha 90
_cell_angle_beta 100
_cell_angle_gamma 90
_space_group_name_H-M_alt 'P 1 21/c 1'
                          ^^^^^^^^^^^^ warning symmetry-symbol: P 1 21/c 1 has 4 operations, the list has 4: those of P 2/m
                          | line 12 "-x,y,-z": not of this group
loop_
_space_group_symop_operation_xyz
x,y,z
-x,y,-z
-x,-y,-z
x,-y,z
"#,
        );
    }

    #[test]
    fn another_setting_or_origin_is_none() {
        check(
            r#"
data_x
_cell_length_a 6
_cell_length_b 7
_cell_length_c 8
_cell_angle_alpha 90
_cell_angle_beta 100
_cell_angle_gamma 90
_space_group_name_H-M_alt 'P 21/c'
loop_
_space_group_symop_operation_xyz
x,y,z
-x,1/2+y,1/2-z
-x,-y,-z
x,1/2-y,1/2+z
"#,
        );
        check(
            r#"
data_x
_cell_length_a 5.64
_cell_length_b 5.64
_cell_length_c 5.64
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_space_group_name_H-M_alt 'P 21 21 21'
loop_
_space_group_symop_operation_xyz
x,y,z
-x,-y,z+1/2
-x+1/2,y+1/2,-z+1/2
x+1/2,-y+1/2,-z
"#,
        );
    }

    #[test]
    fn an_origin_that_is_stated_counts() {
        check(
            r#"
data_x
_cell_length_a 5
_cell_length_b 5
_cell_length_c 7
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_space_group_name_H-M_alt 'P 4/n :1'
                          ^^^^^^^^^^ warning symmetry-symbol: the operations are those of P 4/n :1 with another origin: it lies at 1/4 3/4 0
                          | line 11 "x,y,z": the operations
loop_
_space_group_symop_operation_xyz
x,y,z
-x+1/2,-y+1/2,z
-y+1/2,x,z
y,-x+1/2,z
-x,-y,-z
x+1/2,y+1/2,-z
y+1/2,-x,-z
-y,x+1/2,-z
"#,
        );
    }

    #[test]
    fn missing_operations_are_added() {
        check_fix(
            "symmetry-symbol",
            r#"
data_x
_cell_length_a 6
_cell_length_b 7
_cell_length_c 8
_cell_angle_alpha 90
_cell_angle_beta 100
_cell_angle_gamma 90
_space_group_name_H-M_alt 'P 1 21/c 1'
loop_
_space_group_symop_operation_xyz
  'x,y,z'
  '-x,1/2+y,1/2-z'
  '-x,-y,-z'
"#,
            r#"
data_x
_cell_length_a 6
_cell_length_b 7
_cell_length_c 8
_cell_angle_alpha 90
_cell_angle_beta 100
_cell_angle_gamma 90
_space_group_name_H-M_alt 'P 1 21/c 1'
loop_
_space_group_symop_operation_xyz
  'x,y,z'
  '-x,1/2+y,1/2-z'
  '-x,-y,-z'
  'x,-y+1/2,z+1/2'
"#,
        );
    }
}
