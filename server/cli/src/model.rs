//! The learned potential as the command line loads it.

use anyhow::Result;
use cellwright_crystal::Structure;
use cellwright_models::chgnet::Chgnet;
use cellwright_models::device::device;
use cellwright_models::weights;
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
        let device = device(self.device.as_deref())?;
        Ok(Chgnet::load(&weights::data_dir(), &device)?)
    }
}

/// The ordered structure of a reading, or why a potential cannot work on it.
pub(crate) fn ordered(reading: &Reading) -> Result<&Structure, String> {
    let Some(structure) = &reading.structure else {
        return Err("the file describes no structure: a cell or the atoms are missing".to_owned());
    };
    if let Some(obstacle) = reading.obstacles.first() {
        return Err(format!("the structure is incomplete: {}", obstacle.message));
    }
    let masked = structure.sites.iter().filter(|s| s.element.is_none()).count();
    if masked > 0 {
        return Err(format!("the species of {masked} of the atoms is not given"));
    }
    if !structure.is_ordered() {
        let partial = structure.sites.iter().filter(|s| (s.occupancy - 1.0).abs() >= 1e-6).count();
        return Err(format!(
            "{partial} of the sites are partly occupied: choose an ordered cell first"
        ));
    }
    Ok(structure)
}
