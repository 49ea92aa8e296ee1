//! Condensing known crystals into classes.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use cellwright_crystal::matching::{Matcher, Prepared};
use cellwright_crystal::{Element, Site, Structure};
use nalgebra::{Matrix3, Vector3};
use rayon::prelude::*;

use super::geometry::{quantise, quantise_cell};
use super::library::{Class, Library, Member, Provenance};
use super::permutations::permutations;
use crate::ModelError;
use crate::data::{self, Entry};

/// Classes with more equal slots than this are not looked at for exchanges: 8! matches are enough.
const MOST_ORDERS: usize = 40_320;

/// A known crystal, reduced.
#[derive(Debug, Clone)]
pub struct Known {
    /// Its line in the data set.
    pub entry: Entry,
    prepared: Prepared,
    /// Elements with their counts in the primitive cell, the rarest first.
    slots: Vec<(Element, usize)>,
}

impl Known {
    /// Reduces a crystal; none if it is no crystal that can be matched.
    ///
    /// # Errors
    /// When the entry is no structure at all.
    pub fn new(entry: Entry) -> Result<Option<Self>, ModelError> {
        let structure = entry.crystal.structure()?;
        let Ok(prepared) = Matcher::default().prepare(&structure) else { return Ok(None) };
        let mut slots = Vec::new();
        for (kind, count) in prepared.kinds() {
            match kind.species().next() {
                Some((Some(element), _)) => slots.push((element, count)),
                _ => return Ok(None),
            }
        }
        slots.sort_by_key(|(element, count)| (*count, *element));
        Ok(Some(Self { entry, prepared, slots }))
    }

    /// Elements and counts by element: equal for equal primitive cells.
    fn formula(&self) -> Vec<(Element, usize)> {
        let mut formula = self.slots.clone();
        formula.sort_unstable();
        formula
    }

    /// The element of each site of the primitive cell.
    fn elements(&self) -> impl Iterator<Item = Element> + '_ {
        let kinds = self.prepared.kinds();
        kinds
            .flat_map(|(kind, n)| {
                let element = kind.species().next().and_then(|(e, _)| e);
                std::iter::repeat_n(element, n)
            })
            .flatten()
    }

    /// The primitive cell with other elements.
    fn renamed(&self, names: &HashMap<Element, Element>) -> Structure {
        let sites = self.elements().enumerate().map(|(i, element)| {
            let element = names.get(&element).copied().unwrap_or(element);
            Site::new(element, *self.prepared.frac(i))
        });
        Structure { lattice: *self.prepared.lattice(), sites: sites.collect() }
    }
}

/// The crystals of data sets (`mp_20/train`) below a folder, reduced, and the SHA-256 of their files.
///
/// # Errors
/// When a set cannot be read.
pub fn read(
    data: &Path,
    sets: &[String],
) -> Result<(Vec<Known>, BTreeMap<String, String>), ModelError> {
    let (mut crystals, mut hashes) = (Vec::new(), BTreeMap::new());
    let mut seen = HashSet::new();
    for set in sets {
        let path = data.join(format!("{set}.jsonl.zst"));
        hashes.insert(set.clone(), data::sha256(&path)?);
        let mut entries = data::entries(&path)?;
        entries.retain(|entry| seen.insert(entry.crystal.id.clone()));
        let known: Vec<Option<Known>> =
            entries.into_par_iter().map(Known::new).collect::<Result<_, _>>()?;
        crystals.extend(known.into_iter().flatten());
    }
    Ok((crystals, hashes))
}

/// Crystals that a library must not hold, because it is to be tested on them.
#[derive(Debug, Default)]
pub struct Foreign {
    ids: HashSet<String>,
    crystals: HashMap<Vec<(Element, usize)>, Vec<Known>>,
}

impl Foreign {
    /// Of these ids and crystals.
    #[must_use]
    pub fn new(ids: impl IntoIterator<Item = String>, crystals: Vec<Known>) -> Self {
        let mut ids: HashSet<String> = ids.into_iter().collect();
        let mut by_formula = HashMap::<_, Vec<_>>::new();
        for known in crystals {
            ids.insert(known.entry.crystal.id.clone());
            by_formula.entry(known.formula()).or_default().push(known);
        }
        Self { ids, crystals: by_formula }
    }

    /// Whether a crystal is one of them: the same id, the same formula and space group in a primitive cell of the same
    /// size, or the same crystal by matching.
    #[must_use]
    pub fn holds(&self, known: &Known) -> bool {
        let matcher = Matcher::default();
        let same = |other: &Known| {
            (known.entry.space_group.is_some()
                && known.entry.space_group == other.entry.space_group)
                || matcher.fit(&known.prepared, &other.prepared)
        };
        self.ids.contains(&known.entry.crystal.id)
            || self.crystals.get(&known.formula()).is_some_and(|others| others.iter().any(same))
    }
}

/// Condenses crystals into classes. Of crystals that are the same with the same elements the one with the lowest energy
/// above hull stays. The order of the crystals decides which is compared with which, and so, rarely, the classes.
#[must_use]
pub fn build(crystals: Vec<Known>, provenance: Provenance) -> Library {
    let mut buckets = BTreeMap::<Vec<usize>, Vec<Known>>::new();
    for known in crystals {
        let counts = known.slots.iter().map(|(_, n)| *n).collect();
        buckets.entry(counts).or_default().push(known);
    }
    let buckets: Vec<_> = buckets.into_iter().collect();
    let classes = buckets
        .into_par_iter()
        .flat_map_iter(|(counts, crystals)| condense(&counts, crystals))
        .collect();
    Library::new(classes, provenance)
}

/// The classes of crystals that have these counts.
fn condense(counts: &[usize], crystals: Vec<Known>) -> Vec<Class> {
    let mut classes: Vec<(Known, Class)> = Vec::new();
    for known in crystals {
        let home =
            classes.iter_mut().find_map(|(first, class)| Some((member(&known, first)?, class)));
        match home {
            Some((member, class)) => class.add(member),
            None => {
                if let Some(own) = member(&known, &known) {
                    let automorphisms = automorphisms(counts, &known);
                    let class =
                        Class { counts: counts.to_vec(), automorphisms, members: vec![own] };
                    classes.push((known, class));
                }
            }
        }
    }
    classes.into_iter().map(|(_, class)| class).collect()
}

impl Class {
    /// Adds a member unless the class has the same crystal already.
    fn add(&mut self, member: Member) {
        let hull = |m: &Member| m.hull.unwrap_or(f64::INFINITY);
        let same = |other: &&mut Member| {
            self.automorphisms.iter().any(|order| {
                order
                    .iter()
                    .enumerate()
                    .all(|(slot, a)| member.elements[*a] == other.elements[slot])
            })
        };
        // The first one stays where it is: the others are laid on it.
        match self.members.iter_mut().find(same) {
            None => self.members.push(member),
            Some(other) if hull(&member) < hull(other) => *other = member,
            Some(_) => {}
        }
    }
}

/// The crystal laid on the first one of a class; none if it is another class.
fn member(known: &Known, first: &Known) -> Option<Member> {
    let found = Matcher::default().fit_anonymous(&known.prepared, &first.prepared)?;
    let back: HashMap<Element, Element> = found.elements.iter().map(|(a, b)| (*b, *a)).collect();
    let elements: Vec<Element> =
        first.slots.iter().map(|(e, _)| back.get(e).copied()).collect::<Option<_>>()?;
    // x = f L = f' (B L), so f' = f B⁻¹; what is left is the translation.
    let basis = found.found.basis.map(f64::from);
    let inverse = basis.try_inverse()?;
    let rows: Matrix3<f64> = basis * known.prepared.lattice().matrix();
    let volume = rows.determinant();
    // A left-handed basis is that of the mirror image, which lengths and angles do not tell from the crystal.
    let lattice = cellwright_crystal::Lattice::from_rows(rows * volume.signum()).ok()?;
    let mut at = vec![Vector3::zeros(); known.prepared.len()];
    for (i, &partner) in found.found.partners.iter().enumerate() {
        at[partner] = inverse.tr_mul(known.prepared.frac(i)) - found.found.translation;
    }
    let on: Vec<Element> = first.elements().collect();
    let slots = first.slots.iter().map(|(e, _)| *e);
    let frac = slots
        .flat_map(|slot| (0..on.len()).filter(|i| on[*i] == slot).collect::<Vec<_>>())
        .map(|i| quantise(&at[i]))
        .collect();
    Some(Member {
        id: known.entry.crystal.id.clone(),
        elements,
        // As exactly as the file keeps it.
        hull: known.entry.hull.map(|h| (h * 1e3).round() / 1e3),
        space_group: known.entry.space_group.unwrap_or(0),
        cell: quantise_cell(&lattice),
        frac,
    })
}

/// Exchanges of equal slots that leave a crystal what it is.
fn automorphisms(counts: &[usize], known: &Known) -> Vec<Vec<usize>> {
    let matcher = Matcher::default();
    let mut found = Vec::new();
    let mut tried = 0;
    permutations(counts.len(), &|a, b| counts[a] == counts[b], &mut |order| {
        tried += 1;
        let identity = order.iter().enumerate().all(|(a, b)| a == *b);
        let names = || {
            order.iter().enumerate().map(|(a, b)| (known.slots[a].0, known.slots[*b].0)).collect()
        };
        let same = identity
            || matcher
                .prepare(&known.renamed(&names()))
                .is_ok_and(|other| matcher.fit(&other, &known.prepared));
        if same {
            found.push(order.to_vec());
        }
        tried < MOST_ORDERS
    });
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Crystal;

    /// Rutile with these elements, its axes turned and its origin moved.
    fn rutile(id: &str, numbers: [u8; 2], hull: f64, turn: usize, shift: [f64; 3]) -> Known {
        let u = 0.305;
        let frac = [
            [0.0, 0.0, 0.0],
            [0.5, 0.5, 0.5],
            [u, u, 0.0],
            [1.0 - u, 1.0 - u, 0.0],
            [0.5 + u, 0.5 - u, 0.5],
            [0.5 - u, 0.5 + u, 0.5],
        ];
        let mut lengths = [4.6, 4.6, 2.96];
        lengths.rotate_left(turn);
        let place = |mut x: [f64; 3]| {
            x.rotate_left(turn);
            [0, 1, 2].map(|k| x[k] + shift[k])
        };
        let [a, b] = numbers;
        let crystal = Crystal {
            id: id.into(),
            numbers: vec![a, a, b, b, b, b],
            frac: frac.into_iter().map(place).collect(),
            lengths,
            angles: [90.0; 3],
        };
        let entry = Entry { crystal, hull: Some(hull), space_group: Some(136) };
        Known::new(entry).unwrap().unwrap()
    }

    #[test]
    fn members_lie_on_each_other_and_stay_what_they_are() {
        let all = vec![
            rutile("a-1", [22, 8], 0.1, 0, [0.0; 3]),
            rutile("a-2", [50, 8], 0.0, 1, [0.1, 0.2, 0.3]),
            rutile("a-3", [22, 8], 0.0, 2, [0.4, 0.0, 0.7]),
            rutile("a-4", [12, 9], 0.02, 2, [0.05, 0.6, 0.0]),
        ];
        let library = build(all.clone(), Provenance::default());
        assert_eq!((library.classes().len(), library.crystals()), (1, 3));
        let class = &library.classes()[0];
        assert_eq!((class.counts.as_slice(), class.automorphisms.len()), (&[2, 4][..], 1));
        // Of two entries for the same crystal the more stable one is kept.
        assert_eq!(class.members[0].id, "a-3");
        let matcher = Matcher::default();
        for member in &class.members {
            let crystal = matcher.prepare(&class.crystal(member).unwrap()).unwrap();
            let first = all.iter().find(|k| k.entry.crystal.id == member.id).unwrap();
            let found = matcher.rms(&first.prepared, &crystal).unwrap();
            assert!(found.rms < 1e-3, "{}: {}", member.id, found.rms);
            // Laid on the first one, coordinates agree to the grid.
            for (a, b) in member.frac.iter().zip(&class.members[0].frac) {
                for (x, y) in a.iter().zip(b) {
                    let apart = i32::from(*x) - i32::from(*y);
                    assert!(apart.abs() < 700 || apart.abs() > 60_700, "{apart}");
                }
            }
        }
    }

    #[test]
    fn what_is_to_be_found_is_not_in_the_library() {
        let test = rutile("t-1", [22, 8], 0.0, 0, [0.0; 3]);
        let foreign = Foreign::new(["b-9".to_owned()], vec![test]);
        assert!(foreign.holds(&rutile("t-1", [50, 8], 0.0, 0, [0.0; 3])));
        assert!(foreign.holds(&rutile("b-9", [50, 8], 0.0, 0, [0.0; 3])));
        assert!(foreign.holds(&rutile("x-1", [22, 8], 0.0, 1, [0.2; 3])));
        assert!(!foreign.holds(&rutile("x-2", [50, 8], 0.0, 0, [0.0; 3])));
    }
}
