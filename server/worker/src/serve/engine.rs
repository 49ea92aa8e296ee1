//! What a worker works with.

use std::f64::consts::PI;
use std::sync::Arc;

use cellwright_crystal::Structure;
use cellwright_crystal::neighbors::neighbors;
use cellwright_models::chgnet::Chgnet;
use cellwright_models::device::{Device, DeviceError, device};
use cellwright_models::selfsup::Model;
use cellwright_models::sevennet::Sevennet;
use cellwright_models::tasks::mender::{self, Mender};
use cellwright_models::weights::{self, MODELS};
use cellwright_models::{ModelError, Potential, Provenance};

/// What the worker's first line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Greeting {
    /// `cpu`, `cuda:0`.
    pub device: String,
    /// Models that are installed.
    pub models: Vec<Provenance>,
}

/// Where a worker gets its potential from. Used by one thread.
pub trait Engine: Send {
    /// Device and installed models. Must be quick: nothing is loaded for it.
    fn greeting(&self) -> Greeting;

    /// The potential, loaded when it is first needed.
    ///
    /// # Errors
    /// When it cannot be loaded. The next call tries again: the user may have installed it meanwhile.
    fn potential(&mut self) -> Result<&dyn Potential, ModelError>;

    /// A potential with finer stresses than [`Self::potential`], where one is installed.
    ///
    /// # Errors
    /// When it cannot be loaded.
    fn fine(&mut self) -> Result<Option<Arc<dyn Potential>>, ModelError> {
        Ok(None)
    }

    /// The model that names masked species and puts displaced atoms back.
    ///
    /// # Errors
    /// When it cannot be loaded.
    fn mender(&mut self) -> Result<Arc<dyn Mender>, ModelError>;

    /// About how much memory (bytes) an evaluation of this structure takes beyond what is loaded.
    fn need(&self, structure: &Structure) -> u64;
}

/// CHGNet 0.3.0 and SevenNet-0 from the user's data directory, and the models that come with this program.
#[derive(Debug)]
pub struct ChgnetEngine {
    device: Device,
    model: Option<Chgnet>,
    fine: Option<Arc<Sevennet>>,
    mender: Option<Arc<Model>>,
}

impl ChgnetEngine {
    /// On `cpu` or `cuda`; without a name on what the environment variable `CELLWRIGHT_DEVICE` says, else on the CPU.
    ///
    /// # Errors
    /// When there is no such device.
    pub fn new(name: Option<&str>) -> Result<Self, DeviceError> {
        let device = device(name)?;
        Ok(Self { device, model: None, fine: None, mender: None })
    }
}

impl Engine for ChgnetEngine {
    fn greeting(&self) -> Greeting {
        let device = if self.device.is_cuda() { "cuda:0" } else { "cpu" };
        let dir = weights::data_dir();
        let installed = MODELS.iter().filter(|spec| spec.is_installed(&dir));
        let models = installed.map(|spec| Provenance {
            model: display_name(spec.name).to_owned(),
            version: spec.version.to_owned(),
            device: device.to_owned(),
        });
        Greeting { device: device.to_owned(), models: models.collect() }
    }

    fn potential(&mut self) -> Result<&dyn Potential, ModelError> {
        let model = match self.model.take() {
            Some(model) => model,
            None => Chgnet::load(&weights::data_dir(), &self.device)?,
        };
        Ok(self.model.insert(model))
    }

    fn fine(&mut self) -> Result<Option<Arc<dyn Potential>>, ModelError> {
        let model = match self.fine.take() {
            Some(model) => model,
            None => match Sevennet::load(&weights::data_dir(), &self.device) {
                Ok(model) => Arc::new(model),
                Err(ModelError::NotInstalled { .. }) => return Ok(None),
                Err(error) => return Err(error),
            },
        };
        let shared: Arc<Sevennet> = Arc::clone(self.fine.insert(model));
        Ok(Some(shared))
    }

    fn mender(&mut self) -> Result<Arc<dyn Mender>, ModelError> {
        let model = match self.mender.take() {
            Some(model) => model,
            None => mender::shipped(&self.device)?,
        };
        let shared: Arc<Model> = Arc::clone(self.mender.insert(model));
        Ok(shared)
    }

    fn need(&self, structure: &Structure) -> u64 {
        if self.device.is_cpu() { chgnet_need(structure) } else { 0 }
    }
}

/// How the model calls itself, where files name it in small letters.
fn display_name(name: &str) -> &str {
    match name {
        "chgnet" => "CHGNet",
        "sevennet" => "SevenNet",
        other => other,
    }
}

/// Cutoffs of CHGNet's atom graph and bond graph (Å).
const ATOM_CUTOFF: f64 = 6.0;
const BOND_CUTOFF: f64 = 3.0;

/// Memory (bytes) of an evaluation per atom, per directed pair of the atom graph and per angle of the bond graph: a fit
/// to the peak of the resident size over eight crystals of 108 to 1000 atoms, in single precision, on Linux. It holds
/// within 5 % for crystals that take more than 50 MiB.
const BYTES_PER_ATOM: u64 = 10_000;
const BYTES_PER_PAIR: u64 = 7_000;
const BYTES_PER_ANGLE: u64 = 9_000;

/// More pairs than this are not counted one by one: the count itself would take hundreds of megabytes.
const MOST_COUNTED: f64 = 3e6;

fn chgnet_need(structure: &Structure) -> u64 {
    // The mean density tells how many pairs there are at least, or nearly so: crowding only adds to them.
    let density = structure.len() as f64 / structure.lattice.volume();
    let mean_pairs = structure.len() as f64 * density * 4.0 / 3.0 * PI * ATOM_CUTOFF.powi(3);
    if mean_pairs > MOST_COUNTED {
        return (mean_pairs * BYTES_PER_PAIR as f64) as u64;
    }
    match neighbors(&structure.lattice, &structure.fractional(), ATOM_CUTOFF) {
        Ok(list) => {
            let bonds = |i| list.of(i).iter().filter(|n| n.distance <= BOND_CUTOFF).count();
            let angles = |n: usize| n * n.saturating_sub(1);
            let angles: usize = (0..list.len()).map(|i| angles(bonds(i))).sum();
            let atoms = list.len() as u64 * BYTES_PER_ATOM;
            atoms + list.pairs() as u64 * BYTES_PER_PAIR + angles as u64 * BYTES_PER_ANGLE
        }
        // The model will find the same and say it better.
        Err(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use cellwright_crystal::{Element, Lattice, Site};
    use nalgebra::Vector3;

    use super::*;

    /// A simple cubic crystal of `n`³ cells, a = 2.9 Å.
    fn cubic(n: usize) -> Structure {
        let lattice = Lattice::from_parameters([2.9 * n as f64; 3], [90.0; 3]).unwrap();
        let polonium = Element::from_symbol("Po").unwrap();
        let at = |i: usize| i as f64 / n as f64;
        let cells = (0..n * n * n).map(|k| Vector3::new(at(k % n), at(k / n % n), at(k / n / n)));
        Structure { lattice, sites: cells.map(|frac| Site::new(polonium, frac)).collect() }
    }

    #[test]
    fn the_need_counts_pairs_and_angles() {
        // Shells of the simple cubic lattice up to 6 Å = 2.07 a: 6 + 12 + 8 + 6.
        let one = BYTES_PER_ATOM + 32 * BYTES_PER_PAIR + 6 * 5 * BYTES_PER_ANGLE;
        assert_eq!(chgnet_need(&cubic(1)), one);
        assert_eq!(chgnet_need(&cubic(3)), 27 * one);
    }

    #[test]
    fn a_huge_cell_needs_more_than_any_machine_has() {
        assert!(chgnet_need(&cubic(50)) > 25 << 30);
    }

    #[test]
    fn devices_by_name() {
        assert_eq!(ChgnetEngine::new(Some("cpu")).unwrap().greeting().device, "cpu");
        let error = ChgnetEngine::new(Some("abacus")).unwrap_err();
        assert_eq!(error.to_string(), "there is no device 'abacus': choose cpu or cuda");
    }

    #[cfg(not(feature = "cuda"))]
    #[test]
    fn cuda_needs_a_build_that_has_it() {
        let error = ChgnetEngine::new(Some("cuda")).unwrap_err();
        assert!(error.to_string().ends_with("choose cpu"), "{error}");
    }
}
