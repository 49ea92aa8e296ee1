//! Messages between all atoms of a crystal, averaged where they arrive.
//!
//! `m_i = mean_j silu(W₂ silu(a_i + c_j + V ψ(f_j − f_i)) + b₂)` over all ordered pairs, i = j included. The first
//! layer of the message network, `W [h_i, h_j, k, ψ]`, is taken apart: the products with `h` and `k` are a row for
//! each atom or crystal and come in as `a` and `c`.
//!
//! On the CPU it is one operation, done for a few crystals at a time so that the edges stay in the cache. Nothing but
//! the input is kept; the backward pass computes the edges again. Because ψ(−d) differs from ψ(d) in the sign of its
//! sines, the product with V is done for pairs i < j only.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp2, DType, Layout, Result, Shape, Storage, Tensor, bail};

use super::fourier::{self, Pairs};
use crate::nn::storage::{is_fused, slice, with_slice};

mod backward;
mod edges;
mod weights;

use weights::Weights;

/// The coordinates of a group of crystals in the form the message layers want them.
#[derive(Debug, Clone)]
pub(super) struct Geometry {
    crystals: usize,
    atoms: usize,
    frequencies: usize,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    Pairs(Arc<Pairs>),
    /// (crystals, atoms, atoms, 6 · K).
    Features(Tensor),
}

impl Geometry {
    /// From fractional coordinates (crystals, atoms, 3).
    pub(super) fn new(frac: &Tensor, frequencies: usize) -> Result<Self> {
        let (crystals, atoms, _) = frac.dims3()?;
        let kind = if is_fused(frac) {
            let rows = frac.to_dtype(DType::F64)?.reshape(((), 3))?.to_vec2::<f64>()?;
            let rows: Vec<[f64; 3]> = rows.iter().map(|r| [r[0], r[1], r[2]]).collect();
            Kind::Pairs(Arc::new(Pairs::new(&rows, atoms, frequencies)))
        } else {
            Kind::Features(fourier::features(frac, frequencies)?)
        };
        Ok(Self { crystals, atoms, frequencies, kind })
    }
}

/// Averaged messages (crystals, atoms, hidden) from `nodes` (crystals, atoms, 2 · hidden), `a` then `c`, and the
/// weights `V` (hidden, 6 · K), `W₂` (hidden, hidden), `b₂` (hidden).
pub(super) fn messages(
    nodes: &Tensor,
    geometry: &Geometry,
    [first, second, bias]: [&Tensor; 3],
) -> Result<Tensor> {
    match &geometry.kind {
        Kind::Pairs(pairs) => {
            let weights = Tensor::cat(&[first, second, &bias.unsqueeze(1)?], 1)?.contiguous()?;
            let op = Messages {
                pairs: Arc::clone(pairs),
                crystals: geometry.crystals,
                atoms: geometry.atoms,
                row: 3 * geometry.frequencies,
                hidden: bias.dim(0)?,
            };
            nodes.contiguous()?.apply_op2(&weights, op)
        }
        Kind::Features(psi) => composed(nodes, psi, [first, second, bias]),
    }
}

/// The same with candle's operations.
fn composed(nodes: &Tensor, psi: &Tensor, [first, second, bias]: [&Tensor; 3]) -> Result<Tensor> {
    let (crystals, atoms, both) = nodes.dims3()?;
    let hidden = both / 2;
    let rows = crystals * atoms * atoms;
    let edges = psi.reshape((rows, ()))?.matmul(&first.t()?)?;
    let edges = edges.reshape((crystals, atoms, atoms, hidden))?;
    let edges = edges
        .broadcast_add(&nodes.narrow(2, 0, hidden)?.unsqueeze(2)?)?
        .broadcast_add(&nodes.narrow(2, hidden, hidden)?.unsqueeze(1)?)?
        .silu()?;
    let edges = edges.reshape((rows, hidden))?.matmul(&second.t()?)?.broadcast_add(bias)?.silu()?;
    edges.reshape((crystals, atoms, atoms, hidden))?.mean(2)
}

#[derive(Debug)]
struct Messages {
    pairs: Arc<Pairs>,
    crystals: usize,
    atoms: usize,
    /// Numbers of sines of one pair.
    row: usize,
    hidden: usize,
}

impl Messages {
    fn check(&self, nodes: &Layout, weights: &Layout) -> Result<()> {
        let (crystals, atoms, both) = nodes.shape().dims3()?;
        let weights = weights.shape().dims2()?;
        let fits = (crystals, atoms, both) == (self.crystals, self.atoms, 2 * self.hidden)
            && weights == (self.hidden, 2 * self.row + self.hidden + 1);
        if fits { Ok(()) } else { bail!("atoms of {nodes:?} and weights {weights:?} do not fit") }
    }
}

impl CustomOp2 for Messages {
    fn name(&self) -> &'static str {
        "equicsp-messages"
    }

    fn cpu_fwd(
        &self,
        nodes: &CpuStorage,
        nodes_layout: &Layout,
        weights: &CpuStorage,
        weights_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        self.check(nodes_layout, weights_layout)?;
        let weights = Weights::new(weights, weights_layout, self.row, self.hidden)?;
        let out = self.forward(slice(nodes, nodes_layout)?, &weights)?;
        Ok((CpuStorage::F32(out), Shape::from((self.crystals, self.atoms, self.hidden))))
    }

    fn bwd(
        &self,
        nodes: &Tensor,
        weights: &Tensor,
        _res: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let (storage, layout) = weights.storage_and_layout();
        let Storage::Cpu(storage) = &*storage else { bail!("the weights are on another device") };
        let numbers = Weights::new(storage, layout, self.row, self.hidden)?;
        let [of_nodes, of_weights] = with_slice(nodes, |nodes| {
            with_slice(grad, |grad| self.backward(nodes, &numbers, grad))
        })?;
        Ok((
            Some(Tensor::from_vec(of_nodes, nodes.shape(), nodes.device())?),
            Some(Tensor::from_vec(of_weights, weights.shape(), weights.device())?),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::testing::{Probe, random};

    fn compare(crystals: usize, atoms: usize) {
        const H: usize = 12;
        const K: usize = 5;
        let frac = random(&[crystals, atoms, 3], 1.0);
        let geometry = Geometry::new(&frac, K).unwrap();
        let psi = fourier::features(&frac, K).unwrap();
        let probe = Probe::new(&[
            random(&[crystals, atoms, 2 * H], 1.0),
            random(&[H, 6 * K], 0.3),
            random(&[H, H], 0.3),
            random(&[H], 0.5),
        ]);
        probe.agree(
            |v| messages(&v[0], &geometry, [&v[1], &v[2], &v[3]]).unwrap(),
            |v| composed(&v[0], &psi, [&v[1], &v[2], &v[3]]).unwrap(),
        );
    }

    #[test]
    fn fused_and_composed_agree() {
        compare(3, 4);
        compare(1, 7);
    }

    #[test]
    fn one_atom_and_many_pieces() {
        compare(5, 1);
        compare(150, 3);
        compare(2, 40);
    }

    #[test]
    fn atoms_that_do_not_fit_are_refused() {
        let geometry = Geometry::new(&random(&[2, 3, 3], 1.0), 5).unwrap();
        let (first, second, bias) =
            (random(&[4, 30], 1.0), random(&[4, 4], 1.0), random(&[4], 1.0));
        let weights = [&first, &second, &bias];
        assert!(messages(&random(&[2, 3, 8], 1.0), &geometry, weights).is_ok());
        assert!(messages(&random(&[2, 2, 8], 1.0), &geometry, weights).is_err());
        assert!(messages(&random(&[2, 3, 6], 1.0), &geometry, weights).is_err());
    }
}
