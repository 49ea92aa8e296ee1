//! Atoms that are closer than atoms can be.

mod culprits;
mod snap;

use std::collections::{BTreeMap, BTreeSet};

use cellwright_syntax::{AtomSite, Reading, Span};

use super::occupancy_sum::positions;
use super::symmetry_cell;
use crate::contacts::{COINCIDENT, Contact, Contacts, SAME_PLACE};
use crate::words::{angstrom, image, list, plural, trimmed};
use crate::{Context, Finding, Rule, Severity};

/// The rule.
pub(crate) static RULE: Rule = Rule {
    code: "short-distance",
    severity: Severity::Warning,
    summary: "two atoms are closer than atoms can be",
    docs: r"Two atoms are closer to each other than any two atoms in a crystal. All images of the cell and of the
symmetry count, so an atom at 0.99 and one at 0.01 are neighbours.

- **Error** below 0.5 Å: no two nuclei come that near.
- **Warning** below 0.6 · (r₁ + r₂), with the covalent radii of Cordero et al., *Dalton Trans.* 2008, 2832.
  Two hydrogens have only the first limit.

Both limits can be changed in the settings.

Atoms that are never there at once are left alone: positions whose occupancies add up to at most 1, and
different groups of one `_atom_site_disorder_assembly`. A negative `_atom_site_disorder_group` never meets its own
images.

One atom in a wrong place gives one finding, however many neighbours it hits: it is shown at the atom with most of the
short distances, and the others are linked.

```cif
data_salt
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
Na1 0 0 0
Cl1 0 0 0.992
```

An atom that is near **its own image** stands beside a symmetry element: 0.0002 instead of 0, or 0.333 instead of
1/3. Programs then make two atoms of one.

## How to mend it

Look for a digit that is wrong, a sign that is missing, a row that is there twice, Cartesian numbers read as fractions (or the
other way), or a cell in nm or Bohr. For split positions give both rows their occupancies and disorder groups. For an atom
beside a special position the fix writes the exact position.
",
    check,
};

/// How many findings a crystal may have before the rest is summed up.
const MAX_FINDINGS: usize = 100;

/// How many neighbours a finding links before the rest is summed up.
const MAX_RELATED: usize = 8;

/// Fractional coordinates from here on are mostly no fractions.
const FAR: f64 = 2.0;

/// From this many rows on, a crystal most of whose atoms are too close has one fault and not many.
const WHOLESALE: usize = 8;

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (reading, facts) in context.readings() {
        match &facts.contacts {
            Contacts::Crowded { site, pairs } => {
                let message = format!(
                    "about {pairs:.0e} pairs of atoms are closer than atoms can be, many of them here: they are not \
                     listed one by one"
                );
                let span = reading.sites[*site].label_span;
                findings.push(Finding::new(&RULE, span, message).severity(Severity::Error));
            }
            Contacts::Listed(contacts) => check_reading(context, reading, contacts, findings),
            Contacts::None | Contacts::Overfull { .. } | Contacts::NotChecked(_) => {}
        }
    }
}

fn check_reading(
    context: &Context<'_>,
    reading: &Reading,
    contacts: &[Contact],
    findings: &mut Vec<Finding>,
) {
    // In a cell of another shape distances to symmetry images mean nothing.
    let sheared = Context::is_told(findings, reading, &[&symmetry_cell::RULE]);
    let short = contacts.iter().filter(|c| !sheared || c.operation == 0).filter(|c| {
        let partial = [c.a, c.b].iter().any(|row| reading.sites[*row].occupancy != 1.0);
        // Rows that share one position and are not full are a matter of their occupancies.
        c.meet && c.distance < c.limit && !(partial && c.distance < COINCIDENT && c.a != c.b)
    });
    let short: Vec<&Contact> = short.collect();
    let whole = listed_again(reading, &short).or_else(|| wholesale(context, reading, &short));
    if let Some(finding) = whole {
        findings.push(finding);
        return;
    }
    // Rows at one place are one fault, however many pairs they make.
    let same_place = |c: &&Contact| c.a != c.b && c.distance < SAME_PLACE;
    let heaps = positions(short.iter().copied().filter(same_place).map(|c| (c.a, c.b)));
    let heaped: BTreeMap<usize, usize> =
        heaps.iter().flat_map(|rows| rows.iter().map(|row| (*row, rows[0]))).collect();
    for rows in heaps.iter().take(MAX_FINDINGS) {
        findings.push(heap(reading, rows, &short));
    }
    let apart: Vec<&Contact> = short
        .into_iter()
        .filter(|c| {
            c.a == c.b || heaped.get(&c.a).is_none_or(|heap| heaped.get(&c.b) != Some(heap))
        })
        .collect();
    let groups = culprits::by_culprit(&apart);
    let rest = (groups.len() + heaps.len()).saturating_sub(MAX_FINDINGS);
    for (site, group) in groups.into_iter().take(MAX_FINDINGS.saturating_sub(heaps.len())) {
        findings.push(report(context, reading, site, &group));
    }
    if rest > 0 {
        let message = format!("{} more with distances that are too short", plural(rest, "atom"));
        findings.push(Finding::new(&RULE, reading.header, message));
    }
}

/// Full atoms that share one position, at the last of them.
fn heap(reading: &Reading, rows: &[usize], short: &[&Contact]) -> Finding {
    let sites: Vec<&AtomSite> = rows.iter().map(|row| &reading.sites[*row]).collect();
    let labels: Vec<String> = sites.iter().map(|s| s.label.clone()).collect();
    let shown = if labels.len() > MAX_RELATED {
        format!("{} and {} more", labels[..MAX_RELATED].join(", "), labels.len() - MAX_RELATED)
    } else {
        list(&labels)
    };
    let element = |s: &&AtomSite| s.element.map_or(s.species.clone(), |e| e.to_string());
    let elements: BTreeSet<String> = sites.iter().map(element).collect();
    let images = |c: &&&Contact| rows.contains(&c.a) && rows.contains(&c.b) && c.a != c.b;
    let by_symmetry = short.iter().filter(images).all(|c| c.operation != 0);
    let hint = match elements.len() {
        1 if by_symmetry => "symmetry makes one from the other, so one row is too many",
        1 => "is a row there twice?",
        n if n == sites.len() => "a mixed position needs occupancies",
        _ => "no two atoms can be",
    };
    let last = *rows.last().unwrap_or(&0);
    let message = format!("{shown} are at the same place: {hint}");
    let place = reading.sites[last].label_span;
    let mut finding = Finding::new(&RULE, place, message).severity(Severity::Error);
    // One link for each other row: by its contact with the last row where there is one.
    for row in rows.iter().filter(|row| **row != last).take(MAX_RELATED) {
        let pair = (last.min(*row), last.max(*row));
        finding = match short.iter().find(|c| (c.a, c.b) == pair) {
            Some(contact) => relate(finding, reading, last, contact),
            None => {
                finding.relate(reading.sites[*row].label_span, reading.sites[*row].label.clone())
            }
        };
    }
    finding
}

/// One finding where symmetry makes most rows from others: the table lists the whole cell, as programs write it
/// in P 1, beside operations that make it.
fn listed_again(reading: &Reading, short: &[&Contact]) -> Option<Finding> {
    let made: BTreeMap<usize, &Contact> = short
        .iter()
        .filter(|c| c.a != c.b && c.operation != 0 && c.distance < SAME_PLACE)
        .filter(|c| reading.sites[c.a].element == reading.sites[c.b].element)
        .map(|c| (c.b, *c))
        .collect();
    let (last, contact) = made.last_key_value()?;
    if made.len() < 2 || 2 * made.len() < reading.sites.len() {
        return None;
    }
    let symmetry = &reading.symmetry;
    let declared = symmetry
        .hm
        .as_ref()
        .map_or("the operations".to_owned(), |hm| format!("'{}'", hm.value.trim()));
    let message = format!(
        "{declared} makes {} of the {} from others: the table lists the whole cell, so delete those rows or \
         declare P 1",
        made.len(),
        plural(reading.sites.len(), "row"),
    );
    let span = reading.sites[*last].label_span;
    let finding = Finding::new(&RULE, span, message).severity(Severity::Error);
    Some(relate(finding, reading, *last, contact))
}

/// One finding at the nearest pair where most atoms of a crystal are too close to another: then the cell or the kind of
/// coordinates is wrong, not each atom.
fn wholesale(context: &Context<'_>, reading: &Reading, short: &[&Contact]) -> Option<Finding> {
    let involved: BTreeSet<usize> = short.iter().flat_map(|c| [c.a, c.b]).collect();
    if involved.len() < WHOLESALE || 2 * involved.len() <= reading.sites.len() {
        return None;
    }
    let nearest = short.iter().min_by(|x, y| x.distance.total_cmp(&y.distance))?;
    let mut finding = report(context, reading, nearest.b, &[*nearest]);
    finding.message = format!(
        "{} of {} are too close to another: is the cell too small, or are the coordinates of the other kind? Nearest: {}",
        involved.len(),
        plural(reading.sites.len(), "atom"),
        finding.message
    );
    finding.fixes.clear();
    Some(finding)
}

fn report(context: &Context<'_>, reading: &Reading, site: usize, group: &[&Contact]) -> Finding {
    let worst = group[0];
    let culprit = &reading.sites[site];
    let limit = context.tolerances.distance_error;
    let error = group.iter().any(|c| c.distance < limit);
    let own = worst.a == worst.b;
    let distance = angstrom(worst.distance);
    let why = if worst.distance < limit {
        format!("no two atoms come closer than {limit} Å")
    } else {
        let share = context.tolerances.distance_warning;
        format!("less than {} ({share} of the sum of covalent radii)", angstrom(worst.limit))
    };
    let label = &culprit.label;
    let translation = own && worst.operation == 0;
    let mut message = if translation {
        format!("{label} is {distance} from its own copy in the next cell: {why}")
    } else if own && worst.distance < limit {
        format!("{label} is {distance} from its own image: on a special position?")
    } else if own {
        format!("{label} is {distance} from its own image: {why}")
    } else {
        let other = &reading.sites[worst.a + worst.b - site];
        format!("{label} and {} are {distance} apart: {why}", other.label)
    };
    if !own {
        let other = &reading.sites[worst.a + worst.b - site];
        let sum = culprit.occupancy + other.occupancy;
        if culprit.occupancy < 1.0 && other.occupancy < 1.0 {
            message += &format!(
                ", and with occupancies that add up to {} they meet in some cells",
                trimmed(sum, 4)
            );
        } else if culprit.frac.is_some_and(|frac| frac.amax() >= FAR) {
            message += "; are the coordinates in Å?";
        }
    }
    if group.len() > 1 {
        message += &format!("; {} more", plural(group.len() - 1, "short distance"));
    }
    let severity = if error { Severity::Error } else { Severity::Warning };
    let mut finding = Finding::new(&RULE, culprit.label_span, message).severity(severity);
    for contact in group.iter().take(MAX_RELATED) {
        finding = relate(finding, reading, site, contact);
    }
    if own
        && !translation
        && worst.distance < snap::NEAR
        && group.len() == 1
        && let Some((title, edits)) = snap::onto_symmetry(context, reading, site)
    {
        finding = finding.fix(title, edits);
    }
    finding
}

fn relate(finding: Finding, reading: &Reading, site: usize, contact: &Contact) -> Finding {
    let other = &reading.sites[contact.a + contact.b - site];
    let distance = angstrom(contact.distance);
    let operation = &reading.symmetry.operations[contact.operation];
    let copy = image(operation, contact.shift);
    let whose = &reading.sites[contact.b].label;
    let message = match copy.as_str() {
        "" => format!("{} at {distance}", other.label),
        _ if contact.a == contact.b => format!("{distance} to {copy}"),
        copy => format!("{} at {distance} ({copy} of {whose})", other.label),
    };
    // Of an atom and its own image the coordinates are the other place.
    let coordinates = other.coordinate_spans.iter().flatten().copied().reduce(Span::cover);
    let place = coordinates.filter(|_| contact.a == contact.b).unwrap_or(other.label_span);
    finding.relate(place, message)
}

#[cfg(test)]
mod tests;
