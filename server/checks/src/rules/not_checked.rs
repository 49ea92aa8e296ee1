//! What is too large or too strange to look into.

use cellwright_syntax::reading::ObstacleKind;

use crate::contacts::Contacts;
use crate::{Context, Finding, Rule, Severity};

/// The rule.
pub(crate) static RULE: Rule = Rule {
    code: "not-checked",
    severity: Severity::Information,
    summary: "the crystal is too large or its cell too strange for all checks",
    docs: r"Not everything was checked, and the message says why: the cell, or what the symmetry operations make of it, holds more than half a million
atoms; an atom lies millions of cells away; the cell is so skewed that its neighbours cannot be counted. Everything else in the
file is checked.

## How to mend it

Look for operations that are there many times, for a file of a simulation with many frames, for coordinates in another unit. Reduce a skewed cell
(Niggli). If the crystal really is that large, nothing is wrong.
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (reading, facts) in context.readings() {
        let expansion = reading.obstacles.iter().filter(|o| o.kind == ObstacleKind::TooManyAtoms);
        for obstacle in expansion {
            findings.push(Finding::new(&RULE, obstacle.span, obstacle.message.clone()));
        }
        if let Contacts::NotChecked(why) = &facts.contacts {
            let message = format!("distances are not checked: {why}");
            findings.push(Finding::new(&RULE, reading.header, message));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::codes;

    #[test]
    fn an_expansion_without_end_is_cut() {
        let rows = (0..21_000).map(|i| format!("Fe{i} 0.{i:05} 0.1 0.2\n")).collect::<String>();
        let text = format!(
            "data_x\n_cell_length_a 9\n_cell_length_b 9\n_cell_length_c 9\n_cell_angle_alpha 90\n\
             _cell_angle_beta 90\n_cell_angle_gamma 90\n_space_group_name_H-M_alt 'F m -3 m'\n\
             loop_\n_atom_site_label\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n{rows}"
        );
        assert_eq!(codes(&text), ["not-checked"]);
    }
}
