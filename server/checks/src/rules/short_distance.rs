//! Atoms that are closer than atoms can be.

use std::collections::{BTreeMap, BTreeSet};

use cellwright_syntax::{AtomSite, Reading, Span, TextEdit};
use nalgebra::Vector3;

use super::occupancy_sum::positions;
use crate::contacts::{COINCIDENT, Contact, Contacts, SAME_PLACE};
use crate::mend::coordinate;
use crate::words::{angstrom, image, list, plural};
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

/// An atom this near its own image (Å) was meant to lie on the symmetry element between them.
const SNAP: f64 = 0.3;

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
    let short = contacts.iter().filter(|c| {
        let partial = reading.sites[c.a].occupancy < 1.0 || reading.sites[c.b].occupancy < 1.0;
        // Rows that share one position and are not full are a matter of their occupancies.
        c.meet && c.distance < c.limit && !(partial && c.distance < COINCIDENT && c.a != c.b)
    });
    let short: Vec<&Contact> = short.collect();
    if let Some(finding) = wholesale(context, reading, &short) {
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
    let groups = by_culprit(&apart);
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
    let elements: BTreeSet<_> = sites.iter().map(|s| &s.species).collect();
    let hint = match elements.len() {
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

/// Splits the contacts among as few atoms as explain them: again and again the atom with most of the
/// contacts that are left takes them all; between equals the later row, which is the newer one.
fn by_culprit<'c>(short: &[&'c Contact]) -> Vec<(usize, Vec<&'c Contact>)> {
    let mut by_site: BTreeMap<usize, Vec<&Contact>> = BTreeMap::new();
    for contact in short {
        by_site.entry(contact.a).or_default().push(contact);
        if contact.a != contact.b {
            by_site.entry(contact.b).or_default().push(contact);
        }
    }
    let mut left: BTreeMap<usize, usize> = by_site.iter().map(|(s, c)| (*s, c.len())).collect();
    let mut queue: BTreeSet<(usize, usize)> = left.iter().map(|(s, n)| (*n, *s)).collect();
    let mut groups = Vec::new();
    while let Some((count, site)) = queue.pop_last() {
        left.remove(&site);
        if count == 0 {
            continue;
        }
        let mut group = Vec::with_capacity(count);
        for contact in &by_site[&site] {
            let other = if contact.a == site { contact.b } else { contact.a };
            if other == site {
                group.push(*contact);
            } else if let Some(n) = left.get_mut(&other) {
                group.push(*contact);
                queue.remove(&(*n, other));
                *n -= 1;
                queue.insert((*n, other));
            }
        }
        group.sort_by(|x, y| x.distance.total_cmp(&y.distance));
        groups.push((site, group));
    }
    groups.sort_by_key(|(site, _)| *site);
    groups
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
        && worst.distance < SNAP
        && group.len() == 1
        && let Some((title, edits)) = snap(context, reading, site)
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

/// Moves a row onto the symmetry element it stands beside: to the mean of its images nearby. Only
/// where that point really is invariant and the coordinates are written as fractions.
fn snap(context: &Context<'_>, reading: &Reading, site: usize) -> Option<(String, Vec<TextEdit>)> {
    let row = &reading.sites[site];
    let lattice = reading.lattice.as_ref()?.as_ref().ok()?;
    let written = row.frac?;
    let near = |from: &Vector3<f64>, to: Vector3<f64>| {
        let shift = (from - to).map(f64::round);
        let image = to + shift;
        (lattice.to_cartesian(&(image - from)).norm() < SNAP).then_some(image)
    };
    let images: Vec<Vector3<f64>> = reading
        .symmetry
        .operations
        .iter()
        .filter_map(|op| near(&written, op.apply(&written)))
        .collect();
    let mean = images.iter().sum::<Vector3<f64>>() / images.len() as f64;
    let invariant =
        reading.symmetry.operations.iter().all(|op| {
            near(&mean, op.apply(&mean)).is_none_or(|image| (image - mean).norm() < 1e-9)
        });
    if !invariant || images.len() < 2 {
        return None;
    }
    let mut edits = Vec::new();
    for axis in 0..3 {
        let span = row.coordinate_spans[axis]?;
        if (mean[axis] - written[axis]).abs() < 1e-9 {
            continue;
        }
        let text = coordinate(mean[axis], row.decimals[axis]);
        if context.text(span) != text {
            edits.push(TextEdit::replace(span, text));
        }
    }
    let [x, y, z] = [0, 1, 2].map(|axis| coordinate(mean[axis], row.decimals[axis]));
    (!edits.is_empty()).then(|| (format!("Move {} to {x} {y} {z}", row.label), edits))
}

#[cfg(test)]
mod tests {
    use crate::testing::{check, check_fix, codes};

    #[test]
    fn atoms_meet_across_the_edge_of_the_cell() {
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
Na1 0 0 0
Cl1 0 0 0.992
^^^ error short-distance: Cl1 and Na1 are 0.045 Å apart: no two atoms come closer than 0.5 Å
| line 13 "Na1": Na1 at 0.045 Å (cell (0 0 -1) of Cl1)
"#,
        );
    }

    #[test]
    fn a_bond_that_is_too_short_is_a_warning() {
        check(
            r#"
too short
1.0
5 0 0
0 5 0
0 0 5
Mg O
1 1
Direct
0 0 0
0.2 0 0
^^^^^^^ warning short-distance: O1 and Mg1 are 1.00 Å apart: less than 1.24 Å (0.6 of the sum of covalent radii)
| line 9 "0 0 0": Mg1 at 1.00 Å
"#,
        );
    }

    #[test]
    fn bonds_as_they_are_say_nothing() {
        check(
            r#"
water, hydrogen, uranyl and acetylene in one large cell
1.0
20 0 0
0 20 0
0 0 20
O H U C
3 5 1 2
Cartesian
0 0 0
5 5 6.76
5 5 3.24
0.82 0 0
-0.2 0.8 0
10 10 10
10 10 10.74
15 14.07 15
5 5 5
15 15 15
15 16.2 15
"#,
        );
    }

    #[test]
    fn one_bad_atom_is_one_finding() {
        check(
            r#"
octahedron
1.0
12 0 0
0 12 0
0 0 12
Mg O
6 6
Cartesian
6 6 6
^^^^^ warning short-distance: Mg1 and O1 are 0.90 Å apart: less than 1.24 Å (0.6 of the sum of covalent radii); 5 short distances more
| line 15 "6.9 6 6": O1 at 0.90 Å
| line 17 "6 6.9 6": O3 at 0.90 Å
| line 19 "6 6 6.9": O5 at 0.90 Å
| line 16 "5.1 6 6": O2 at 0.90 Å
| line 18 "6 5.1 6": O4 at 0.90 Å
| line 20 "6 6 5.1": O6 at 0.90 Å
1 1 1
4 1 1
1 4 1
1 1 4
4 4 1
6.9 6 6
5.1 6 6
6 6.9 6
6 5.1 6
6 6 6.9
6 6 5.1
"#,
        );
    }

    #[test]
    fn a_wrong_scale_is_one_finding() {
        check(
            r#"
half the scale
0.55
5.64 0 0
0 5.64 0
0 0 5.64
Na Cl
4 4
Direct
0 0 0
0 0.5 0.5
0.5 0 0.5
0.5 0.5 0
0.5 0.5 0.5
0.5 0 0
^^^^^^^ warning short-distance: 8 of 8 atoms are too close to another: is the cell too small, or are the coordinates of the other kind? Nearest: Cl2 and Na1 are 1.55 Å apart: less than 1.61 Å (0.6 of the sum of covalent radii)
| line 9 "0 0 0": Na1 at 1.55 Å
0 0.5 0
0 0 0.5
"#,
        );
    }

    #[test]
    fn alternatives_of_a_disorder_do_not_meet() {
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
_atom_site_disorder_assembly
_atom_site_disorder_group
O1 0 0 0 0.5 . .
O2 0 0 0.1 0.5 . .
F1 0.5 0.5 0.5 1 A 1
F2 0.5 0.5 0.6 1 A 2
N1 0.5 0 0.47 1 . -1
"#,
        );
    }

    #[test]
    fn full_atoms_of_the_same_disorder_group_do() {
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
_atom_site_disorder_assembly
_atom_site_disorder_group
F1 0.5 0.5 0.5 A 1
F2 0.5 0.5 0.57 A 1
^^ error short-distance: F2 and F1 are 0.39 Å apart: no two atoms come closer than 0.5 Å
| line 15 "F1": F1 at 0.39 Å
"#,
        );
    }

    #[test]
    fn symmetry_images_are_named() {
        check(
            r#"
data_x
_cell_length_a 5.64
_cell_length_b 5.64
_cell_length_c 5.64
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_space_group_name_H-M_alt 'P -1'
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
O1 0.1 0.2 0.3
O2 0.92 0.81 0.7
^^ error short-distance: O2 and O1 are 0.13 Å apart: no two atoms come closer than 0.5 Å
| line 14 "O1": O1 at 0.13 Å (symmetry -x,-y,-z, cell (1 1 1) of O2)
"#,
        );
    }

    #[test]
    fn an_atom_too_near_its_own_copy_says_so() {
        check(
            r#"
thin
1.0
0.7 0 0
0 8 0
0 0 8
Fe
1
Direct
0.25 0 0
^^^^^^^^ warning short-distance: Fe1 is 0.70 Å from its own copy in the next cell: less than 1.58 Å (0.6 of the sum of covalent radii)
| line 9 "0.25 0 0": 0.70 Å to cell (-1 0 0)
"#,
        );
    }

    #[test]
    fn an_atom_beside_a_mirror_moves_onto_it() {
        check_fix(
            "short-distance",
            r#"
data_x
_cell_length_a 5.64
_cell_length_b 5.64
_cell_length_c 5.64
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_space_group_name_H-M_alt 'P 1 m 1'
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Fe1 0.10000 0.51700(3) 0.20000
"#,
            r#"
data_x
_cell_length_a 5.64
_cell_length_b 5.64
_cell_length_c 5.64
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_space_group_name_H-M_alt 'P 1 m 1'
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Fe1 0.10000 0.50000 0.20000
"#,
        );
    }

    #[test]
    fn an_atom_beside_a_threefold_axis_gets_the_digits_it_needs() {
        check_fix(
            "short-distance",
            r#"
data_x
_cell_length_a 5
_cell_length_b 5
_cell_length_c 7
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 120
_space_group_name_H-M_alt 'P 3'
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Fe1 0.3433 0.6767 0.2
"#,
            r#"
data_x
_cell_length_a 5
_cell_length_b 5
_cell_length_c 7
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 120
_space_group_name_H-M_alt 'P 3'
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Fe1 0.333333 0.666667 0.2
"#,
        );
    }

    #[test]
    fn rows_at_one_place_are_one_finding() {
        check(
            r#"
ammonium without its hydrogen
1.0
5 0 0
0 5 0
0 0 5
N H Cl
1 4 1
Direct
0 0 0
0 0 0
0 0 0
0 0 0
0 0 0
^^^^^ error short-distance: N1, H1, H2, H3 and H4 are at the same place: no two atoms can be
| line 9 "0 0 0": N1 at 0.000 Å
| line 10 "0 0 0": H1 at 0.000 Å
| line 11 "0 0 0": H2 at 0.000 Å
| line 12 "0 0 0": H3 at 0.000 Å
0.5 0.5 0.5
"#,
        );
    }

    #[test]
    fn a_heap_of_atoms_is_one_finding() {
        let rows = "0.25 0.25 0.25\n".repeat(5000);
        let text = format!("heap\n1\n90 0 0\n0 90 0\n0 0 90\nFe\n5000\nDirect\n{rows}");
        assert_eq!(codes(&text), ["short-distance"]);
    }
}
