//! `overfold doctor`: does the device compute what the CPU computes?

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use overfold::chain::Chain;
use overfold::checkpoint::named_tensors;
use overfold::model::{Batch, BertConfig, BertForSequenceClassification, Noise};
use overfold::mpo::{Gauge, Shape};
use overfold::operations::{self, AdamW, Dropout};
use serde_json::json;

use crate::cli::DoctorArgs;
use crate::device::{self, Opened};
use crate::error::Error;
use crate::optimizer::Gradients;

/// Largest relative difference between device and CPU. Tensor cores may round inputs to 11 bits (tf32), which gives
/// errors near 10⁻³ in a product; a wrong kernel is off by a factor, not by a thousandth.
const TOLERANCE: f64 = 5e-3;

/// One comparison.
struct Check {
    name: &'static str,
    /// ‖device − CPU‖ / ‖CPU‖; NaN if the device gave NaN.
    error: f64,
}

pub(super) fn run(args: &DoctorArgs) -> Result<(), Error> {
    let opened = device::open(args.device)?;
    let checks = checks(&opened)?;
    let healthy = checks.iter().all(|check| check.error <= TOLERANCE);
    let adapters = device::adapters();
    if args.json {
        let results: Vec<_> = checks
            .iter()
            .map(|c| json!({"check": c.name, "relative_error": c.error, "passed": c.error <= TOLERANCE}))
            .collect();
        let adapters: Vec<_> = adapters
            .iter()
            .map(|a| json!({"name": a.name, "type": format!("{:?}", a.device_type), "api": a.backend.to_string(), "driver": a.driver_info}))
            .collect();
        println!(
            "{}",
            json!({"device": opened.description(), "adapters": adapters, "checks": results, "healthy": healthy})
        );
    } else {
        println!("device     {}", opened.description());
        for a in &adapters {
            println!("adapter    {} ({:?}, {}, {})", a.name, a.device_type, a.backend, a.driver_info);
        }
        if adapters.is_empty() {
            println!("adapter    none with a Vulkan, Metal or DirectX 12 driver");
        }
        println!("memory     {}", memory(&opened));
        for check in &checks {
            let verdict = if check.error <= TOLERANCE { "ok" } else { "WRONG" };
            println!("{verdict:<10} {} (relative difference to the CPU {:.1e})", check.name, check.error);
        }
    }
    if healthy {
        return Ok(());
    }
    Err(Error::Verification(format!(
        "{} computes wrong numbers; update its driver, or use --device cpu",
        opened.description()
    )))
}

fn memory(opened: &Opened) -> String {
    match opened.limits {
        Some((buffer, binding)) => {
            format!(
                "largest buffer {:.2} GB, largest storage binding {:.2} GB",
                buffer as f64 / 1e9,
                binding as f64 / 1e9
            )
        }
        None => "the system's".into(),
    }
}

fn checks(opened: &Opened) -> Result<Vec<Check>, Error> {
    let cpu = Device::flex();
    let mut checks = Vec::new();
    // Odd sizes, because kernels are most often wrong at the edges of their tiles.
    for (name, m, k, n) in [
        ("matrix product 64×64×64", 64, 64, 64),
        ("matrix product 33×129×65", 33, 129, 65),
        ("matrix times vector 257×384", 257, 384, 1),
    ] {
        let product = |device: &Device| numbers(m * k, 1, [m, k], device).matmul(numbers(k * n, 2, [k, n], device));
        checks.push(Check { name, error: difference(&values(product(&opened.device)), &values(product(&cpu))) });
    }
    let (forward, backward) = (tiny_model(&opened.device)?, tiny_model(&cpu)?);
    checks.push(Check { name: "forward pass of a tiny BERT", error: difference(&forward.0, &backward.0) });
    checks.push(Check { name: "backward pass of a tiny BERT", error: difference(&forward.1, &backward.1) });
    let (ours, theirs) = (tiny_chain(&opened.device)?, tiny_chain(&cpu)?);
    checks.push(Check { name: "contraction of a chain", error: difference(&ours.0, &theirs.0) });
    checks.push(Check { name: "pull-back of a chain", error: difference(&ours.1, &theirs.1) });
    let dropped = |device: &Device| {
        let dropout = Dropout { probability: 0.1, seed: 0x0123_4567_89AB_CDEF };
        values(operations::dropout(numbers(129 * 65, 5, [129, 65], device), Some(dropout)))
    };
    checks.push(Check { name: "dropout mask", error: difference(&dropped(&opened.device), &dropped(&cpu)) });
    checks.push(Check { name: "AdamW step", error: difference(&two_steps(&opened.device), &two_steps(&cpu)) });
    Ok(checks)
}

/// Logits and all gradients of a small model with the same weights on every device.
fn tiny_model(device: &Device) -> Result<(Vec<f32>, Vec<f32>), Error> {
    const CONFIG: &str = r#"{"vocab_size":50,"hidden_size":24,"num_hidden_layers":2,"num_attention_heads":3,
        "intermediate_size":40,"max_position_embeddings":16}"#;
    let config = BertConfig::from_json(CONFIG).map_err(|e| Error::Verification(e.to_string()))?;
    let cpu = Device::flex();
    cpu.seed(7);
    let model = BertForSequenceClassification::new(&config, 3, &cpu);
    // Read once: a fresh parameter is drawn where it is first used.
    let _ = named_tensors(&model);
    let model = model.fork(device).train();
    let sequences: [(&[u32], &[u32]); 2] = [(&[2, 11, 42, 7, 3], &[0, 0, 0, 1, 1]), (&[2, 5, 3], &[0, 0, 0])];
    let logits = model.forward(&Batch::new(&sequences, 0, 7, device), &Noise::off());
    let mut gradients = Gradients::default();
    gradients.accumulate(&model, logits.clone().powi_scalar(2).sum().backward());
    let names: Vec<String> = named_tensors(&model).into_iter().map(|(name, _)| name).collect();
    let flat = names.iter().filter_map(|name| gradients.take(name)).flat_map(values).collect();
    Ok((values(logits.inner()), flat))
}

/// A contracted matrix and the gradients of its cores.
fn tiny_chain(device: &Device) -> Result<(Vec<f32>, Vec<f32>), Error> {
    let cpu = Device::flex();
    let w = values(numbers(24 * 36, 3, [24, 36], &cpu));
    let wrap = |source| Error::Shape { flag: "doctor".into(), source };
    let shape = Shape::paper(24, 36, 4).map_err(wrap)?;
    let mut chain = Chain::unfold(&w, 24, 36, &shape, Gauge::Symmetric, device).map_err(wrap)?;
    let contracted = values(chain.contract());
    let gradients = chain.pull_back(numbers(24 * 36, 4, [24, 36], device));
    Ok((contracted, gradients.into_iter().flat_map(values).collect()))
}

/// A parameter after two AdamW steps.
fn two_steps(device: &Device) -> Vec<f32> {
    let flat = |seed| numbers(1000, seed, [1, 1000], device).reshape([1000]);
    let (mut parameter, mut moments) = (flat(6), None);
    for step in 1..=2 {
        let rule = AdamW {
            learning_rate: 0.1,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.01,
            step,
            grad_scale: 0.5,
        };
        let (next, state) = operations::adamw(parameter, flat(6 + step as u64), moments, &rule);
        (parameter, moments) = (next, Some(state));
    }
    values(parameter)
}

/// Numbers in [−1, 1) that are the same everywhere.
fn numbers(count: usize, seed: u64, dims: [usize; 2], device: &Device) -> Tensor<2> {
    let mut state = seed;
    let next = |_| {
        // Knuth's linear congruential generator, MMIX: the upper bits are good enough here.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 40) as f32) / (1 << 23) as f32 - 1.0
    };
    Tensor::from_data(TensorData::new((0..count).map(next).collect(), dims), device)
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

fn difference(found: &[f32], expected: &[f32]) -> f64 {
    let square = |x: f32| f64::from(x).powi(2);
    let error: f64 = found.iter().zip(expected).map(|(a, b)| square(a - b)).sum();
    let size: f64 = expected.iter().copied().map(square).sum();
    if found.len() == expected.len() { (error / size).sqrt() } else { f64::NAN }
}
