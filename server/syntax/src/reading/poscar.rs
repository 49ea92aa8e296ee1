//! Reading a POSCAR.

use std::collections::HashMap;

use cellwright_crystal::symmetry::Operation;
use cellwright_crystal::{Lattice, LatticeError, Site, Structure};
use nalgebra::{Matrix3, Vector3};

use super::expand::MAX_ATOMS;
use super::poscar_species::{self, Group};
use super::sites::FARTHEST;
use super::{AtomSite, Cell, Obstacle, ObstacleKind, OperationSource, Origin, Reading, Symmetry};
use crate::poscar::{AtomRow, Mode, PoscarFile};
use crate::text::Span;

/// The one reading of a POSCAR.
pub(super) fn read(text: &str, file: &PoscarFile) -> Reading {
    let mut obstacles = Vec::new();
    let scale = scale(file);
    let cell = file
        .lattice
        .first()
        .zip(file.lattice.last())
        .map(|(first, last)| Cell::Vectors(first[0].span.cover(last[2].span)));
    let lattice = scale.map(|scale| lattice(file, scale));
    let good = lattice.as_ref().and_then(|l| l.as_ref().ok());
    let groups = poscar_species::groups(text, file, &mut obstacles);
    let mut running: HashMap<&str, usize> = HashMap::new();
    let too_many = file.atoms.len() > MAX_ATOMS;
    if let Some(counts) = file.counts.first().filter(|_| too_many) {
        let message = format!("{} rows of atoms: more than can be held", file.atoms.len());
        let (span, kind) = (counts.span, ObstacleKind::TooManyAtoms);
        obstacles.push(Obstacle { span, kind, message });
    }
    let atoms = if too_many { &[][..] } else { &file.atoms };
    let mut sites = Vec::with_capacity(atoms.len());
    for row in atoms {
        let group = groups.get(row.group).cloned().unwrap_or_default();
        let number = groups.get(row.group).map_or(0, |g| {
            let number = running.entry(g.name.as_str()).or_default();
            *number += 1;
            *number
        });
        let frac = fractional(file, row, scale, good);
        // What overflowed on its way through the cell is infinite or NaN, and no nearer.
        let near = |f: Vector3<f64>| f.iter().all(|x| x.abs() <= FARTHEST);
        let far = row.coordinates.iter().position(|_| frac.is_some_and(|f| !near(f)));
        if let Some(i) = far {
            let message = "the atom lies far outside any cell".to_owned();
            let span = row.coordinates[i].span;
            obstacles.push(Obstacle { span, kind: ObstacleKind::Coordinate, message });
        }
        sites.push(site(row, &group, number, frac.filter(|_| far.is_none())));
    }
    obstacles.extend(wrong_rows(file));
    let (structure, origins) = structure(good, &mut sites);
    let comment = file.comment.as_ref();
    obstacles.sort_by_key(|o| o.span);
    Reading {
        name: comment.map(|c| c.value.trim().to_owned()).unwrap_or_default(),
        block: 0,
        header: comment.map_or(Span::at(0), |c| c.span),
        span: Span::new(0, text.len()),
        cell,
        lattice,
        symmetry: Symmetry {
            operations: vec![Operation::identity()],
            source: OperationSource::Nothing,
            operation_spans: Vec::new(),
            hm: None,
            hall: None,
            number: None,
            setting: None,
        },
        sites,
        structure,
        origins,
        obstacles,
    }
}

/// Rows that are not as many as the counts say: whoever computes with the others computes another crystal.
fn wrong_rows(file: &PoscarFile) -> Option<Obstacle> {
    let counts = file.counts.iter().map(|c| c.span).reduce(Span::cover)?;
    let wanted: u64 = file.counts.iter().map(|c| u64::from(c.value)).sum();
    let found = (file.atoms.len() + file.extra_rows.len()) as u64;
    // Without any rows a POSCAR states a composition.
    let wrong = found > 0 && (found != wanted || !file.extra_rows.is_empty());
    wrong.then(|| Obstacle {
        span: counts,
        kind: ObstacleKind::Rows,
        message: format!("{found} atoms can be read where the counts add up to {wanted}"),
    })
}

/// Factors of the Cartesian components, from line 2: one number for all, three, or for a negative one the factor that
/// gives the cell the wanted volume. `None` where line 2 or the lattice is missing (a problem of the text says so).
pub(crate) fn scale(file: &PoscarFile) -> Option<Vector3<f64>> {
    let matrix = written_lattice(file)?;
    let factor = |x: f64| Vector3::from_element(x);
    match file.scale.as_slice() {
        [one] if one.value.value < 0.0 => {
            Some(factor((-one.value.value / matrix.determinant().abs()).cbrt()))
        }
        [one] => Some(factor(one.value.value)),
        [x, y, z] => {
            let factors = [x, y, z].map(|n| n.value.value);
            // Three factors must be positive; NaN makes the lattice an error.
            let good = factors.iter().all(|f| *f > 0.0);
            Some(if good { Vector3::from(factors) } else { factor(f64::NAN) })
        }
        _ => None,
    }
}

/// Lines 3 to 5 before scaling.
pub(crate) fn written_lattice(file: &PoscarFile) -> Option<Matrix3<f64>> {
    let [a, b, c] = file.lattice.as_slice() else { return None };
    let rows = [a, b, c];
    Some(Matrix3::from_fn(|i, j| rows[i][j].value.value))
}

fn lattice(file: &PoscarFile, scale: Vector3<f64>) -> Result<Lattice, LatticeError> {
    let written = written_lattice(file).unwrap_or_else(Matrix3::zeros);
    Lattice::from_rows(Matrix3::from_fn(|i, j| written[(i, j)] * scale[j]))
}

/// Where an atom is; `None` without a lattice or a mode line.
fn fractional(
    file: &PoscarFile,
    row: &AtomRow,
    scale: Option<Vector3<f64>>,
    lattice: Option<&Lattice>,
) -> Option<Vector3<f64>> {
    let written = Vector3::from(row.coordinates.each_ref().map(|c| c.value.value));
    match file.mode.as_ref()?.value {
        Mode::Direct => Some(written),
        Mode::Cartesian => Some(lattice?.to_fractional(&written.component_mul(&scale?))),
    }
}

fn site(row: &AtomRow, group: &Group, number: usize, frac: Option<Vector3<f64>>) -> AtomSite {
    AtomSite {
        label: format!("{}{number}", group.name),
        label_span: row.span,
        symbol_span: group.span,
        element: group.element,
        masked: group.masked,
        species: group.name.clone(),
        oxidation: None,
        frac,
        coordinate_spans: row.coordinates.each_ref().map(|c| Some(c.span)),
        decimals: row.coordinates.each_ref().map(|c| c.value.decimals),
        occupancy: 1.0,
        occupancy_span: None,
        disorder: None,
        row: row.span,
        multiplicity: 0,
    }
}

/// Every row that has a position is an atom.
fn structure(
    lattice: Option<&Lattice>,
    sites: &mut [AtomSite],
) -> (Option<Structure>, Vec<Origin>) {
    let Some(lattice) = lattice else { return (None, Vec::new()) };
    let mut atoms = Vec::with_capacity(sites.len());
    let mut origins = Vec::with_capacity(sites.len());
    for (index, site) in sites.iter_mut().enumerate() {
        let Some(frac) = site.frac else { continue };
        site.multiplicity = 1;
        atoms.push(Site { element: site.element, oxidation: None, occupancy: 1.0, frac });
        origins.push(Origin { site: index, operation: 0 });
    }
    if atoms.is_empty() {
        return (None, Vec::new());
    }
    (Some(Structure { lattice: *lattice, sites: atoms }), origins)
}
