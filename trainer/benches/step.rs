//! Seconds and memory of one training step of a 6-layer MiniLM on the CPU, 16 texts of 64 tokens, beside PyTorch.
//!
//! ```text
//! OVERFOLD_PYTHON=python cargo bench --workspace --bench step
//! ```
//!
//! `OVERFOLD_PYTHON` is a Python with torch and transformers; without it PyTorch's line is left out. Each measurement is
//! a process of its own, so that its peak memory is its own, and they take turns, so that all meet the same machine.

use std::error::Error;
use std::process::Command;
use std::time::Instant;

use burn::module::Module;
use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Int, Tensor, TensorData};
use overfold::chain::Chain;
use overfold::checkpoint::named_tensors;
use overfold::model::names::Group;
use overfold::model::{Batch, BertConfig, BertForSequenceClassification, Noise};
use overfold::mpo::{Gauge, Shape};
use overfold_trainer::config::{CoreRate, Schedule};
use overfold_trainer::optimizer::{Gradients, Optimizer, Rate, StepRule, Unfolded};
use overfold_trainer::report::peak_memory;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const CONFIG: &str = r#"{"vocab_size":30522,"hidden_size":384,"num_hidden_layers":6,"num_attention_heads":12,
    "intermediate_size":1536,"max_position_embeddings":512}"#;
const LAYERS: usize = 6;
const HIDDEN: usize = 384;
const WIDE: usize = 1536;
const BATCH: usize = 16;
const TOKENS: usize = 64;
const ORDER: usize = 11;
const STEPS: usize = 14;
const WARM_UP: usize = 2;
const TURNS: usize = 3;
/// Tells this program to measure instead of starting measurements.
const MEASURE: &str = "OVERFOLD_BENCH_STEP";

type Failure = Box<dyn Error>;

fn main() -> Result<(), Failure> {
    match std::env::var(MEASURE) {
        Ok(what) => measure(what == "opf"),
        Err(_) => table(),
    }
}

/// The layers whose matrices are unfolded: half of them.
fn unfolded() -> impl Iterator<Item = (Group, usize)> {
    Group::ALL.into_iter().flat_map(|group| (LAYERS / 2..LAYERS).map(move |layer| (group, layer)))
}

fn shape(group: Group) -> Result<Shape, Failure> {
    let (rows, cols) = match group {
        Group::FfnUp => (WIDE, HIDDEN),
        Group::FfnDown => (HIDDEN, WIDE),
        _ => (HIDDEN, HIDDEN),
    };
    Ok(Shape::paper(rows, cols, ORDER)?)
}

/// Prints the median seconds of a step and the peak memory in bytes.
fn measure(opf: bool) -> Result<(), Failure> {
    let device = Device::flex();
    device.seed(1);
    let mut model = BertForSequenceClassification::new(&BertConfig::from_json(CONFIG)?, 2, &device).train();
    let mut optimizer = Optimizer::default();
    if opf {
        let tensors = named_tensors(&model);
        for (group, layer) in unfolded() {
            let name = group.weight(layer);
            let Some((_, data)) = tensors.iter().find(|(other, _)| *other == name) else { continue };
            let values: Vec<f32> = data.iter::<f32>().collect();
            let (rows, cols) = (data.shape()[0], data.shape()[1]);
            let chain = Chain::unfold(&values, rows, cols, &shape(group)?, Gauge::Symmetric, &device)?;
            optimizer.unfold(&name, Unfolded::new(chain, CoreRate::Factor(1.0)));
        }
    }
    let mut seconds = Vec::new();
    for step in 0..STEPS {
        let ids: Vec<u32> = (0..BATCH * TOKENS).map(|i| 1000 + ((i * 7919 + step * 104_729) % 29_000) as u32).collect();
        let types = [0; TOKENS];
        let sequences: Vec<(&[u32], &[u32])> = ids.chunks(TOKENS).map(|ids| (ids, &types[..])).collect();
        let start = Instant::now();
        let classes: Vec<i32> = (0..BATCH as i32).map(|i| i % 2).collect();
        let targets = Tensor::<1, Int>::from_data(TensorData::new(classes, [BATCH]), &device);
        let logits = model.forward(&Batch::new(&sequences, 0, TOKENS, &device), &Noise::on(step as u64));
        let loss = log_softmax(logits, 1).gather(1, targets.unsqueeze_dim(1)).mean().neg();
        let mut gradients = Gradients::default();
        gradients.accumulate(&model, loss.backward());
        let rule = StepRule {
            peak_rate: 1e-5,
            course: Rate::new(Schedule::Constant, 0.0, STEPS),
            step,
            weight_decay: 0.01,
            gradient_scale: (1.0 / gradients.norm()).min(1.0),
            measure: false,
        };
        (model, _) = optimizer.step(model, gradients, rule);
        seconds.push(start.elapsed().as_secs_f64());
    }
    seconds.drain(..WARM_UP);
    seconds.sort_by(f64::total_cmp);
    println!("{} {}", seconds[seconds.len() / 2], peak_memory().unwrap_or(0));
    Ok(())
}

/// Median seconds of a step and peak bytes, the best of all turns.
#[derive(Clone, Copy)]
struct Measured {
    seconds: f64,
    bytes: f64,
}

fn run(command: &mut Command, best: Option<Measured>) -> Result<Option<Measured>, Failure> {
    let output = command.output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut words = text.split_whitespace().map(str::parse);
    let (Some(Ok(seconds)), Some(Ok(bytes))) = (words.next(), words.next()) else {
        return Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)).into());
    };
    let found = Measured { seconds, bytes };
    Ok(Some(best.filter(|best| best.seconds <= found.seconds).unwrap_or(found)))
}

fn table() -> Result<(), Failure> {
    let this = std::env::current_exe()?;
    let python = std::env::var_os("OVERFOLD_PYTHON");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/step.py");
    let [mut plain, mut opf, mut torch] = [None; 3];
    for _ in 0..TURNS {
        if let Some(python) = &python {
            let sizes = [BATCH, TOKENS, STEPS, WARM_UP].map(|n| n.to_string());
            torch = run(Command::new(python).arg(script).arg(CONFIG).args(sizes), torch)?;
        }
        plain = run(Command::new(&this).env(MEASURE, "plain"), plain)?;
        opf = run(Command::new(&this).env(MEASURE, "opf"), opf)?;
    }
    let (Some(plain), Some(opf)) = (plain, opf) else { return Ok(()) };

    // A product costs two operations for each weight and token, three times: forward, and twice backward.
    let weights = LAYERS * (4 * HIDDEN * HIDDEN + 2 * HIDDEN * WIDE);
    let attention = LAYERS * 2 * TOKENS * HIDDEN;
    let dense = (3 * 2 * BATCH * TOKENS * (weights + attention)) as f64;
    let mut chains = 0.0;
    for (group, _) in unfolded() {
        chains += 3.0 * shape(group)?.contraction_cost().flops as f64;
    }
    let predicted = plain.seconds * (dense + chains) / dense;
    let line = |name: &str, m: Measured, flops: f64| {
        println!("{name:<34}{:>7.3} s{:>8.2} GB{:>8.1} GFLOP", m.seconds, m.bytes / 1e9, flops / 1e9);
    };
    println!("one step, {BATCH}×{TOKENS} tokens, best of {TURNS} medians");
    if let Some(torch) = torch {
        line("PyTorch, plain", torch, dense);
    }
    line("Overfold, plain", plain, dense);
    line(&format!("Overfold, {ORDER} cores in half the layers"), opf, dense + chains);
    if let Some(torch) = torch {
        let (time, memory) = (plain.seconds / torch.seconds, plain.bytes / torch.bytes);
        println!("plain step: {time:.2} of PyTorch's time, {memory:.2} of its peak memory");
    }
    println!("OPF step: {:.2} of what its operations predict from the plain step", opf.seconds / predicted);
    Ok(())
}
