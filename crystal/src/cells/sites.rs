//! Where sites lie and in which order they are listed.

use std::cmp::Ordering;

use nalgebra::Vector3;

use crate::structure::wrap_unit;
use crate::{Element, Site, Structure};

/// Brings every site into the cell: fractional coordinates in [0, 1).
pub fn wrap(structure: &mut Structure) {
    for site in &mut structure.sites {
        site.frac = site.frac.map(wrap_unit);
    }
}

/// Moves every site by a fractional vector; nothing is wrapped.
pub fn translate(structure: &mut Structure, by: &Vector3<f64>) {
    for site in &mut structure.sites {
        site.frac += by;
    }
}

/// An order of sites. Sites alike in it keep the order they are in; masked sites come last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// By electronegativity (Pauling), least first, as formulas are written; elements without one after
    /// the others by atomic number.
    Electronegativity,
    /// By atomic number.
    AtomicNumber,
    /// By symbol, alphabetically.
    Symbol,
    /// By position in the cell: x, then y, then z, wrapped.
    Position,
}

/// Sorts the sites. The result tells for each place in the new order the place in the old one.
pub fn sort(structure: &mut Structure, order: Order) -> Vec<usize> {
    let mut places: Vec<_> = (0..structure.len()).collect();
    let sites = &structure.sites;
    places.sort_by(|&i, &j| compare(&sites[i], &sites[j], order));
    structure.sites = places.iter().map(|&i| sites[i].clone()).collect();
    places
}

fn compare(a: &Site, b: &Site, order: Order) -> Ordering {
    let by_element = |key: &dyn Fn(&Element, &Element) -> Ordering| match (a.element, b.element) {
        (Some(a), Some(b)) => key(&a, &b),
        (a, b) => a.is_none().cmp(&b.is_none()),
    };
    match order {
        Order::Electronegativity => by_element(&Element::cmp_electronegativity),
        Order::AtomicNumber => by_element(&Ord::cmp),
        Order::Symbol => by_element(&|a, b| a.symbol().cmp(b.symbol())),
        Order::Position => {
            let place = |site: &Site| site.frac.map(wrap_unit);
            let (a, b) = (place(a), place(b));
            let axes = a.iter().zip(&b).map(|(x, y)| x.total_cmp(y));
            axes.fold(Ordering::Equal, Ordering::then)
        }
    }
}
