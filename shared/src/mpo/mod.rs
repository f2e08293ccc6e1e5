//! Matrix Product Operators: a matrix as a chain of cores, in plain Rust and f64.
//!
//! A matrix W of size I×J whose sizes factor as I = i₁…i_m and J = j₁…j_m (row-major, first factor slowest) is written
//!
//! W\[(i₁…i_m), (j₁…j_m)\] = T₁\[i₁, j₁\]·T₂\[i₂, j₂\]·…·T_m\[i_m, j_m\]   (OPF eq. 9)
//!
//! with cores T_k of size d_{k−1}×i_k×j_k×d_k and d₀ = d_m = 1. [`Shape`] holds the factors, [`decompose`] unfolds a
//! matrix without loss at full bond dimensions, [`Mpo::contract`] folds it back, [`Mpo::truncate`] compresses.
//!
//! The names follow the field: *core*, *bond* and *bond dimension* d_k, *external index*, *order* m, *gauge*,
//! *orthogonality center*. In physics the chain is an MPO, in numerical analysis a TT-matrix (Oseledets, 2011).
//!
//! The feature `parallel` lets one SVD or product use several threads; without it (on wasm32) there are none.

mod canonical;
mod chain;
mod contract;
mod decompose;
mod dense;
mod error;
mod gauge;
mod interleave;
mod parse;
mod shape;
mod spectrum;
mod svd;
mod truncate;

#[cfg(test)]
mod tests;

pub use chain::{Core, Mpo};
pub use contract::Cost;
pub use decompose::{Job, decompose, decompose_all};
pub use dense::matrix_product;
pub use error::MpoError;
pub use gauge::Gauge;
pub use interleave::{deinterleave, interleave};
pub use shape::Shape;
pub use spectrum::{entropy, spectra, spectrum};
pub use truncate::{Truncated, Truncation};
