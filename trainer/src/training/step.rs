//! One optimizer step: forward and backward passes, clipping, update.

use burn::tensor::Tensor;
use overfold::model::Noise;

use super::evaluate::loss;
use super::{Job, State};
use crate::encode::{EpochOrder, pass_range};
use crate::error::Error;
use crate::optimizer::{Gradients, StepRule};

/// What one optimizer step did.
#[derive(Debug, Clone)]
pub(super) struct StepResult {
    /// Mean loss over the step's examples, `[1]`, not read from the device yet.
    pub loss: Tensor<1>,
    /// Global norm of the dense gradients before clipping.
    pub norm: f64,
    /// Learning rate.
    pub learning_rate: f64,
    /// RMS change of each matrix, if measured.
    pub moved: std::collections::BTreeMap<String, f64>,
}

/// Forward and backward over the passes of the next optimizer step; nothing is updated.
pub(super) fn gradients(job: &Job, state: &State, order: &mut EpochOrder) -> (Gradients, Tensor<1>) {
    let config = &job.config;
    let examples = job.train.len();
    let (epoch, within) = (state.step / job.steps_per_epoch, state.step % job.steps_per_epoch);
    let order = order.of(epoch);
    let passes = (within * config.accumulate..(within + 1) * config.accumulate)
        .map(|pass| &order[pass_range(examples, config.batch, pass)])
        .filter(|indices| !indices.is_empty());
    let total: usize = passes.clone().map(<[usize]>::len).sum();
    let mut gradients = Gradients::default();
    let mut mean = Tensor::zeros([1], &job.device.device);
    for (pass, indices) in passes.enumerate() {
        let batch = job.train.batch(indices, job.device.pad_to, &job.device.device);
        let targets = job.train.targets(indices, &job.device.device);
        // Dropout differs between steps, passes and the two phases, and depends on nothing else.
        let place = (state.step as u64) << 20 | (pass as u64) << 1 | state.phase as u64;
        let noise = Noise::on(config.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ place);
        // The mean over the step's examples, whatever the sizes of its passes.
        let share = indices.len() as f64 / total as f64;
        let part = loss(state.model.forward(&batch, &noise), targets) * share;
        mean = mean + part.clone().inner();
        gradients.accumulate(&state.model, part.backward());
    }
    (gradients, mean)
}

/// Takes the next optimizer step. The state goes in by value, so that weights can be updated in place.
///
/// # Errors
/// [`Error::Diverged`] if a gradient is not finite; nothing is updated then.
pub(super) fn step(
    job: &Job,
    mut state: State,
    order: &mut EpochOrder,
    measure: bool,
) -> Result<(State, StepResult), Error> {
    let (gradients, loss) = gradients(job, &state, order);
    let norm = gradients.norm();
    if !norm.is_finite() {
        let rates = if state.optimizer.unfolded.is_empty() { "--lr" } else { "--lr or --core-lr" };
        return Err(Error::not_finite(state.step + 1, loss.into_scalar::<f32>(), rates));
    }
    state.observe(job, &gradients);
    let config = &job.config;
    let rule = StepRule {
        peak_rate: config.lr,
        course: job.rate,
        step: state.step,
        weight_decay: config.weight_decay,
        gradient_scale: StepRule::clip(config.clip, norm),
        measure,
    };
    let learning_rate = rule.learning_rate(state.step);
    let moved;
    (state.model, moved) = state.optimizer.step(state.model, gradients, rule);
    state.step += 1;
    Ok((state, StepResult { loss, norm, learning_rate, moved }))
}
