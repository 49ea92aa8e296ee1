//! A trained model, ready to answer.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use candle_core::Device;
use cellwright_crystal::{Element, Site, Structure};
use nalgebra::Vector3;
use serde::Deserialize;

use super::config::Config;
use super::loss::Diffuser;
use super::network::Denoiser;
use super::sampler::{Drawn, Sampler, Wanted, times};
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
    /// By number of atoms: the tables of one take 0.1 s.
    diffusers: Mutex<BTreeMap<usize, Arc<Diffuser>>>,
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
        Self::from_bytes(&checkpoint::bytes(path)?, &path.display().to_string(), device)
    }

    /// From the contents of such a file, which is called `name` in messages.
    ///
    /// # Errors
    /// When they are damaged or those of another model.
    pub fn from_bytes(bytes: &[u8], name: &str, device: &Device) -> Result<Self, ModelError> {
        #[derive(Deserialize)]
        struct Identity {
            model: Config,
            seen: Option<Seen>,
        }
        let (weights, Identity { model, seen }) =
            checkpoint::trained(bytes, name, "equicsp", device)?;
        model.check()?;
        let denoiser = Denoiser::new(&model.network, &weights)?;
        Ok(Self {
            config: model,
            denoiser,
            device: device.clone(),
            seen,
            diffusers: Mutex::default(),
        })
    }

    /// What it has learned from, if the file says so.
    #[must_use]
    pub fn seen(&self) -> Option<&Seen> {
        self.seen.as_ref()
    }

    /// One crystal for each list of atomic numbers; all lists have the same length. None where no draw gave a cell.
    ///
    /// # Errors
    /// When an element is unknown, the lists differ in length, the model chooses the species itself, or `cancelled` says so.
    pub fn sample(
        &self,
        species: &[&[u8]],
        options: &Options,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Vec<Option<Structure>>, ModelError> {
        let Some(atoms) = species.first().map(|s| s.len()) else { return Ok(Vec::new()) };
        self.draw(Some(species), [species.len(), atoms], options, cancelled)
    }

    /// Crystals of so many atoms whose species the model chooses too (appendix E). None where no draw gave a cell.
    ///
    /// # Errors
    /// When the model needs to be told the species, or `cancelled` says so.
    pub fn generate(
        &self,
        crystals: usize,
        atoms: usize,
        options: &Options,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Vec<Option<Structure>>, ModelError> {
        self.draw(None, [crystals, atoms], options, cancelled)
    }

    /// Schedules and tables for cells of so many atoms, made once.
    fn diffuser(&self, atoms: usize) -> Result<Arc<Diffuser>, ModelError> {
        let mut known = self.diffusers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(diffuser) = known.get(&atoms) {
            return Ok(Arc::clone(diffuser));
        }
        let diffuser = Arc::new(Diffuser::new(&self.config, &[atoms])?);
        known.insert(atoms, Arc::clone(&diffuser));
        Ok(diffuser)
    }

    /// Draws, and again those that gave no cell.
    fn draw(
        &self,
        species: Option<&[&[u8]]>,
        [crystals, atoms]: [usize; 2],
        options: &Options,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Vec<Option<Structure>>, ModelError> {
        let diffuser = self.diffuser(atoms)?;
        let sampler = Sampler {
            diffuser: &diffuser,
            denoiser: &self.denoiser,
            device: &self.device,
            step: options.corrector,
            churn: options.churn,
        };
        let times = times(diffuser.schedule.steps(), options.steps);
        let mut structures = vec![None; crystals];
        for attempt in 0..=REDRAWS {
            let left: Vec<usize> = (0..crystals).filter(|i| structures[*i].is_none()).collect();
            if left.is_empty() {
                break;
            }
            let mut random = Random::new(options.seed, attempt as u64);
            let numbers: Vec<&[u8]> =
                species.iter().flat_map(|rows| left.iter().map(|i| rows[*i])).collect();
            let wanted = match species {
                Some(_) => Wanted::Species(&numbers),
                None => Wanted::Atoms(left.len(), atoms),
            };
            let drawn = sampler.sample(wanted, &times, &mut random, cancelled)?;
            for (index, drawn) in left.into_iter().zip(drawn) {
                structures[index] = structure(&drawn);
            }
        }
        Ok(structures)
    }
}

/// None without a lattice, or with a coordinate that is no number.
fn structure(drawn: &Drawn) -> Option<Structure> {
    let site = |(z, f): (&u8, &[f64; 3])| {
        f.iter().all(|x| x.is_finite()).then_some(())?;
        Some(Site::new(Element::from_z(*z)?, Vector3::from(*f)))
    };
    let sites = drawn.numbers.iter().zip(&drawn.frac).map(site).collect::<Option<Vec<_>>>()?;
    Some(Structure { lattice: drawn.lattice?, sites })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::equicsp::config::Network;
    use crate::equicsp::network::parameters;

    /// A file of untrained weights.
    fn file(dir: &Path, kind: &str, species: bool) -> std::path::PathBuf {
        let network = Network {
            hidden: 8,
            layers: 1,
            frequencies: 3,
            time: 4,
            species,
            ..Network::default()
        };
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
        let model = Model::load(&file(dir.path(), "equicsp", false), &Device::Cpu).unwrap();
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
    fn crystals_from_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let model = Model::load(&file(dir.path(), "equicsp", true), &Device::Cpu).unwrap();
        let options = Options { steps: 3, ..Options::default() };
        let crystals = model.generate(5, 4, &options, &|| false).unwrap();
        assert_eq!(crystals.len(), 5);
        assert!(crystals.iter().flatten().all(|c| c.len() == 4));
        let told = model.sample(&[&[11, 17]], &options, &|| false);
        assert!(told.unwrap_err().to_string().contains("chooses the species"));
        let other = Model::load(&file(dir.path(), "equicsp", false), &Device::Cpu).unwrap();
        let untold = other.generate(1, 4, &options, &|| false);
        assert!(untold.unwrap_err().to_string().contains("told the species"));
    }

    #[test]
    fn weights_of_another_model_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let error = Model::load(&file(dir.path(), "continuousp", false), &Device::Cpu).unwrap_err();
        assert!(error.to_string().contains("is a model of continuousp"), "{error}");
    }
}
