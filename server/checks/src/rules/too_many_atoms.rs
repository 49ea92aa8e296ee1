//! Cells too large to look into.

use cellwright_syntax::reading::ObstacleKind;

use crate::contacts::Contacts;
use crate::{Context, Finding, Rule, Severity};

/// The rule.
pub(crate) static RULE: Rule = Rule {
    code: "too-many-atoms",
    severity: Severity::Information,
    summary: "the cell holds more atoms than are checked",
    docs: r"The cell, or what the symmetry operations make of it, holds more atoms than Cellwright expands, or more than half a million, which
is where the search for short distances ends. Everything else in the file is checked.

The text says how many there would be; no small example can.

## How to mend it

Look for operations that are there many times, or for a file of a simulation with many frames. If the crystal really is that large,
nothing is wrong.
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (reading, facts) in context.readings() {
        let expansion = reading.obstacles.iter().filter(|o| o.kind == ObstacleKind::TooManyAtoms);
        for obstacle in expansion {
            findings.push(Finding::new(&RULE, obstacle.span, obstacle.message.clone()));
        }
        if let Contacts::TooMany { atoms } = facts.contacts {
            let message = format!("distances are not checked among {atoms} atoms");
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
        assert_eq!(codes(&text), ["too-many-atoms"]);
    }
}
