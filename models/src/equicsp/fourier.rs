//! Sines and cosines of coordinate differences.
//!
//! `ψ(d)`: for each of the three axes and frequencies 2πn, n = 0, 1, … K − 1, all sines, then all cosines. ψ(−d) has
//! the same cosines and the negative sines, so only pairs i < j of atoms are computed, and the differences need no
//! wrapping. ψ carries no gradient.

use std::f64::consts::TAU;

use candle_core::{CpuStorage, Result, Tensor};
use rayon::prelude::*;

/// Sines and cosines of all pairs i < j of every crystal of a group, on the CPU.
#[derive(Debug)]
pub(super) struct Pairs {
    /// (crystals · pairs, 3 · K).
    pub(super) sines: CpuStorage,
    /// (crystals · pairs, 3 · K).
    pub(super) cosines: CpuStorage,
}

/// Pairs i < j of `atoms` atoms.
pub(super) fn pair_count(atoms: usize) -> usize {
    atoms * (atoms - 1) / 2
}

impl Pairs {
    /// From fractional coordinates, `atoms` rows for every crystal.
    pub(super) fn new(frac: &[[f64; 3]], atoms: usize, frequencies: usize) -> Self {
        let pairs = pair_count(atoms);
        let row = 3 * frequencies;
        let count = frac.len() / atoms * pairs * row;
        let (mut sines, mut cosines) = (vec![0.0; count], vec![0.0; count]);
        if pairs > 0 {
            sines
                .par_chunks_mut(pairs * row)
                .zip(cosines.par_chunks_mut(pairs * row))
                .zip(frac.par_chunks(atoms))
                .for_each(|((sines, cosines), frac)| {
                    let differences = (0..atoms).flat_map(|i| {
                        (i + 1..atoms).flat_map(move |j| [0, 1, 2].map(|x| frac[j][x] - frac[i][x]))
                    });
                    for ((sines, cosines), d) in sines
                        .chunks_exact_mut(frequencies)
                        .zip(cosines.chunks_exact_mut(frequencies))
                        .zip(differences)
                    {
                        multiples(d, sines, cosines);
                    }
                });
        }
        Self { sines: CpuStorage::F32(sines), cosines: CpuStorage::F32(cosines) }
    }
}

/// sin and cos of 2πnd for n = 0, 1, …, by turning on by 2πd each time.
fn multiples(d: f64, sines: &mut [f32], cosines: &mut [f32]) {
    let (turn_sine, turn_cosine) = (TAU * d).sin_cos();
    let (mut sine, mut cosine) = (0.0_f64, 1.0_f64);
    for (s, c) in sines.iter_mut().zip(cosines) {
        (*s, *c) = (sine as f32, cosine as f32);
        (sine, cosine) =
            (sine * turn_cosine + cosine * turn_sine, cosine * turn_cosine - sine * turn_sine);
    }
}

/// ψ of all ordered pairs with candle's operations: (crystals, atoms, 3) to (crystals, atoms, atoms, 6 · K), element
/// \[b, i, j\] for f_j − f_i.
pub(super) fn features(frac: &Tensor, frequencies: usize) -> Result<Tensor> {
    let (crystals, atoms, _) = frac.dims3()?;
    let frac = frac.detach();
    let differences = frac.unsqueeze(1)?.broadcast_sub(&frac.unsqueeze(2)?)?;
    let waves: Vec<f64> = (0..frequencies).map(|n| TAU * n as f64).collect();
    let waves = Tensor::new(waves, frac.device())?.to_dtype(frac.dtype())?;
    let angles = differences.unsqueeze(4)?.broadcast_mul(&waves)?;
    let angles = angles.reshape((crystals, atoms, atoms, 3 * frequencies))?;
    Tensor::cat(&[angles.sin()?, angles.cos()?], 3)
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;
    use crate::nn::product::numbers;

    #[test]
    fn pairs_and_features_agree() -> Result<()> {
        let frac: Vec<[f64; 3]> = (0..8)
            .map(|i| [0.17 * f64::from(i), 1.3 - 0.21 * f64::from(i), (f64::from(i) * 2.1).sin()])
            .collect();
        let Pairs { sines, cosines } = Pairs::new(&frac, 4, 9);
        let pairs = [numbers(sines)?, numbers(cosines)?];
        let all = Tensor::new(frac.as_flattened(), &Device::Cpu)?.reshape((2, 4, 3))?;
        let all = features(&all, 9)?.to_dtype(candle_core::DType::F32)?;
        let mut row = 0;
        for b in 0..2 {
            for i in 0..4 {
                for j in i + 1..4 {
                    let psi = all.get(b)?.get(i)?.get(j)?.to_vec1::<f32>()?;
                    let ours = [0, 1].map(|x| &pairs[x][row * 27..(row + 1) * 27]);
                    for (x, y) in ours.concat().iter().zip(psi) {
                        assert!((x - y).abs() < 1e-6);
                    }
                    row += 1;
                }
            }
        }
        assert_eq!(row * 27, pairs[0].len());
        Ok(())
    }

    #[test]
    fn a_hundred_frequencies_lose_no_digits() {
        let (mut sines, mut cosines) = (vec![0.0; 128], vec![0.0; 128]);
        multiples(0.123_456_7, &mut sines, &mut cosines);
        for n in 0..128 {
            let angle = TAU * 0.123_456_7 * n as f64;
            assert!((f64::from(sines[n]) - angle.sin()).abs() < 1e-7);
            assert!((f64::from(cosines[n]) - angle.cos()).abs() < 1e-7);
        }
    }
}
