//! More atoms than fit into the cell.

use cellwright_syntax::File;

use crate::contacts::Contacts;
use crate::words::trimmed;
use crate::{Context, Finding, Rule, Severity};

/// The rule.
pub(crate) static RULE: Rule = Rule {
    code: "overfull-cell",
    severity: Severity::Error,
    summary: "the cell is too small for its atoms",
    docs: r"The cell holds more than one atom per Å³. No solid does: diamond has 0.18 atoms per Å³, metallic hydrogen at 400 GPa about
0.6. The cell is wrong, so the distances are not listed one by one.

```poscar
rock salt in nm
0.564
1 0 0
0 1 0
0 0 1
Na Cl
4 4
Direct
0 0 0
0 0.5 0.5
0.5 0 0.5
0.5 0.5 0
0.5 0.5 0.5
0.5 0 0
0 0.5 0
0 0 0.5
```

## How to mend it

Lengths are in Å: multiply nm by 10. Look for a scale of 0.1, a point that moved, a supercell whose vectors were not multiplied.
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (reading, facts) in context.readings() {
        let Contacts::Overfull { atoms, volume } = facts.contacts else { continue };
        let Some(span) = super::cell_degenerate::place(reading) else { continue };
        let nanometres = atoms / (volume * 1000.0);
        // What a change of the unit would make a solid of.
        let hint =
            if (0.005..0.25).contains(&nanometres) { ": are the lengths in nm?" } else { "" };
        let message = format!(
            "{} atoms in {} Å³ are {} per Å³, more than any solid holds{hint}",
            trimmed(atoms, 1),
            significant(volume),
            significant(atoms / volume)
        );
        let mut finding = Finding::new(&RULE, span, message);
        if let File::Poscar(poscar) = &context.parsed.file
            && let Some(scale) = poscar.scale.first()
        {
            finding = finding.relate(scale.span, "the scale");
        }
        findings.push(finding);
    }
}

/// Three significant digits for numbers of ordinary size.
fn significant(x: f64) -> String {
    match x.abs() {
        0.001..1.0 => trimmed(x, 4),
        1.0..1e6 => trimmed(x, 1),
        _ => format!("{x:.1e}"),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn nanometres_are_one_finding() {
        check(
            r#"
rock salt in nm
1.0
0.564 0 0
^^^^^^^^^ error overfull-cell: 2 atoms in 0.1794 Å³ are 11.1 per Å³, more than any solid holds: are the lengths in nm?
| line 2 "1.0": the scale
0 0.564 0
0 0 0.564
Na Cl
1 1
Direct
0 0 0
0.5 0.5 0.5
"#,
        );
    }
}
