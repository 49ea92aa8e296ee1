//! A potential for tests: an Einstein crystal with a few atoms of bad character.

use std::sync::{Arc, Mutex, PoisonError};

use cellwright_crystal::{Element, Structure};
use cellwright_models::tasks::mender::{Mended, Mender};
use cellwright_models::{Evaluation, ModelError, Potential, Provenance};
use cellwright_worker::serve::{Engine, Greeting};
use nalgebra::{Matrix3, Vector3};

/// Every atom hangs on a spring (1 eV/Å²) at the nearest point of a grid of quarters of the cell. Some first atoms make
/// the whole structure special:
///
/// | first atom | what happens |
/// |---|---|
/// | masked | it is refused |
/// | H | the numbers are not finite |
/// | He | a panic |
/// | Li | the evaluation never ends |
/// | Be | the process aborts, with last words |
/// | B | 512 MiB of memory are taken, then the evaluation never ends |
/// | C | the forces never get smaller, so that a relaxation of two atoms never ends |
///
/// The version is the process id, so that an answer tells which process gave it.
pub(crate) struct Einstein;

/// The engine of [`Einstein`]; an evaluation is said to need 10 MiB an atom.
pub(crate) struct EinsteinEngine;

impl Engine for EinsteinEngine {
    fn greeting(&self) -> Greeting {
        Greeting { device: "test".to_owned(), models: vec![Potential::provenance(&Einstein)] }
    }

    fn potential(&mut self) -> Result<&dyn Potential, ModelError> {
        Ok(&Einstein)
    }

    fn fine(&mut self) -> Result<Option<Arc<dyn Potential>>, ModelError> {
        Ok(Some(Arc::new(Einstein)))
    }

    fn mender(&mut self) -> Result<Arc<dyn Mender>, ModelError> {
        Ok(Arc::new(Einstein))
    }

    fn need(&self, structure: &Structure) -> u64 {
        structure.len() as u64 * (10 << 20)
    }
}

impl Potential for Einstein {
    fn provenance(&self) -> Provenance {
        Provenance {
            model: "Einstein".to_owned(),
            version: std::process::id().to_string(),
            device: "test".to_owned(),
        }
    }

    fn evaluate(&self, structures: &[&Structure]) -> Vec<Result<Evaluation, ModelError>> {
        structures.iter().map(|s| evaluate(s)).collect()
    }
}

/// Half the way back to the grid for every atom; a masked site is oxygen (3 of 4) or fluorine. Argon is refused.
impl Mender for Einstein {
    fn provenance(&self) -> Provenance {
        Potential::provenance(self)
    }

    fn mend(&self, cells: &[Structure], _: &dyn Fn() -> bool) -> Result<Vec<Mended>, ModelError> {
        let argon = Element::from_z(18);
        if cells.iter().flat_map(|cell| &cell.sites).any(|site| site.element == argon) {
            return Err(ModelError::Unsupported("argon was never seen".to_owned()));
        }
        let mut chances = vec![0.0; Element::COUNT];
        (chances[7], chances[8]) = (0.75, 0.25);
        let cell = |cell: &Structure| Mended {
            probabilities: vec![chances.clone(); cell.len()],
            displacement: springs(cell).forces.iter().map(|force| -0.5 * force).collect(),
        };
        Ok(cells.iter().map(cell).collect())
    }
}

fn evaluate(structure: &Structure) -> Result<Evaluation, ModelError> {
    let mut evaluation = springs(structure);
    match structure.sites.first().map(|site| site.element.map(Element::z)) {
        Some(None) => return Err(ModelError::Unsupported("atom 1 is masked".to_owned())),
        Some(Some(1)) => evaluation.energy_per_atom = f64::NAN,
        Some(Some(2)) => panic!("helium does not like this"),
        Some(Some(3)) => never(),
        Some(Some(4)) => {
            complain("beryllium is poison");
            std::process::abort();
        }
        Some(Some(5)) => {
            // Written to page by page, so that the memory is really taken.
            let hoard = vec![1_u8; 512 << 20];
            HOARD.lock().unwrap_or_else(PoisonError::into_inner).push(hoard);
            never();
        }
        // Up and down by turns, so that there is no net force to be taken away.
        Some(Some(6)) => {
            for (i, force) in evaluation.forces.iter_mut().enumerate() {
                *force = Vector3::z() * if i % 2 == 0 { 1.0 } else { -1.0 };
            }
        }
        _ => {}
    }
    Ok(evaluation)
}

static HOARD: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

fn springs(structure: &Structure) -> Evaluation {
    let frac = structure.sites.iter().map(|s| s.frac);
    let away =
        frac.map(|f| structure.lattice.to_cartesian(&(f - f.map(|x| (4.0 * x).round() / 4.0))));
    let forces: Vec<Vector3<f64>> = away.map(|u| -u).collect();
    let site_energies: Vec<f64> = forces.iter().map(|f| 0.5 * f.norm_squared()).collect();
    Evaluation {
        energy_per_atom: site_energies.iter().sum::<f64>() / structure.len().max(1) as f64,
        stress: Matrix3::zeros(),
        magmoms: vec![0.0; structure.len()],
        site_energies,
        forces,
        cautions: Vec::new(),
    }
}

fn never() -> ! {
    loop {
        std::thread::park();
    }
}

/// Writes a line to stderr.
pub(crate) fn complain(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "{text}");
}
