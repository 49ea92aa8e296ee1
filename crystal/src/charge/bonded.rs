//! Oxygen atoms that are bound to each other: what a structure says of states that a formula cannot.

use super::Declared;
use crate::neighbors::{NeighborError, neighbors};
use crate::{Site, Structure};

/// Two oxygen atoms within this distance (Å) are bound: 1.28 to 1.35 in superoxides and ozonides, 1.40 to 1.55 in
/// peroxides; others keep 2.2 Å apart.
const BOND: f64 = 1.65;

/// Below this distance (Å) a pair is a superoxide, O2−.
const SUPEROXIDE: f64 = 1.38;

/// Below this distance (Å) a pair is O2, or one whose thermal motion makes it look short: not told.
const UNSURE: f64 = 1.25;

/// States of the oxygen atoms of an ordered structure from the lengths of their bonds: −1 in peroxides, −½ in
/// superoxides, −⅓ in ozonides (Vannerberg, *Prog. Inorg. Chem.* **4**, 125 (1962)), −2 where an atom has no oxygen
/// beside it. Nothing is told of a disordered structure, nor next to fluorine, where oxygen may be positive.
///
/// # Errors
/// When a coordinate is not finite, see [`NeighborError`].
pub fn oxygen_states(structure: &Structure) -> Result<Vec<Declared>, NeighborError> {
    let of = |symbol| move |s: &&Site| s.element.is_some_and(|e| e.symbol() == symbol);
    if !structure.is_ordered() || structure.sites.iter().any(|s| of("F")(&s)) {
        return Ok(Vec::new());
    }
    let sites: Vec<_> = structure.sites.iter().filter(of("O")).collect();
    let frac: Vec<_> = sites.iter().map(|s| s.frac).collect();
    let near = neighbors(&structure.lattice, &frac, BOND)?;
    let mut declared: Vec<Declared> = Vec::new();
    for (atom, site) in sites.iter().enumerate() {
        let Some(element) = site.element else { continue };
        let state = match near.of(atom) {
            [] => -2.0,
            [one] if near.of(one.index as usize).len() > 1 => -1.0 / 3.0,
            [one] if one.distance < UNSURE => continue,
            [one] if one.distance < SUPEROXIDE => -0.5,
            [_] => -1.0,
            [_, _] => -1.0 / 3.0,
            // So crowded that the atoms are no molecule.
            _ => continue,
        };
        match declared.iter_mut().find(|d| d.state == state) {
            Some(known) => known.amount += 1.0,
            None => declared.push(Declared { element, state, amount: 1.0 }),
        }
    }
    Ok(declared)
}

#[cfg(test)]
mod tests {
    use nalgebra::Vector3;

    use super::*;
    use crate::Lattice;
    use crate::charge::{Balance, balance, balance_with};

    /// A cube of 10 Å with atoms at these places (Å).
    fn cube(atoms: &[(&str, [f64; 3])]) -> Structure {
        let lattice = Lattice::from_parameters([10.0; 3], [90.0; 3]).unwrap();
        let site = |(symbol, at): &(&str, [f64; 3])| {
            Site::new(symbol.parse().unwrap(), Vector3::from(*at) / 10.0)
        };
        Structure { lattice, sites: atoms.iter().map(site).collect() }
    }

    fn states(atoms: &[(&str, [f64; 3])]) -> Vec<(f64, f64)> {
        oxygen_states(&cube(atoms)).unwrap().iter().map(|d| (d.state, d.amount)).collect()
    }

    #[test]
    fn bond_lengths_tell_the_state() {
        let pair = |d: f64| states(&[("O", [0.0; 3]), ("O", [d, 0.0, 0.0])]);
        assert_eq!(pair(1.21), []);
        assert_eq!(pair(1.33), [(-0.5, 2.0)]);
        assert_eq!(pair(1.49), [(-1.0, 2.0)]);
        assert_eq!(pair(2.2), [(-2.0, 2.0)]);
        assert_eq!(states(&[("O", [0.0; 3]), ("F", [1.4, 0.0, 0.0])]), []);
        let ozonide = [("O", [0.0; 3]), ("O", [1.34, 0.0, 0.0]), ("O", [-0.5, 1.24, 0.0])];
        assert_eq!(states(&ozonide), [(-1.0 / 3.0, 3.0)]);
    }

    #[test]
    fn a_peroxide_that_the_formula_hides_is_neutral() {
        // K3NbO8: four peroxide groups around niobium.
        let formula: crate::Composition = "K3NbO8".parse().unwrap();
        assert!(matches!(balance(&formula, 0.01), Balance::Charged { .. }));
        let mut atoms = vec![("Nb", [5.0, 5.0, 5.0])];
        atoms.extend([("K", [0.0, 0.0, 0.0]), ("K", [0.0, 5.0, 0.0]), ("K", [5.0, 0.0, 0.0])]);
        for x in [1.0, 3.5, 6.0, 8.5] {
            atoms.extend([("O", [x, 2.5, 5.0]), ("O", [x, 2.5, 6.48])]);
        }
        let crystal = cube(&atoms);
        let declared = oxygen_states(&crystal).unwrap();
        let verdict = balance_with(&crystal.composition(), &declared, 0.01);
        assert!(matches!(verdict, Balance::Neutral { .. }), "{verdict:?}");
    }

    #[test]
    fn a_formula_that_could_be_a_peroxide_is_none_without_the_bonds() {
        // K2C2O6 has the formula of KHCO3 whose hydrogen was lost.
        let formula: crate::Composition = "K2C2O6".parse().unwrap();
        assert!(matches!(balance(&formula, 0.01), Balance::Neutral { .. }));
        let apart = [("O", [0.0; 3]), ("O", [2.2, 0.0, 0.0]), ("O", [1.1, 1.9, 0.0])];
        let mut atoms = vec![("C", [1.1, 0.6, 0.0]), ("K", [5.0, 5.0, 5.0])];
        atoms.extend(apart);
        let crystal = cube(&atoms);
        let declared = oxygen_states(&crystal).unwrap();
        let verdict = balance_with(&crystal.composition(), &declared, 0.01);
        assert!(matches!(verdict, Balance::Charged { .. }), "{verdict:?}");
    }
}
