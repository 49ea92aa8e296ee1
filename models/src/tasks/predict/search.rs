//! Random structures as proposals: where nothing is known, and nothing was learned.

use super::generator::{Draft, Generator};
use super::{Request, Source};
use crate::ModelError;
use crate::nn::random::Random;
use crate::prototypes::Library;
use crate::search::{Settings, random_structure};

/// Formula units that are tried in turns where the request leaves them open, as far as the cells are not larger than
/// [`MOST_ATOMS`].
const UNITS: [u32; 3] = [1, 2, 4];

/// A random search of a larger cell finds nothing in a reasonable time.
const MOST_ATOMS: u32 = 40;

/// Random starts in cells of the volume that the library's crystals let expect. They are worth something only once they are
/// relaxed.
#[derive(Debug, Clone, Copy)]
pub struct Search<'a> {
    /// Where volumes come from.
    pub library: &'a Library,
}

impl Generator for Search<'_> {
    fn generate(
        &self,
        request: &Request,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<(Vec<Draft>, Vec<String>), ModelError> {
        let total: u32 = request.composition.iter().map(|(_, n)| *n).sum();
        let mut units = request.units.map_or_else(|| UNITS.to_vec(), |units| vec![units]);
        units.retain(|units| total.saturating_mul(*units) <= MOST_ATOMS);
        if units.is_empty() {
            let note = format!("a random search is for cells of at most {MOST_ATOMS} atoms");
            return Ok((Vec::new(), vec![note]));
        }
        let mut drafts = Vec::new();
        let starts = request.starts.unwrap_or(request.answers);
        for (start, units) in (0..starts).zip(units.iter().cycle()) {
            if cancelled() {
                return Err(ModelError::Cancelled);
            }
            let counts: Vec<_> = request.composition.iter().map(|(e, n)| (*e, n * units)).collect();
            let settings = Settings {
                volume: self.library.expected_volume(&counts),
                space_group: request.space_group,
                ..Settings::default()
            };
            let seed = request.seed.wrapping_mul(1 << 20).wrapping_add(start as u64);
            if let Some(structure) = random_structure(&counts, &settings, &mut Random::new(seed, 0))
            {
                let source = Source::Search { seed };
                drafts.push(Draft { structure, source, probability: None });
            }
        }
        let missing = starts - drafts.len();
        let note = (missing > 0)
            .then(|| format!("{missing} of {starts} random starts found no room for their atoms"));
        Ok((drafts, note.into_iter().collect()))
    }
}
