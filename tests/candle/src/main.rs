//! `overfold predict --json … | candle-check FOLDER`: opens FOLDER with candle, computes the logits of the token ids on
//! standard input, and prints the largest difference from the logits that stand beside them.

use std::io::stdin;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use candle_core::{DType, Device, IndexOp, Tensor};
use candle_nn::{Linear, Module, VarBuilder, linear};
use candle_transformers::models::bert::{BertModel, Config};
use serde::Deserialize;

/// A line of `overfold predict --json`; its other keys are not needed here.
#[derive(Deserialize)]
struct Line {
    ids: Vec<u32>,
    type_ids: Vec<u32>,
    logits: Vec<f32>,
}

/// `BertForSequenceClassification`, of which candle has the encoder: pooler and classifier are its linear layers.
struct Classifier {
    bert: BertModel,
    pooler: Linear,
    classifier: Linear,
}

impl Classifier {
    fn open(folder: &Path, outputs: usize) -> Result<Self> {
        let config: Config = serde_json::from_slice(&std::fs::read(folder.join("config.json"))?)?;
        let bytes = std::fs::read(folder.join("model.safetensors"))?;
        let vars = VarBuilder::from_buffered_safetensors(bytes, DType::F32, &Device::Cpu)?;
        let hidden = config.hidden_size;
        Ok(Self {
            bert: BertModel::load(vars.pp("bert"), &config)?,
            pooler: linear(hidden, hidden, vars.pp("bert.pooler.dense"))?,
            classifier: linear(hidden, outputs, vars.pp("classifier"))?,
        })
    }

    fn logits(&self, line: &Line) -> Result<Vec<f32>> {
        let row = |ids: &[u32]| Tensor::new(ids, &Device::Cpu)?.unsqueeze(0);
        let states = self.bert.forward(&row(&line.ids)?, &row(&line.type_ids)?, None)?;
        let pooled = self.pooler.forward(&states.i((.., 0))?.contiguous()?)?.tanh()?;
        Ok(self.classifier.forward(&pooled)?.squeeze(0)?.to_vec1()?)
    }
}

fn main() -> Result<()> {
    let folder = std::env::args().nth(1).context("usage: candle-check FOLDER < LINES")?;
    let lines = serde_json::Deserializer::from_reader(stdin().lock()).into_iter();
    let lines: Vec<Line> = lines.collect::<Result<_, _>>().context("standard input")?;
    ensure!(!lines.is_empty(), "no lines on standard input");
    let model = Classifier::open(Path::new(&folder), lines[0].logits.len()).context(folder)?;
    let mut worst = 0.0f32;
    for line in &lines {
        for (theirs, ours) in model.logits(line)?.into_iter().zip(&line.logits) {
            let difference = (theirs - ours).abs();
            ensure!(difference.is_finite(), "candle computes {theirs} where {ours} was printed");
            worst = worst.max(difference);
        }
    }
    println!("{worst:e}");
    Ok(())
}
