//! What makes two sites the same to symmetry.

use crate::{Element, Site};

/// Species, occupancy and charge of a site, comparable. A masked site is a species of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Kind {
    element: Option<Element>,
    /// In ten-thousandths: files give occupancies with no more digits that mean anything.
    occupancy: i64,
    /// In hundredths.
    oxidation: Option<i64>,
}

impl Kind {
    pub(super) fn of(site: &Site) -> Self {
        Self {
            element: site.element,
            occupancy: (site.occupancy * 1e4).round() as i64,
            oxidation: site.oxidation.map(|x| (x * 100.0).round() as i64),
        }
    }
}
