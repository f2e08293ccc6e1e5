//! The GPU path on a software rasterizer: slow, so tiny, and for correctness only.
//!
//! All that a training step consists of is compared with the CPU by the doctor.

mod common;

use overfold_trainer::device::{self, Choice};
use serde_json::Value;
use wgpu::DeviceType;

fn software() -> bool {
    let found = device::adapters().iter().any(|adapter| adapter.device_type == DeviceType::Cpu);
    if !found {
        println!(
            "skipped: there is no software rasterizer, or a real GPU; on Debian and Ubuntu install mesa-vulkan-drivers"
        );
    }
    found
}

#[test]
fn the_doctor_finds_a_software_adapter_healthy() {
    if !software() {
        return;
    }
    let report: Value = serde_json::from_str(&common::succeed(&["doctor", "--device", "software", "--json"])).unwrap();
    assert_eq!(report["healthy"], true);
    for check in report["checks"].as_array().unwrap() {
        // Software computes in f32 throughout, as the CPU does: what differs is the order of sums.
        assert!(check["relative_error"].as_f64().unwrap() < 1e-5, "{check}");
    }
}

/// The dynamic strategy from the first step to the folded folder, on both devices.
#[test]
fn a_run_on_a_software_adapter_is_the_run_on_the_cpu() {
    if !software() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    // Batches are padded further on a GPU, which changes where dropout's masks fall: without dropout nothing differs.
    let config = common::tiny_model(dir.path()).join("config.json");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, text.replace("_prob\":0.1", "_prob\":0.0")).unwrap();
    let losses = |device: &str| -> Vec<f64> {
        let out = dir.path().join(device);
        let flags = ["--method", "dynamic", "--steps", "4", "--interval", "2", "--log-every", "1", "--device", device];
        let flags = common::with(&common::tiny_flags(dir.path()), &flags);
        common::succeed(&common::with(&flags, &["--out", out.to_str().unwrap()]));
        let log = std::fs::read_to_string(out.join("log.jsonl")).unwrap();
        let entries = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let losses: Vec<f64> = entries.filter_map(|entry| entry["loss"].as_f64()).collect();
        assert!(out.join("model/model.safetensors").is_file());
        losses
    };
    let (cpu, gpu) = (losses("cpu"), losses("software"));
    // Four steps and the evaluation, with the same fresh head and data. Where a gradient is tiny, rounding can turn the
    // sign of AdamW's first steps; at a rate of 10⁻³ that stays far below this.
    assert_eq!((cpu.len(), gpu.len()), (5, 5));
    for (cpu, gpu) in cpu.into_iter().zip(gpu) {
        assert!((cpu - gpu).abs() < 1e-3, "{cpu} {gpu}");
    }
}

#[test]
fn the_automatic_choice_never_is_software() {
    let opened = device::open(Choice::Auto).unwrap();
    assert!(opened.adapter.is_none_or(|adapter| adapter.device_type != DeviceType::Cpu));
}
