//! Samples of a diffusion model as proposals.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use candle_core::Device;
use cellwright_crystal::Element;

use super::agreement::kinds;
use super::generator::{Draft, Generator};
use super::{Request, Source};
use crate::ModelError;
use crate::equicsp::Model;
use crate::equicsp::model::Options;

/// Formula units that are tried where the request leaves them open, as far as the cells are not larger than those that were
/// learned from.
const UNITS: [u32; 3] = [1, 2, 4];

static PEROVSKITES: &[u8] = include_bytes!("../../../weights/equicsp/perov_5.safetensors");

/// The diffusion model of a predictor.
#[derive(Debug, Clone)]
pub(super) enum Learned {
    /// None.
    Nothing,
    /// One from outside.
    Given(Arc<Diffusion>),
    /// The one that comes with this program; read when samples are asked for, not before.
    Shipped,
}

impl Learned {
    pub(super) fn model(&self) -> Result<Option<&Diffusion>, ModelError> {
        static SHIPPED: OnceLock<Diffusion> = OnceLock::new();
        match self {
            Self::Nothing => Ok(None),
            Self::Given(model) => Ok(Some(model)),
            Self::Shipped => match SHIPPED.get() {
                Some(model) => Ok(Some(model)),
                None => {
                    let model = Diffusion::from_bytes(PEROVSKITES, "EquiCSP Perov-5")?;
                    Ok(Some(SHIPPED.get_or_init(|| model)))
                }
            },
        }
    }
}

/// A diffusion model.
#[derive(Debug)]
pub struct Diffusion {
    model: Model,
    name: String,
}

impl Diffusion {
    /// From the bytes of a `model.safetensors`; `name` is what the user is told.
    ///
    /// # Errors
    /// When they are those of another model, or do not say which crystals were learned from.
    pub fn from_bytes(bytes: &[u8], name: &str) -> Result<Self, ModelError> {
        Self::new(Model::from_bytes(bytes, name, &Device::Cpu)?, name)
    }

    /// From a file, by whose name the model is called.
    ///
    /// # Errors
    /// As [`Self::from_bytes`], and when the file cannot be read.
    pub fn open(path: &Path) -> Result<Self, ModelError> {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        Self::new(Model::load(path, &Device::Cpu)?, &format!("EquiCSP {name}"))
    }

    fn new(model: Model, name: &str) -> Result<Self, ModelError> {
        if model.seen().is_none() {
            return Err(ModelError::BadWeights(format!(
                "{name} does not say which crystals it has learned from"
            )));
        }
        Ok(Self { model, name: name.to_owned() })
    }

    /// Cells to sample: element numbers of all atoms, one list for each number of formula units, and why others are left out.
    fn cells(&self, request: &Request) -> (Vec<Vec<u8>>, Option<String>) {
        let Some(seen) = self.model.seen() else { return (Vec::new(), None) };
        let unknown: Vec<&str> = request
            .composition
            .iter()
            .filter(|(e, _)| !seen.elements.contains(&e.z()))
            .map(|(e, _)| e.symbol())
            .collect();
        if !unknown.is_empty() {
            let note = format!("{} has never seen {}", self.name, unknown.join(", "));
            return (Vec::new(), Some(note));
        }
        let atoms = |units: u32| -> Vec<u8> {
            let repeat = |(e, n): &(Element, u32)| std::iter::repeat_n(e.z(), (n * units) as usize);
            request.composition.iter().flat_map(repeat).collect()
        };
        let units = request.units.map_or_else(|| UNITS.to_vec(), |units| vec![units]);
        let total: u32 = request.composition.iter().map(|(_, n)| *n).sum();
        let [least, most] = seen.atoms();
        let fits = |units: &u32| (least..=most).contains(&(total as usize * *units as usize));
        let cells: Vec<Vec<u8>> = units.iter().copied().filter(fits).map(atoms).collect();
        let note = cells.is_empty().then(|| {
            let sizes = if least == most { most.to_string() } else { format!("{least} to {most}") };
            format!("{} has learned from cells of {sizes} atoms only", self.name)
        });
        (cells, note)
    }
}

impl Generator for Diffusion {
    fn generate(
        &self,
        request: &Request,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<(Vec<Draft>, Vec<String>), ModelError> {
        let (cells, note) = self.cells(request);
        let mut found: Vec<(f64, Draft)> = Vec::new();
        for (i, cell) in cells.iter().enumerate() {
            let seed = request.seed.wrapping_mul(UNITS.len() as u64).wrapping_add(i as u64);
            let options = Options { seed, ..Options::fast() };
            let species = vec![cell.as_slice(); request.samples];
            let samples: Vec<_> =
                self.model.sample(&species, &options, cancelled)?.into_iter().flatten().collect();
            for kind in kinds(&samples) {
                let source = Source::Diffusion {
                    model: self.name.clone(),
                    seed,
                    agreeing: kind.members.len(),
                    samples: request.samples,
                };
                let structure = samples[kind.members[0]].clone();
                found.push((kind.share, Draft { structure, source, probability: None }));
            }
        }
        found.sort_by(|a, b| b.0.total_cmp(&a.0));
        Ok((found.into_iter().map(|(_, draft)| draft).collect(), note.into_iter().collect()))
    }
}
