//! One forward and one backward pass for a batch of crystals.

use std::ops::Range;

use candle_core::{Device, Result, Var};
use nalgebra::Matrix3;

use super::basis::{BasisGradients, Expansion};
use super::batch::{Batch, Crystal};
use super::network::{BasisVars, Network};
use crate::Evaluation;
use crate::potential::{GPA, gradient, too_close};

/// Energy, forces, stress and moments of every crystal of the batch, in order.
pub(super) fn evaluate(
    network: &Network,
    batch: &Batch<'_>,
    device: &Device,
) -> Result<Vec<Evaluation>> {
    let ranges = RowRanges::new(batch);
    let vars = ranges.variables(network, batch, device)?;
    let output = network.forward(batch, &vars)?;
    let site_energies = output.site_energies.to_vec1::<f32>()?;
    let magmoms = output.magmoms.to_vec1::<f32>()?;
    // Crystals do not see each other, so one backward pass of the sum serves them all, forces and stress alike.
    let grads = output.site_energies.sum_all()?.backward()?;
    drop(output);
    let by_atom_graph = gradient(&grads, &vars.atom_graph)?;
    let by_bond_graph = gradient(&grads, &vars.bond_graph)?;
    let by_angle = gradient(&grads, &vars.angle)?;
    drop(grads);

    let (radial, angular) = (network.config.radial, network.config.angular);
    let results = batch.crystals.iter().enumerate().map(|(i, crystal)| {
        let mut of_bonds = rows(&by_atom_graph, &ranges.short[i], radial).to_vec();
        of_bonds.extend_from_slice(rows(&by_atom_graph, &ranges.long[i], radial));
        let gradients = BasisGradients {
            atom_graph: &of_bonds,
            bond_graph: rows(&by_bond_graph, &ranges.short[i], radial),
            angle: rows(&by_angle, &ranges.angles[i], angular),
        };
        let atoms = &ranges.atoms[i];
        let sites: Vec<f64> = atoms
            .clone()
            .map(|a| f64::from(site_energies[a]) + network.reference[batch.kinds[a] as usize])
            .collect();
        let magmoms = magmoms[atoms.clone()].iter().map(|m| f64::from(*m)).collect();
        finish(crystal, sites, magmoms, gradients)
    });
    Ok(results.collect())
}

/// From what the network says of one crystal to what the outside is told.
fn finish(
    crystal: &Crystal<'_>,
    site_energies: Vec<f64>,
    magmoms: Vec<f64>,
    gradients: BasisGradients<'_>,
) -> Evaluation {
    let (by_atom, by_strain): (_, Matrix3<f64>) = crystal.bases.backward(&crystal.graph, gradients);
    let forces = by_atom.into_iter().map(|g| -g).collect();
    Evaluation {
        energy_per_atom: site_energies.iter().sum::<f64>() / site_energies.len() as f64,
        forces,
        stress: by_strain * (GPA / crystal.structure.lattice.volume()),
        magmoms,
        site_energies,
        cautions: cautions(crystal),
    }
}

fn cautions(crystal: &Crystal<'_>) -> Vec<String> {
    let graph = &crystal.graph;
    let mut cautions = Vec::new();
    if !graph.isolated.is_empty() {
        let (n, some) = (graph.isolated.len(), graph.isolated[0] + 1);
        cautions.push(format!(
            "{n} of {} atoms (the first is site {some}) have no neighbour within 6 Å: the model sees them as free atoms, which it was not trained on",
            graph.atoms
        ));
    }
    cautions.extend(too_close(graph.shortest));
    cautions
}

/// Where the rows of each crystal are.
struct RowRanges {
    atoms: Vec<Range<usize>>,
    short: Vec<Range<usize>>,
    long: Vec<Range<usize>>,
    angles: Vec<Range<usize>>,
}

impl RowRanges {
    fn new(batch: &Batch<'_>) -> Self {
        Self {
            atoms: batch.atom_ranges(),
            short: batch.short_ranges(),
            long: batch.long_ranges(),
            angles: batch.angle_ranges(),
        }
    }

    /// The basis functions of all crystals, in the order of the batch.
    fn variables(
        &self,
        network: &Network,
        batch: &Batch<'_>,
        device: &Device,
    ) -> Result<BasisVars> {
        let (radial, angular) = (network.config.radial, network.config.angular);
        let all = |f: for<'a> fn(&'a Crystal<'_>) -> &'a Expansion| -> Vec<f32> {
            batch.crystals.iter().flat_map(|c| f(c).values.iter().copied()).collect()
        };
        let mut atom_graph = vec![0.0; batch.bonds * radial];
        for (i, crystal) in batch.crystals.iter().enumerate() {
            let (short, long) =
                crystal.bases.atom_graph.values.split_at(self.short[i].len() * radial);
            atom_graph[scaled(&self.short[i], radial)].copy_from_slice(short);
            atom_graph[scaled(&self.long[i], radial)].copy_from_slice(long);
        }
        let var = |values: Vec<f32>, functions: usize| {
            Var::from_vec(values.clone(), (values.len() / functions, functions), device)
        };
        Ok(BasisVars {
            atom_graph: var(atom_graph, radial)?,
            bond_graph: var(all(|c| &c.bases.bond_graph), radial)?,
            angle: var(all(|c| &c.bases.angle), angular)?,
        })
    }
}

fn scaled(range: &Range<usize>, width: usize) -> Range<usize> {
    range.start * width..range.end * width
}

fn rows<'a>(all: &'a [f32], range: &Range<usize>, width: usize) -> &'a [f32] {
    &all[scaled(range, width)]
}
