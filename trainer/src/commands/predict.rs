//! `overfold predict`.

use serde_json::json;

use super::{fill_mask, loaded};
use crate::cli::PredictArgs;
use crate::data::{self, Example, Label, Labels};
use crate::encode::EncodedSet;
use crate::error::Error;
use crate::training::logits;

pub(super) fn run(args: PredictArgs) -> Result<(), Error> {
    let texts = texts(&args)?;
    if args.fill_mask {
        let texts: Vec<String> = texts.into_iter().map(|(text, _)| text).collect();
        return fill_mask::run(&args.model, &texts, args.max_length, args.device, args.json);
    }
    let loaded = loaded::open(&args.model, args.max_length, args.device)?;
    // Labels are not known; what stands there is not read.
    let examples: Vec<Example> =
        texts.into_iter().map(|(text, pair)| Example { text, pair, label: Label::Class(0) }).collect();
    let set = EncodedSet::new(&examples, &loaded.tokenizer)?;
    let all = logits(&loaded.model, &set, loaded.device.pad_to, &loaded.device.device);
    for ((example, encoded), logits) in examples.iter().zip(&set.inputs).zip(all) {
        let mut line =
            json!({ "text": example.text, "logits": logits, "ids": encoded.ids, "type_ids": encoded.type_ids });
        if let Some(pair) = &example.pair {
            line["pair"] = pair.as_str().into();
        }
        if encoded.truncated {
            line["truncated"] = true.into();
        }
        let shown = match &loaded.labels {
            Labels::Regression => {
                line["score"] = logits[0].into();
                format!("{:.4}", logits[0])
            }
            Labels::Classes(classes) => {
                let mut ranked: Vec<(f64, &String)> = softmax(&logits).into_iter().zip(classes).collect();
                line["probabilities"] = ranked.iter().map(|(p, class)| ((*class).clone(), json!(p))).collect();
                ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
                line["label"] = ranked[0].1.as_str().into();
                ranked.iter().map(|(p, class)| format!("{class} {:.1} %", 100.0 * p)).collect::<Vec<_>>().join(" · ")
            }
        };
        if args.json {
            println!("{line}");
        } else {
            let pair = example.pair.as_ref().map(|pair| format!(" ⟷ {pair}")).unwrap_or_default();
            let cut = if encoded.truncated { " (cut)" } else { "" };
            println!("{shown}\t{}{pair}{cut}", example.text);
        }
    }
    Ok(())
}

fn texts(args: &PredictArgs) -> Result<Vec<(String, Option<String>)>, Error> {
    if let Some(input) = &args.input {
        return Ok(data::own::load_texts(input, &args.text_column, args.pair_column.as_deref())?);
    }
    if !args.pair.is_empty() && args.pair.len() != args.texts.len() {
        let reason = format!("{} second texts for {} first ones; give one for each", args.pair.len(), args.texts.len());
        return Err(Error::flag("--pair", reason));
    }
    let mut pairs = args.pair.iter().cloned();
    Ok(args.texts.iter().map(|text| (text.clone(), pairs.next())).collect())
}

fn softmax(logits: &[f32]) -> Vec<f64> {
    let top = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f64> = logits.iter().map(|&x| f64::from(x - top).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.into_iter().map(|p| p / sum).collect()
}
