//! From noise to a crystal: predictor and corrector.
//!
//! Each step evaluates the network twice, at the same time: the corrector stirs the coordinates by Langevin dynamics,
//! the predictor takes coordinates and lattice to the next time. Everything but the network is in double precision.
//! The times may leave out steps; then the lattice takes the step that the product of the left-out ones is.

use super::config::Score;
use super::lattice::to_lattice;
use super::loss::Diffuser;
use super::network::{Denoiser, Input, Species};
use super::noise::circular_mean_slopes;
use crate::ModelError;
use crate::nn::random::Random;
use candle_core::{DType, Device, Tensor};
use cellwright_crystal::Lattice;

/// What is known of the crystals that are sampled, all of the same number of atoms.
#[derive(Debug, Clone, Copy)]
pub enum Wanted<'a> {
    /// Their atomic numbers, a row for each.
    Species(&'a [&'a [u8]]),
    /// How many crystals, and how many atoms each has: a model that diffuses species chooses these.
    Atoms(usize, usize),
}

impl Wanted<'_> {
    /// How many crystals, and how many atoms each has.
    fn size(self) -> (usize, usize) {
        match self {
            Self::Species(numbers) => (numbers.len(), numbers.first().map_or(0, |n| n.len())),
            Self::Atoms(crystals, atoms) => (crystals, atoms),
        }
    }
}

/// Crystals on their way, all of the same number of atoms.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// For each atom a number for every element, the largest of which will be its species; empty where species are known.
    pub species: Vec<f64>,
    /// Six numbers of each lattice.
    pub lattices: Vec<[f64; 6]>,
    /// Fractional coordinates, `crystals · atoms` rows.
    pub frac: Vec<[f64; 3]>,
}

/// The random numbers of one step; all 0 for none.
#[derive(Debug, Clone)]
pub struct StepNoise {
    /// Of the corrector, one row per atom.
    pub corrector: Vec<[f64; 3]>,
    /// Of the predictor, one row per atom.
    pub predictor: Vec<[f64; 3]>,
    /// Of the lattice.
    pub lattice: Vec<[f64; 6]>,
    /// Of the species, a number per atom and element; empty where they are known.
    pub species: Vec<f64>,
}

impl StepNoise {
    /// Standard normal numbers; `species` of them for the species.
    pub fn random(crystals: usize, atoms: usize, species: usize, random: &mut Random) -> Self {
        let mut rows =
            || (0..crystals * atoms).map(|_| [(); 3].map(|()| random.normal())).collect::<Vec<_>>();
        let (corrector, predictor) = (rows(), rows());
        let lattice = (0..crystals).map(|_| [(); 6].map(|()| random.normal())).collect();
        let species = (0..species).map(|_| random.normal()).collect();
        Self { corrector, predictor, lattice, species }
    }

    /// None.
    #[must_use]
    pub fn none(crystals: usize, atoms: usize, species: usize) -> Self {
        let rows = vec![[0.0; 3]; crystals * atoms];
        Self {
            corrector: rows.clone(),
            predictor: rows,
            lattice: vec![[0.0; 6]; crystals],
            species: vec![0.0; species],
        }
    }
}

/// A sampled crystal.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawn {
    /// Its lattice; none if the angles close no cell.
    pub lattice: Option<Lattice>,
    /// Fractional coordinates in [0, 1).
    pub frac: Vec<[f64; 3]>,
    /// Atomic numbers.
    pub numbers: Vec<u8>,
}

/// What the network says of a state.
struct Said {
    /// Noise of the lattices.
    lattice: Vec<[f64; 6]>,
    /// Where the coordinates lie from where they belong.
    direction: Vec<[f64; 3]>,
    /// Noise of the species.
    species: Vec<f64>,
}

/// A network with what is needed to sample from it.
#[derive(Debug, Clone, Copy)]
pub struct Sampler<'a> {
    /// Schedules and tables, the latter for the numbers of atoms to be sampled.
    pub diffuser: &'a Diffuser,
    /// The network.
    pub denoiser: &'a Denoiser,
    /// Where it runs.
    pub device: &'a Device,
    /// Step length of the corrector at t = 1 \[5e-6; DiffCSP has 5e-7 for Perov-5\]; 0 for no corrector, which halves the work.
    pub step: f64,
    /// Noise that a step of the predictor adds, as a share of what the diffusion's reverse has \[1\]. At 0 the answer is a
    /// function of the start (Song, Meng and Ermon 2021), and few steps lose less.
    pub churn: f64,
}

/// Where the six numbers of a lattice may lie when steps are left out: lengths of 1 to 150 Å, angles of 25 to 155°. From pure
/// noise a long step would amplify the network's error a thousandfold.
const LENGTHS: [f64; 2] = [0.0, 5.0];
const ANGLES: [f64; 2] = [-2.15, 2.15];

/// Where the indicators of the species may lie then.
const INDICATORS: [f64; 2] = [0.0, 1.0];

impl Sampler<'_> {
    /// What the network says at time `t`: noise of the lattices, and the direction in which the coordinates lie from
    /// where they belong.
    fn evaluate(&self, wanted: Wanted, state: &State, t: usize) -> Result<Said, ModelError> {
        let (crystals, atoms) = wanted.size();
        if atoms == 0 || state.frac.len() != atoms * crystals {
            return Err(ModelError::Data("a state and its species differ in length".into()));
        }
        let frac: Vec<Vec<[f64; 3]>> = state.frac.chunks_exact(atoms).map(<[_]>::to_vec).collect();
        let times = vec![t; crystals];
        let network = &self.diffuser.config.network;
        let species = match wanted {
            Wanted::Species(numbers) => Species::Known(numbers),
            Wanted::Atoms(..) => Species::Noisy { atoms, values: &state.species },
        };
        let input = Input::new(network, species, &times, &state.lattices, &frac, self.device)?;
        let output = self.denoiser.forward(&input)?;
        let entry = self.diffuser.tables.get(atoms, t).ok_or_else(|| {
            ModelError::Data(format!("no noise table for {atoms} atoms at time {t}"))
        })?;
        let lattice = rows::<6>(&output.lattice)?;
        let mut direction = rows::<3>(&output.score)?;
        for row in &mut direction {
            *row = row.map(|s| s * entry.score_variance.sqrt());
        }
        if self.diffuser.config.diffusion.score == Score::VonMises {
            let position = rows::<3>(&output.position)?;
            let scale = entry.position_variance.sqrt();
            for (direction, position) in
                direction.chunks_exact_mut(atoms).zip(position.chunks_exact(atoms))
            {
                for axis in 0..3 {
                    let x: Vec<f64> =
                        position.iter().map(|p| (p[axis] * scale).clamp(-0.5, 0.5)).collect();
                    let total: f64 = direction.iter().map(|d| d[axis]).sum();
                    for (d, slope) in direction.iter_mut().zip(circular_mean_slopes(&x)) {
                        d[axis] -= slope * total;
                    }
                }
            }
        }
        let species = match &output.species {
            Some(species) => rows::<1>(species)?.into_flattened(),
            None => Vec::new(),
        };
        Ok(Said { lattice, direction, species })
    }

    /// Corrector: the coordinates at time `t`, stirred.
    ///
    /// # Errors
    /// When species and state do not fit, an element is unknown, or there is no table for so many atoms.
    pub fn correct(
        &self,
        wanted: Wanted,
        state: &State,
        t: usize,
        noise: &[[f64; 3]],
    ) -> Result<State, ModelError> {
        let Said { direction, .. } = self.evaluate(wanted, state, t)?;
        let sigma = &self.diffuser.schedule.sigma;
        let step = self.step * (sigma[t] / sigma[1]).powi(2);
        let frac = moved(&state.frac, &direction, step, noise, (2.0 * step).sqrt());
        Ok(State { frac, ..state.clone() })
    }

    /// Predictor: from time `t` to `to` < `t`. Coordinates come out in [0, 1).
    ///
    /// # Errors
    /// As [`Self::correct`].
    pub fn predict(
        &self,
        wanted: Wanted,
        state: &State,
        [t, to]: [usize; 2],
        noise: &StepNoise,
    ) -> Result<State, ModelError> {
        let Said { lattice, direction, species } = self.evaluate(wanted, state, t)?;
        let schedule = &self.diffuser.schedule;
        let (now, next) = (schedule.sigma[t].powi(2), schedule.sigma[to].powi(2));
        // The clean coordinates lie at f − now · direction; what is kept of the way from there is noise of the next level.
        let fresh = self.churn * (next * (now - next) / now).sqrt();
        let kept = ((next - fresh * fresh) / now).sqrt();
        let mut frac = moved(&state.frac, &direction, now * (1.0 - kept), &noise.predictor, fresh);
        for row in &mut frac {
            *row = row.map(|x| x.rem_euclid(1.0));
        }
        let add = self.churn * schedule.posterior_sigma(t, to);
        let (bar, bar_to) = (schedule.alpha_bar[t], schedule.alpha_bar[to]);
        let along = (1.0 - bar_to - add * add).max(0.0).sqrt();
        let is_long = to + 1 < t;
        // From the clean number that the network means to the next noise level.
        let next = |now: f64, said: f64, noise: f64, [low, high]: [f64; 2]| {
            let mut clean = (now - (1.0 - bar).sqrt() * said) / bar.sqrt();
            if is_long {
                clean = clean.clamp(low, high);
            }
            let direction = (now - bar.sqrt() * clean) / (1.0 - bar).sqrt();
            bar_to.sqrt() * clean + along * direction + add * noise
        };
        let lattices = (0..state.lattices.len())
            .map(|c| {
                std::array::from_fn(|i| {
                    let bounds = if i < 3 { LENGTHS } else { ANGLES };
                    next(state.lattices[c][i], lattice[c][i], noise.lattice[c][i], bounds)
                })
            })
            .collect();
        let species = std::iter::zip(&state.species, species)
            .zip(&noise.species)
            .map(|((now, said), noise)| next(*now, said, *noise, INDICATORS))
            .collect();
        Ok(State { species, lattices, frac })
    }

    /// Samples one crystal for each row of species, all of the same number of atoms. `times` descends from T to above
    /// 0, all of them for the published sampler ([`times`]). `cancelled` is asked before each step.
    ///
    /// A crystal whose angles close no cell has no lattice: the caller draws again.
    ///
    /// # Errors
    /// As [`Self::correct`], and when cancelled.
    pub fn sample(
        &self,
        wanted: Wanted,
        times: &[usize],
        random: &mut Random,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Vec<Drawn>, ModelError> {
        let (crystals, atoms) = wanted.size();
        let elements = self.diffuser.config.network.elements;
        let indicators = match wanted {
            Wanted::Species(_) => 0,
            Wanted::Atoms(..) => crystals * atoms * elements,
        };
        let mut state = State {
            species: (0..indicators).map(|_| random.normal()).collect(),
            lattices: (0..crystals).map(|_| [(); 6].map(|()| random.normal())).collect(),
            frac: (0..crystals * atoms).map(|_| [(); 3].map(|()| random.uniform())).collect(),
        };
        for (i, &t) in times.iter().enumerate() {
            if cancelled() {
                return Err(ModelError::Cancelled);
            }
            let to = times.get(i + 1).copied().unwrap_or(0);
            let noise = if to == 0 {
                StepNoise::none(crystals, atoms, indicators)
            } else {
                StepNoise::random(crystals, atoms, indicators, random)
            };
            if self.step > 0.0 {
                state = self.correct(wanted, &state, t, &noise.corrector)?;
            }
            state = self.predict(wanted, &state, [t, to], &noise)?;
        }
        let drawn = |c: usize| {
            let numbers = match wanted {
                Wanted::Species(numbers) => numbers[c].to_vec(),
                Wanted::Atoms(..) => {
                    let rows = state.species[c * atoms * elements..].chunks_exact(elements);
                    rows.take(atoms).map(largest).collect()
                }
            };
            let frac = state.frac[c * atoms..(c + 1) * atoms].to_vec();
            Drawn { lattice: to_lattice(state.lattices[c]).ok(), frac, numbers }
        };
        Ok((0..crystals).map(drawn).collect())
    }
}

/// Atomic number of the largest indicator.
fn largest(indicators: &[f64]) -> u8 {
    let most = (0..indicators.len()).max_by(|a, b| indicators[*a].total_cmp(&indicators[*b]));
    most.map_or(0, |place| place as u8 + 1)
}

/// `count` times from `steps` down to 1, evenly spread; all of them when `count` is `steps` or more.
#[must_use]
pub fn times(steps: usize, count: usize) -> Vec<usize> {
    let count = count.clamp(1, steps);
    let at = |i: usize| 1 + (i * (steps - 1) + (count - 1) / 2) / (count - 1).max(1);
    (0..count).rev().map(|i| if count == 1 { steps } else { at(i) }).collect()
}

fn moved(
    frac: &[[f64; 3]],
    direction: &[[f64; 3]],
    step: f64,
    noise: &[[f64; 3]],
    scale: f64,
) -> Vec<[f64; 3]> {
    std::iter::zip(frac, direction)
        .zip(noise)
        .map(|((f, d), z)| std::array::from_fn(|i| f[i] - step * d[i] + scale * z[i]))
        .collect()
}

fn rows<const N: usize>(tensor: &Tensor) -> candle_core::Result<Vec<[f64; N]>> {
    let flat = tensor.detach().to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>()?;
    Ok(flat.as_chunks::<N>().0.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::equicsp::config::{Config, Network};
    use crate::equicsp::network::parameters;

    fn tiny() -> Config {
        let network = Network {
            hidden: 8,
            layers: 1,
            frequencies: 3,
            time: 4,
            elements: 20,
            ..Network::default()
        };
        Config { network, ..Config::default() }
    }

    /// Fresh weights, and tables for so many atoms.
    fn untrained(config: &Config, atoms: usize) -> (Diffuser, Denoiser) {
        let weights = parameters(&config.network, &mut Random::new(1, 0), &Device::Cpu).unwrap();
        let denoiser = Denoiser::new(&config.network, &weights.values().unwrap()).unwrap();
        (Diffuser::new(config, &[atoms]).unwrap(), denoiser)
    }

    #[test]
    fn times_descend_from_the_last_to_the_first() {
        assert_eq!(times(5, 9), [5, 4, 3, 2, 1]);
        assert_eq!(times(1000, 3), [1000, 501, 1]);
        assert_eq!(times(1000, 1), [1000]);
        assert_eq!(times(1000, 250).len(), 250);
        assert!(times(1000, 250).windows(2).all(|w| w[0] > w[1]));
    }

    #[test]
    fn without_churn_chance_decides_the_start_only() {
        let (diffuser, denoiser) = untrained(&tiny(), 2);
        let still = Sampler {
            diffuser: &diffuser,
            denoiser: &denoiser,
            device: &Device::Cpu,
            step: 0.0,
            churn: 0.0,
        };
        let state = State {
            species: Vec::new(),
            lattices: vec![[1.0, 1.1, 1.2, 0.0, 0.1, 0.2]],
            frac: vec![[0.1; 3], [0.6; 3]],
        };
        let species = Wanted::Species(&[&[11, 17]]);
        let mut random = Random::new(3, 0);
        for times in [[1000, 900], [400, 399], [7, 0]] {
            let noise = StepNoise::random(1, 2, 0, &mut random);
            let calm = still.predict(species, &state, times, &StepNoise::none(1, 2, 0)).unwrap();
            assert_eq!(still.predict(species, &state, times, &noise).unwrap(), calm);
            let restless = Sampler { churn: 1.0, ..still };
            let moved = restless.predict(species, &state, times, &noise).unwrap();
            // The last step adds no noise in either.
            assert_eq!(moved == calm, times[1] == 0, "{times:?}");
        }
    }

    #[test]
    fn long_steps_from_noise_stay_in_reach() {
        let (diffuser, denoiser) = untrained(&tiny(), 2);
        let mut random = Random::new(1, 0);
        let state = State {
            species: Vec::new(),
            lattices: vec![[(); 6].map(|()| random.normal())],
            frac: vec![[0.1; 3], [0.6; 3]],
        };
        for churn in [0.0, 1.0] {
            let sampler = Sampler {
                diffuser: &diffuser,
                denoiser: &denoiser,
                device: &Device::Cpu,
                step: 0.0,
                churn,
            };
            let noise = StepNoise::random(1, 2, 0, &mut random);
            let next = sampler
                .predict(Wanted::Species(&[&[11, 17]]), &state, [1000, 900], &noise)
                .unwrap();
            // Without bounds the error of the untrained network comes in a thousandfold.
            assert!(next.lattices[0].iter().all(|k| k.abs() < 10.0), "{:?}", next.lattices);
        }
    }

    #[test]
    fn species_are_chosen_where_none_are_given() {
        let mut config = tiny();
        config.network.species = true;
        let (diffuser, denoiser) = untrained(&config, 3);
        let sampler = Sampler {
            diffuser: &diffuser,
            denoiser: &denoiser,
            device: &Device::Cpu,
            step: 5e-6,
            churn: 1.0,
        };
        let draw = |seed| {
            let (wanted, random) = (Wanted::Atoms(4, 3), &mut Random::new(seed, 0));
            sampler.sample(wanted, &times(1000, 5), random, &|| false).unwrap()
        };
        let drawn = draw(1);
        assert_eq!(drawn, draw(1));
        assert!(drawn.iter().all(|d| d.numbers.len() == 3 && d.frac.len() == 3));
        assert!(drawn.iter().flat_map(|d| &d.numbers).all(|z| (1..=20).contains(z)));
        let told = Wanted::Species(&[&[3, 8, 8]]);
        let refused = sampler.sample(told, &[10], &mut Random::new(1, 0), &|| false);
        assert!(refused.unwrap_err().to_string().contains("chooses the species"));
        assert_eq!(largest(&[0.1, 0.9, -2.0]), 2);
    }

    #[test]
    fn samples_repeat_and_can_be_cancelled() {
        let (diffuser, denoiser) = untrained(&tiny(), 2);
        let sampler = Sampler {
            diffuser: &diffuser,
            denoiser: &denoiser,
            device: &Device::Cpu,
            step: 5e-6,
            churn: 1.0,
        };
        let species = Wanted::Species(&[&[11, 17], &[3, 9]]);
        let draw = |seed| {
            let times = times(1000, 5);
            sampler.sample(species, &times, &mut Random::new(seed, 0), &|| false).unwrap()
        };
        let first = draw(1);
        assert_eq!(first, draw(1));
        assert_ne!(first, draw(2));
        assert!(
            first.iter().flat_map(|drawn| &drawn.frac).flatten().all(|x| (0.0..1.0).contains(x))
        );
        let stopped = sampler.sample(species, &[10], &mut Random::new(1, 0), &|| true);
        assert!(matches!(stopped, Err(ModelError::Cancelled)));
        let unknown =
            sampler.sample(Wanted::Species(&[&[11, 40]]), &[10], &mut Random::new(1, 0), &|| false);
        assert!(unknown.unwrap_err().to_string().contains("number 40"));
        let no_table =
            sampler
                .sample(Wanted::Species(&[&[3, 3, 8]]), &[10], &mut Random::new(1, 0), &|| false);
        assert!(no_table.unwrap_err().to_string().contains("3 atoms"));
    }
}
