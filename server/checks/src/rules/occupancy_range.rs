//! Occupancies that are none.

use std::collections::HashSet;

use cellwright_syntax::reading::ObstacleKind;
use cellwright_syntax::value::parse_cif_number;
use cellwright_syntax::{AtomSite, Span, TextEdit};

use crate::words::trimmed;
use crate::{Context, Finding, Rule, Severity};

/// The rule.
pub(crate) static RULE: Rule = Rule {
    code: "occupancy-range",
    severity: Severity::Error,
    summary: "an occupancy below 0, above 1, or no number",
    docs: r"`_atom_site_occupancy` is the fraction of cells in which the site is filled: 0 to 1. A refined value may leave this range by three
standard uncertainties (core dictionary, `_atom_site.occupancy`). Slightly above 1 is a warning: programs differ in whether they refuse it.

```cif
data_vacancies
_cell_length_a 4.3
_cell_length_b 4.3
_cell_length_c 4.3
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
Fe1 0 0 0 95
```

## How to mend it

Write a fraction, not percent, and not the number of atoms. For a full site write 1, or leave the occupancy out.
",
    check,
};

/// What a sum of rounded numbers may be off by.
const LAST_DIGIT: f64 = 5e-4;

/// From this many on, occupancies above 1 are one mistake.
const WHOLESALE: usize = 3;

const PERCENT: &str = ": in percent, or numbers of atoms?";

/// Above this, rounding cannot be meant.
const ROUNDED: f64 = 1.05;

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (reading, facts) in context.readings() {
        if !facts.geometry {
            continue;
        }
        let mut unread = HashSet::new();
        for obstacle in reading.obstacles.iter().filter(|o| o.kind == ObstacleKind::Occupancy) {
            unread.insert(obstacle.span);
            findings.push(Finding::new(&RULE, obstacle.span, obstacle.message.clone()));
        }
        let given = reading
            .sites
            .iter()
            .filter_map(|site| Some((site, site.occupancy_span.filter(|s| !unread.contains(s))?)));
        let out = given.filter(|(site, _)| !(0.0..=1.0).contains(&site.occupancy));
        let found: Vec<_> = out.filter_map(|(site, at)| out_of_range(context, site, at)).collect();
        let percent =
            found.len() >= WHOLESALE && found.iter().all(|f| f.message.ends_with(PERCENT));
        if percent {
            let count = found.len();
            findings.extend(found.into_iter().next().map(|mut first| {
                first.message = format!("{count} occupancies are above 1{PERCENT}");
                first
            }));
        } else {
            findings.extend(found);
        }
    }
}

fn out_of_range(context: &Context<'_>, site: &AtomSite, span: Span) -> Option<Finding> {
    let written = context.text(span).trim_matches(['\'', '"']);
    let su = parse_cif_number(written).and_then(|n| n.su).unwrap_or(0.0);
    let n = site.occupancy;
    let slack = 3.0 * su + LAST_DIGIT;
    if (-slack..=1.0 + slack).contains(&n) {
        return None;
    }
    let what = if n < 0.0 { "negative" } else { "above 1" };
    let mut message = format!("the occupancy {} of {} is {what}", trimmed(n, 4), site.label);
    if n > 1.5 && n <= 100.0 {
        message += PERCENT;
    }
    let finding = Finding::new(&RULE, span, message);
    Some(if (1.0..=ROUNDED).contains(&n) {
        let edit = TextEdit::replace(span, "1");
        finding.severity(Severity::Warning).fix("Set the occupancy to 1", vec![edit])
    } else {
        finding
    })
}

#[cfg(test)]
mod tests {
    use crate::testing::{check, check_fix, codes};

    #[test]
    fn negative_percent_and_words() {
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
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
Fe1 0 0 0 -0.2
          ^^^^ error occupancy-range: the occupancy -0.2 of Fe1 is negative
Fe2 0.5 0 0 95
            ^^ error occupancy-range: the occupancy 95 of Fe2 is above 1: in percent, or numbers of atoms?
Fe3 0 0.5 0 full
            ^^^^ error occupancy-range: the occupancy 'full' is not a number
Fe4 0 0 0.5 ?
"#,
        );
    }

    #[test]
    fn percent_throughout_is_one_finding() {
        let file = "data_x\n_cell_length_a 5.64\n_cell_length_b 5.64\n_cell_length_c 5.64\n_cell_angle_alpha 90\n\
                    _cell_angle_beta 90\n_cell_angle_gamma 90\n_space_group_name_H-M_alt 'F m -3 m'\nloop_\n\
                    _atom_site_label\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n\
                    _atom_site_occupancy\nNa1 0 0 0 90\nK1 0 0 0 10\nCl1 0.5 0.5 0.5 100\n";
        assert_eq!(codes(file), ["occupancy-range"]);
    }

    #[test]
    fn three_uncertainties_are_accepted() {
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
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
Fe1 0 0 0 1.004(2)
Fe2 0.5 0 0 1.02(2)
"#,
        );
    }

    #[test]
    fn rounding_is_set_to_one() {
        check_fix(
            "occupancy-range",
            r#"
data_x
_cell_length_a 5.64
_cell_length_b 5.64
_cell_length_c 5.64
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
Fe1 0 0 0 1.003
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
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
Fe1 0 0 0 1
"#,
        );
    }
}
