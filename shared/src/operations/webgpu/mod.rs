//! What the operations do by a kernel of their own on a browser's GPU.
//!
//! There Burn chooses kernels without trying them, and the one it has for the few rows of a sentence computes little for what
//! it loads.

use burn::backend::wgpu::{CubeDim, CubeTensor, KernelSource, SourceKernel, SourceTemplate, Wgpu, into_contiguous};
use burn::backend::{DType, TensorMetadata};
use burn::cubecl::prelude::{CubeCount, KernelId};
use burn::cubecl::server::{KernelArguments, MetadataBindingInfo};
use burn::tensor::{Shape, Tensor};

/// `product.wgsl`.
struct Product;

/// Rows and columns of `y` that a workgroup of [`WIDTH`] invocations computes.
const TILE: [usize; 2] = [8, 4 * WIDTH as usize];
const WIDTH: u32 = 32;

impl KernelSource for Product {
    fn source(&self) -> SourceTemplate {
        SourceTemplate::new(include_str!("product.wgsl"))
    }

    fn id(&self) -> KernelId {
        KernelId::new::<Self>().cube_dim(CubeDim::new_1d(WIDTH).0)
    }

    fn lang(&self) -> &'static str {
        "wgsl"
    }
}

fn values<const D: usize>(tensor: &Tensor<D>) -> Option<CubeTensor> {
    let tensor = tensor.clone().try_into_primitive::<Wgpu>().ok()?;
    (tensor.dtype() == DType::F32).then(|| into_contiguous(tensor))
}

/// See [`super::linear`]; for an input size that is a multiple of four.
pub(super) fn linear<const D: usize>(x: &Tensor<D>, weight: &Tensor<2>, bias: &Tensor<1>) -> Option<Tensor<D>> {
    let [output, input] = weight.dims();
    if input % 4 != 0 {
        return None;
    }
    let (x, weight, bias) = (values(x)?, values(weight)?, values(bias)?);
    let mut shape = x.shape().to_vec();
    let rows = shape.iter().product::<usize>() / input;
    shape[D - 1] = output;
    let shape = Shape::from(shape);
    let y = x.client.empty(rows * output * size_of::<f32>());
    let buffers = [&x.handle, &weight.handle, &bias.handle, &y].map(|handle| handle.clone().binding()).to_vec();
    let dims = MetadataBindingInfo::custom([rows, input, output].map(|size| size as u64).to_vec());
    x.client.launch(
        Box::new(SourceKernel::new(Product, CubeDim::new_1d(WIDTH))),
        CubeCount::Static(output.div_ceil(TILE[1]) as u32, rows.div_ceil(TILE[0]) as u32, 1),
        KernelArguments::new().with_buffers(buffers).with_info(dims),
    );
    let y = CubeTensor::new_contiguous(x.client.clone(), x.device.clone(), shape, y, DType::F32);
    Some(Tensor::from_primitive::<Wgpu>(y))
}
