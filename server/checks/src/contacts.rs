//! Atoms that are too close to each other, found in linear time and with bounded work.

use std::collections::HashMap;

use cellwright_crystal::neighbors::{NeighborError, NeighborList, neighbors};
use cellwright_crystal::{Element, Structure};
use cellwright_syntax::{AtomSite, Reading};

use crate::Tolerances;
use crate::bins::Bins;

/// Rows closer than this (Å) share one position, as the species of a mixed site do.
pub(crate) const COINCIDENT: f64 = 0.1;

/// Rows closer than this (Å) stand at the same place; what is a little farther has a distance to tell.
pub(crate) const SAME_PLACE: f64 = 0.01;

/// By how much occupancies may exceed 1 from rounding when two positions are alternatives.
const ROUNDING: f64 = 0.02;

/// Atoms per Å³ that no crystal reaches: diamond has 0.18, hydrogen at 400 GPa about 0.6.
const OVERFULL: f64 = 1.0;

/// More atoms than this in a cell are not searched.
const MAX_ATOMS: usize = 500_000;

/// What the search found.
#[derive(Debug, Default)]
pub(crate) enum Contacts {
    /// There is nothing to search.
    #[default]
    None,
    /// The whole cell holds more atoms than can be: (atoms, volume in Å³). The cell is wrong, not the atoms.
    Overfull {
        /// Atoms in the cell, weighted by occupancy.
        atoms: f64,
        /// Volume of the cell (Å³).
        volume: f64,
    },
    /// So many atoms lie in one place that their pairs cannot be listed.
    Crowded {
        /// A row in the most crowded place.
        site: usize,
        /// About how many pairs there are.
        pairs: f64,
    },
    /// The search is not possible, with the reason.
    NotChecked(String),
    /// Every pair of rows that is too close, in order of the rows.
    Listed(Vec<Contact>),
}

/// Two rows of the file with copies that are too close, or share a position.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Contact {
    /// Index of a row into [`Reading::sites`]; as it stands in the file.
    pub(crate) a: usize,
    /// The other row, `a` or a later one.
    pub(crate) b: usize,
    /// Operation (index into the reading's) that makes the copy of `b`.
    pub(crate) operation: usize,
    /// Lattice translation of that copy behind the operation.
    pub(crate) shift: [i32; 3],
    /// Distance (Å).
    pub(crate) distance: f64,
    /// Below this distance (Å) the pair is a finding.
    pub(crate) limit: f64,
    /// Whether both can be there at once: not alternatives of a disorder.
    pub(crate) meet: bool,
}

/// Every pair of rows of a reading that is closer than it may be.
pub(crate) fn find(reading: &Reading, tolerances: &Tolerances) -> Contacts {
    let Some(structure) = &reading.structure else { return Contacts::None };
    let volume = structure.lattice.volume();
    // An occupancy above 1 is a fault of its own.
    let occupancies = structure.sites.iter().map(|s| s.occupancy).filter(|n| n.is_finite());
    let atoms: f64 = occupancies.map(|n| n.min(1.0)).sum();
    if atoms > OVERFULL * volume {
        return Contacts::Overfull { atoms, volume };
    }
    if structure.len() > MAX_ATOMS {
        return Contacts::NotChecked(format!("the cell holds {} atoms", structure.len()));
    }
    let cutoff = cutoff(reading, tolerances);
    let bins = Bins::new(structure, cutoff);
    let (pairs, busiest) = bins.estimate();
    let crowded = |pairs| Contacts::Crowded { site: reading.origins[busiest].site, pairs };
    // A solid has about ten neighbours in these distances; forty for each atom is no crystal.
    if pairs > 1e6 + 40.0 * structure.len() as f64 {
        return crowded(pairs);
    }
    let element = |i: usize| structure.sites[i].element;
    let suspects = bins.suspects(|i, j| limit(element(i), element(j), tolerances).max(COINCIDENT));
    let positions: Vec<_> = suspects.iter().map(|i| structure.sites[*i].frac).collect();
    match neighbors(&structure.lattice, &positions, cutoff) {
        Ok(list) => Contacts::Listed(collect(reading, structure, &suspects, &list, tolerances)),
        Err(NeighborError::TooMany(pairs)) => crowded(pairs),
        Err(error) => Contacts::NotChecked(error.to_string()),
    }
}

/// The largest distance at which any two of the reading's atoms are too close (Å).
fn cutoff(reading: &Reading, tolerances: &Tolerances) -> f64 {
    let radii = reading.sites.iter().filter_map(|s| s.element?.data().covalent_radius);
    let largest = radii.fold(0.0, f64::max);
    (tolerances.distance_warning * 2.0 * largest).max(tolerances.distance_error).max(COINCIDENT)
}

/// The distance below which two elements are too close (Å).
///
/// Two hydrogens have only the lower limit: their covalent radii (0.31 Å) say less than the bond of
/// H₂ (0.74 Å), and in X-ray structures hydrogens stand where the electrons are.
fn limit(a: Option<Element>, b: Option<Element>, tolerances: &Tolerances) -> f64 {
    let radius = |e: Option<Element>| e.and_then(|e| e.data().covalent_radius);
    match (radius(a), radius(b)) {
        (Some(ra), Some(rb)) if (a, b) != (Some(Element::H), Some(Element::H)) => {
            (tolerances.distance_warning * (ra + rb)).max(tolerances.distance_error)
        }
        _ => tolerances.distance_error,
    }
}

/// The shortest contact of each pair of rows, once for those that meet and once for those that cannot.
fn collect(
    reading: &Reading,
    structure: &Structure,
    suspects: &[usize],
    list: &NeighborList,
    tolerances: &Tolerances,
) -> Vec<Contact> {
    let mut found: HashMap<(usize, usize, bool), Contact> = HashMap::new();
    let mut asked = vec![false; reading.sites.len()];
    for (n, i) in suspects.iter().copied().enumerate() {
        // Every pair of the cell is an image of one whose first atom is a row as written, which is the first
        // of its row's atoms: only those need be asked.
        let a = reading.origins[i].site;
        if std::mem::replace(&mut asked[a], true) {
            continue;
        }
        for neighbor in list.of(n) {
            let j = suspects[neighbor.index as usize];
            let b = reading.origins[j].site;
            if b < a {
                continue;
            }
            let (site_a, site_b) = (&reading.sites[a], &reading.sites[b]);
            let limit = limit(site_a.element, site_b.element, tolerances);
            if neighbor.distance >= limit.max(COINCIDENT) {
                continue;
            }
            let operation = reading.origins[j].operation;
            let shift = shift(reading, structure, i, j, neighbor.image);
            let same_unit = operation == 0 && shift == [0; 3];
            let meet = can_meet(site_a, site_b, same_unit);
            let contact =
                Contact { a, b, operation, shift, distance: neighbor.distance, limit, meet };
            let key = (a, b, meet);
            if found.get(&key).is_none_or(|best| is_nearer(&contact, best)) {
                found.insert(key, contact);
            }
        }
    }
    let mut contacts: Vec<Contact> = found.into_values().collect();
    contacts.sort_by_key(|c| (c.a, c.b, c.meet));
    contacts
}

/// Shorter, or as short and simpler to say.
fn is_nearer(new: &Contact, old: &Contact) -> bool {
    let simple = |c: &Contact| (c.operation, c.shift.map(i32::unsigned_abs).iter().sum::<u32>());
    if (new.distance - old.distance).abs() < 1e-6 {
        simple(new) < simple(old)
    } else {
        new.distance < old.distance
    }
}

/// The lattice translation between row `b` under its operation and the copy that is near row `a` as written.
fn shift(
    reading: &Reading,
    structure: &Structure,
    i: usize,
    j: usize,
    image: [i32; 3],
) -> [i32; 3] {
    let moved = |k: usize| {
        let origin = reading.origins[k];
        let written = reading.sites[origin.site].frac.unwrap_or_default();
        let made = reading.symmetry.operations[origin.operation].apply(&written);
        (structure.sites[k].frac - made).map(|x| x.round() as i32)
    };
    let (from, to) = (moved(i), moved(j));
    [0, 1, 2].map(|k| image[k].saturating_add(to[k]).saturating_sub(from[k]))
}

/// Whether two atoms can be in the same cell at once. They cannot where their occupancies leave no
/// room for both, or where the file puts them into different groups of one disorder assembly.
fn can_meet(a: &AtomSite, b: &AtomSite, same_unit: bool) -> bool {
    if a.occupancy + b.occupancy <= 1.0 + ROUNDING {
        return false;
    }
    let (Some((assembly_a, group_a)), Some((assembly_b, group_b))) = (&a.disorder, &b.disorder)
    else {
        return true;
    };
    let given = |group: &str| !matches!(group, "" | "." | "?" | "0");
    if !given(group_a) || !given(group_b) {
        return true;
    }
    // A negative group is disorder about a special position: its atoms do not meet their images.
    let negative = group_a.starts_with('-') || group_b.starts_with('-');
    let alternatives = assembly_a == assembly_b && group_a != group_b;
    !(alternatives || negative && !same_unit)
}
