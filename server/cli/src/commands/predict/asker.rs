//! What answers: the predictor, and the potential where energies are asked for.

use anyhow::{Context, Result};
use cellwright_crystal::Structure;
use cellwright_models::chgnet::Chgnet;
use cellwright_models::hull::Energies;
use cellwright_models::prototypes::Library;
use cellwright_models::tasks::finish::{Options, Stage};
use cellwright_models::tasks::predict::{Diffusion, Prediction, Predictor, Prototypes, Request};
use cellwright_models::{ModelError, Potential};

use super::Args;

pub(super) struct Asker {
    predictor: Predictor,
    /// How to finish the candidates, if that was asked for.
    finishing: Option<Options>,
    /// Why there is no potential, where one is asked for.
    potential: Result<Option<Chgnet>, String>,
}

impl Asker {
    pub(super) fn new(args: &Args) -> Result<Self> {
        let predictor = match &args.library {
            Some(path) => {
                let context = || format!("{} cannot be read", path.display());
                let bytes = std::fs::read(path).with_context(context)?;
                let library = Library::from_bytes(&bytes)
                    .with_context(|| format!("{} cannot be used", path.display()))?;
                let predictor = Predictor::new(Prototypes { library, ranker: None });
                match &args.library_energies {
                    Some(path) => {
                        let context = || format!("{} cannot be used", path.display());
                        let energies = std::fs::read(path).with_context(context)?;
                        let energies =
                            Energies::from_bytes(&energies, &bytes).with_context(context)?;
                        predictor.with_energies(energies)
                    }
                    None => predictor,
                }
            }
            None => Predictor::shipped()?,
        };
        let predictor = match &args.diffusion {
            Some(path) => predictor.with_diffusion(Diffusion::open(path)?),
            None => predictor,
        };
        let wanted = args.energy || args.relax.is_some();
        let finishing = wanted.then_some(Options { steps: args.relax.unwrap_or(0) });
        let potential = match wanted.then(|| args.model.load()).transpose() {
            Ok(potential) => Ok(potential),
            // The list is given all the same.
            Err(error) if is_not_installed(&error) => Err(format!("no energies: {error}")),
            Err(error) => return Err(error),
        };
        Ok(Self { predictor, finishing, potential })
    }

    /// The candidates, finished where that was asked for and is possible.
    pub(super) fn predict(
        &self,
        request: &Request,
        progress: &mut dyn FnMut(&Stage<'_>),
    ) -> Result<Prediction, ModelError> {
        let mut prediction = self.predictor.predict(request, &|| false, &mut |_| ())?;
        let potential = match &self.potential {
            Ok(potential) => potential.as_ref(),
            Err(reason) => {
                prediction.notes.push(reason.clone());
                None
            }
        };
        match potential.zip(self.finishing) {
            Some((potential, options)) if !prediction.candidates.is_empty() => {
                let mut evaluate = |structures: &[&Structure]| potential.evaluate(structures);
                let mut progress = |stage: &Stage<'_>| {
                    progress(stage);
                    true
                };
                self.predictor.finish(prediction, request, &options, &mut evaluate, &mut progress)
            }
            _ => Ok(prediction),
        }
    }

    /// Name and version of what computes energies, where there is one.
    pub(super) fn potential(&self) -> Option<String> {
        let by = self.potential.as_ref().ok()?.as_ref()?.provenance();
        Some(format!("{} {}", by.model, by.version))
    }

    /// Whether an answer takes more than milliseconds.
    pub(super) fn is_slow(&self) -> bool {
        matches!(self.potential, Ok(Some(_)))
    }
}

fn is_not_installed(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(ModelError::NotInstalled { .. }))
}
