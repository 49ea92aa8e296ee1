//! Reading the blocks of a CIF.

use cellwright_crystal::{Lattice, Site, Structure};

use super::expand::{self, Row};
use super::frame::Frame;
use super::names::{Names, Place};
use super::sites::{self, Sites};
use super::{AtomSite, Obstacle, ObstacleKind, Origin, Reading, Symmetry, cell, symmetry};
use crate::cif::{Block, CifFile};

/// One reading for each block that has a cell or atoms. Save frames define things and are no crystals.
pub(super) fn read(text: &str, file: &CifFile) -> Vec<Reading> {
    let blocks = file.blocks.iter().enumerate();
    blocks.filter_map(|(i, block)| read_block(text, i, block)).collect()
}

fn read_block(text: &str, index: usize, block: &Block) -> Option<Reading> {
    let names = Names::new(block);
    let (cell, lattice) = cell::read(text, &names);
    if cell.is_none() && !sites::mentioned(&names) {
        return None;
    }
    let good = lattice.as_ref().and_then(|l| l.as_ref().ok());
    let mut obstacles = Vec::new();
    let frame = good.map(|lattice| Frame::read(text, &names, lattice));
    let mut sites = sites::read(text, &names, frame.as_ref(), &mut obstacles);
    obstacles.extend(incomplete_row(&names));
    let atoms = atoms(&sites);
    let symmetry = symmetry::read(text, &names, good, &atoms, &mut obstacles);
    let (structure, origins) = match good {
        Some(lattice) => structure(lattice, &symmetry, atoms, &mut obstacles),
        None => (None, Vec::new()),
    };
    for origin in &origins {
        sites.rows[origin.site].multiplicity += 1;
    }
    obstacles.sort_by_key(|o| o.span);
    Some(Reading {
        name: block.name.value.clone(),
        block: index,
        header: block.name.span,
        span: block.span,
        cell,
        lattice,
        symmetry,
        sites: sites.rows,
        structure,
        origins,
        obstacles,
    })
}

/// A table of atoms whose values do not fill its rows: one too few or too many shifts all that follow.
fn incomplete_row(names: &Names) -> Option<Obstacle> {
    let Some(Place::Column(table, _)) = sites::table(names) else { return None };
    let last = table.values.last()?;
    let left = table.values.len() % table.names.len();
    (left > 0).then(|| Obstacle {
        span: last.span,
        kind: ObstacleKind::Rows,
        message: format!(
            "the table of atoms ends with {left} of {} values of a row",
            table.names.len()
        ),
    })
}

/// The rows that are atoms with a position.
fn atoms(sites: &Sites) -> Vec<Row> {
    let atoms = sites.rows.iter().enumerate().zip(&sites.is_atom).filter(|(_, is_atom)| **is_atom);
    let row = |((index, row), _): ((usize, &AtomSite), _)| {
        let AtomSite { element, oxidation, occupancy, .. } = *row;
        // Digits of Å say nothing about fractions: the finest tolerance serves them.
        let written = row.decimals.into_iter().max().unwrap_or(0);
        let decimals = if sites.cartesian { u8::MAX } else { written };
        let site = Site { element, oxidation, occupancy, frac: row.frac? };
        Some(Row { index, span: row.row, site, decimals })
    };
    atoms.filter_map(row).collect()
}

/// The whole cell.
fn structure(
    lattice: &Lattice,
    symmetry: &Symmetry,
    atoms: Vec<Row>,
    obstacles: &mut Vec<Obstacle>,
) -> (Option<Structure>, Vec<Origin>) {
    let Some(first) = atoms.first().map(|row| row.span) else { return (None, Vec::new()) };
    let (rows, operations) = (atoms.len(), symmetry.operations.len());
    match expand::expand(lattice, &symmetry.operations, atoms) {
        Ok((structure, origins)) => (Some(structure), origins),
        Err(expand::TooMany(images)) => {
            let message = format!(
                "{rows} rows under {operations} operations may give {images} atoms: \
                 more than can be held"
            );
            obstacles.push(Obstacle { span: first, kind: ObstacleKind::TooManyAtoms, message });
            (None, Vec::new())
        }
    }
}
