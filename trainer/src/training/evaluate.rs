//! Logits, loss and scores of a model on a data set, without dropout.

use burn::module::Module;
use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Tensor};
use overfold::model::{BertForSequenceClassification, Noise};

use crate::encode::{EncodedSet, Targets};
use crate::metrics::{self, Metric, Scores};

/// What a model does on a data set.
#[derive(Debug, Clone)]
pub struct Evaluation {
    /// Mean loss.
    pub loss: f64,
    /// The task's metrics.
    pub scores: Scores,
}

/// Batches at evaluation: no gradients are kept, so twice the usual size fits.
const BATCH: usize = 64;

/// Logits of every example, in the data set's order.
pub fn logits(
    model: &BertForSequenceClassification,
    set: &EncodedSet,
    pad_to: usize,
    device: &Device,
) -> Vec<Vec<f32>> {
    let model = model.valid();
    let mut all = vec![Vec::new(); set.len()];
    for indices in set.batches_by_length(BATCH) {
        let batch = set.batch(&indices, pad_to, device);
        let logits = model.forward(&batch, &Noise::off());
        let [_, outputs] = logits.dims();
        let values: Vec<f32> = logits.into_data().iter::<f32>().collect();
        for (&index, row) in indices.iter().zip(values.chunks(outputs)) {
            all[index] = row.to_vec();
        }
    }
    all
}

/// Loss and scores on a data set.
pub fn evaluate(
    model: &BertForSequenceClassification,
    set: &EncodedSet,
    metric: Metric,
    pad_to: usize,
    device: &Device,
) -> Evaluation {
    let logits = logits(model, set, pad_to, device);
    let scores = metrics::score(metric, &logits, &set.labels);
    Evaluation { loss: metrics::mean_loss(&logits, &set.labels), scores }
}

/// Mean loss on some examples of a data set, summed in f64.
pub fn mean_loss(
    model: &BertForSequenceClassification,
    set: &EncodedSet,
    indices: &[usize],
    pad_to: usize,
    device: &Device,
) -> f64 {
    let model = model.valid();
    let mut sum = 0.0;
    for indices in indices.chunks(BATCH) {
        let batch = set.batch(indices, pad_to, device);
        let loss = loss(model.forward(&batch, &Noise::off()), set.targets(indices, device));
        sum += f64::from(loss.into_scalar::<f32>()) * indices.len() as f64;
    }
    sum / indices.len() as f64
}

/// Cross-entropy for classes, mean squared error for scores; the mean over the batch, `[1]`.
///
/// `logits`: `[batch, outputs]`.
pub(super) fn loss(logits: Tensor<2>, targets: Targets) -> Tensor<1> {
    match targets {
        Targets::Classes(classes) => {
            let chosen = log_softmax(logits, 1).gather(1, classes.unsqueeze_dim(1));
            chosen.mean().neg()
        }
        Targets::Scores(scores) => (logits.squeeze_dim::<1>(1) - scores).powi_scalar(2).mean(),
    }
}
