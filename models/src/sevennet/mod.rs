//! SevenNet-0: an equivariant graph network potential (Park et al., J. Chem. Theory Comput. 20, 4857, 2024), which is NequIP
//! (Batzner et al., Nat. Commun. 13, 2453, 2022) trained on relaxations of the Materials Project.
//!
//! Written from these publications and held against the numbers of the reference program, with which energies, forces and
//! stresses agree to the rounding of single precision. The weights are those of July 2024 that the Python package `sevenn`
//! ships; they stay where the user's own package client has put them, under the licence of their authors.
//!
//! What it is for here: its stresses are more accurate than those of [`crate::chgnet`], at several times the cost.

use std::path::Path;
use std::sync::Arc;

use candle_core::{Device, Tensor, Var};
use cellwright_crystal::Structure;

use crate::nn::index::Index;
use crate::potential::{GPA, admit, apart, in_batches, too_close};
use crate::weights::{Installed, SEVENNET};
use crate::{Evaluation, ModelError, Potential, Provenance};

mod convolution;
mod edges;
mod layers;
mod network;
mod paths;

use convolution::Pairs;
use edges::{Edge, HARMONICS, RADIAL, edges, gather};
use network::{Network, is_known, species};

/// Pairs of one batch: more at once do not stay in the caches and take longer, pair by pair.
const BATCH_PAIRS: usize = 2_000;

/// Pairs of the largest crystal that is tried: some 6 GB.
const MOST_PAIRS: usize = 200_000;

/// SevenNet-0 with its weights.
#[derive(Debug)]
pub struct Sevennet {
    device: Device,
    network: Network,
    /// The network's unit of energy (eV).
    unit: f64,
}

/// A crystal with all the network is told of it.
struct Crystal<'a> {
    structure: &'a Structure,
    species: Vec<u32>,
    edges: Vec<Edge>,
}

impl Sevennet {
    /// Loads converted weights (safetensors) from the data directory, see [`crate::weights`].
    ///
    /// # Errors
    /// [`ModelError::NotInstalled`] or [`ModelError::BadWeights`].
    pub fn load(dir: &Path, device: &Device) -> Result<Self, ModelError> {
        let mut parameters = Installed::open(&SEVENNET, dir, device)?;
        let network = Network::load(&mut parameters)?;
        parameters.finish()?;
        let unit = network.unit()?;
        Ok(Self { device: device.clone(), network, unit })
    }

    fn prepare<'a>(&self, structure: &'a Structure) -> Result<(Crystal<'a>, usize), ModelError> {
        let range = "SevenNet-0 knows the elements up to Pu without Po, At, Rn, Fr and Ra";
        admit(structure, is_known, range)?;
        let unsupported = |reason: String| ModelError::Unsupported(reason);
        let edges = edges(structure)
            .map_err(|e| unsupported(format!("no neighbours can be found: {e}")))?;
        if edges.len() > MOST_PAIRS {
            return Err(unsupported(format!(
                "{} pairs of atoms within 5 Å would take more memory than {MOST_PAIRS} are meant for: try a smaller cell",
                edges.len()
            )));
        }
        apart(edges.iter().map(|e| (e.centre, e.neighbor, e.length)))?;
        let species = structure.sites.iter().filter_map(|s| species(s.element?)).collect();
        let pairs = edges.len();
        Ok((Crystal { structure, species, edges }, pairs))
    }

    fn run(&self, crystals: &[Crystal<'_>]) -> candle_core::Result<Vec<Evaluation>> {
        let all = || crystals.iter().flat_map(|c| &c.edges);
        let pairs = all().count();
        let rows = |values: Vec<f32>, width| Var::from_vec(values, (pairs, width), &self.device);
        let k = &self.network.wave_numbers;
        let radial = rows(all().flat_map(|e| e.radial(k)).map(|x| x as f32).collect(), RADIAL)?;
        let harmonics =
            rows(all().flat_map(Edge::harmonics).map(|x| x as f32).collect(), HARMONICS)?;
        let species: Vec<u32> = crystals.iter().flat_map(|c| c.species.iter().copied()).collect();
        let inputs = [radial.as_tensor(), harmonics.as_tensor()];
        let outputs = self.network.forward(&species, &numbered(crystals), inputs)?;
        // Crystals do not see each other, so one backward pass of the sum serves them all.
        let grads = (outputs.sum_all()? * self.unit)?.backward()?;
        let outputs = outputs.to_vec1::<f32>()?;
        let gradient = |var: &Var| match grads.get(var) {
            Some(gradient) => Tensor::flatten_all(gradient)?.to_vec1::<f32>(),
            None => Ok(vec![0.0; var.elem_count()]),
        };
        let (by_radial, by_harmonic) = (gradient(&radial)?, gradient(&harmonics)?);

        let (mut atom, mut pair) = (0, 0);
        let evaluation = |crystal: &Crystal<'_>| {
            let outputs = &outputs[atom..atom + crystal.species.len()];
            let first = pair;
            let backward = |e: usize, edge: &Edge| {
                let row = |all: &'_ [f32], width: usize| {
                    all[(first + e) * width..(first + e + 1) * width].to_vec()
                };
                edge.backward(k, &row(&by_radial, RADIAL), &row(&by_harmonic, HARMONICS))
            };
            let (by_atom, by_strain) = gather(crystal.species.len(), &crystal.edges, backward);
            atom += crystal.species.len();
            pair += crystal.edges.len();
            let energy = |(s, output): (&u32, &f32)| self.network.energy(*s, *output);
            let site_energies: Vec<f64> = crystal.species.iter().zip(outputs).map(energy).collect();
            Evaluation {
                energy_per_atom: site_energies.iter().sum::<f64>() / site_energies.len() as f64,
                forces: by_atom.into_iter().map(|g| -g).collect(),
                stress: by_strain * (GPA / crystal.structure.lattice.volume()),
                magmoms: Vec::new(),
                site_energies,
                cautions: cautions(crystal),
            }
        };
        Ok(crystals.iter().map(evaluation).collect())
    }
}

/// The pairs of all crystals, atoms numbered through.
fn numbered(crystals: &[Crystal<'_>]) -> Pairs {
    let (mut centre, mut neighbor, mut before) = (Vec::new(), Vec::new(), 0);
    for crystal in crystals {
        centre.extend(crystal.edges.iter().map(|e| before + e.centre));
        neighbor.extend(crystal.edges.iter().map(|e| before + e.neighbor));
        before += crystal.species.len() as u32;
    }
    let index = |targets| Arc::new(Index::new(targets, before as usize));
    Pairs { centre: index(centre), neighbor: index(neighbor) }
}

fn cautions(crystal: &Crystal<'_>) -> Vec<String> {
    let mut lonely = vec![true; crystal.species.len()];
    for edge in &crystal.edges {
        lonely[edge.centre as usize] = false;
    }
    let shortest = crystal.edges.iter().map(|e| e.length).fold(f64::INFINITY, f64::min);
    let mut cautions = Vec::new();
    if let Some(first) = lonely.iter().position(|l| *l) {
        cautions.push(format!(
            "{} of {} atoms (the first is site {}) have no neighbour within 5 Å: the model sees them as free atoms, which it was not trained on",
            lonely.iter().filter(|l| **l).count(),
            lonely.len(),
            first + 1
        ));
    }
    cautions.extend(too_close(shortest));
    cautions
}

impl Potential for Sevennet {
    fn provenance(&self) -> Provenance {
        Provenance::new("SevenNet-0", SEVENNET.version, &self.device)
    }

    fn evaluate(&self, structures: &[&Structure]) -> Vec<Result<Evaluation, ModelError>> {
        in_batches(structures, BATCH_PAIRS, |s| self.prepare(s), |crystals| self.run(&crystals))
    }
}
