//! Layers that treat all orders of a degree alike.
//!
//! Features are a list with, for each degree, a tensor of shape (atoms, orders, channels).

use candle_core::{D, Result, Tensor};

use super::paths::{Part, orders};
use crate::ModelError;
use crate::nn::linear::Linear;
use crate::weights::Installed;

/// What SiLU is multiplied with, so that the mean square of its value is 1 when its argument is normally distributed; the network
/// was trained with an estimate from a million random numbers, which this is.
pub(super) const SILU_GAIN: f64 = 1.679_176_792_398_941_8;

/// One matrix for each degree.
#[derive(Debug)]
pub(super) struct Linears(Vec<Linear>);

impl Linears {
    /// From a flat tensor with one (in, out) matrix for each degree that both sides have; each is multiplied with `gain` over
    /// the root of its inputs.
    pub(super) fn load(
        p: &mut Installed,
        name: &str,
        [inputs, outputs]: [&[usize]; 2],
        gain: f64,
    ) -> std::result::Result<Self, ModelError> {
        let sizes = inputs.iter().zip(outputs).map(|(i, o)| (*i, *o));
        let total = sizes.clone().map(|(i, o)| i * o).sum();
        let flat = p.take(&format!("{name}.linear.weight"), &[total])?;
        let mut from = 0;
        let matrix = |(inner, out): (usize, usize)| {
            let weight = flat.narrow(0, from, inner * out)?.reshape((inner, out))?.t()?;
            from += inner * out;
            scaled(&weight, gain)
        };
        Ok(Self(sizes.map(matrix).collect::<Result<_>>()?))
    }

    /// Of every degree that there is a matrix for.
    pub(super) fn forward(&self, x: &[Tensor]) -> Result<Vec<Tensor>> {
        let apply = |(layer, x): (&Linear, &Tensor)| {
            let (atoms, orders, channels) = x.dims3()?;
            layer.forward(&x.reshape((atoms * orders, channels))?)?.reshape((atoms, orders, ()))
        };
        self.0.iter().zip(x).map(apply).collect()
    }
}

/// A frozen layer from a weight (out, in), multiplied with `gain` over the root of its inputs.
pub(super) fn scaled(weight: &Tensor, gain: f64) -> Result<Linear> {
    let inner = weight.dim(1)?;
    Linear::new(&(weight * (gain / (inner as f64).sqrt()))?, None)
}

/// SiLU of the first `channels[0]` scalars; the further ones, through SiLU too, are factors of the channels of the higher degrees.
pub(super) fn gate(x: &[Tensor], channels: &[usize]) -> Result<Vec<Tensor>> {
    let [scalars, higher @ ..] = x else { candle_core::bail!("features of no degree") };
    let scalars = (scalars.silu()? * SILU_GAIN)?;
    let mut gated = vec![scalars.narrow(D::Minus1, 0, channels[0])?.contiguous()?];
    let mut from = channels[0];
    for (x, channels) in higher.iter().zip(&channels[1..]) {
        gated.push(x.broadcast_mul(&scalars.narrow(D::Minus1, from, *channels)?)?);
        from += channels;
    }
    Ok(gated)
}

/// All degrees in one row for each atom.
pub(super) fn flat(x: &[Tensor]) -> Result<Tensor> {
    let rows = x.iter().map(|x| x.flatten_from(1)).collect::<Result<Vec<_>>>()?;
    Tensor::cat(&rows, 1)
}

/// The degrees of rows with these parts.
pub(super) fn parted(rows: &Tensor, parts: &[Part]) -> Result<Vec<Tensor>> {
    let atoms = rows.dim(0)?;
    let part = |p: &Part| {
        let part = rows.narrow(1, p.from, p.width())?.contiguous()?;
        part.reshape((atoms, orders(p.degree), p.channels))
    };
    parts.iter().map(part).collect()
}
