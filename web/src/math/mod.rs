//! What the figures compute beyond `overfold::mpo`: every intermediate result of a sweep, first steps of optimizers, X·X⁻¹; and
//! the chains that they multiply out, on the CPU or the GPU.

pub mod linalg;
pub mod product;
pub mod step;
pub mod sweep;
pub mod transform;
pub mod ulp;
