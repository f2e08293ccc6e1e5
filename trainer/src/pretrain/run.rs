//! From the first step to the last.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::activation::log_softmax;
use overfold::model::{BertForMaskedLM, Noise};
use serde_json::json;

use super::batch::MaskedBatch;
use super::holdout::Found;
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
        let Pass { gradients, loss, pair_loss } = gradients(job, &state, &mut order);
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
                "loss": loss.clone().into_scalar::<f32>(),
                "pair_loss": pair_loss.map(|loss| loss.into_scalar::<f32>()),
                "learning_rate": learning_rate, "gradient_norm": norm, "tokens_per_second": speed.round(),
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

/// What the passes of a step found.
struct Pass {
    gradients: Gradients,
    /// `[1]`, not read yet: mean cross-entropy of the hidden tokens.
    loss: Tensor<1>,
    /// `[1]`: that of the pairs, if there are any.
    pair_loss: Option<Tensor<1>>,
}

/// Forward and backward over the passes of the next step; nothing is updated.
fn gradients(job: &Job, state: &State, order: &mut EpochOrder) -> Pass {
    let config = &job.config;
    let (epoch, within) = (state.step / job.steps_per_epoch, state.step % job.steps_per_epoch);
    let per_step = config.batch * config.accumulate;
    let windows = &order.of(epoch)[within * per_step..(within + 1) * per_step];
    let mut found =
        Pass { gradients: Gradients::default(), loss: Tensor::zeros([1], &job.device.device), pair_loss: None };
    for (pass, places) in windows.chunks(config.batch).enumerate() {
        let noise = if config.dropout {
            let place = (state.step as u64) << 20 | pass as u64;
            Noise::on(config.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ place)
        } else {
            Noise::off()
        };
        let (words, pairs) = losses(&state.model, job.training_batch(places, epoch), &noise);
        let share = 1.0 / config.accumulate as f64;
        let words = words * share;
        found.loss = found.loss + words.clone().inner();
        let part = match pairs {
            None => words,
            Some(pairs) => {
                let part = pairs.clone().inner() * share;
                found.pair_loss = Some(found.pair_loss.map_or(part.clone(), |sum| sum + part));
                // Their weight is their share: pairs are few, and their noise would drown what the words say.
                words + pairs * (config.pairs * share)
            }
        };
        found.gradients.accumulate(&state.model, part.backward());
    }
    found
}

/// `[1]` each: the mean cross-entropy of the hidden tokens, and that of the pairs, their tokens' added.
fn losses(model: &BertForMaskedLM, masked: MaskedBatch, noise: &Noise) -> (Tensor<1>, Option<Tensor<1>>) {
    let hidden = model.hidden_states_at(&masked.batch, masked.read, noise);
    let pairs = masked.pairs.zip(model.pair_logits(hidden.clone())).map(|(pairs, [texts, tokens])| {
        binary_loss(texts.select(0, pairs.rows), pairs.shares)
            + binary_loss(tokens.select(0, pairs.tokens), pairs.occur)
    });
    let logits = model.masked_logits(hidden, masked.places);
    let words = log_softmax(logits, 1).gather(1, masked.targets.unsqueeze_dim(1)).neg().squeeze_dim::<1>(1);
    (words.mean(), pairs)
}

/// `[1]`: mean cross-entropy of logits `[n, 2]`; `wanted`: `[n]` the probability of the first class.
fn binary_loss(logits: Tensor<2>, wanted: Tensor<1>) -> Tensor<1> {
    let wanted: Tensor<2> = wanted.unsqueeze_dim(1);
    let both = Tensor::cat(vec![wanted.clone(), 1.0 - wanted], 1);
    (log_softmax(logits, 1) * both).sum_dim(1).neg().mean()
}

/// Loss and accuracy on the hold-out windows.
fn evaluate(job: &Job, model: &BertForMaskedLM, step: usize, tokens: usize) -> Evaluation {
    let places: Vec<usize> = (0..job.held_out()).collect();
    let batches = places.chunks(job.config.batch).map(|places| job.holdout_batch(places));
    let Found { loss, perplexity, accuracy, .. } = Found::of(&model.valid(), batches);
    Evaluation { step, tokens, loss, perplexity, accuracy }
}
