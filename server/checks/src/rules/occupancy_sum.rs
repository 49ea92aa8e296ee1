//! A position that is more than full.

use std::collections::BTreeMap;

use cellwright_syntax::Reading;

use crate::contacts::{COINCIDENT, Contacts};
use crate::words::{list, trimmed};
use crate::{Context, Finding, Rule, Severity};

/// The rule.
pub(crate) static RULE: Rule = Rule {
    code: "occupancy-sum",
    severity: Severity::Error,
    summary: "the occupancies of one position add up to more than 1",
    docs: r"Several rows within 0.1 Å share one position, as Mg and Fe do in olivine. Together they can fill it once. Here their occupancies add up to more
than 1. Up to 1.01 is rounding; up to 1.05 is a warning, above an error: many programs refuse such a file.

```cif
data_olivine
_cell_length_a 4.76
_cell_length_b 10.20
_cell_length_c 5.98
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
Mg1 Mg 0 0 0 0.9
Fe1 Fe 0 0 0 0.2
```

## How to mend it

Compare the occupancies with their source. For atoms that are full and stand at the same place, see `short-distance`.
",
    check,
};

/// What rounding to two decimals may add.
const ROUNDING: f64 = 0.01;

/// Above this sum programs refuse.
const REFUSED: f64 = 1.05;

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (reading, facts) in context.readings() {
        let Contacts::Listed(contacts) = &facts.contacts else { continue };
        let shared = contacts.iter().filter(|c| c.distance < COINCIDENT && c.a != c.b);
        for rows in positions(shared.map(|c| (c.a, c.b))) {
            findings.extend(report(reading, &rows));
        }
    }
}

/// Rows that share a position, in order: each pair joins the rows it names.
pub(super) fn positions(pairs: impl Iterator<Item = (usize, usize)>) -> Vec<Vec<usize>> {
    // Each row points to an earlier one of its position; the earliest points to itself.
    let mut first: BTreeMap<usize, usize> = BTreeMap::new();
    fn root(first: &BTreeMap<usize, usize>, mut row: usize) -> usize {
        while let Some(next) = first.get(&row).filter(|next| **next != row) {
            row = *next;
        }
        row
    }
    for (a, b) in pairs {
        let (x, y) = (root(&first, a), root(&first, b));
        for row in [a, b, x.max(y)] {
            first.insert(row, x.min(y));
        }
        first.insert(x.min(y), x.min(y));
    }
    let mut positions: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for row in first.keys() {
        positions.entry(root(&first, *row)).or_default().push(*row);
    }
    positions.into_values().collect()
}

fn report(reading: &Reading, rows: &[usize]) -> Option<Finding> {
    let sites: Vec<_> = rows.iter().map(|row| &reading.sites[*row]).collect();
    let sum: f64 = sites.iter().map(|s| s.occupancy).sum();
    let all_full = sites.iter().all(|s| s.occupancy >= 1.0);
    // An occupancy that is out of range by itself is said to be so.
    let out_of_range = sites.iter().any(|s| !(0.0..=1.0).contains(&s.occupancy));
    if sum <= 1.0 + ROUNDING || all_full || out_of_range {
        return None;
    }
    let labels: Vec<String> = sites.iter().map(|s| s.label.clone()).collect();
    let message = format!(
        "the occupancies of {} add up to {} on one position",
        list(&labels),
        trimmed(sum, 4)
    );
    let (last, others) = sites.split_last()?;
    let severity = if sum > REFUSED { Severity::Error } else { Severity::Warning };
    let span = last.occupancy_span.unwrap_or(last.label_span);
    let mut finding = Finding::new(&RULE, span, message).severity(severity);
    for site in others {
        let place = site.occupancy_span.unwrap_or(site.label_span);
        finding =
            finding.relate(place, format!("{} with {}", site.label, trimmed(site.occupancy, 4)));
    }
    Some(finding)
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    #[test]
    fn three_species_on_one_position() {
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
Fe1 0 0 0 0.6
Mg1 0 0 0 0.3
Mn1 0 0 0 0.2
          ^^^ error occupancy-sum: the occupancies of Fe1, Mg1 and Mn1 add up to 1.1 on one position
          | line 14 "0.6": Fe1 with 0.6
          | line 15 "0.3": Mg1 with 0.3
Ca1 0.5 0.5 0.5 0.7
Na1 0.5 0.5 0.5 0.301
"#,
        );
    }

    #[test]
    fn a_little_too_much_is_a_warning() {
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
Fe1 0 0 0 0.6
Mg1 0 0 0.01 0.43
             ^^^^ warning occupancy-sum: the occupancies of Fe1 and Mg1 add up to 1.03 on one position
             | line 14 "0.6": Fe1 with 0.6
"#,
        );
    }

    #[test]
    fn full_atoms_at_one_place_are_a_distance() {
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
Fe1 0 0 0
Mg1 0 0 0
^^^ error short-distance: Fe1 and Mg1 are at the same place: a mixed position needs occupancies
| line 13 "Fe1": Fe1 at 0.000 Å
"#,
        );
    }
}
