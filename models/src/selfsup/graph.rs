//! Crystals as one graph: atoms, edges to the nearest neighbours through all images, the frames of the edges.

use std::sync::Arc;

use candle_core::{DType, Device, Result, Tensor};
use cellwright_crystal::Lattice;
use cellwright_crystal::neighbors::{NeighborList, neighbors};
use nalgebra::Vector3;
use rayon::prelude::*;

use super::config::Network;
use super::summary;
use crate::ModelError;
use crate::nn::index::Index;
use crate::nn::so3::frames::{Frames, frame};
use crate::nn::so3::layout::Layout;
use crate::nn::so3::wigner::Rotation;

mod gradient;

/// One crystal as the network sees it.
#[derive(Debug, Clone, Copy)]
pub struct Cell<'a> {
    /// The lattice.
    pub lattice: &'a Lattice,
    /// Atomic numbers, 0 for a masked atom.
    pub numbers: &'a [u8],
    /// Fractional coordinates, as many.
    pub frac: &'a [Vector3<f64>],
}

/// A directed edge: `source` is a neighbour of `target`, which receives the message.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Edge {
    /// Number of the neighbour.
    pub source: u32,
    /// Number of the atom.
    pub target: u32,
    /// From the atom to the neighbour's image (Å).
    pub vector: [f64; 3],
    /// A rotation that turns the vector to +y.
    pub frame: Rotation,
}

/// Distances of one shell of neighbours differ by less (Å).
const SHELL: f64 = 1e-4;

/// Atoms closer than this have no direction between them (Å).
pub(super) const TOO_CLOSE: f64 = 1e-3;

/// Edges of the largest graph that is tried: at the default size some 10 kB each.
const MOST_EDGES: usize = 2_000_000;

/// Some crystals, as one graph.
#[derive(Debug, Clone)]
pub struct Graph {
    /// Atoms to elements, 0 for a masked atom.
    pub(super) elements: Arc<Index>,
    /// Atoms to crystals.
    pub(super) crystals: Arc<Index>,
    /// Edges to atoms, and to the elements of these; sorted by target.
    pub(super) source: Arc<Index>,
    pub(super) target: Arc<Index>,
    pub(super) source_elements: Arc<Index>,
    pub(super) target_elements: Arc<Index>,
    /// Gaussians of the lengths, (edges, gaussians).
    pub(super) gaussians: Tensor,
    pub(super) frames: Arc<Frames>,
    /// Gaussians of the volumes, (crystals, gaussians), where the network wants them.
    pub(super) volumes: Option<Tensor>,
    /// The edges from target to source (Å).
    vectors: Vec<[f64; 3]>,
    /// Shares of the elements on each atom, (atoms, elements + 1), where they are not [`Self::elements`].
    shares: Option<Tensor>,
}

impl Graph {
    /// The graph of crystals, one after the other. `dtype` is that of the weights it will be used with.
    ///
    /// # Errors
    /// When an atom is alone within the radius or on top of another, an element is unknown, or there are too many edges.
    pub fn new(
        config: &Network,
        cells: &[Cell],
        dtype: DType,
        device: &Device,
    ) -> std::result::Result<Self, ModelError> {
        let edges: Vec<Vec<Edge>> = cells
            .par_iter()
            .map(|cell| edges(config, cell))
            .collect::<std::result::Result<_, _>>()?;
        let (mut numbers, mut crystals, mut all) = (Vec::new(), Vec::new(), Vec::new());
        for (c, (cell, edges)) in cells.iter().zip(edges).enumerate() {
            let first = numbers.len() as u32;
            all.extend(edges.into_iter().map(|e| Edge {
                source: first + e.source,
                target: first + e.target,
                ..e
            }));
            numbers.extend_from_slice(cell.numbers);
            crystals.extend(cell.numbers.iter().map(|_| c as u32));
        }
        let graph = Self::from_edges(config, &numbers, crystals, all, dtype, device)?;
        let volumes = config.summary.then(|| {
            let cells: Vec<_> = cells.iter().map(|c| (c.lattice, c.numbers.len())).collect();
            let numbers = summary::volumes(config, &cells);
            Tensor::from_vec(numbers, (cells.len(), config.gaussians), device)?.to_dtype(dtype)
        });
        Ok(Self { volumes: volumes.transpose()?, ..graph })
    }

    /// The graph of these atoms, their crystals in ascending order, and edges in any order; without the volumes of the
    /// crystals, so for networks without a summary.
    ///
    /// # Errors
    /// When there is no atom or no edge, an element is unknown, or there are too many edges.
    pub fn from_edges(
        config: &Network,
        numbers: &[u8],
        crystals: Vec<u32>,
        mut edges: Vec<Edge>,
        dtype: DType,
        device: &Device,
    ) -> std::result::Result<Self, ModelError> {
        let atoms = numbers.len();
        if atoms == 0 || edges.is_empty() || crystals.len() != atoms {
            return Err(ModelError::Data("a graph needs atoms and edges".into()));
        }
        if edges.len() > MOST_EDGES {
            return Err(ModelError::Unsupported(format!(
                "{} neighbours are too many: try a smaller cell",
                edges.len()
            )));
        }
        if let Some(z) = numbers.iter().find(|z| usize::from(**z) > config.elements) {
            return Err(ModelError::Unsupported(format!(
                "this model knows the elements up to {}, not number {z}",
                config.elements
            )));
        }
        if edges.iter().any(|e| e.source.max(e.target) as usize >= atoms) {
            return Err(ModelError::Data("an edge leads to an atom that is not there".into()));
        }
        edges.sort_by_key(|e| e.target);
        let element = |atom: u32| u32::from(numbers[atom as usize]);
        let index = |of: &dyn Fn(&Edge) -> u32, rows: usize| {
            Arc::new(Index::new(edges.iter().map(of).collect(), rows))
        };
        let count = crystals.iter().max().map_or(0, |c| *c as usize + 1);
        let elements = numbers.iter().map(|z| u32::from(*z)).collect();
        let rotations: Vec<Rotation> = edges.iter().map(|e| e.frame).collect();
        let layout = Layout { lmax: config.lmax, mmax: config.mmax };
        Ok(Self {
            elements: Arc::new(Index::new(elements, config.elements + 1)),
            crystals: Arc::new(Index::new(crystals, count)),
            source: index(&|e| e.source, atoms),
            target: index(&|e| e.target, atoms),
            source_elements: index(&|e| element(e.source), config.elements + 1),
            target_elements: index(&|e| element(e.target), config.elements + 1),
            gaussians: gaussians(config, &edges, dtype, device)?,
            frames: Arc::new(Frames::new(layout, &rotations)),
            volumes: None,
            vectors: edges.iter().map(|e| e.vector).collect(),
            shares: None,
        })
    }

    /// Number of atoms.
    #[must_use]
    pub fn atoms(&self) -> usize {
        self.elements.len()
    }

    /// Number of edges.
    #[must_use]
    pub fn edges(&self) -> usize {
        self.source.len()
    }

    /// (atoms, n) to (crystals, n): the sum over the atoms of a crystal, times a weight that depends on their number.
    pub(super) fn sum_over_crystals(
        &self,
        x: &Tensor,
        weight: impl Fn(usize) -> f64,
    ) -> Result<Tensor> {
        let crystals = self.crystals.targets();
        let mut sizes = vec![0; self.crystals.table_rows()];
        crystals.iter().for_each(|c| sizes[*c as usize] += 1);
        let weights: Vec<f64> = crystals.iter().map(|c| weight(sizes[*c as usize])).collect();
        let weights =
            Tensor::from_vec(weights, (crystals.len(), 1), x.device())?.to_dtype(x.dtype())?;
        let sums = Tensor::zeros((sizes.len(), x.dim(1)?), x.dtype(), x.device())?;
        sums.index_add(&self.crystals.tensor(x.device())?, &x.broadcast_mul(&weights)?, 0)
    }
}

/// The factor of a square (Å⁻²) in the exponent of the Gaussians, and the distance of their centres (Å).
fn gaussian_width(config: &Network) -> (f64, f64) {
    let spacing = config.radius / (config.gaussians - 1) as f64;
    (-0.5 / (2.0 * spacing).powi(2), spacing)
}

/// Gaussians with centres from 0 to the radius, twice as wide as the centres are apart.
fn gaussians(config: &Network, edges: &[Edge], dtype: DType, device: &Device) -> Result<Tensor> {
    let count = config.gaussians;
    let (factor, spacing) = gaussian_width(config);
    let mut numbers = vec![0.0; edges.len() * count];
    numbers.par_chunks_mut(count).zip(edges).for_each(|(row, edge)| {
        let length = edge.vector.iter().map(|x| x * x).sum::<f64>().sqrt();
        for (k, value) in row.iter_mut().enumerate() {
            *value = (factor * (length - k as f64 * spacing).powi(2)).exp();
        }
    });
    Tensor::from_vec(numbers, (edges.len(), count), device)?.to_dtype(dtype)
}

/// The edges of one crystal, grouped by target, nearest first.
fn edges(config: &Network, cell: &Cell) -> std::result::Result<Vec<Edge>, ModelError> {
    let refused = |reason: String| Err(ModelError::Unsupported(reason));
    if cell.numbers.len() != cell.frac.len() {
        return Err(ModelError::Data("as many positions as atoms are needed".into()));
    }
    let list = nearest(config, cell)?;
    let cartesian: Vec<Vector3<f64>> =
        cell.frac.iter().map(|f| cell.lattice.to_cartesian(f)).collect();
    let mut edges = Vec::new();
    for target in 0..list.len() {
        let all = list.of(target);
        let Some(last) = all.get(config.neighbors.min(all.len()).wrapping_sub(1)) else {
            return refused(format!(
                "atom {} has no neighbour within {} Å",
                target + 1,
                config.radius
            ));
        };
        for n in all.iter().take_while(|n| n.distance <= last.distance + SHELL) {
            if n.distance < TOO_CLOSE {
                return refused(format!(
                    "atoms {} and {} are at one place",
                    target + 1,
                    n.index + 1
                ));
            }
            let image = cell.lattice.to_cartesian(&Vector3::from(n.image).cast());
            let vector = (cartesian[n.index as usize] + image - cartesian[target]).into();
            let frame = frame(vector);
            edges.push(Edge { source: n.index, target: target as u32, vector, frame });
        }
    }
    Ok(edges)
}

/// All neighbours up to a distance at which every atom has its nearest ones and the rest of the last one's shell.
fn nearest(config: &Network, cell: &Cell) -> std::result::Result<NeighborList, ModelError> {
    let atoms = cell.frac.len().max(1) as f64;
    let wanted = config.neighbors as f64 + 4.0;
    let share = cell.lattice.volume() / atoms;
    let mut cutoff = (0.75 / std::f64::consts::PI * wanted * share).cbrt().min(config.radius);
    loop {
        let list = neighbors(cell.lattice, cell.frac, cutoff)
            .map_err(|e| ModelError::Unsupported(format!("no neighbours can be found: {e}")))?;
        let complete = |i: usize| {
            let last = list.of(i).get(config.neighbors - 1);
            last.is_some_and(|n| n.distance + SHELL <= cutoff)
        };
        if cutoff >= config.radius || (0..list.len()).all(complete) {
            return Ok(list);
        }
        cutoff = (1.25 * cutoff).min(config.radius);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(lattice: &Lattice, numbers: &[u8], frac: &[[f64; 3]], config: &Network) -> Vec<Edge> {
        let frac: Vec<Vector3<f64>> = frac.iter().map(|f| Vector3::from(*f)).collect();
        edges(config, &Cell { lattice, numbers, frac: &frac }).unwrap()
    }

    #[test]
    fn one_atom_has_its_images_for_neighbours() {
        let lattice = Lattice::from_parameters([3.0; 3], [90.0; 3]).unwrap();
        let config = Network { neighbors: 4, ..Network::default() };
        let edges = graph(&lattice, &[84], &[[0.3, 0.0, 0.9]], &config);
        // Four are asked for; the shell has six.
        assert_eq!(edges.len(), 6);
        for edge in &edges {
            assert_eq!((edge.source, edge.target), (0, 0));
            let length = edge.vector.iter().map(|x| x * x).sum::<f64>().sqrt();
            assert!((length - 3.0).abs() < 1e-12);
        }
    }

    #[test]
    fn edges_point_from_the_atom_to_the_image() {
        let lattice = Lattice::from_parameters([4.0, 5.0, 6.0], [90.0; 3]).unwrap();
        let config = Network { neighbors: 1, ..Network::default() };
        let edges = graph(&lattice, &[1, 8], &[[0.05, 0.0, 0.0], [0.95, 0.0, 0.0]], &config);
        assert_eq!(edges.len(), 2);
        assert!(
            (edges[0].vector[0] + 0.4).abs() < 1e-12 && (edges[1].vector[0] - 0.4).abs() < 1e-12
        );
    }

    #[test]
    fn what_has_no_graph_is_refused() {
        let far = Lattice::from_parameters([40.0; 3], [90.0; 3]).unwrap();
        let near = Lattice::from_parameters([4.0; 3], [90.0; 3]).unwrap();
        let origin = [Vector3::zeros(); 2];
        let refused = |lattice: &Lattice, numbers: &[u8]| {
            let cell = Cell { lattice, numbers, frac: &origin[..numbers.len()] };
            Graph::new(&Network::default(), &[cell], DType::F32, &Device::Cpu)
                .unwrap_err()
                .to_string()
        };
        assert!(refused(&far, &[3]).contains("no neighbour within 8 Å"));
        assert!(refused(&near, &[3, 4]).contains("at one place"));
        assert!(refused(&near, &[]).contains("needs atoms"));
        let config = Network { elements: 50, ..Network::default() };
        let cell = Cell { lattice: &near, numbers: &[84], frac: &origin[..1] };
        let error = Graph::new(&config, &[cell], DType::F32, &Device::Cpu).unwrap_err().to_string();
        assert!(error.contains("up to 50"), "{error}");
    }
}
