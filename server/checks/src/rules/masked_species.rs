//! Sites whose species is asked for.

use cellwright_syntax::edit::site_groups;

use crate::{Context, Finding, Rule, Severity};

/// The rule.
pub(crate) static RULE: Rule = Rule {
    code: "masked-species",
    severity: Severity::Information,
    summary: "a site whose species is asked for",
    docs: r"A type symbol `?` or `X`, without a symbol a label that begins with one of them, or such a name on line 6 of a POSCAR, masks a site: the file says that
something sits there and asks what. Such a file has no formula, no charge and no energy.

```poscar
rock salt
1.0
5.64 0 0
0 5.64 0
0 0 5.64
Na X
1 1
Direct
0 0 0
0.5 0.5 0.5
```

## How to mend it

Write the element. In the editor the quick fixes of such a site are the elements that a model finds likely there, with their chances; `cellwright complete`
lists them, and writes the best.
",
    check,
};

/// How many sites of a crystal are named before the rest is summed up.
const MOST: usize = 20;

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (reading, facts) in context.readings() {
        if !facts.geometry || reading.sites.iter().all(|s| !s.masked) {
            continue;
        }
        let groups = site_groups(context.parsed, reading);
        let masked: Vec<_> =
            groups.iter().filter(|group| reading.sites[group.rows[0]].masked).collect();
        for group in masked.iter().take(MOST) {
            let site = &reading.sites[group.rows[0]];
            // A `.` leaves the question to the label.
            let asked = site.symbol_span.filter(|span| context.text(*span) != ".");
            let span = asked.unwrap_or(site.label_span);
            if context.is_disturbed(span) {
                continue;
            }
            let message = format!("the species of {} is asked for", group.name);
            findings.push(Finding::new(&RULE, span, message));
        }
        if masked.len() > MOST {
            let message = format!("{} more sites whose species is asked for", masked.len() - MOST);
            findings.push(Finding::new(&RULE, reading.header, message));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{check, codes};

    #[test]
    fn a_mask_is_told_where_it_stands_and_nothing_else_is() {
        check(
            r#"
data_x
_cell_length_a 4
_cell_length_b 4
_cell_length_c 4
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_chemical_formula_sum 'Ti O3 Sr'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Sr1 Sr 0.5 0.5 0.5
X1 ? 0 0 0
   ^ information masked-species: the species of X1 is asked for
O1 O 0.5 0 0
O2 O 0 0.5 0
X2 . 0 0 0.5
^^ information masked-species: the species of X2 is asked for
"#,
        );
    }

    #[test]
    fn a_group_of_a_poscar_is_told_once() {
        check(
            r#"
x
1.0
5.64 0 0
0 5.64 0
0 0 5.64
Na X
   ^ information masked-species: the species of X (2 atoms) is asked for
1 2
Direct
0 0 0
0.5 0.5 0.5
0.5 0 0
"#,
        );
    }

    #[test]
    fn many_are_summed_up() {
        let head = "x\n1\n90 0 0\n0 90 0\n0 0 90\n";
        let rows: String = (0..23).map(|i| format!("{} 0 0\n", f64::from(i) / 23.0)).collect();
        let text = format!(
            "{head}{}\n{}\nDirect\n{rows}",
            "X Na ".repeat(23).trim_end(),
            "1 0 ".repeat(23)
        );
        let found = codes(&text);
        assert_eq!(found.iter().filter(|code| **code == "masked-species").count(), 21, "{found:?}");
    }
}
