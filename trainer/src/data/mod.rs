//! Labelled texts: the GLUE tasks and a user's own files.

mod error;
pub mod glue;
pub mod own;
mod table;

use serde::{Deserialize, Serialize};

pub use error::DataError;
pub use own::Columns;

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

/// What is to be predicted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Label {
    /// Index into [`Labels::Classes`].
    Class(usize),
    /// A number.
    Score(f32),
}

/// The kind of labels of a data set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Labels {
    /// Names of the classes by index.
    Classes(Vec<String>),
    /// Numbers.
    Regression,
}

impl Labels {
    /// Logits that a model needs.
    pub fn outputs(&self) -> usize {
        match self {
            Self::Classes(classes) => classes.len(),
            Self::Regression => 1,
        }
    }
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
