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
