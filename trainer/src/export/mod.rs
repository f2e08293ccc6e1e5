//! What `overfold export-web` writes for the page: see [`overfold::manifest`].

pub mod chunks;
mod source;
pub mod training;

pub use source::{Source, Variant};
