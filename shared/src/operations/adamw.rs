//! One AdamW step on one tensor.

use burn::tensor::Tensor;

/// AdamW (Loshchilov and Hutter, ICLR 2019) as `torch.optim.AdamW` computes it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamW {
    /// Learning rate of this step.
    pub learning_rate: f64,
    /// Decay of the mean of gradients.
    pub beta1: f64,
    /// Decay of the mean of squared gradients.
    pub beta2: f64,
    /// Added to the denominator.
    pub epsilon: f64,
    /// Decoupled weight decay.
    pub weight_decay: f64,
    /// This step's number, from 1, for the bias correction.
    pub step: usize,
    /// The gradient is multiplied by this first: the global clip.
    pub grad_scale: f64,
}

/// The running means of the gradient and of its square.
#[derive(Debug, Clone)]
pub struct Moments {
    /// Mean gradient.
    pub first: Tensor<1>,
    /// Mean squared gradient.
    pub second: Tensor<1>,
}

/// Steps `parameter`; `moments` is `None` before the first step.
pub fn adamw(
    parameter: Tensor<1>,
    gradient: Tensor<1>,
    moments: Option<Moments>,
    rule: &AdamW,
) -> (Tensor<1>, Moments) {
    #[cfg(feature = "flex")]
    if super::flex::steps(&parameter, &gradient, moments.as_ref()) {
        return super::flex::adamw(parameter, gradient, moments, rule);
    }
    composed(parameter, gradient, moments, rule)
}

fn composed(parameter: Tensor<1>, gradient: Tensor<1>, moments: Option<Moments>, rule: &AdamW) -> (Tensor<1>, Moments) {
    let gradient = gradient * rule.grad_scale;
    let (first, second) = match moments {
        Some(moments) => (moments.first, moments.second),
        None => (gradient.zeros_like(), gradient.zeros_like()),
    };
    let first = first * rule.beta1 + gradient.clone() * (1.0 - rule.beta1);
    let second = second * rule.beta2 + gradient.powi_scalar(2) * (1.0 - rule.beta2);
    let step = rule.step as i32;
    let (correct1, correct2) = (1.0 - rule.beta1.powi(step), 1.0 - rule.beta2.powi(step));
    let denominator = second.clone().sqrt() / correct2.sqrt() + rule.epsilon;
    let decayed = parameter * (1.0 - rule.learning_rate * rule.weight_decay);
    let parameter = decayed - first.clone() / denominator * (rule.learning_rate / correct1);
    (parameter, Moments { first, second })
}
