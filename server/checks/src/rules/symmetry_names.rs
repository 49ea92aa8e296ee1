//! The names of the space group against each other.

use std::collections::HashSet;

use cellwright_crystal::symmetry::Setting;
use cellwright_syntax::reading::ObstacleKind;
use cellwright_syntax::{Reading, TextEdit};

use crate::words::list;
use crate::{Context, Finding, Rule, Severity, group};

/// The rule.
pub(crate) static RULE: Rule = Rule {
    code: "symmetry-names",
    severity: Severity::Warning,
    summary: "Hermann–Mauguin symbol, Hall symbol and number name different space groups, or none",
    docs: r"A file can name its space group three times: by Hermann–Mauguin symbol, by Hall symbol and by the number in International
Tables. Here they contradict each other, or one of them names no space group. Programs pick different ones.

```cif
data_contradiction
_cell_length_a 5
_cell_length_b 5
_cell_length_c 5
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_space_group_name_H-M_alt 'F m -3 m'
_space_group_IT_number 227
```

## How to mend it

Keep the Hall symbol or the list of operations, which say everything, and make the others agree. The fix sets the number where symbol and
operations agree.
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (reading, _) in context.readings() {
        findings.extend(compare(context, reading));
    }
}

fn compare(context: &Context<'_>, reading: &Reading) -> Vec<Finding> {
    let symmetry = &reading.symmetry;
    let mut findings = Vec::new();
    let names = [symmetry.hm.as_ref().map(|s| s.span), symmetry.hall.as_ref().map(|s| s.span)];
    if names.into_iter().flatten().any(|span| context.is_disturbed(span)) {
        return findings;
    }
    let hm = symmetry.hm.as_ref().map(|hm| (hm, Setting::candidates(&hm.value)));
    let hall = symmetry.hall.as_ref().map(|hall| (hall, Setting::from_hall(&hall.value)));
    let listed = !symmetry.operation_spans.is_empty();
    // A list of operations says what an unusual symbol means, so only without one is it in the way.
    for obstacle in
        reading.obstacles.iter().filter(|o| o.kind == ObstacleKind::SpaceGroup && !listed)
    {
        let mut message = obstacle.message.clone();
        if symmetry.operations.len() == 1 {
            message += ": the atoms are not multiplied";
        }
        findings.push(Finding::new(&RULE, obstacle.span, message));
    }
    if let (Some((hm, settings)), Some((hall, Some(setting)))) = (&hm, &hall)
        && !settings.is_empty()
        && !settings.iter().any(|s| same_operations(*s, *setting))
    {
        let what = if settings.iter().all(|s| s.number() != setting.number()) {
            "another space group"
        } else {
            "another setting"
        };
        let message = format!(
            "the Hall symbol '{}' is {what} than '{}': it stands for {}",
            hall.value,
            hm.value,
            setting.hm()
        );
        findings.push(
            Finding::new(&RULE, hall.span, message).relate(hm.span, "Hermann–Mauguin symbol"),
        );
        return findings;
    }
    let Some(number) = &symmetry.number else { return findings };
    let named: Vec<Setting> = match (&hm, &hall) {
        (Some((_, settings)), _) if !settings.is_empty() => settings.clone(),
        (_, Some((_, Some(setting)))) => vec![*setting],
        _ => symmetry.setting.filter(|_| listed).into_iter().collect(),
    };
    if named.is_empty() || named.iter().any(|s| s.number() == number.value) {
        return findings;
    }
    let mut numbers: Vec<u16> = named.iter().map(|s| s.number()).collect();
    numbers.dedup();
    let whose = hm.map(|(s, _)| s).or(hall.map(|(s, _)| s));
    let name =
        whose.map_or_else(|| "the list of operations".to_owned(), |s| format!("'{}'", s.value));
    let words: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    let message =
        format!("number {} is not that of {name}, which is {}", number.value, list(&words));
    let mut finding = Finding::new(&RULE, number.span, message);
    if let Some(symbol) = whose {
        finding = finding.relate(symbol.span, "the symbol");
    }
    if let [right] = numbers[..] {
        // The number alone is wrong where the operations that were listed agree with the symbol.
        let agreed = listed && symmetry.setting.is_some_and(|s| s.number() == right);
        if agreed {
            let edit = TextEdit::replace(number.span, right.to_string());
            finding = finding.fix(format!("Set the number to {right}"), vec![edit]);
        }
    }
    findings.push(finding);
    findings
}

/// Some settings of the table are the same: `C c c a :1` and `C c c b :1`.
fn same_operations(a: Setting, b: Setting) -> bool {
    let keys = |s: Setting| group::index(&s.operations()).into_keys().collect::<HashSet<_>>();
    a == b || keys(a) == keys(b)
}

#[cfg(test)]
mod tests {
    use crate::testing::{check, check_fix};

    #[test]
    fn number_against_symbol() {
        check(
            r#"
data_x
_cell_length_a 5.64
_cell_length_b 5.64
_cell_length_c 5.64
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_space_group_name_H-M_alt 'F m -3 m'
_space_group_IT_number 227
                       ^^^ warning symmetry-names: number 227 is not that of 'F m -3 m', which is 225
                       | line 8 "'F m -3 m'": the symbol
"#,
        );
    }

    #[test]
    fn hall_against_symbol() {
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
_space_group_name_Hall '-P 2yb'
                       ^^^^^^^^ warning symmetry-names: the Hall symbol '-P 2yb' is another space group than 'P 1 21/c 1': it stands for P 21/m
                       | line 8 "'P 1 21/c 1'": Hermann–Mauguin symbol
"#,
        );
    }

    #[test]
    fn a_symbol_that_names_nothing() {
        check(
            r#"
data_x
_cell_length_a 5.64
_cell_length_b 5.64
_cell_length_c 5.64
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_space_group_name_H-M_alt 'F m -5 m'
                          ^^^^^^^^^^ warning symmetry-names: 'F m -5 m' is not the Hermann-Mauguin symbol of a space group: the atoms are not multiplied
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
    fn names_that_agree() {
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
_space_group_name_Hall '-P 2ybc'
_space_group_IT_number 14
"#,
        );
    }

    #[test]
    fn a_number_that_is_wrong_alone() {
        check_fix(
            "symmetry-names",
            r#"
data_x
_cell_length_a 6
_cell_length_b 7
_cell_length_c 8
_cell_angle_alpha 90
_cell_angle_beta 100
_cell_angle_gamma 90
_space_group_name_H-M_alt 'P 1 21/m 1'
_space_group_IT_number 14
loop_
_space_group_symop_operation_xyz
x,y,z
-x,y+1/2,-z
-x,-y,-z
x,-y+1/2,z
"#,
            r#"
data_x
_cell_length_a 6
_cell_length_b 7
_cell_length_c 8
_cell_angle_alpha 90
_cell_angle_beta 100
_cell_angle_gamma 90
_space_group_name_H-M_alt 'P 1 21/m 1'
_space_group_IT_number 11
loop_
_space_group_symop_operation_xyz
x,y,z
-x,y+1/2,-z
-x,-y,-z
x,-y+1/2,z
"#,
        );
    }
}
