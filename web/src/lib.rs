//! The page's lesson: what a matrix product operator is, shown on real weights, in the browser.
//!
//! Everything is plain Rust that is tested natively: the view and its address ([`state`]), the arithmetic ([`math`]), the
//! pictures as SVG text ([`draw`], [`figures`]), and the answers to messages ([`session`]). In the browser all of it runs in a
//! worker; `worker` is the few lines that touch it. The page itself only puts markup in place (`page/main.js`).

pub mod draw;
pub mod figures;
pub mod math;
pub mod matrix;
pub mod number;
pub mod own;
pub mod prepared;
pub mod protocol;
pub mod safetensors;
pub mod session;
pub mod state;
#[cfg(target_family = "wasm")]
mod worker;
