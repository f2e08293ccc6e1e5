//! The training loop: what is prepared once ([`Job`]), what changes ([`State`]), and how they meet.

mod evaluate;
mod job;
mod run;
mod state;
mod step;

pub use evaluate::{Evaluation, evaluate, logits, mean_loss};
pub use job::{Job, pretrained, read_model};
pub use run::{Outcome, train};
pub use state::{Best, EvaluationRecord, Phase, State};
