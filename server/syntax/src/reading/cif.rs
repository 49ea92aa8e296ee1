//! Reading the blocks of a CIF.

use cellwright_crystal::{Lattice, Site, Structure};

use super::expand::{self, Row};
use super::frame::Frame;
use super::names::Names;
use super::sites::{self, SiteRow};
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
    let symmetry = symmetry::read(text, &names, good, &mut obstacles);
    let frame = good.map(|lattice| Frame::read(text, &names, lattice));
    let rows = sites::read(text, &names, frame.as_ref(), &mut obstacles);
    let (structure, origins) = match good {
        Some(lattice) => {
            let rows = Rows { all: &rows, cartesian: sites::coordinate_names(&names).1 };
            structure(lattice, &symmetry, &rows, block, &mut obstacles)
        }
        None => (None, Vec::new()),
    };
    let mut sites: Vec<AtomSite> = rows.into_iter().map(|row| row.site).collect();
    for origin in &origins {
        sites[origin.site].multiplicity += 1;
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
        sites,
        structure,
        origins,
        obstacles,
    })
}

/// The rows of a block, and whether their coordinates are Cartesian.
struct Rows<'a> {
    all: &'a [SiteRow],
    cartesian: bool,
}

/// The whole cell, from the rows that have a position.
fn structure(
    lattice: &Lattice,
    symmetry: &Symmetry,
    rows: &Rows,
    block: &Block,
    obstacles: &mut Vec<Obstacle>,
) -> (Option<Structure>, Vec<Origin>) {
    let placed = rows.all.iter().enumerate().filter(|(_, row)| row.is_atom);
    let placed = placed.filter_map(|(index, SiteRow { site, .. })| {
        let AtomSite { element, oxidation, occupancy, .. } = *site;
        // Digits of Å say nothing about fractions: the finest tolerance serves them.
        let written = site.decimals.into_iter().max().unwrap_or(0);
        let decimals = if rows.cartesian { u8::MAX } else { written };
        let frac = site.frac?;
        Some(Row { index, site: Site { element, oxidation, occupancy, frac }, decimals })
    });
    let placed: Vec<Row> = placed.collect();
    if placed.is_empty() {
        return (None, Vec::new());
    }
    match expand::expand(lattice, &symmetry.operations, placed) {
        Ok((structure, origins)) => (Some(structure), origins),
        Err(expand::TooMany(images)) => {
            let span = rows.all.first().map_or(block.name.span, |row| row.site.row);
            let message = format!(
                "{} rows under {} operations may give {images} atoms: more than can be held",
                rows.all.len(),
                symmetry.operations.len()
            );
            obstacles.push(Obstacle { span, kind: ObstacleKind::TooManyAtoms, message });
            (None, Vec::new())
        }
    }
}
