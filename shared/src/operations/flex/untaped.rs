//! What [`super::tape`] does, for builds without autodiff: values only, and no gradients.

use burn::backend::flex::FlexTensor;
use burn::backend::{DType, Flex};
use burn::tensor::Tensor;

/// A tensor on the CPU back end.
#[derive(Clone)]
pub(super) struct Value(FlexTensor);

impl Value {
    /// `None` if the tensor lives elsewhere or does not hold f32.
    pub fn of<const D: usize>(tensor: &Tensor<D>) -> Option<Self> {
        let value = tensor.clone().try_into_primitive::<Flex>().ok()?;
        (value.dtype() == DType::F32).then_some(Self(value))
    }

    /// The values of a tensor.
    pub fn plain(tensor: &Tensor<1>) -> Option<FlexTensor> {
        Self::of(tensor).map(|Self(value)| value)
    }

    pub fn primitive(&self) -> FlexTensor {
        self.0.clone()
    }
}

/// The output as a tensor.
pub(super) fn record<const N: usize, const D: usize>(
    _inputs: [Value; N],
    output: FlexTensor,
    _backward: impl Fn(FlexTensor, [bool; N]) -> [Option<FlexTensor>; N],
) -> Tensor<D> {
    Tensor::from_primitive::<Flex>(output)
}

/// As [`record`].
pub(super) fn record_optional<const N: usize, const D: usize>(
    _inputs: [Option<Value>; N],
    output: FlexTensor,
    _backward: impl Fn(FlexTensor, [bool; N]) -> [Option<FlexTensor>; N],
) -> Tensor<D> {
    Tensor::from_primitive::<Flex>(output)
}
