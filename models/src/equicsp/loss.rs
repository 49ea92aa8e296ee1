//! What the network is taught: crystals with noise, and how far its answers are off.

use candle_core::{Device, Result, Tensor};

use super::config::Config;
use super::lattice::{ORDERS, permute, to_numbers};
use super::network::{Denoiser, Input, Species};
use super::noise::{Targets, targets};
use super::schedule::Schedule;
use super::tables::Tables;
use crate::ModelError;
use crate::data::Crystal;
use crate::nn::random::Random;

/// Everything about the diffusion that is not a weight.
#[derive(Debug, Clone)]
pub struct Diffuser {
    /// The settings.
    pub config: Config,
    /// Both schedules.
    pub schedule: Schedule,
    /// How the coordinate noise is distributed.
    pub tables: Tables,
}

impl Diffuser {
    /// With the tables for these numbers of atoms.
    ///
    /// # Errors
    /// When the settings make no model.
    pub fn new(config: &Config, atoms: &[usize]) -> std::result::Result<Self, ModelError> {
        config.check()?;
        let schedule = Schedule::new(&config.diffusion);
        let tables = Tables::new(&config.diffusion, &schedule, atoms);
        Ok(Self { config: config.clone(), schedule, tables })
    }
}

/// What chance decides about one crystal in one training step.
#[derive(Debug, Clone, PartialEq)]
pub struct Draw {
    /// Time, 1 to T.
    pub time: usize,
    /// New order of the axes for the permutation terms.
    pub order: [usize; 3],
    /// Standard normal noise of the lattice.
    pub lattice: [f64; 6],
    /// Standard normal noise of the coordinates, one row per atom.
    pub frac: Vec<[f64; 3]>,
    /// Standard normal noise of the species, a number per atom and element; empty where they are known.
    pub species: Vec<f64>,
}

impl Draw {
    /// Drawn from `random`.
    pub fn random(atoms: usize, config: &Config, random: &mut Random) -> Self {
        let species = if config.network.species { atoms * config.network.elements } else { 0 };
        Self {
            time: 1 + random.below(config.diffusion.steps),
            order: ORDERS[random.below(ORDERS.len())],
            lattice: [(); 6].map(|()| random.normal()),
            frac: (0..atoms).map(|_| [(); 3].map(|()| random.normal())).collect(),
            species: (0..species).map(|_| random.normal()).collect(),
        }
    }
}

/// A group of noised crystals with what the network is to say.
#[derive(Debug, Clone)]
pub struct Noised {
    /// The crystals; if the permutation terms count, once more with their axes in another order.
    pub input: Input,
    /// Orders as matrices that act on rows from the right, (crystals, 3, 3).
    orders: Option<Tensor>,
    lattice: Tensor,
    position: Tensor,
    score: Tensor,
    species: Option<Tensor>,
}

impl Noised {
    /// Noises crystals of the same number of atoms.
    ///
    /// # Errors
    /// When the crystals differ in size, an element is unknown or there is no table for so many atoms.
    pub fn new(
        diffuser: &Diffuser,
        crystals: &[&Crystal],
        draws: &[Draw],
        device: &Device,
    ) -> std::result::Result<Self, ModelError> {
        let Diffuser { config, schedule, tables } = diffuser;
        let permuted = config.loss.permutation > 0.0;
        let (mut lattices, mut coordinates) = (Vec::new(), Vec::new());
        let (mut position, mut score) = (Vec::new(), Vec::new());
        let elements = config.network.elements;
        let (mut indicators, mut species) = (Vec::new(), Vec::new());
        for (crystal, draw) in crystals.iter().zip(draws) {
            let atoms = crystal.numbers.len();
            let t = draw.time;
            let entry = tables.get(atoms, t).ok_or_else(|| {
                ModelError::Data(format!("no noise table for {atoms} atoms at time {t}"))
            })?;
            let (keep, add) = (schedule.alpha_bar[t].sqrt(), (1.0 - schedule.alpha_bar[t]).sqrt());
            let clean = to_numbers(crystal.lengths, crystal.angles);
            lattices.push(std::array::from_fn(|i| keep * clean[i] + add * draw.lattice[i]));
            let sigma = schedule.sigma[t];
            let noise: Vec<[f64; 3]> = draw.frac.iter().map(|z| z.map(|z| sigma * z)).collect();
            coordinates.push(
                std::iter::zip(&crystal.frac, &noise)
                    .map(|(f, n)| std::array::from_fn(|i| (f[i] + n[i]).rem_euclid(1.0)))
                    .collect::<Vec<[f64; 3]>>(),
            );
            let axes = [0, 1, 2].map(|axis| {
                let along: Vec<f64> = noise.iter().map(|n| n[axis]).collect();
                targets(&along, sigma, entry, tables.score())
            });
            let rows = |pick: fn(&Targets) -> &[f64]| {
                (0..atoms)
                    .flat_map(|i| [0, 1, 2].map(|axis| pick(&axes[axis])[i]))
                    .collect::<Vec<_>>()
            };
            for (z, noise) in crystal.numbers.iter().zip(draw.species.chunks_exact(elements)) {
                let is = |i: usize| if i + 1 == usize::from(*z) { keep } else { 0.0 };
                indicators.extend(noise.iter().enumerate().map(|(i, n)| is(i) + add * n));
                species.extend(noise);
            }
            position.extend(rows(|t| &t.position));
            score.extend(rows(|t| &t.score));
        }
        let mut numbers: Vec<&[u8]> = crystals.iter().map(|c| c.numbers.as_slice()).collect();
        let mut times: Vec<usize> = draws.iter().map(|d| d.time).collect();
        if permuted {
            numbers.extend_from_within(..);
            indicators.extend_from_within(..);
            times.extend_from_within(..);
            for (i, draw) in draws.iter().enumerate() {
                lattices.push(permute(lattices[i], draw.order));
                coordinates.push(coordinates[i].iter().map(|f| draw.order.map(|x| f[x])).collect());
            }
        }
        let atoms = crystals.first().map_or(0, |c| c.numbers.len());
        let given = if config.network.species {
            Species::Noisy { atoms, values: &indicators }
        } else {
            Species::Known(&numbers)
        };
        let input = Input::new(&config.network, given, &times, &lattices, &coordinates, device)?;
        let count = crystals.len();
        let lattice = draws.iter().flat_map(|d| d.lattice).collect();
        let species = config
            .network
            .species
            .then(|| single(species, &[count, atoms, elements], device))
            .transpose()?;
        Ok(Self {
            input,
            orders: permuted.then(|| orders(draws, device)).transpose()?,
            lattice: single(lattice, &[count, 6], device)?,
            position: single(position, &[count, atoms, 3], device)?,
            score: single(score, &[count, atoms, 3], device)?,
            species,
        })
    }

    /// Number of crystals, not counting the permuted ones.
    fn crystals(&self) -> Result<usize> {
        self.lattice.dim(0)
    }
}

fn single(numbers: Vec<f64>, shape: &[usize], device: &Device) -> Result<Tensor> {
    let numbers: Vec<f32> = numbers.into_iter().map(|x| x as f32).collect();
    Tensor::from_vec(numbers, shape, device)
}

fn orders(draws: &[Draw], device: &Device) -> Result<Tensor> {
    let mut matrices = vec![0.0; draws.len() * 9];
    for (matrix, draw) in matrices.chunks_exact_mut(9).zip(draws) {
        for (new, old) in draw.order.into_iter().enumerate() {
            matrix[3 * old + new] = 1.0;
        }
    }
    single(matrices, &[draws.len(), 3, 3], device)
}

/// The terms of the loss, scalars.
#[derive(Debug, Clone)]
pub struct Terms {
    /// Noise of the lattice.
    pub lattice: Tensor,
    /// Displacements.
    pub position: Tensor,
    /// Scores.
    pub score: Tensor,
    /// How much exchanging axes and predicting do not commute: the lattice, displacements and scores. None when not
    /// asked for.
    pub permutation: Option<[Tensor; 2]>,
    /// Noise of the species; none where they are known.
    pub species: Option<Tensor>,
}

impl Terms {
    /// Names of the terms in [`Self::values`].
    pub const NAMES: [&str; 6] =
        ["lattice", "position", "score", "permuted_lattice", "permuted_coordinates", "species"];

    /// The terms of one group of a mini-batch of `crystals` crystals and `atoms` atoms: each is a mean over all
    /// numbers of the mini-batch, so the terms of its groups add up.
    ///
    /// # Errors
    /// When shapes do not fit or the device is out of memory.
    pub fn new(
        denoiser: &Denoiser,
        noised: &Noised,
        crystals: usize,
        atoms: usize,
    ) -> Result<Self> {
        let count = noised.crystals()?;
        let output = denoiser.forward(&noised.input)?;
        let straight = |t: &Tensor| t.narrow(0, 0, count);
        let (lattice, position, score) =
            (straight(&output.lattice)?, straight(&output.position)?, straight(&output.score)?);
        let (per_crystal, per_atom) = (1.0 / (6 * crystals) as f64, 1.0 / (3 * atoms) as f64);
        let square = |a: &Tensor, b: &Tensor, weight: f64| (a - b)?.sqr()?.sum_all()? * weight;
        let permutation = match &noised.orders {
            None => None,
            Some(orders) => {
                let orders = orders.to_dtype(lattice.dtype())?;
                let turned = |t: &Tensor| t.contiguous()?.matmul(&orders);
                let other = |t: &Tensor| t.narrow(0, count, count);
                let cell = turned(&lattice.reshape((count, 2, 3))?)?.reshape((count, 6))?;
                let coordinates =
                    (square(&other(&output.position)?, &turned(&position)?, per_atom)?
                        + square(&other(&output.score)?, &turned(&score)?, per_atom)?)?;
                Some([square(&other(&output.lattice)?, &cell, per_crystal)?, coordinates])
            }
        };
        let as_output = |t: &Tensor| t.to_dtype(lattice.dtype());
        let species = match (&output.species, &noised.species) {
            (Some(said), Some(noise)) => {
                let weight = 1.0 / (noise.dim(2)? * atoms) as f64;
                Some(square(&straight(said)?, &as_output(noise)?, weight)?)
            }
            _ => None,
        };
        Ok(Self {
            lattice: square(&lattice, &as_output(&noised.lattice)?, per_crystal)?,
            position: square(&position, &as_output(&noised.position)?, per_atom)?,
            score: square(&score, &as_output(&noised.score)?, per_atom)?,
            permutation,
            species,
        })
    }

    /// The weighted sum.
    ///
    /// # Errors
    /// When the device is out of memory.
    pub fn total(&self, config: &Config) -> Result<Tensor> {
        let weights = &config.loss;
        let mut total = (&self.lattice * weights.lattice)?;
        total = (total + (&self.score * weights.score)?)?;
        if weights.position > 0.0 {
            total = (total + (&self.position * weights.position)?)?;
        }
        if let Some([lattice, coordinates]) = &self.permutation {
            total = (total + ((lattice + coordinates)? * weights.permutation)?)?;
        }
        if let Some(species) = &self.species {
            total = (total + (species * weights.species)?)?;
        }
        Ok(total)
    }

    /// The numbers, in the order of [`Self::NAMES`]; those not asked for are 0.
    ///
    /// # Errors
    /// When the device fails.
    pub fn values(&self) -> Result<[f64; 6]> {
        let value = |t: &Tensor| t.to_dtype(candle_core::DType::F64)?.to_scalar::<f64>();
        let [a, b] = match &self.permutation {
            None => [0.0; 2],
            Some([a, b]) => [value(a)?, value(b)?],
        };
        let species = self.species.as_ref().map_or(Ok(0.0), value)?;
        Ok([value(&self.lattice)?, value(&self.position)?, value(&self.score)?, a, b, species])
    }
}
