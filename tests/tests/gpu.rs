//! The GPU path on a software rasterizer: slow, so tiny, and for correctness only.
//!
//! All that a training step consists of is compared with the CPU by the doctor.

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

/// Mesa 22.3 (Debian 12) crashes in its own shader compiler on some of the kernels among which Burn's autotune chooses by
/// its timings, so that it comes and goes with the machine's load. Numbers are asserted whenever there are any.
#[test]
fn the_doctor_finds_a_software_adapter_healthy() {
    if !software() {
        return;
    }
    const ATTEMPTS: usize = 3;
    for attempt in 1..=ATTEMPTS {
        let output = common::overfold(&["doctor", "--device", "software", "--json"]);
        if output.status.code().is_none() {
            println!("attempt {attempt} of {ATTEMPTS}: the driver crashed");
            continue;
        }
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{error}");
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["healthy"], true);
        for check in report["checks"].as_array().unwrap() {
            // Software computes in f32 throughout: far better than the bar for tensor cores.
            assert!(check["relative_error"].as_f64().unwrap() < 1e-4, "{check}");
        }
        return;
    }
}

#[test]
fn the_automatic_choice_never_is_software() {
    let opened = device::open(Choice::Auto).unwrap();
    assert!(opened.adapter.is_none_or(|adapter| adapter.device_type != DeviceType::Cpu));
}
