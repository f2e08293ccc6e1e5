//! Labelled texts: those that come with the program, the GLUE tasks, and a user's own files.

mod error;
pub mod glue;
mod labels;
pub mod own;
pub mod reviews;
mod table;
mod task;

pub use error::DataError;
pub use labels::{Label, Labels};
pub use own::Columns;
pub use task::Task;

use crate::metrics::Metric;

/// One labelled text, or pair of texts.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// The text.
    pub text: String,
    /// The second text.
    pub pair: Option<String>,
    /// What is to be predicted.
    pub label: Label,
}

/// Training and dev examples of a task.
#[derive(Debug, Clone)]
pub struct Dataset {
    /// For people.
    pub name: String,
    /// Kind of labels.
    pub labels: Labels,
    /// The main metric.
    pub metric: Metric,
    /// For training.
    pub train: Vec<Example>,
    /// For evaluation.
    pub dev: Vec<Example>,
    /// Things a user should know.
    pub notes: Vec<String>,
}
