//! From `--device` to a Burn device.

use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::str::FromStr;
use std::task::{Context, Poll, Waker};

use burn::tensor::wgpu::WgpuBackend;
use burn::tensor::{Device, DeviceKind};
use serde::{Deserialize, Serialize};
use wgpu::{AdapterInfo, Backends, DeviceType, Instance, InstanceDescriptor};

use crate::error::Error;

/// The value of `--device`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Choice {
    /// A GPU if there is one, else the CPU; never a software rasterizer.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// The n-th GPU.
    Gpu(usize),
    /// A software rasterizer (lavapipe, WARP): slow, for tests of the GPU path.
    Software,
}

impl FromStr for Choice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "gpu" => Ok(Self::Gpu(0)),
            "software" => Ok(Self::Software),
            other => other
                .strip_prefix("gpu:")
                .and_then(|n| n.parse().ok())
                .map(Self::Gpu)
                .ok_or_else(|| format!("`{text}` is none of auto, cpu, gpu, gpu:N, software")),
        }
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Gpu(0) => f.write_str("gpu"),
            Self::Gpu(n) => write!(f, "gpu:{n}"),
            Self::Software => f.write_str("software"),
        }
    }
}

impl TryFrom<String> for Choice {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Choice> for String {
    fn from(choice: Choice) -> Self {
        choice.to_string()
    }
}

/// A device that is ready to use.
#[derive(Debug, Clone)]
pub struct Opened {
    /// For tensors without autodiff.
    pub device: Device,
    /// `None` for the CPU.
    pub adapter: Option<AdapterInfo>,
    /// Largest buffer and largest storage binding in bytes; `None` for the CPU.
    pub limits: Option<(u64, u64)>,
    /// Lengths of batches are rounded up to a multiple of this. On a GPU every new shape costs compilation and tuning;
    /// on the CPU padding only costs.
    pub pad_to: usize,
}

impl Opened {
    /// For people: `CPU, 2 threads` or the adapter's name and API.
    pub fn description(&self) -> String {
        match &self.adapter {
            None => format!("CPU, {} threads", rayon::current_num_threads()),
            Some(info) => format!("{} ({}, {})", info.name, info.backend, info.driver_info),
        }
    }
}

/// Opens the device that was asked for.
///
/// # Errors
/// [`Error::Device`] if there is no such device or it cannot be opened.
pub fn open(choice: Choice) -> Result<Opened, Error> {
    let cpu = Opened { device: Device::flex(), adapter: None, limits: None, pad_to: 1 };
    if choice == Choice::Cpu {
        return Ok(cpu);
    }
    let fail = |reason: String| Error::Device { wanted: choice.to_string(), reason };
    let adapters = adapters();
    let (software, gpus): (Vec<_>, Vec<_>) = adapters.into_iter().partition(|a| a.device_type == DeviceType::Cpu);
    let names = |list: &[AdapterInfo]| list.iter().map(|a| a.name.clone()).collect::<Vec<_>>().join(", ");
    let adapter = match choice {
        Choice::Auto if gpus.is_empty() => return Ok(cpu),
        Choice::Auto => gpus.first(),
        Choice::Gpu(n) => gpus.get(n),
        Choice::Software => software.first(),
        Choice::Cpu => None,
    };
    let Some(adapter) = adapter else {
        return Err(fail(match (choice, gpus.len()) {
            (Choice::Software, _) => {
                "there is no software rasterizer; on Debian and Ubuntu install mesa-vulkan-drivers".into()
            }
            (_, 0) if software.is_empty() => {
                "there is no GPU with a Vulkan, Metal or DirectX 12 driver; use --device cpu".into()
            }
            (_, 0) => format!("there is no GPU, only a software rasterizer ({}); use --device cpu", names(&software)),
            (_, count) => format!("there are {count} GPUs, numbered from 0: {}", names(&gpus)),
        }));
    };
    let rank = gpus.iter().take_while(|a| *a != adapter).filter(|a| a.device_type == adapter.device_type).count();
    let kind = match adapter.device_type {
        DeviceType::Cpu => DeviceKind::Cpu,
        DeviceType::DiscreteGpu => DeviceKind::DiscreteGpu(rank),
        DeviceType::IntegratedGpu => DeviceKind::IntegratedGpu(rank),
        DeviceType::VirtualGpu => DeviceKind::VirtualGpu(rank),
        DeviceType::Other => DeviceKind::DefaultDevice,
    };
    let api = match adapter.backend {
        wgpu::Backend::Vulkan => WgpuBackend::Vulkan,
        wgpu::Backend::Metal => WgpuBackend::Metal,
        wgpu::Backend::Dx12 => WgpuBackend::Dx12,
        _ => WgpuBackend::Auto,
    };
    let options = Device::wgpu_options().device_kind(kind).graphics_api(api);
    let (device, setup) = options
        .init_with_setup()
        .map_err(|e| fail(format!("{} cannot be opened: {e}; use --device cpu", adapter.name)))?;
    let limits = setup.device.limits();
    Ok(Opened {
        device,
        adapter: Some(setup.adapter.get_info()),
        limits: Some((limits.max_buffer_size, limits.max_storage_buffer_binding_size)),
        pad_to: 16,
    })
}

/// All adapters of the best graphics API that has any; GPUs as the driver orders them.
pub fn adapters() -> Vec<AdapterInfo> {
    let instance = Instance::new(InstanceDescriptor {
        backends: Backends::PRIMARY,
        ..InstanceDescriptor::new_without_display_handle()
    });
    let found: Vec<AdapterInfo> =
        block_on(instance.enumerate_adapters(Backends::PRIMARY)).iter().map(wgpu::Adapter::get_info).collect();
    let real = found.iter().find(|a| a.device_type != DeviceType::Cpu).or(found.first()).map(|a| a.backend);
    found.into_iter().filter(|a| Some(a.backend) == real).collect()
}

/// wgpu's native futures are ready at once; this needs no executor.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
        std::thread::yield_now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_read_as_they_print() {
        for text in ["auto", "cpu", "gpu", "gpu:2", "software"] {
            assert_eq!(text.parse::<Choice>().unwrap().to_string(), text);
        }
        assert!("tpu".parse::<Choice>().unwrap_err().contains("gpu:N"));
    }
}
