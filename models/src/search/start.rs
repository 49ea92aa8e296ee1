//! One random structure.

use cellwright_crystal::cells::standard;
use cellwright_crystal::symmetry::{Operation, Setting};
use cellwright_crystal::{Element, Lattice, Site, Structure};
use nalgebra::Vector3;

use super::cell::random_cell;
use super::orbit::random_orbit;
use crate::nn::random::Random;

/// What a start should look like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// Volume of the cell with the counts that are asked for (Å³).
    pub volume: f64,
    /// The volume is drawn from 1 − spread to 1 + spread times that.
    pub spread: f64,
    /// No two atoms are closer than this share of the sum of their covalent radii.
    pub shortest: f64,
    /// Only structures in this space group (International Tables number); it may turn out to be a supergroup.
    pub space_group: Option<u16>,
    /// Groups and cells that are tried before giving up.
    pub attempts: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { volume: 0.0, spread: 0.15, shortest: 0.75, space_group: None, attempts: 400 }
    }
}

/// Orbits that are drawn for one element before another group is tried.
const DRAWS: usize = 60;

/// Covalent radius (Å) of an element without one.
const RADIUS: f64 = 1.5;

/// A random structure with the given atoms in its primitive cell, or in the whole cell of a primitive group; none when every attempt
/// failed. The same random numbers give the same structure.
#[must_use]
pub fn random_structure(
    counts: &[(Element, u32)],
    settings: &Settings,
    random: &mut Random,
) -> Option<Structure> {
    (0..settings.attempts).find_map(|_| attempt(counts, settings, random))
}

fn attempt(
    counts: &[(Element, u32)],
    settings: &Settings,
    random: &mut Random,
) -> Option<Structure> {
    let number = settings.space_group.unwrap_or(1 + random.below(230) as u16);
    let setting = Setting::standard(number)?;
    let operations = setting.operations();
    let centring = operations.iter().filter(|op| is_translation(op)).count();
    let scale = 1.0 + settings.spread * (2.0 * random.uniform() - 1.0);
    let volume = settings.volume * scale * centring as f64;
    let lattice = random_cell(setting.system(), volume, random)?;
    let mut structure = Structure { lattice, sites: Vec::new() };
    // The largest counts first: they are the hardest to fill, and leave room to the others.
    let mut order: Vec<&(Element, u32)> = counts.iter().collect();
    order.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    for (element, count) in order {
        let atoms = *count as usize * centring;
        fill(&mut structure, *element, atoms, &operations, settings.shortest, random)?;
    }
    if centring == 1 {
        return Some(structure);
    }
    // Of a supergroup the primitive cell may be smaller still; then it holds too few atoms.
    let primitive = standard(&structure, 1e-3).ok()?.primitive.structure;
    let wanted: usize = counts.iter().map(|(_, n)| *n as usize).sum();
    (primitive.len() == wanted).then_some(primitive)
}

fn is_translation(operation: &Operation) -> bool {
    operation.rotation == nalgebra::Matrix3::identity()
}

/// Puts exactly `atoms` atoms of an element on orbits, none too close to another atom.
fn fill(
    structure: &mut Structure,
    element: Element,
    atoms: usize,
    operations: &[Operation],
    shortest: f64,
    random: &mut Random,
) -> Option<()> {
    let mut left = atoms;
    for _ in 0..DRAWS {
        if left == 0 {
            break;
        }
        let Some(orbit) = random_orbit(operations, &structure.lattice, random) else { continue };
        if orbit.len() <= left && has_room(structure, element, &orbit, shortest) {
            left -= orbit.len();
            structure.sites.extend(orbit.into_iter().map(|frac| Site::new(element, frac)));
        }
    }
    (left == 0).then_some(())
}

/// Covalent radius (Å).
pub(super) fn radius(element: Option<Element>) -> f64 {
    element.and_then(|e| e.data().covalent_radius).unwrap_or(RADIUS)
}

/// Whether an orbit keeps its distance to what is there, to itself and to its images in other cells.
fn has_room(
    structure: &Structure,
    element: Element,
    orbit: &[Vector3<f64>],
    shortest: f64,
) -> bool {
    let own = radius(Some(element));
    // Every member of the orbit sees the same, so the first one speaks for all.
    let Some(first) = orbit.first() else { return false };
    let is_clear = |frac: &Vector3<f64>, other: f64, is_itself: bool| {
        let limit = shortest * (own + other);
        let mut distances = distances(&structure.lattice, &(frac - first));
        distances.all(|d| d >= limit || (is_itself && d < 1e-6))
    };
    let mut others = structure.sites.iter();
    let mut alike = orbit.iter().enumerate();
    others.all(|site| is_clear(&site.frac, radius(site.element), false))
        && alike.all(|(i, frac)| is_clear(frac, own, i == 0))
}

/// The lengths of a difference and its images in the neighbouring cells (Å); the cells drawn here are not so skewed that others
/// could be nearer.
fn distances<'a>(
    lattice: &'a Lattice,
    difference: &Vector3<f64>,
) -> impl Iterator<Item = f64> + use<'a> {
    let near = difference.map(|x| x - x.round());
    let shift = |i: i32| [i / 9 - 1, i / 3 % 3 - 1, i % 3 - 1].map(f64::from);
    (0..27).map(move |i| lattice.to_cartesian(&(near + Vector3::from(shift(i)))).norm())
}

#[cfg(test)]
mod tests {
    use cellwright_crystal::symmetry::detect;

    use super::*;

    fn element(symbol: &str) -> Element {
        Element::from_symbol(symbol).unwrap()
    }

    fn counts(formula: &[(&str, u32)]) -> Vec<(Element, u32)> {
        formula.iter().map(|(symbol, n)| (element(symbol), *n)).collect()
    }

    #[test]
    fn starts_have_the_atoms_the_volume_and_the_distances_asked_for() {
        for (formula, volume) in [
            (vec![("Si", 2)], 40.0),
            (vec![("Na", 1), ("Cl", 1)], 45.0),
            (vec![("Sr", 1), ("Ti", 1), ("O", 3)], 60.0),
            (vec![("Li", 4), ("Fe", 4), ("P", 4), ("O", 16)], 300.0),
        ] {
            let counts = counts(&formula);
            let settings = Settings { volume, ..Settings::default() };
            for seed in 0..6 {
                let start = random_structure(&counts, &settings, &mut Random::new(seed, 0));
                let start = start.unwrap_or_else(|| panic!("{formula:?}, seed {seed}"));
                for (element, n) in &counts {
                    let found = start.sites.iter().filter(|s| s.element == Some(*element)).count();
                    assert_eq!(found, *n as usize, "{formula:?}, seed {seed}");
                }
                assert!((start.lattice.volume() / volume - 1.0).abs() <= 0.1501);
                let pair = start.closest_pair().unwrap().unwrap();
                let smallest = counts.iter().filter_map(|(e, _)| e.data().covalent_radius);
                let smallest = smallest.fold(f64::INFINITY, f64::min);
                assert!(pair.distance >= 1.5 * smallest - 1e-9, "{formula:?}: {}", pair.distance);
            }
        }
    }

    #[test]
    fn a_start_has_the_group_asked_for_or_more() {
        let counts = counts(&[("Ti", 2), ("O", 4)]);
        let settings = Settings { volume: 62.0, space_group: Some(136), ..Settings::default() };
        let mut exactly = 0;
        for seed in 0..10 {
            let start = random_structure(&counts, &settings, &mut Random::new(seed, 1)).unwrap();
            let found = detect(&start, 1e-3).unwrap();
            assert!(found.operations.len() >= 16, "{}", found.hm);
            exactly += usize::from(found.number == 136);
        }
        // Atoms on special positions often have more symmetry than was asked for, but not always.
        assert!((1..10).contains(&exactly), "{exactly}");
    }

    #[test]
    fn groups_are_many_and_numbers_decide() {
        let counts = counts(&[("Mg", 2), ("O", 2)]);
        let settings = Settings { volume: 40.0, ..Settings::default() };
        let draw = |seed| random_structure(&counts, &settings, &mut Random::new(seed, 0)).unwrap();
        assert_eq!(draw(3), draw(3));
        let groups: std::collections::BTreeSet<u16> =
            (0..30).map(|seed| detect(&draw(seed), 1e-3).unwrap().number).collect();
        assert!(groups.len() > 8, "{groups:?}");
    }

    #[test]
    fn what_cannot_be_is_none() {
        let counts = counts(&[("Cs", 8)]);
        let tight = Settings { volume: 20.0, attempts: 20, ..Settings::default() };
        assert_eq!(random_structure(&counts, &tight, &mut Random::new(0, 0)), None);
        let nothing = Settings { attempts: 20, ..Settings::default() };
        assert_eq!(random_structure(&counts, &nothing, &mut Random::new(0, 0)), None);
    }
}
