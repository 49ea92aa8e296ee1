//! The three updates of CHGNet: atoms from bonds, bonds from angles, angles from both (Deng et al. 2023, eqs. 5–7).

use candle_core::{Result, Tensor};

use super::batch::Batch;
use super::config::Config;
use super::parameters::Layers;
use crate::ModelError;
use crate::nn::gated::GatedMlp;
use crate::nn::gather::{Term, gather_sum};
use crate::nn::linear::Linear;
use crate::weights::Installed;

/// `a_i ← a_i + W Σ_j w_ij ⊙ φ(a_i, b_ij, a_j)`.
#[derive(Debug)]
pub(super) struct AtomConvolution {
    centre: Linear,
    bond: Linear,
    neighbor: Linear,
    message: GatedMlp,
    out: Linear,
}

impl AtomConvolution {
    pub(super) fn load(
        p: &mut Installed,
        name: &str,
        config: &Config,
    ) -> std::result::Result<Self, ModelError> {
        let w = config.width;
        let (weight, bias, core, gate) =
            p.gated(&format!("{name}.twoBody_atom"), 3, true, config)?;
        let block = |k: usize| weight.narrow(1, k * w, w);
        Ok(Self {
            centre: Linear::new(&block(0)?, Some(&bias))?,
            bond: Linear::new(&block(1)?, None)?,
            neighbor: Linear::new(&block(2)?, None)?,
            message: GatedMlp::new(core, gate)?,
            out: p.matrix(&format!("{name}.mlp_out.layers.1"), w, w)?,
        })
    }

    /// `atoms` (atoms, width), `bonds` and `weights` (bonds, width).
    pub(super) fn forward(
        &self,
        atoms: &Tensor,
        bonds: &Tensor,
        weights: &Tensor,
        batch: &Batch,
    ) -> Result<Tensor> {
        let tables = [
            &self.centre.forward(atoms)?,
            &self.bond.forward(bonds)?,
            &self.neighbor.forward(atoms)?,
        ];
        let terms = vec![
            Term::new(0, 0, &batch.centre),
            Term::new(1, 0, &batch.bond),
            Term::new(2, 0, &batch.neighbor),
        ];
        let pair = gather_sum(tables, terms, batch.centre.len(), tables[0].dim(1)?)?;
        let sum = self.message.weighted_sum(&pair, weights, &batch.centre, &batch.bond)?;
        atoms + self.out.forward(&sum)?
    }
}

/// The first layer of a message about an angle: of the two bonds (one product for both places), the angle, the centre.
#[derive(Debug)]
struct AngleInput {
    bonds: Linear,
    angle: Linear,
    centre: Linear,
}

impl AngleInput {
    fn new(weight: &Tensor, bias: &Tensor, width: usize) -> Result<Self> {
        let block = |k: usize| weight.narrow(1, k * width, width);
        Ok(Self {
            bonds: Linear::new(&Tensor::cat(&[block(0)?, block(1)?], 0)?, None)?,
            angle: Linear::new(&block(2)?, None)?,
            centre: Linear::new(&block(3)?, Some(bias))?,
        })
    }

    /// (angles, 2 · width) from `atoms` (atoms, width), `bonds` (short bonds, width), `angles` (angles, width).
    fn forward(
        &self,
        atoms: &Tensor,
        bonds: &Tensor,
        angles: &Tensor,
        batch: &Batch,
    ) -> Result<Tensor> {
        let tables = [
            &self.angle.forward(angles)?,
            &self.bonds.forward(bonds)?,
            &self.centre.forward(atoms)?,
        ];
        let width = tables[0].dim(1)?;
        let terms = vec![
            Term::own_rows(0),
            Term::new(1, 0, &batch.first),
            Term::new(1, width, &batch.second),
            Term::new(2, 0, &batch.vertex),
        ];
        gather_sum(tables, terms, batch.vertex.len(), width)
    }
}

/// `b_ij ← b_ij + W Σ_k w_ij ⊙ w_ik ⊙ φ(b_ij, b_ik, θ, a_i)`.
#[derive(Debug)]
pub(super) struct BondConvolution {
    input: AngleInput,
    message: GatedMlp,
    out: Linear,
}

impl BondConvolution {
    pub(super) fn load(
        p: &mut Installed,
        name: &str,
        config: &Config,
    ) -> std::result::Result<Self, ModelError> {
        let w = config.width;
        let (weight, bias, core, gate) =
            p.gated(&format!("{name}.twoBody_bond"), 4, true, config)?;
        Ok(Self {
            input: AngleInput::new(&weight, &bias, w)?,
            message: GatedMlp::new(core, gate)?,
            out: p.matrix(&format!("{name}.mlp_out.layers.1"), w, w)?,
        })
    }

    /// New features of the short bonds; `bonds` and `weights` are (short bonds, width).
    pub(super) fn forward(
        &self,
        atoms: &Tensor,
        bonds: &Tensor,
        angles: &Tensor,
        weights: &Tensor,
        batch: &Batch,
    ) -> Result<Tensor> {
        let pair = self.input.forward(atoms, bonds, angles, batch)?;
        // The weight of the bond that is updated is the same in every term of its sum.
        let sum = self.message.weighted_sum(&pair, weights, &batch.first, &batch.second)?;
        bonds + self.out.forward(&(sum * weights)?)?
    }
}

/// `θ ← θ + φ(b_ij, b_ik, θ, a_i)`.
#[derive(Debug)]
pub(super) struct AngleUpdate {
    input: AngleInput,
    message: GatedMlp,
}

impl AngleUpdate {
    pub(super) fn load(
        p: &mut Installed,
        name: &str,
        config: &Config,
    ) -> std::result::Result<Self, ModelError> {
        let (weight, bias, core, gate) =
            p.gated(&format!("{name}.twoBody_bond"), 4, false, config)?;
        let input = AngleInput::new(&weight, &bias, config.width)?;
        Ok(Self { input, message: GatedMlp::new(core, gate)? })
    }

    /// New features of the angles.
    pub(super) fn forward(
        &self,
        atoms: &Tensor,
        bonds: &Tensor,
        angles: &Tensor,
        batch: &Batch,
    ) -> Result<Tensor> {
        angles + self.message.forward(&self.input.forward(atoms, bonds, angles, batch)?)?
    }
}
