//! Overfold: over-parameterized fine-tuning of small pre-trained language models.
//!
//! A weight matrix of a small model is *unfolded* without loss into a Matrix Product Operator (MPO) with more
//! parameters, fine-tuned in that form, and *folded* back: same architecture, same size, same latency. The method is
//! OPF (Gao et al., "Small Pre-trained Language Models Can be Fine-tuned as Large Models via Over-Parameterization",
//! ACL 2023).
//!
//! * [`mpo`]: the mathematics in plain Rust and f64, without Burn;
//! * [`model`]: the BERT family, always dense, with fields named after the Hugging Face keys;
//! * [`chain`]: one matrix as a chain of tensors on any device, with a hand-written pull-back of gradients;
//! * [`checkpoint`]: Hugging Face folders in and out; [`tokenizer`]: WordPiece;
//! * [`manifest`]: what the trainer exports for the page;
//! * [`operations`]: the operations of a training step, fused where the CPU back end profits.
//!
//! With Burn 0.22 a tensor has no back-end type: the back end is chosen by the [`burn::tensor::Device`] that a function
//! is given, so every function here runs on every back end that the program was built with.

#[cfg(feature = "model")]
pub mod chain;
#[cfg(feature = "model")]
pub mod checkpoint;
pub mod manifest;
#[cfg(feature = "model")]
pub mod model;
pub mod mpo;
#[cfg(feature = "model")]
pub mod operations;
#[cfg(feature = "model")]
pub mod tokenizer;
