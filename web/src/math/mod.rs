//! What the figures compute beyond `overfold::mpo`: every intermediate result of a sweep, first steps of optimizers, X·X⁻¹.

pub mod linalg;
pub mod step;
pub mod sweep;
pub mod transform;
pub mod ulp;
