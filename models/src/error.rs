//! What can go wrong in a model.

/// Why a model gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The weights are not there; the message says how to get them.
    #[error("the weights of {model} are not installed in {dir}: run `cellwright models pull`")]
    NotInstalled {
        /// Model name.
        model: String,
        /// Data directory that was searched.
        dir: std::path::PathBuf,
    },
    /// A weights file is not what its checksum or header says.
    #[error("{0}")]
    BadWeights(String),
    /// The weights could not be fetched; the message says what to do.
    #[error("{0}")]
    Download(String),
    /// The structure cannot be treated: disorder, masked sites, an element outside the training set…
    #[error("{0}")]
    Unsupported(String),
    /// Training data or a configuration that cannot be used; the message says where and why.
    #[error("{0}")]
    Data(String),
    /// The caller asked to stop.
    #[error("cancelled")]
    Cancelled,
    /// A tensor operation failed.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
    /// Reading or writing failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}
