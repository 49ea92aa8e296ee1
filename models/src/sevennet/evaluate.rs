//! One forward and one backward pass for a batch of crystals.

use std::sync::Arc;

use candle_core::{Device, Result, Var};
use cellwright_crystal::Structure;

use super::convolution::Pairs;
use super::edges::{Edge, HARMONICS, RADIAL, gather};
use super::network::Network;
use crate::Evaluation;
use crate::nn::index::Index;
use crate::potential::{GPA, gradient, too_close};

/// A crystal with all the network is told of it.
pub(super) struct Crystal<'a> {
    pub(super) structure: &'a Structure,
    pub(super) species: Vec<u32>,
    pub(super) edges: Vec<Edge>,
}

/// Energy, forces and stress of every crystal, in order.
pub(super) fn evaluate(
    network: &Network,
    crystals: &[Crystal<'_>],
    device: &Device,
) -> Result<Vec<Evaluation>> {
    let all = || crystals.iter().flat_map(|c| &c.edges);
    let pairs = all().count();
    let rows = |values: Vec<f32>, width| Var::from_vec(values, (pairs, width), device);
    let k = &network.wave_numbers;
    let radial = rows(all().flat_map(|e| e.radial(k)).map(|x| x as f32).collect(), RADIAL)?;
    let harmonics = rows(all().flat_map(Edge::harmonics).map(|x| x as f32).collect(), HARMONICS)?;
    let species: Vec<u32> = crystals.iter().flat_map(|c| c.species.iter().copied()).collect();
    let inputs = [radial.as_tensor(), harmonics.as_tensor()];
    let outputs = network.forward(&species, &numbered(crystals), inputs)?;
    // Crystals do not see each other, so one backward pass of the sum serves them all.
    let grads = (outputs.sum_all()? * network.unit)?.backward()?;
    let outputs = outputs.to_vec1::<f32>()?;
    let (by_radial, by_harmonic) = (gradient(&grads, &radial)?, gradient(&grads, &harmonics)?);

    let (mut atom, mut pair) = (0, 0);
    let evaluation = |crystal: &Crystal<'_>| {
        let outputs = &outputs[atom..atom + crystal.species.len()];
        let by_vector = |e: usize, edge: &Edge| {
            let row = pair + e;
            let by_radial = &by_radial[row * RADIAL..(row + 1) * RADIAL];
            edge.backward(k, by_radial, &by_harmonic[row * HARMONICS..(row + 1) * HARMONICS])
        };
        let (by_atom, by_strain) = gather(crystal.species.len(), &crystal.edges, by_vector);
        atom += crystal.species.len();
        pair += crystal.edges.len();
        let energy = |(s, output): (&u32, &f32)| network.energy(*s, *output);
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
