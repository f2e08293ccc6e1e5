//! From the first step to the last, through both phases.

use std::sync::atomic::{AtomicBool, Ordering};

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use serde_json::json;

use super::evaluate::{evaluate, mean_loss};
use super::step::{gradients, step};
use super::{EvaluationRecord, Job, Phase, State};
use crate::config::{Importance, Method};
use crate::error::Error;
use crate::log::Log;
use crate::progress::Progress;
use crate::resume;
use crate::strategy::{Accumulator, Round, Scores, by_loss};

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
    loop {
        if state.step == 0 && state.phase == Phase::Main {
            select_before_training(job, &mut state, log)?;
        }
        let Some(finished) = train_phase(job, state, log, stop)? else { return Ok(Outcome::Interrupted) };
        if finished.phase == Phase::Main {
            return Ok(Outcome::Finished(Box::new(finished)));
        }
        state = after_reference(job, finished, log)?;
    }
}

fn train_phase(job: &Job, mut state: State, log: &mut Log, stop: &AtomicBool) -> Result<Option<State>, Error> {
    let config = &job.config;
    let what = if state.phase == Phase::Reference { "reference" } else { "fine-tune" };
    let mut progress = Progress::new(what, state.step, job.total_steps);
    let mut order = job.epoch_order();
    let mut last_good = format!("the last checkpoint is at step {}", state.step);
    while state.step < job.total_steps {
        let measure = (state.step + 1).is_multiple_of(config.log_every) || state.step + 1 == job.total_steps;
        let (next, result) = match step(job, state, &mut order, measure) {
            Ok(pair) => pair,
            Err(Error::Diverged(why)) => {
                let out = job.out.display();
                return Err(Error::Diverged(format!(
                    "{why}; {last_good} ({out}/checkpoint; `overfold fold` writes it)"
                )));
            }
            Err(error) => return Err(error),
        };
        state = next;
        if measure {
            log.write(&json!({
                "event": "step", "phase": state.phase, "step": state.step,
                "epoch": state.step as f64 / job.steps_per_epoch as f64,
                "loss": result.loss.clone().into_scalar::<f32>(), "learning_rate": result.learning_rate,
                "gradient_norm": result.norm, "moved_rms": result.moved,
            }))?;
        }
        progress.advance(state.step, || format!("loss {:.4}", result.loss.clone().into_scalar::<f32>()));
        if select_while_training(job, &mut state, log)? {
            progress.note(&describe(&state));
        }
        if state.step.is_multiple_of(job.steps_per_epoch) || state.step == job.total_steps {
            let record = validate(job, &state);
            log.write(&json!({
                "event": "evaluation", "phase": state.phase, "step": state.step, "epoch": record.epoch,
                "loss": record.loss, "scores": record.scores,
            }))?;
            progress
                .note(&format!("epoch {:.2} · validation loss {:.4} · {}", record.epoch, record.loss, record.scores));
            state.record(record);
        }
        let stopping = stop.load(Ordering::Relaxed);
        if stopping || state.step.is_multiple_of(config.checkpoint_every) || state.step == job.total_steps {
            resume::save(job, &state)?;
            last_good = format!("the last checkpoint is at step {}", state.step);
        }
        if stopping {
            return Ok(None);
        }
    }
    Ok(Some(state))
}

fn validate(job: &Job, state: &State) -> EvaluationRecord {
    let evaluation = evaluate(&state.model, &job.validation, job.metric, job.device.pad_to, &job.device.device);
    EvaluationRecord {
        phase: state.phase,
        step: state.step,
        epoch: state.step as f64 / job.steps_per_epoch as f64,
        loss: evaluation.loss,
        scores: evaluation.scores,
    }
}

/// The static strategy's selection where no reference run is needed: Fisher information of the pre-trained model.
fn select_before_training(job: &Job, state: &mut State, log: &mut Log) -> Result<(), Error> {
    let is_static = matches!(job.config.method, Method::Static | Method::Svd);
    if !is_static || state.selector.is_complete() {
        return Ok(());
    }
    // One pass over the training data with dropout, nothing updated, as the released code does it.
    let mut accumulator = Accumulator::default();
    let candidates = state.selector.candidates();
    let mut order = job.epoch_order();
    let mut progress = Progress::new("importance", 0, job.steps_per_epoch);
    for pass in 0..job.steps_per_epoch {
        state.step = pass;
        let (gradients, loss) = gradients(job, state, &mut order);
        accumulator.add(Importance::Fisher, &state.model, &gradients, &candidates);
        progress.advance(pass + 1, || format!("loss {:.4}", loss.into_scalar::<f32>()));
    }
    state.step = 0;
    choose(job, state, accumulator.scores(), usize::MAX, log)
}

/// The static strategy after its reference run: scores of the fine-tuned copy, then a fresh model with chains.
fn after_reference(job: &Job, state: State, log: &mut Log) -> Result<State, Error> {
    let scores = match job.config.importance() {
        Importance::Loss => scores_by_loss(job, &state)?,
        _ => state.accumulator.scores(),
    };
    let mut fresh = State::start(job, Phase::Main)?;
    fresh.evaluations = state.evaluations;
    choose(job, &mut fresh, scores, usize::MAX, log)?;
    eprintln!("{}", describe(&fresh));
    Ok(fresh)
}

/// The dynamic strategy's rounds. Returns whether there was one.
fn select_while_training(job: &Job, state: &mut State, log: &mut Log) -> Result<bool, Error> {
    let interval = state.selector.interval(&job.config, job.total_steps);
    let due = job.config.method == Method::Dynamic
        && state.phase == Phase::Main
        && !state.selector.is_complete()
        && state.step.is_multiple_of(interval)
        // Chains that never take a step would only cost.
        && state.step < job.total_steps;
    if due {
        let scores = match job.config.importance() {
            Importance::Loss => scores_by_loss(job, state)?,
            _ => state.accumulator.scores(),
        };
        choose(job, state, scores, job.config.round, log)?;
    }
    Ok(due)
}

fn scores_by_loss(job: &Job, state: &State) -> Result<Scores, Error> {
    let mut sample: Vec<usize> = (0..job.train.len()).collect();
    sample.shuffle(&mut StdRng::seed_from_u64(job.config.seed));
    sample.truncate(job.config.importance_examples);
    // Alike lengths together: less padding.
    sample.sort_by_key(|&i| job.train.inputs[i].ids.len());
    let candidates = state.selector.candidates();
    let mut progress = Progress::new("importance", 0, candidates.len() + 1);
    let mut done = 0;
    by_loss(&state.model, &candidates, |model| {
        let loss = mean_loss(model, &job.train, &sample, job.device.pad_to, &job.device.device);
        done += 1;
        progress.advance(done, || format!("loss {loss:.4}"));
        Ok(loss)
    })
}

fn choose(job: &Job, state: &mut State, scores: Scores, most: usize, log: &mut Log) -> Result<(), Error> {
    if let Some((name, score)) = scores.iter().find(|(_, score)| !score.is_finite()) {
        return Err(Error::Diverged(format!("step {}: the importance of {name} is {score}; lower --lr", state.step)));
    }
    let chosen = state.selector.choose(&scores, most);
    state.unfold(job, &chosen)?;
    state.accumulator.clear();
    let round = Round { step: state.step, scores, chosen };
    log.write(&json!({
        "event": "selection", "phase": state.phase, "step": state.step, "scores": round.scores, "chosen": round.chosen,
        "trained_parameters": state.optimizer.trained_parameters(&state.model),
    }))?;
    state.rounds.push(round);
    Ok(())
}

fn describe(state: &State) -> String {
    let Some(round) = state.rounds.last() else { return String::new() };
    let names: Vec<&str> =
        round.chosen.iter().map(|n| n.trim_start_matches("bert.encoder.layer.").trim_end_matches(".weight")).collect();
    let trained = state.optimizer.trained_parameters(&state.model);
    format!("step {}: unfolded {} ({:.1}M parameters trained)", round.step, names.join(", "), trained as f64 / 1e6)
}
