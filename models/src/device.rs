//! Where models run.

pub use candle_core::Device;

/// A device that a model cannot run on.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// No such device is known.
    #[error("there is no device '{0}': choose cpu or cuda")]
    Unknown(String),
    /// The device is known, but this binary or this machine has none.
    #[error("the device '{0}' cannot be used here ({1}): choose cpu")]
    Unavailable(String, candle_core::Error),
}

/// `cpu` or `cuda`; without a name what the environment variable `CELLWRIGHT_DEVICE` says, else the CPU.
///
/// # Errors
/// When there is no such device.
pub fn device(name: Option<&str>) -> Result<Device, DeviceError> {
    let from_environment = std::env::var("CELLWRIGHT_DEVICE").ok().filter(|d| !d.is_empty());
    match name.or(from_environment.as_deref()).unwrap_or("cpu") {
        "cpu" => Ok(Device::Cpu),
        name @ "cuda" => {
            Device::new_cuda(0).map_err(|error| DeviceError::Unavailable(name.to_owned(), error))
        }
        name => Err(DeviceError::Unknown(name.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_go_by_name() {
        assert!(device(Some("cpu")).is_ok_and(|d| d.is_cpu()));
        let error = device(Some("abacus")).map(|_| ()).unwrap_err().to_string();
        assert_eq!(error, "there is no device 'abacus': choose cpu or cuda");
    }
}
