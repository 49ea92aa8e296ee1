//! Samples of a diffusion model as proposals.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use candle_core::Device;
use cellwright_crystal::Element;
use cellwright_crystal::metrics::is_structurally_valid;

use super::agreement::kinds;
use super::generator::{Draft, Generator};
use super::{Request, Source};
use crate::ModelError;
use crate::equicsp::Model;
use crate::equicsp::model::Options;

/// Formula units that are tried where the request leaves them open, as far as the cells are not larger than those that were
/// learned from.
const UNITS: [u32; 3] = [1, 2, 4];

/// Those that come with this program, by name.
static SHIPPED: [(&str, &[u8]); 2] = [
    ("EquiCSP MP", include_bytes!("../../../weights/equicsp/mp.safetensors")),
    ("EquiCSP Perov-5", include_bytes!("../../../weights/equicsp/perov_5.safetensors")),
];

/// The diffusion models of a predictor.
#[derive(Debug, Clone)]
pub(super) enum Learned {
    /// None.
    Nothing,
    /// One from outside.
    Given(Arc<Diffusion>),
    /// Those that come with this program; read when samples are asked for, not before.
    Shipped,
}

impl Learned {
    fn models(&self) -> Result<&[Diffusion], ModelError> {
        static READ: OnceLock<Vec<Diffusion>> = OnceLock::new();
        match self {
            Self::Nothing => Ok(&[]),
            Self::Given(model) => Ok(std::slice::from_ref(model)),
            Self::Shipped => match READ.get() {
                Some(models) => Ok(models),
                None => {
                    let models = SHIPPED.iter().map(|(name, b)| Diffusion::from_bytes(b, name));
                    let models = models.collect::<Result<_, _>>()?;
                    Ok(READ.get_or_init(|| models))
                }
            },
        }
    }
}

/// All models that know such cells, together: what most samples of one model agree on comes first.
impl Generator for Learned {
    fn generate(
        &self,
        request: &Request,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<(Vec<Draft>, Vec<String>), ModelError> {
        let models = self.models()?;
        if models.is_empty() {
            return Ok((Vec::new(), vec!["there is no diffusion model".to_owned()]));
        }
        let (mut found, mut notes, mut asked) = (Vec::new(), Vec::new(), false);
        for model in models {
            let (cells, note) = model.cells(request);
            asked |= !cells.is_empty();
            notes.extend(note);
            found.extend(model.drafts(&cells, request, cancelled)?);
        }
        if asked && found.is_empty() {
            notes =
                vec!["every sample of a diffusion model had atoms on top of each other".to_owned()];
            return Ok((Vec::new(), notes));
        }
        found.sort_by(|a, b| b.0.total_cmp(&a.0));
        // Who was not made for such cells need not say so where another was.
        let notes = if asked { Vec::new() } else { notes };
        Ok((found.into_iter().map(|(_, draft)| draft).collect(), notes))
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

    /// The kinds of structures among the valid samples of some cells, with the share of these that agree on each.
    fn drafts(
        &self,
        cells: &[Vec<u8>],
        request: &Request,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Vec<(f64, Draft)>, ModelError> {
        let mut found: Vec<(f64, Draft)> = Vec::new();
        for (i, cell) in cells.iter().enumerate() {
            let seed = request.seed.wrapping_mul(UNITS.len() as u64).wrapping_add(i as u64);
            let options = Options { seed, ..Options::fast() };
            let species = vec![cell.as_slice(); request.samples];
            let samples = self.model.sample(&species, &options, cancelled)?;
            // What no relaxation could mend is no proposal.
            let samples: Vec<_> =
                samples.into_iter().flatten().filter(is_structurally_valid).collect();
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
        Ok(found)
    }
}
