//! From the first step to the last.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::activation::log_softmax;
use overfold::model::{BertForMaskedLM, Noise};
use serde_json::json;

use super::job::MaskedBatch;
use super::{Evaluation, Job, State};
use crate::encode::EpochOrder;
use crate::error::Error;
use crate::log::Log;
use crate::optimizer::{Gradients, StepRule};
use crate::progress::Progress;
use crate::training::Phase;

/// How training ended.
#[derive(Debug)]
pub enum Outcome {
    /// All steps were taken.
    Finished(Box<State>),
    /// Asked to stop; the checkpoint holds everything.
    Interrupted,
}

/// Trains from `state` to the end, or until `stop` is set.
///
/// # Errors
/// [`Error::Diverged`] if the loss is not finite any more, [`Error::File`] if the log or a checkpoint cannot be written.
pub fn train(job: &Job, mut state: State, log: &mut Log, stop: &AtomicBool) -> Result<Outcome, Error> {
    let config = &job.config;
    let mut order = EpochOrder::new(job.learned(), config.seed);
    let mut progress = Progress::new("pretrain", state.step, job.total_steps);
    let (start, first) = (Instant::now(), state.step);
    let per_step = config.batch * config.accumulate * config.positions;
    while state.step < job.total_steps {
        let (gradients, loss) = gradients(job, &state, &mut order);
        let norm = gradients.norm();
        if !norm.is_finite() {
            return Err(Error::not_finite(state.step + 1, loss.into_scalar::<f32>(), "--lr"));
        }
        let rule = StepRule {
            peak_rate: config.lr,
            course: job.rate,
            step: state.step,
            weight_decay: config.weight_decay,
            gradient_scale: StepRule::clip(config.clip, norm),
            measure: false,
        };
        let learning_rate = rule.learning_rate(state.step);
        (state.model, _) = state.optimizer.step(state.model, gradients, rule);
        state.step += 1;
        let last = state.step == job.total_steps;
        let speed = ((state.step - first) * per_step) as f64 / start.elapsed().as_secs_f64();
        if last || state.step.is_multiple_of(config.log_every) {
            log.write(&json!({
                "event": "step", "phase": Phase::Main, "step": state.step, "tokens": state.step * per_step,
                "loss": loss.clone().into_scalar::<f32>(), "learning_rate": learning_rate, "gradient_norm": norm,
                "tokens_per_second": speed.round(),
            }))?;
        }
        progress.advance(state.step, || format!("loss {:.3} · {speed:.0} tokens/s", loss.into_scalar::<f32>()));
        if last || state.step.is_multiple_of(config.evaluate_every) {
            let found = evaluate(job, &state.model, state.step, state.step * per_step);
            log.write(&json!({"event": "evaluation", "phase": Phase::Main, "step": state.step, "holdout": found}))?;
            let Evaluation { step, tokens, loss, perplexity, accuracy } = found;
            progress.note(&format!(
                "step {step} · {:.1}M tokens · hold-out loss {loss:.4}, perplexity {perplexity:.2}, accuracy {accuracy:.4}",
                tokens as f64 / 1e6
            ));
            state.evaluations.push(found);
        }
        let stopping = stop.load(Ordering::Relaxed) && !last;
        if last || stopping || state.step.is_multiple_of(config.checkpoint_every) {
            state.save(job)?;
        }
        if stopping {
            return Ok(Outcome::Interrupted);
        }
    }
    Ok(Outcome::Finished(Box::new(state)))
}

/// Forward and backward over the passes of the next step; nothing is updated. The loss is `[1]`, not read yet.
fn gradients(job: &Job, state: &State, order: &mut EpochOrder) -> (Gradients, Tensor<1>) {
    let config = &job.config;
    let (epoch, within) = (state.step / job.steps_per_epoch, state.step % job.steps_per_epoch);
    let per_step = config.batch * config.accumulate;
    let windows = &order.of(epoch)[within * per_step..(within + 1) * per_step];
    let mut gradients = Gradients::default();
    let mut mean = Tensor::zeros([1], &job.device.device);
    for (pass, places) in windows.chunks(config.batch).enumerate() {
        let noise = if config.dropout {
            let place = (state.step as u64) << 20 | pass as u64;
            Noise::on(config.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ place)
        } else {
            Noise::off()
        };
        let part = loss(&state.model, job.training_batch(places, epoch), &noise).mean() / config.accumulate as f64;
        mean = mean + part.clone().inner();
        gradients.accumulate(&state.model, part.backward());
    }
    (gradients, mean)
}

/// `[places]`: the cross-entropy of each hidden token.
fn loss(model: &BertForMaskedLM, masked: MaskedBatch, noise: &Noise) -> Tensor<1> {
    let logits = model.forward(&masked.batch, masked.places, noise);
    log_softmax(logits, 1).gather(1, masked.targets.unsqueeze_dim(1)).neg().squeeze_dim(1)
}

/// Loss and accuracy on the hold-out windows.
fn evaluate(job: &Job, model: &BertForMaskedLM, step: usize, tokens: usize) -> Evaluation {
    let model = model.valid();
    let places: Vec<usize> = (0..job.held_out()).collect();
    let (mut sum, mut right, mut count) = (0.0, 0.0, 0usize);
    for places in places.chunks(job.config.batch) {
        let MaskedBatch { batch, places, targets } = job.holdout_batch(places);
        count += targets.dims()[0];
        let logits = model.forward(&batch, places, &Noise::off());
        let hits = logits.clone().argmax(1).squeeze_dim::<1>(1).equal(targets.clone()).float().sum();
        let losses = log_softmax(logits, 1).gather(1, targets.unsqueeze_dim(1)).neg().sum();
        right += f64::from(hits.into_scalar::<f32>());
        sum += f64::from(losses.into_scalar::<f32>());
    }
    let loss = sum / count as f64;
    Evaluation { step, tokens, loss, perplexity: loss.exp(), accuracy: right / count as f64 }
}
