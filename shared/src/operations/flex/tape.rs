//! From Burn's tensors to the CPU back end's values and back, with a node on the autodiff tape where one is needed.

use std::fmt;
use std::sync::Arc;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::{Autodiff, BackendTypes, DType, Flex};
use burn::tensor::Tensor;

type Tracked = <Autodiff<Flex> as BackendTypes>::FloatTensorPrimitive;

/// A tensor on the CPU back end, with its place in the autodiff graph if it has one.
#[derive(Clone)]
pub(super) enum Value {
    Plain(FlexTensor),
    Tracked(Tracked),
}

impl Value {
    /// `None` if the tensor lives elsewhere or does not hold f32.
    pub fn of<const D: usize>(tensor: &Tensor<D>) -> Option<Self> {
        let value = if tensor.is_autodiff() {
            Self::Tracked(tensor.clone().try_into_primitive::<Autodiff<Flex>>().ok()?)
        } else {
            Self::Plain(tensor.clone().try_into_primitive::<Flex>().ok()?)
        };
        (value.primitive().dtype() == DType::F32).then_some(value)
    }

    /// The values of a tensor without autodiff.
    pub fn plain(tensor: &Tensor<1>) -> Option<FlexTensor> {
        match Self::of(tensor)? {
            Self::Plain(tensor) => Some(tensor),
            Self::Tracked(_) => None,
        }
    }

    pub fn primitive(&self) -> FlexTensor {
        match self {
            Self::Plain(tensor) => tensor.clone(),
            Self::Tracked(tensor) => tensor.primitive().clone(),
        }
    }

    fn tracked(self) -> Tracked {
        match self {
            Self::Plain(tensor) => Tracked::new(tensor),
            Self::Tracked(tensor) => tensor,
        }
    }
}

/// A backward pass: the gradient of the output, and which inputs want one, to the gradients of the inputs.
type Function<const N: usize> = Arc<dyn Fn(FlexTensor, [bool; N]) -> [Option<FlexTensor>; N] + Send + Sync>;

#[derive(Clone)]
struct Step<const N: usize>(Function<N>);

impl<const N: usize> fmt::Debug for Step<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Step<{N}>")
    }
}

#[derive(Debug)]
struct Operation;

impl<const N: usize> Backward<Flex, N> for Operation {
    type State = Step<N>;

    fn backward(self, ops: Ops<Step<N>, N>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<Flex>(&ops.node);
        let needed = ops.parents.each_ref().map(Option::is_some);
        let gradients = (ops.state.0)(gradient, needed);
        for (parent, gradient) in ops.parents.into_iter().zip(gradients) {
            if let (Some(parent), Some(gradient)) = (parent, gradient) {
                grads.register::<Flex>(parent.id, gradient);
            }
        }
    }
}

/// The output as a tensor; if any input has autodiff, with `backward` on the tape.
pub(super) fn record<const N: usize, const D: usize>(
    inputs: [Value; N],
    output: FlexTensor,
    backward: impl Fn(FlexTensor, [bool; N]) -> [Option<FlexTensor>; N] + Send + Sync + 'static,
) -> Tensor<D> {
    if inputs.iter().all(|input| matches!(input, Value::Plain(_))) {
        return Tensor::from_primitive::<Flex>(output);
    }
    let nodes = inputs.map(|input| input.tracked().node());
    let prepared = Operation.prepare::<NoCheckpointing>(nodes).compute_bound().stateful();
    let output = match prepared {
        OpsKind::Tracked(prep) => prep.finish(Step(Arc::new(backward)), output),
        OpsKind::UnTracked(prep) => prep.finish(output),
    };
    Tensor::from_primitive::<Autodiff<Flex>>(output)
}

/// As [`record`] with inputs that may be absent.
pub(super) fn record_optional<const N: usize, const D: usize>(
    inputs: [Option<Value>; N],
    output: FlexTensor,
    backward: impl Fn(FlexTensor, [bool; N]) -> [Option<FlexTensor>; N] + Send + Sync + 'static,
) -> Tensor<D> {
    // A constant stands in for an absent input: it wants no gradient.
    let constant = || Value::Plain(FlexTensor::zeros([1].into(), DType::F32));
    record(inputs.map(|input| input.unwrap_or_else(constant)), output, backward)
}
