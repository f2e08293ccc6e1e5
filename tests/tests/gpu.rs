//! The GPU path on a software rasterizer: slow, so tiny, and for correctness only.

mod common;

use overfold_trainer::device::{self, Choice};
use serde_json::Value;
use wgpu::DeviceType;

fn software() -> bool {
    match device::open(Choice::Software) {
        Ok(_) => true,
        Err(error) => {
            println!("skipped: {error}");
            false
        }
    }
}

#[test]
fn the_doctor_finds_a_software_adapter_healthy() {
    if !software() {
        return;
    }
    let report = common::succeed(&["doctor", "--device", "software", "--json"]);
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["healthy"], true);
    for check in report["checks"].as_array().unwrap() {
        // Software computes in f32 throughout: far better than the bar for tensor cores.
        assert!(check["relative_error"].as_f64().unwrap() < 1e-4, "{check}");
    }
}

#[test]
fn the_automatic_choice_never_is_software() {
    let opened = device::open(Choice::Auto).unwrap();
    assert!(opened.adapter.is_none_or(|adapter| adapter.device_type != DeviceType::Cpu));
}

#[test]
fn a_run_on_the_gpu_path_learns_and_folds() {
    if !software() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("run");
    let extra = ["--device", "software", "--steps", "4", "--interval", "1", "--log-every", "1", "--out", out.to_str().unwrap()];
    common::succeed(&common::with(&common::tiny_flags(dir.path()), &extra));
    let report: Value = serde_json::from_str(&std::fs::read_to_string(out.join("run.json")).unwrap()).unwrap();
    let checks = &report["results"]["verification"];
    assert!(checks["folder"].as_f64().unwrap() < 1e-5 && checks["chains"].as_f64().unwrap() < 1e-4, "{checks}");
}
