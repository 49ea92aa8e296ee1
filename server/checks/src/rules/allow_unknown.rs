//! A comment that allows what is no diagnostic.

use cellwright_syntax::{Span, TextEdit};

use crate::nearest::nearest;
use crate::suppress::{ALLOW, Instruction, instructions};
use crate::{Context, Finding, Rule, Severity};

/// The rule.
pub(crate) static RULE: Rule = Rule {
    code: "allow-unknown",
    severity: Severity::Warning,
    summary: "a comment allows something that is no diagnostic",
    docs: r"The comment `# cellwright: allow CODE` silences the diagnostic with this code for the whole file. No diagnostic has the code that is
written here, so nothing is silenced.

```cif
# cellwright: allow cell-volum
data_x
```

```cif
# cellwright: allow cell-volume (that of the supercell)
data_x
_cell_length_a 4
_cell_length_b 4
_cell_length_c 4
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_cell_volume 512
```

## How to mend it

Write the code as the finding shows it; `cellwright explain` lists them all. Several codes stand between commas, and a reason in brackets behind
them. In a POSCAR the comment is the first line.
",
    check,
};

/// Diagnostics of the features, which need a model.
const OF_MODELS: [&str; 1] = ["large-force"];

/// Verbs of other programs that mean the same.
const SYNONYMS: [&str; 4] = ["ignore", "disable", "suppress", "skip"];

/// Every code that may be allowed.
fn codes() -> impl Iterator<Item = &'static str> {
    super::ALL.iter().map(|rule| rule.code).chain(OF_MODELS)
}

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for instruction in instructions(context.parsed) {
        let verb = context.text(instruction.verb);
        if verb == ALLOW {
            check_codes(context, &instruction, findings);
        } else if SYNONYMS.contains(&verb) || nearest(verb, std::iter::once(ALLOW)).is_some() {
            let message = format!("'{verb}' is not understood: findings are silenced with 'allow'");
            let edit = TextEdit::replace(instruction.verb, ALLOW);
            findings.push(
                Finding::new(&RULE, instruction.verb, message).fix("Write 'allow'", vec![edit]),
            );
        }
    }
}

fn check_codes(context: &Context<'_>, instruction: &Instruction, findings: &mut Vec<Finding>) {
    if instruction.codes.is_empty() {
        let message = "no code is named, so nothing is allowed: `cellwright explain` lists them";
        findings.push(Finding::new(&RULE, instruction.span, message));
    }
    // Words without a meaning that follow each other are one mistake: a reason, mostly.
    let mut idle: Option<Span> = None;
    for span in &instruction.codes {
        let code = context.text(*span);
        let known = codes().any(|known| known == code);
        let meant = nearest(code, codes()).filter(|_| !known);
        if let Some(meant) = meant {
            let message = format!("no diagnostic has the code '{code}'; did you mean '{meant}'?");
            let edit = TextEdit::replace(*span, meant);
            findings.push(
                Finding::new(&RULE, *span, message).fix(format!("Write '{meant}'"), vec![edit]),
            );
        }
        if known || meant.is_some() {
            findings.extend(idle.take().map(|words| no_code(context, words)));
        } else {
            idle = Some(idle.map_or(*span, |words| words.cover(*span)));
        }
    }
    findings.extend(idle.map(|words| no_code(context, words)));
}

fn no_code(context: &Context<'_>, words: Span) -> Finding {
    let message = format!(
        "no diagnostic has the code '{}': `cellwright explain` lists them; a reason stands in brackets",
        context.text(words)
    );
    Finding::new(&RULE, words, message)
}

#[cfg(test)]
mod tests {
    use crate::testing::{check, check_fix};

    #[test]
    fn codes_and_verbs_that_are_none() {
        check(
            r#"
# cellwright: allow short-distence, because of the disorder, cell-volumes
                    ^^^^^^^^^^^^^^ warning allow-unknown: no diagnostic has the code 'short-distence'; did you mean 'short-distance'?
                    | fix: Write 'short-distance'
                                    ^^^^^^^^^^^^^^^^^^^^^^^ warning allow-unknown: no diagnostic has the code 'because of the disorder': `cellwright explain` lists them; a reason stands in brackets
                                                             ^^^^^^^^^^^^ warning allow-unknown: no diagnostic has the code 'cell-volumes'; did you mean 'cell-volume'?
                                                             | fix: Write 'cell-volume'
data_x # cellwright: ignore cell-volume
                     ^^^^^^ warning allow-unknown: 'ignore' is not understood: findings are silenced with 'allow'
                     | fix: Write 'allow'
_a 1 # cellwright: allow
       ^^^^^^^^^^^^^^^^^ warning allow-unknown: no code is named, so nothing is allowed: `cellwright explain` lists them
# made with cellwright 0.1
# cellwright: allow large-force
"#,
        );
    }

    #[test]
    fn the_nearest_code_is_written() {
        check_fix(
            "allow-unknown",
            "salt, cellwright: allow charge\n1\n4 0 0\n0 4 0\n0 0 4\nNa Cl\n1 2\nDirect\n0 0 0\n0.5 0 0\n0 0.5 0\n",
            "salt, cellwright: allow charge-imbalance\n1\n4 0 0\n0 4 0\n0 0 4\nNa Cl\n1 2\nDirect\n0 0 0\n0.5 0 0\n0 0.5 0\n",
        );
    }
}
