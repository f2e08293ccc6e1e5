//! What happened while the model was trained, from the run's log.

use std::path::Path;

use overfold::manifest::Training;
use serde_json::Value;

use crate::error::Error;
use crate::log;
use crate::strategy::Round;

/// Steps that are told, at most.
const STEPS: usize = 200;

/// Reads the log of a run; of a static run's reference phase nothing is told.
///
/// # Errors
/// [`Error::File`] if the log cannot be read.
pub fn read(run: &Path, rounds: &[Round]) -> Result<Training, Error> {
    let mut training = Training::default();
    for entry in log::read(run)? {
        if entry["event"] != "step" || entry["phase"] != "main" {
            continue;
        }
        // Sorted by name, the same ones at each step.
        let Some(moved) = entry["moved_rms"].as_object() else { continue };
        if training.matrices.is_empty() {
            training.matrices = moved.keys().cloned().collect();
        }
        // Three digits: it is for pictures.
        let number = |value: &Value| {
            let value = value.as_f64().unwrap_or_default();
            format!("{value:.2e}").parse::<f32>().unwrap_or_default()
        };
        training.steps.push(entry["step"].as_u64().unwrap_or_default() as usize);
        training.loss.push(number(&entry["loss"]));
        training.moved.push(training.matrices.iter().map(|name| number(&moved[name])).collect());
    }
    let kept = training.steps.len().div_ceil(STEPS);
    thin(&mut training.steps, kept);
    thin(&mut training.loss, kept);
    thin(&mut training.moved, kept);
    let index = |name: &String| training.matrices.iter().position(|matrix| matrix == name);
    training.rounds =
        rounds.iter().map(|round| (round.step, round.chosen.iter().filter_map(index).collect())).collect();
    Ok(training)
}

/// Every `kept`th entry from the first.
fn thin<T>(entries: &mut Vec<T>, kept: usize) {
    let mut place = 0..;
    entries.retain(|_| place.next().is_some_and(|place| place % kept == 0));
}
