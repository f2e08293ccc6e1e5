//! `overfold predict --fill-mask`: what a pre-trained model would put in the place of `[MASK]`.

use burn::tensor::activation::softmax;
use burn::tensor::{Int, Tensor, TensorData};
use overfold::checkpoint::load_masked;
use overfold::model::{Batch, Noise};
use serde_json::json;

use crate::device::{self, Choice};
use crate::error::Error;
use crate::hub;

/// Tokens that are shown for each place.
const SHOWN: usize = 5;

pub(super) fn run(
    model: &str,
    texts: &[String],
    max_length: usize,
    choice: Choice,
    as_json: bool,
) -> Result<(), Error> {
    let folder = hub::open(model)?;
    let tokenizer = folder.tokenizer(max_length.min(folder.config.max_position_embeddings))?;
    let mask = tokenizer.special("[MASK]")?;
    let mut inputs = Vec::new();
    for text in texts {
        let encoded = tokenizer.encode(text, None)?;
        let places: Vec<i32> = (0..).zip(&encoded.ids).filter(|&(_, &id)| id == mask).map(|(place, _)| place).collect();
        if places.is_empty() {
            let reason = format!("`{text}` has no [MASK]; write it where a word is to be found");
            return Err(Error::flag("--fill-mask", reason));
        }
        inputs.push((encoded, places));
    }
    let opened = device::open(choice)?;
    let (model, _) = load_masked(&folder.weights()?, &folder.config, &opened.device)?;
    for (text, (encoded, places)) in texts.iter().zip(inputs) {
        let length = encoded.ids.len().next_multiple_of(opened.pad_to);
        let batch = Batch::new(&[(&encoded.ids, &encoded.type_ids)], tokenizer.pad(), length, &opened.device);
        let count = places.len();
        let places = Tensor::<1, Int>::from_data(TensorData::new(places, [count]), &opened.device);
        let hidden = model.hidden_states_at(&batch, places, &Noise::off());
        let all = Tensor::arange(0..count as i64, &opened.device);
        let probabilities = softmax(model.masked_logits(hidden, all), 1);
        let [_, vocabulary] = probabilities.dims();
        let values: Vec<f32> = probabilities.into_data().iter::<f32>().collect();
        let found: Vec<Vec<(String, f32)>> = values
            .chunks(vocabulary)
            .map(|row| {
                let mut ranked: Vec<(u32, f32)> = (0..).zip(row.iter().copied()).collect();
                ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
                let named = ranked.into_iter().filter_map(|(id, p)| Some((tokenizer.token(id)?, p)));
                named.take(SHOWN).collect()
            })
            .collect();
        if as_json {
            println!("{}", json!({ "text": text, "masks": found }));
            continue;
        }
        println!("{text}");
        for row in found {
            let row: Vec<String> = row.iter().map(|(token, p)| format!("{token} {:.1} %", 100.0 * p)).collect();
            println!("  {}", row.join(" · "));
        }
    }
    Ok(())
}
