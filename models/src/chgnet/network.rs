//! The network: embeddings, interaction blocks, readout (Deng et al. 2023, fig. 1 and Methods).

use candle_core::{Result, Tensor, Var};

use super::basis::Frequencies;
use super::batch::Batch;
use super::config::Config;
use super::layers::{AngleUpdate, AtomConvolution, BondConvolution};
use super::parameters::Layers;
use crate::ModelError;
use crate::nn::linear::Linear;
use crate::nn::norm::LayerNorm;
use crate::weights::Installed;

/// Every layer with its weights.
#[derive(Debug)]
pub(super) struct Network {
    pub(super) config: Config,
    pub(super) frequencies: Frequencies,
    /// Energy of each element in the composition model (eV), H first.
    pub(super) reference: Vec<f64>,
    /// (elements, width).
    atom_embedding: Tensor,
    bond_embedding: Linear,
    angle_embedding: Linear,
    atom_graph_weights: Linear,
    bond_graph_weights: Linear,
    atom_layers: Vec<AtomConvolution>,
    bond_layers: Vec<BondConvolution>,
    /// One less than there are bond layers: the published network has another whose result nothing uses.
    angle_layers: Vec<AngleUpdate>,
    magmom: Linear,
    readout_norm: LayerNorm,
    readout: Vec<Linear>,
}

/// The basis functions as variables, so that the energy has a gradient with respect to them.
#[derive(Debug)]
pub(super) struct BasisVars {
    /// (bonds, radial).
    pub(super) atom_graph: Var,
    /// (short bonds, radial).
    pub(super) bond_graph: Var,
    /// (angles, angular).
    pub(super) angle: Var,
}

/// What the network says of every atom of a batch.
#[derive(Debug)]
pub(super) struct Output {
    /// Energy without the composition model (eV), shape (atoms).
    pub(super) site_energies: Tensor,
    /// Magnetic moments (µB, absolute), shape (atoms).
    pub(super) magmoms: Tensor,
}

impl Network {
    pub(super) fn load(p: &mut Installed, config: Config) -> std::result::Result<Self, ModelError> {
        let c = &config;
        let (w, elements, blocks) = (c.width, c.elements, c.blocks);
        let radial = "bond_basis_expansion.rbf_expansion";
        let angular = "angle_basis_expansion.fourier_expansion";
        let frequencies = Frequencies {
            atom_graph: p.numbers(&format!("{radial}_ag.frequencies"), &[c.radial])?,
            bond_graph: p.numbers(&format!("{radial}_bg.frequencies"), &[c.radial])?,
            angle: p.numbers(&format!("{angular}.frequencies"), &[(c.angular - 1) / 2])?,
        };
        let reference = p.numbers("composition_model.fc.weight", &[1, elements])?;
        let atom_embedding = p.take("atom_embedding.embedding.weight", &[elements, w])?;
        let bond_embedding = p.matrix("bond_embedding", w, c.radial)?;
        let angle_embedding = p.matrix("angle_embedding", w, c.angular)?;
        let atom_graph_weights = p.matrix("bond_weights_ag", w, c.radial)?;
        let bond_graph_weights = p.matrix("bond_weights_bg", w, c.radial)?;
        let atom_layers = (0..blocks)
            .map(|i| AtomConvolution::load(p, &format!("atom_conv_layers.{i}"), c))
            .collect::<std::result::Result<_, _>>()?;
        let bond_layers = (0..blocks - 1)
            .map(|i| BondConvolution::load(p, &format!("bond_conv_layers.{i}"), c))
            .collect::<std::result::Result<_, _>>()?;
        let mut angle_layers = (0..blocks - 1)
            .map(|i| AngleUpdate::load(p, &format!("angle_layers.{i}"), c))
            .collect::<std::result::Result<Vec<_>, _>>()?;
        angle_layers.pop();
        let mut readout = Vec::new();
        for (place, out) in [(0, w), (2, w), (4, w), (7, 1)] {
            readout.push(p.linear(&format!("mlp.layers.{place}"), out, w)?);
        }
        let magmom = p.linear("site_wise", 1, w)?;
        let readout_norm = p.norm("readout_norm", w)?;
        Ok(Self {
            config,
            frequencies,
            reference,
            atom_embedding,
            bond_embedding,
            angle_embedding,
            atom_graph_weights,
            bond_graph_weights,
            atom_layers,
            bond_layers,
            angle_layers,
            magmom,
            readout_norm,
            readout,
        })
    }

    pub(super) fn forward(&self, batch: &Batch<'_>, bases: &BasisVars) -> Result<Output> {
        let device = self.atom_embedding.device();
        let kinds = Tensor::from_slice(&batch.kinds, batch.kinds.len(), device)?;
        let mut atoms = self.atom_embedding.index_select(&kinds, 0)?;
        let mut bonds = self.bond_embedding.forward(&bases.atom_graph)?;
        let mut angles = self.angle_embedding.forward(&bases.angle)?;
        let atom_graph_weights = self.atom_graph_weights.forward(&bases.atom_graph)?;
        let bond_graph_weights = self.bond_graph_weights.forward(&bases.bond_graph)?;
        // Only bonds within the bond cutoff ever change.
        let long = bonds.narrow(0, batch.short_bonds, batch.bonds - batch.short_bonds)?;
        let mut short = bonds.narrow(0, 0, batch.short_bonds)?;

        let mut magmoms = None;
        for (block, atom_layer) in self.atom_layers.iter().enumerate() {
            if block + 1 == self.atom_layers.len() {
                magmoms = Some(self.magmom.forward(&atoms.detach())?.squeeze(1)?.abs()?);
            }
            atoms = atom_layer.forward(&atoms, &bonds, &atom_graph_weights, batch)?;
            let Some(bond_layer) = self.bond_layers.get(block) else { continue };
            if batch.vertex.is_empty() {
                continue;
            }
            short = bond_layer.forward(&atoms, &short, &angles, &bond_graph_weights, batch)?;
            bonds = Tensor::cat(&[&short, &long], 0)?;
            if let Some(angle_layer) = self.angle_layers.get(block) {
                angles = angle_layer.forward(&atoms, &short, &angles, batch)?;
            }
        }
        let Some(magmoms) = magmoms else { candle_core::bail!("a network without blocks") };

        let mut x = self.readout_norm.forward(&atoms)?;
        for (i, layer) in self.readout.iter().enumerate() {
            x = layer.forward(&x)?;
            if i + 1 < self.readout.len() {
                x = x.silu()?;
            }
        }
        Ok(Output { site_energies: x.squeeze(1)?, magmoms })
    }
}
