//! Hugging Face folders in and out: `config.json`, `model.safetensors`, the tokenizer's files.
//!
//! Reading is strict: every parameter must be found with the expected shape and only finite values, and every tensor in
//! the file must be used or stand on a short list of tensors that are safe to ignore. Writing is atomic: a folder
//! appears under its name only when it is complete.

mod atomic;
mod error;
mod files;
mod folder;
mod load;
mod save;
mod weights;

pub use atomic::write_folder;
pub use error::CheckpointError;
pub use files::Files;
pub use folder::Folder;
pub use load::{ClassifierPolicy, LoadReport, PoolerPolicy, load_masked, load_model};
pub use save::{Precision, named_tensors, save_model, write_safetensors};
pub use weights::Weights;
