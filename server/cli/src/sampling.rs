//! How a diffusion model samples, as options of a command.

use cellwright_models::equicsp::model::Options;

#[derive(Debug, clap::Args)]
pub(crate) struct SamplingArgs {
    /// Time steps of the sampler.
    #[arg(long, default_value_t = Options::default().steps)]
    steps: usize,

    /// Step length of the corrector at t = 1; 0 for none, which halves the work.
    #[arg(long, value_name = "LENGTH", default_value_t = Options::default().corrector)]
    corrector: f64,

    /// Noise that a step adds, as a share of what the published sampler adds; with few steps less is better.
    #[arg(long, value_name = "SHARE", default_value_t = Options::default().churn)]
    churn: f64,
}

impl SamplingArgs {
    pub(crate) fn options(&self, seed: u64) -> Options {
        Options { steps: self.steps, corrector: self.corrector, churn: self.churn, seed }
    }
}
