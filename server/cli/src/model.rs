//! The learned potential as the command line loads it.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use cellwright_crystal::Structure;
use cellwright_features::energy::refusal;
use cellwright_models::chgnet::Chgnet;
use cellwright_models::device::{Device, device};
use cellwright_models::sevennet::Sevennet;
use cellwright_models::tasks::mender::{self, Mender};
use cellwright_models::{ModelError, weights};
use cellwright_syntax::Reading;
use clap::Args;

/// Where a model runs.
#[derive(Debug, Args)]
pub(crate) struct ModelArgs {
    /// Device the model runs on: `cpu`, or `cuda` in a build that has it. Without it, `CELLWRIGHT_DEVICE` or
    /// the CPU.
    #[arg(long)]
    device: Option<String>,
}

impl ModelArgs {
    /// Loads CHGNet.
    pub(crate) fn load(&self) -> Result<Chgnet> {
        Ok(Chgnet::load(&weights::data_dir(), &self.device()?)?)
    }

    /// Loads CHGNet where it is installed; else says why there are no energies. Nobody is told anything who does not want any.
    pub(crate) fn load_if_installed(
        &self,
        wanted: bool,
    ) -> Result<(Option<Chgnet>, Option<String>)> {
        if !wanted {
            return Ok((None, None));
        }
        match Chgnet::load(&weights::data_dir(), &self.device()?) {
            Ok(potential) => Ok((Some(potential), None)),
            Err(reason @ ModelError::NotInstalled { .. }) => {
                Ok((None, Some(format!("no energies: {reason}"))))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Loads SevenNet-0, whose stresses are fine, where it is installed; else says what is missing.
    pub(crate) fn load_fine(&self) -> Result<(Option<Sevennet>, Option<String>)> {
        match Sevennet::load(&weights::data_dir(), &self.device()?) {
            Ok(potential) => Ok((Some(potential), None)),
            Err(reason @ ModelError::NotInstalled { .. }) => {
                Ok((None, Some(format!("no fine stresses: {reason}"))))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The device itself.
    pub(crate) fn device(&self) -> Result<Device> {
        Ok(device(self.device.as_deref())?)
    }
}

/// Which model names masked sites and puts atoms back.
#[derive(Debug, Args)]
pub(crate) struct MenderArgs {
    /// Weights of a model of masked sites and displaced atoms (`cellwright train selfsup`); without it those that come with this
    /// program.
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,
}

impl MenderArgs {
    /// Loads it.
    pub(crate) fn load(&self, model: &ModelArgs) -> Result<Arc<dyn Mender>> {
        let device = model.device()?;
        Ok(match &self.weights {
            Some(path) => mender::open(path, &device)?,
            None => mender::shipped(&device)?,
        })
    }
}

/// The ordered structure of a reading, or why a potential cannot work on it: the same words as in the editor.
pub(crate) fn ordered(reading: &Reading) -> Result<&Structure, String> {
    if let Some(reason) = refusal(reading) {
        return Err(reason);
    }
    reading.structure.as_ref().ok_or_else(|| "no atoms are given".to_owned())
}
