//! The page's engine: runs an export of `overfold export-web` in a browser, on WebGPU or on the CPU.
//!
//! [`Export`] is what was downloaded, checked; [`Session`] is its models on one device. Both are plain Rust and know of no
//! browser; `browser` is what the worker's script calls. Downloading, timing and the choice of a device are the script's
//! (`../page/engine-*.js`), which has the clock and the network.

#[cfg(target_family = "wasm")]
mod browser;
mod chains;
mod contract;
mod error;
mod export;
#[cfg(target_family = "wasm")]
mod fused;
mod merge;
mod session;

pub use chains::{Chains, Folded, Refolded};
pub use contract::{chain, contract};
pub use error::EngineError;
pub use export::{Encoded, Export};
pub use session::Session;
