//! The crystals that a generator's answer stands for.

use candle_core::{DType, Tensor};
use cellwright_crystal::Lattice;
use nalgebra::Vector3;

use crate::ModelError;
use crate::selfsup::config::Network;
use crate::selfsup::corruption::{Corrupted, displace, shortest};
use crate::selfsup::course::Known;
use crate::selfsup::graph::{Cell, Graph, TOO_CLOSE};
use crate::selfsup::loss::log_softmax;
use crate::selfsup::network::Output;

/// Mended crystals, those that can be judged.
#[derive(Debug)]
pub(super) struct Generated<'a> {
    crystals: Vec<Mended<'a>>,
    /// Which rows of the answer their atoms are.
    rows: Vec<u32>,
}

#[derive(Debug)]
struct Mended<'a> {
    lattice: &'a Lattice,
    numbers: Vec<u8>,
    frac: Vec<Vector3<f64>>,
}

impl<'a> Generated<'a> {
    /// The most probable species at the positions that are left when the displacements are taken away. Crystals whose atoms are
    /// on top of each other, or nowhere, are left out.
    ///
    /// # Errors
    /// When the answer has no vectors or the device fails.
    pub(super) fn new(
        crystals: &[&'a Known],
        corrupted: &[Corrupted],
        said: &Output,
    ) -> Result<Self, ModelError> {
        let vectors = said.vectors()?.to_dtype(DType::F64)?.to_vec2::<f64>()?;
        let classes = said.scalars.argmax(1)?.to_vec1::<u32>()?;
        let mut answers = vectors.into_iter().zip(classes);
        let mut generated = Self { crystals: Vec::new(), rows: Vec::new() };
        let mut first = 0;
        for (known, corrupted) in crystals.iter().zip(corrupted) {
            let atoms = known.atoms() as u32;
            let (vectors, classes): (Vec<_>, Vec<_>) =
                answers.by_ref().take(atoms as usize).unzip();
            let vectors: Vec<[f64; 3]> = vectors.iter().map(|v| [v[0], v[1], v[2]]).collect();
            let lattice = &known.lattice;
            let before: Vec<[f64; 3]> = corrupted.frac.iter().map(|f| (*f).into()).collect();
            let frac = displace(lattice, &before, -1.0, &vectors).frac;
            let places: Vec<[f64; 3]> = frac.iter().map(|f| (*f).into()).collect();
            if shortest(lattice, &places).is_ok_and(|distance| distance > TOO_CLOSE) {
                let numbers = classes.iter().map(|class| *class as u8 + 1).collect();
                generated.crystals.push(Mended { lattice, numbers, frac });
                generated.rows.extend(first..first + atoms);
            }
            first += atoms;
        }
        Ok(generated)
    }

    /// Number of crystals.
    pub(super) fn len(&self) -> usize {
        self.crystals.len()
    }

    /// The crystals, without gradients.
    pub(super) fn cells(&self) -> Vec<Cell<'_>> {
        self.crystals
            .iter()
            .map(|m| Cell { lattice: m.lattice, numbers: &m.numbers, frac: &m.frac })
            .collect()
    }

    /// The crystals with species as shares, and gradients to what was said.
    ///
    /// # Errors
    /// As [`Graph::new`].
    pub(super) fn graph(&self, network: &Network, said: &Output) -> Result<Graph, ModelError> {
        let (dtype, device) = (said.scalars.dtype(), said.scalars.device());
        let graph = Graph::new(network, &self.cells(), dtype, device)?;
        let rows = Tensor::new(self.rows.as_slice(), device)?;
        let vectors = said.vectors()?;
        // 0, and one less for each one more that is taken away.
        let moves = (vectors.detach() - vectors)?.index_select(&rows, 0)?;
        let shares = log_softmax(&said.scalars.index_select(&rows, 0)?)?.exp()?;
        let shares = shares.pad_with_zeros(1, 1, 0)?;
        Ok(graph.mixed(&shares).moving(network, &moves)?)
    }
}
