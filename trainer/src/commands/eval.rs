//! `overfold eval`.

use serde_json::json;

use super::{eval_holdout, loaded};
use crate::cli::EvalArgs;
use crate::data::{self, Columns, Labels};
use crate::encode::EncodedSet;
use crate::error::Error;
use crate::metrics::Metric;
use crate::training::evaluate;

pub(super) fn run(args: EvalArgs) -> Result<(), Error> {
    if !args.holdout.is_empty() {
        return eval_holdout::run(&args);
    }
    let loaded = loaded::open(&args.model, args.max_length, args.device)?;
    let (name, examples, metric) = match (args.task, &args.dev) {
        (Some(task), _) => {
            let dataset = task.load(args.data.as_deref())?;
            if dataset.labels.outputs() != loaded.labels.outputs() {
                let reason = format!(
                    "{task} has {} outputs, but the model has {}; was it fine-tuned on another task?",
                    dataset.labels.outputs(),
                    loaded.labels.outputs()
                );
                return Err(Error::flag("--task", reason));
            }
            (dataset.name, dataset.dev, dataset.metric)
        }
        (_, Some(dev)) => {
            let regression = loaded.labels == Labels::Regression;
            let columns = Columns {
                text: args.text.unwrap_or_default(),
                pair: args.pair,
                label: args.label.unwrap_or_default(),
                regression,
            };
            let (examples, _) = data::own::load_split(dev, &columns, Some(&loaded.labels))?;
            let metric = if regression { Metric::Spearman } else { Metric::Accuracy };
            (dev.display().to_string(), examples, metric)
        }
        _ => return Err(Error::flag("--dev", "no data; give --task, or --dev, --text and --label, or --holdout")),
    };
    let set = EncodedSet::new(&examples, &loaded.tokenizer)?;
    let evaluation = evaluate(&loaded.model, &set, metric, loaded.device.pad_to, &loaded.device.device);
    if args.json {
        let line = json!({
            "data": name, "examples": set.len(), "truncated": set.truncated(), "loss": evaluation.loss,
            "scores": evaluation.scores, "device": loaded.device.description(),
        });
        println!("{line}");
    } else {
        println!("{name} · {} examples · loss {:.4} · {}", set.len(), evaluation.loss, evaluation.scores);
        if set.truncated() > 0 {
            eprintln!("note: {} texts are longer than {} tokens and were cut", set.truncated(), args.max_length);
        }
    }
    Ok(())
}
