//! Masked-language-model pre-training (Devlin et al., NAACL 2019): text in, a Hugging Face folder out.
//!
//! [`corpus`] reads texts, [`windows`] packs their tokens, [`pairs`] makes two texts of some windows, [`masking`] hides
//! tokens, [`train`] trains the model to find them; [`Found`] says how many it finds in another text. Nothing random is saved: the order of the windows, the pairs, the
//! masks and dropout follow from the seed and the step.

mod batch;
pub mod config;
pub mod corpus;
mod fresh;
mod holdout;
mod job;
pub mod masking;
pub mod pairs;
mod report;
mod run;
mod state;
pub mod windows;

pub use config::PretrainConfig;
pub use holdout::{Found, Reading};
pub use job::Job;
pub use report::{Report, Results};
pub use run::{Outcome, train};
pub use state::{Evaluation, State};
