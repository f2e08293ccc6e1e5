//! What can be wrong with an export or a device.

use overfold::checkpoint::CheckpointError;
use overfold::mpo::MpoError;
use thiserror::Error;

/// Why the engine cannot do what was asked. Messages are for visitors and for those who host a model.
#[derive(Debug, Error)]
pub enum EngineError {
    /// `manifest.json` is not what `overfold export-web` writes.
    #[error("manifest.json: {0}; write the folder again with `overfold export-web`")]
    Manifest(String),
    /// A file that the manifest needs was not given.
    #[error("{0} is missing; copy the whole folder that `overfold export-web` wrote")]
    Absent(String),
    /// A file of the export is damaged or does not fit the others.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A matrix cannot be unfolded.
    #[error("{name} cannot be unfolded: {source}")]
    Chain {
        /// Its name.
        name: String,
        /// Why.
        source: MpoError,
    },
    /// Cores that were given do not make a chain, or not of that matrix.
    #[error("the chain cannot be contracted: {0}")]
    Contraction(#[from] MpoError),
    /// There is no such model in the export.
    #[error("there is no model {index}; the export has {count}")]
    Model {
        /// Index that was asked for.
        index: usize,
        /// Number of models.
        count: usize,
    },
    /// The device computed nothing, or nonsense.
    #[error("the device failed: {0}")]
    Device(String),
}
