//! A trained model, ready to answer.

use std::path::Path;

use candle_core::Device;
use cellwright_crystal::{Element, Lattice, Site, Structure};
use nalgebra::Vector3;
use serde::Deserialize;

use super::config::Config;
use super::loss::Diffuser;
use super::network::Denoiser;
use super::sampler::{Sampler, times};
use crate::ModelError;
use crate::data::Seen;
use crate::nn::checkpoint;
use crate::nn::random::Random;

/// How often a crystal is drawn again whose angles close no cell.
const REDRAWS: usize = 4;

/// Weights with their settings.
#[derive(Debug)]
pub struct Model {
    config: Config,
    denoiser: Denoiser,
    device: Device,
    seen: Option<Seen>,
}

/// How to sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Number of time steps, at most the model's \[1000\].
    pub steps: usize,
    /// Step length of the corrector at t = 1; 0 for none.
    pub corrector: f64,
    /// Noise that a step adds, as a share of the diffusion's \[1\]; see [`Sampler::churn`].
    pub churn: f64,
    /// Seed of the noise.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { steps: 1000, corrector: 5e-6, churn: 1.0, seed: 0 }
    }
}

impl Options {
    /// A few steps without chance: what a user waits for. The match rates of the cards in `models/weights/equicsp` are
    /// measured with these too.
    #[must_use]
    pub fn fast() -> Self {
        Self { steps: 25, corrector: 0.0, churn: 0.0, seed: 0 }
    }
}

impl Model {
    /// Reads `model.safetensors` of a training run.
    ///
    /// # Errors
    /// When the file is not there, is damaged or holds another model.
    pub fn load(path: &Path, device: &Device) -> Result<Self, ModelError> {
        let bytes = std::fs::read(path)
            .map_err(|e| ModelError::Data(format!("{} cannot be read: {e}", path.display())))?;
        Self::from_bytes(&bytes, &path.display().to_string(), device)
    }

    /// From the contents of such a file, which is called `name` in messages.
    ///
    /// # Errors
    /// When they are damaged or those of another model.
    pub fn from_bytes(bytes: &[u8], name: &str, device: &Device) -> Result<Self, ModelError> {
        #[derive(Deserialize)]
        struct Kind {
            kind: String,
            model: Config,
            seen: Option<Seen>,
        }
        let (weights, text) = checkpoint::parse(bytes, name, device)?;
        let task = text.get("task").map_or("", String::as_str);
        let Kind { kind, model, seen } = serde_json::from_str(task)
            .map_err(|e| ModelError::BadWeights(format!("{name} does not say what it is: {e}")))?;
        if kind != "equicsp" {
            return Err(ModelError::BadWeights(format!("{name} is a model of {kind}")));
        }
        model.check()?;
        let denoiser = Denoiser::new(&model.network, &weights)?;
        Ok(Self { config: model, denoiser, device: device.clone(), seen })
    }

    /// What it has learned from, if the file says so.
    #[must_use]
    pub fn seen(&self) -> Option<&Seen> {
        self.seen.as_ref()
    }

    /// One crystal for each list of atomic numbers; all lists have the same length. None where no draw gave a cell.
    ///
    /// # Errors
    /// When an element is unknown, the lists differ in length, or `cancelled` says so.
    pub fn sample(
        &self,
        species: &[&[u8]],
        options: &Options,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Vec<Option<Structure>>, ModelError> {
        let Some(atoms) = species.first().map(|s| s.len()) else { return Ok(Vec::new()) };
        let diffuser = Diffuser::new(&self.config, &[atoms])?;
        let sampler = Sampler {
            diffuser: &diffuser,
            denoiser: &self.denoiser,
            device: &self.device,
            step: options.corrector,
            churn: options.churn,
        };
        let times = times(diffuser.schedule.steps(), options.steps);
        let mut structures = vec![None; species.len()];
        for attempt in 0..=REDRAWS {
            let left: Vec<usize> =
                (0..species.len()).filter(|i| structures[*i].is_none()).collect();
            if left.is_empty() {
                break;
            }
            let numbers: Vec<&[u8]> = left.iter().map(|i| species[*i]).collect();
            let mut random = Random::new(options.seed, attempt as u64);
            let drawn = sampler.sample(&numbers, &times, &mut random, cancelled)?;
            for ((index, numbers), (lattice, frac)) in left.into_iter().zip(numbers).zip(drawn) {
                structures[index] = lattice.and_then(|lattice| structure(lattice, numbers, &frac));
            }
        }
        Ok(structures)
    }
}

fn structure(lattice: Lattice, numbers: &[u8], frac: &[[f64; 3]]) -> Option<Structure> {
    let site = |(z, f): (&u8, &[f64; 3])| {
        f.iter().all(|x| x.is_finite()).then_some(())?;
        Some(Site::new(Element::from_z(*z)?, Vector3::from(*f)))
    };
    let sites = numbers.iter().zip(frac).map(site).collect::<Option<Vec<_>>>()?;
    Some(Structure { lattice, sites })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::equicsp::config::Network;
    use crate::equicsp::network::parameters;

    /// A file of untrained weights.
    fn file(dir: &Path, kind: &str) -> std::path::PathBuf {
        let network =
            Network { hidden: 8, layers: 1, frequencies: 3, time: 4, ..Network::default() };
        let model = Config { network, ..Config::default() };
        let weights = parameters(&model.network, &mut Random::new(1, 0), &Device::Cpu).unwrap();
        let task = serde_json::json!({ "kind": kind, "model": model }).to_string();
        let path = dir.join("model.safetensors");
        let text = BTreeMap::from([("task".to_owned(), task)]);
        checkpoint::write(&path, &weights.values().unwrap(), &text).unwrap();
        path
    }

    #[test]
    fn a_file_of_weights_gives_crystals() {
        let dir = tempfile::tempdir().unwrap();
        let model = Model::load(&file(dir.path(), "equicsp"), &Device::Cpu).unwrap();
        let options = Options { steps: 3, ..Options::default() };
        let species: [&[u8]; 3] = [&[11, 17], &[12, 8], &[3, 9]];
        let crystals = model.sample(&species, &options, &|| false).unwrap();
        assert_eq!(crystals.len(), 3);
        for (crystal, species) in crystals.iter().flatten().zip(species) {
            assert_eq!(crystal.sites.len(), species.len());
        }
        assert!(model.sample(&[], &options, &|| false).unwrap().is_empty());
        let stopped = model.sample(&species, &options, &|| true);
        assert!(matches!(stopped, Err(ModelError::Cancelled)));
    }

    #[test]
    fn weights_of_another_model_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let error = Model::load(&file(dir.path(), "continuousp"), &Device::Cpu).unwrap_err();
        assert!(error.to_string().contains("is a model of continuousp"), "{error}");
    }
}
