//! Bonds that do not add up to the oxidation state.

use cellwright_crystal::Element;
use cellwright_crystal::charge::bond_valence::{Bonds, bond_valence_sums};
use cellwright_crystal::charge::certain_states;
use cellwright_syntax::Reading;

use super::{charge_imbalance, overfull_cell, short_distance, symmetry_cell, symmetry_list};
use crate::words::signed;
use crate::{Context, Finding, Rule, Severity};

/// The rule.
pub(crate) static RULE: Rule = Rule {
    code: "bond-valence",
    severity: Severity::Information,
    summary: "the bonds of an atom do not add up to its oxidation state",
    docs: r"Each bond has a valence that falls with its length, and those of one atom add up to its oxidation state: v = exp((R − d) / 0.37 Å), where R
depends on the two elements. Here the sum misses the state by more than 1 and by more than 40 % of it. The bonds are too long or too
short for these atoms: a digit slipped in a cell length or a coordinate, two elements are exchanged, an atom is missing, or the declared oxidation number is wrong.

The state is the declared one, or the only one that the element has; for one more element, the one that makes the whole neutral. Nothing is said of disordered
structures, of hydrides, of hydrogen, copper, palladium and iridium, and where any choice of states is left.

```cif
data_periclase
_cell_length_a 5.212
_cell_length_b 5.212
_cell_length_c 5.212
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_space_group_name_H-M_alt 'F m -3 m'
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Mg1 0 0 0
O1 0.5 0.5 0.5
```

```cif
data_periclase
_cell_length_a 4.212
_cell_length_b 4.212
_cell_length_c 4.212
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_space_group_name_H-M_alt 'F m -3 m'
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Mg1 0 0 0
O1 0.5 0.5 0.5
```

## How to mend it

Compare cell, coordinates and oxidation numbers with their source. Structures under pressure, of strongly distorted coordination or from a computation may be right
all the same: allow the finding with `# cellwright: allow bond-valence`.

Sources: Brown & Altermatt, *Acta Cryst.* B 41, 244 (1985); R from O'Keeffe & Brese, *J. Am. Chem. Soc.* 113, 3226 (1991). Of 1100 ground states of the Materials
Project with certain states, three in a thousand are reported.
",
    check,
};

/// Deviations below this (e) are ordinary.
const SLACK: f64 = 1.0;

/// So are those below this share of the state.
const SHARE: f64 = 0.4;

/// Elements that the radii serve badly: one radius cannot hold for both their states, or is far off (sums
/// of 1.1 for Cu2+, 5.2 for Ir3+).
const NOT_JUDGED: [&str; 4] = ["H", "Cu", "Pd", "Ir"];

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    // Of what these rules found, strange bonds are the consequence.
    let causes = [
        &symmetry_list::RULE,
        &symmetry_cell::RULE,
        &short_distance::RULE,
        &overfull_cell::RULE,
        &charge_imbalance::RULE,
    ];
    for (reading, facts) in context.readings() {
        if facts.composition && !Context::is_told(findings, reading, &causes) {
            findings.extend(check_reading(reading));
        }
    }
}

/// One finding for a crystal, at the row that is farthest off: a wrong cell puts all of them off.
fn check_reading(reading: &Reading) -> Option<Finding> {
    let structure = reading.structure.as_ref()?;
    let states = certain_states(structure)?;
    let hydride = |(site, state): (&cellwright_crystal::Site, &f64)| {
        site.element == Some(Element::H) && *state < 0.0
    };
    if structure.sites.iter().zip(&states).any(hydride) {
        return None;
    }
    let sums = bond_valence_sums(structure, &states, Bonds::default()).ok()?;
    // For each row of the file its sum and state, where they disagree.
    let mut rows: Vec<(usize, f64, f64)> = Vec::new();
    for (i, origin) in reading.origins.iter().enumerate() {
        let Some(sum) = sums[i] else { continue };
        let off = (sum - states[i]).abs();
        let known = rows.iter().any(|(row, ..)| *row == origin.site);
        let judged = |e: Element| !NOT_JUDGED.contains(&e.symbol());
        if off > SLACK.max(SHARE * states[i].abs())
            && !known
            && structure.sites[i].element.is_some_and(judged)
        {
            rows.push((origin.site, sum, states[i]));
        }
    }
    // In millionths, so that of rows that are equally off the first is named.
    let share = |row: &usize| {
        let (_, sum, state) = rows[*row];
        (1e6 * (sum - state).abs() / state.abs()) as u64
    };
    let worst = (0..rows.len()).rev().max_by_key(share)?;
    let (row, sum, state) = rows.remove(worst);
    let site = &reading.sites[row];
    let message = format!(
        "the bonds of {} add up to {}, its oxidation state is {}",
        site.label,
        signed(sum),
        signed(state)
    );
    let mut finding = Finding::new(&RULE, site.label_span, message);
    for (row, sum, state) in rows {
        let site = &reading.sites[row];
        let text = format!("{}: {} instead of {}", site.label, signed(sum), signed(state));
        finding = finding.relate(site.label_span, text);
    }
    Some(finding)
}

#[cfg(test)]
mod tests {
    use crate::testing::{check, codes};

    #[test]
    fn a_slipped_digit_of_the_cell() {
        check(
            r#"
data_periclase
_cell_length_a 5.212
_cell_length_b 5.212
_cell_length_c 5.212
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_space_group_name_H-M_alt 'F m -3 m'
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Mg1 0 0 0
^^^ information bond-valence: the bonds of Mg1 add up to +0.58, its oxidation state is +2
| line 15 "O1": O1: −0.58 instead of −2
O1 0.5 0.5 0.5
"#,
        );
    }

    /// Strontium titanate with these two species in the corner and in the middle.
    fn perovskite(corner: &str, middle: &str) -> String {
        format!(
            "data_x\n_cell_length_a 3.905\n_cell_length_b 3.905\n_cell_length_c 3.905\n\
             _cell_angle_alpha 90\n_cell_angle_beta 90\n_cell_angle_gamma 90\n\
             _space_group_name_H-M_alt 'P m -3 m'\nloop_\n_atom_site_label\n\
             _atom_site_type_symbol\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n\
             A {corner} 0 0 0\nB {middle} 0.5 0.5 0.5\nO O2- 0.5 0.5 0\n"
        )
    }

    #[test]
    fn exchanged_and_wrongly_charged_atoms() {
        assert!(codes(&perovskite("Sr2+", "Ti4+")).is_empty());
        assert!(codes(&perovskite("Sr", "Ti")).is_empty());
        assert_eq!(codes(&perovskite("Ti4+", "Sr2+")), ["bond-valence"]);
        assert_eq!(codes(&perovskite("Sr4+", "Ti2+")), ["bond-valence"]);
    }

    #[test]
    fn nothing_is_said_where_a_choice_is_left() {
        // Bismuth and iron: which of them has which charge is not certain.
        assert!(codes(&perovskite("Bi", "Fe")).is_empty());
        // The charge is wrong in the first place.
        assert_eq!(codes(&perovskite("Sr3+", "Ti4+")), ["charge-imbalance"]);
    }
}
