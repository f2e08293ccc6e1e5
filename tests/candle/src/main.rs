//! `overfold-candle-check FOLDER FILE`: logits of a folded model by candle, against those in FILE.
//!
//! FILE holds JSON lines `{"ids": […], "type_ids": […], "logits": […]}`. Exits with 1 if any logit differs by more than
//! 10⁻⁴.

use std::path::Path;
use std::process::ExitCode;

use candle_core::{DType, Device, Error, IndexOp, Result, Tensor};
use candle_nn::{Linear, Module, VarBuilder, linear};
use candle_transformers::models::bert::{BertModel, Config};
use serde_json::Value;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, folder, file] = arguments.as_slice() else {
        eprintln!("usage: overfold-candle-check FOLDER FILE");
        return ExitCode::FAILURE;
    };
    match check(Path::new(folder), Path::new(file)) {
        Ok(worst) => {
            println!("{folder}: logits by candle differ by {worst:.1e}");
            if worst <= 1e-4 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn check(folder: &Path, file: &Path) -> Result<f32> {
    let device = Device::Cpu;
    let config: Config = serde_json::from_str(&std::fs::read_to_string(folder.join("config.json"))?).map_err(Error::wrap)?;
    let tensors = candle_core::safetensors::load(folder.join("model.safetensors"), &device)?;
    let outputs = tensors.get("classifier.bias").map_or(0, |bias| bias.elem_count());
    let weights = VarBuilder::from_tensors(tensors, DType::F32, &device);
    let bert = BertModel::load(weights.pp("bert"), &config)?;
    let pooler: Linear = linear(config.hidden_size, config.hidden_size, weights.pp("bert.pooler.dense"))?;
    let classifier: Linear = linear(config.hidden_size, outputs, weights.pp("classifier"))?;
    let mut worst = 0f32;
    for line in std::fs::read_to_string(file)?.lines() {
        let case: Value = serde_json::from_str(line).map_err(Error::wrap)?;
        let numbers = |key: &str| -> Vec<u32> {
            case[key].as_array().into_iter().flatten().filter_map(Value::as_u64).map(|n| n as u32).collect()
        };
        let (ids, types) = (numbers("ids"), numbers("type_ids"));
        let input = |values: Vec<u32>| Tensor::new(values, &device)?.unsqueeze(0);
        let hidden = bert.forward(&input(ids)?, &input(types)?, None)?;
        let logits = classifier.forward(&pooler.forward(&hidden.i((.., 0))?)?.tanh()?)?;
        let expected = case["logits"].as_array().into_iter().flatten().filter_map(Value::as_f64);
        for (found, expected) in logits.flatten_all()?.to_vec1::<f32>()?.into_iter().zip(expected) {
            worst = worst.max((found - expected as f32).abs());
        }
    }
    Ok(worst)
}
