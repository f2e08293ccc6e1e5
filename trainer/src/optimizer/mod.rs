//! AdamW on dense parameters and, for unfolded matrices, on the cores of their chains.
//!
//! The model stays dense. An unfolded matrix differs from the others in one thing only: its gradient is pulled back to
//! the cores of its chain, the cores take the step, and the contracted chain becomes the new matrix.

mod gradients;
mod schedule;

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::Tensor;
use overfold::chain::Chain;
use overfold::model::names::{Group, Path};
use overfold::operations::{AdamW, Moments, adamw};

pub use gradients::Gradients;
pub use schedule::Rate;

use crate::config::CoreRate;

const BETA1: f64 = 0.9;
const BETA2: f64 = 0.999;
const EPSILON: f64 = 1e-8;

/// AdamW's state for one tensor.
#[derive(Debug, Clone, Default)]
pub struct TensorState {
    /// Number of steps taken, for the bias correction.
    pub steps: usize,
    /// Running means of the gradient and of its square; `None` before the first step.
    pub moments: Option<Moments>,
}

/// An unfolded matrix: its chain and the state of each core.
#[derive(Debug, Clone)]
pub struct Unfolded {
    /// The chain, whose contraction is the model's matrix.
    pub chain: Chain,
    /// AdamW's state of each core.
    pub cores: Vec<TensorState>,
    /// The cores' learning rate as a multiple of the dense one; measured at the first step if asked for.
    pub rate: Option<f64>,
}

impl Unfolded {
    /// A chain that has taken no step.
    pub fn new(chain: Chain, rate: CoreRate) -> Self {
        let rate = match rate {
            CoreRate::Factor(factor) => Some(factor),
            CoreRate::Auto => None,
        };
        Self { cores: vec![TensorState::default(); chain.cores().len()], chain, rate }
    }
}

/// What holds for one optimizer step.
#[derive(Debug, Clone, Copy)]
pub struct StepRule {
    /// Highest learning rate of the run.
    pub peak_rate: f64,
    /// The learning rate's course.
    pub course: Rate,
    /// Optimizer steps taken before this one.
    pub step: usize,
    /// Decoupled weight decay.
    pub weight_decay: f64,
    /// Gradients are multiplied by this: the global clip.
    pub gradient_scale: f64,
    /// Whether to measure how far each matrix moved.
    pub measure: bool,
}

impl StepRule {
    /// The factor that brings a global norm down to `limit`; 0 for no limit.
    pub fn clip(limit: f64, norm: f64) -> f64 {
        if limit > 0.0 { (limit / norm).min(1.0) } else { 1.0 }
    }

    /// The learning rate of a tensor that has taken `age` steps as it is.
    pub fn learning_rate(&self, age: usize) -> f64 {
        self.peak_rate * self.course.factor(self.step, age)
    }
}

/// The state of all parameters.
#[derive(Debug, Clone, Default)]
pub struct Optimizer {
    /// Dense parameters by name.
    pub dense: BTreeMap<String, TensorState>,
    /// Unfolded matrices by name.
    pub unfolded: BTreeMap<String, Unfolded>,
}

impl Optimizer {
    /// From now on `name` is trained as a chain. Its dense state is dropped: it speaks of other coordinates.
    pub fn unfold(&mut self, name: &str, unfolded: Unfolded) {
        self.dense.remove(name);
        self.unfolded.insert(name.to_owned(), unfolded);
    }

    /// Number of values that are trained: dense parameters and cores.
    pub fn trained_parameters<M: Module>(&self, model: &M) -> usize {
        let replaced: usize = self.unfolded.values().map(|u| u.chain.matrix_dims().iter().product::<usize>()).sum();
        let cores: usize = self.unfolded.values().map(|u| u.chain.parameters()).sum();
        model.num_params() - replaced + cores
    }

    /// Takes one step. Returns the model, and the RMS of every matrix's change if `rule.measure`.
    pub fn step<M: Module>(&mut self, model: M, gradients: Gradients, rule: StepRule) -> (M, BTreeMap<String, f64>) {
        let mut stepper = Stepper { optimizer: self, gradients, rule, path: Path::default(), moved: Vec::new() };
        let model = model.map(&mut stepper);
        let moved = stepper.moved.into_iter().map(|(name, rms)| (name, f64::from(rms.into_scalar::<f32>()))).collect();
        (model, moved)
    }
}

struct Stepper<'a> {
    optimizer: &'a mut Optimizer,
    gradients: Gradients,
    rule: StepRule,
    path: Path,
    moved: Vec<(String, Tensor<1>)>,
}

impl ModuleMapper for Stepper<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let name = self.path.name();
        let Some(gradient) = self.gradients.take(&name) else { return param };
        let measured = self.rule.measure && Group::of(&name).is_some();
        param.map(|value| {
            let value = value.inner();
            let dims = value.dims();
            let flat = value.reshape([-1]);
            let before = measured.then(|| flat.clone());
            let after = match self.optimizer.unfolded.get_mut(&name) {
                Some(unfolded) => step_chain(unfolded, gradient, &self.rule),
                None => {
                    let decay = if decays(&name) { self.rule.weight_decay } else { 0.0 };
                    let state = self.optimizer.dense.entry(name.clone()).or_default();
                    let learning_rate = self.rule.learning_rate(self.rule.step);
                    step_tensor(flat, gradient, state, learning_rate, decay, self.rule.gradient_scale)
                }
            };
            if let Some(before) = before {
                self.moved.push((name.clone(), rms(after.clone() - before)));
            }
            Tensor::from_inner(after.reshape(dims)).require_grad()
        })
    }
}

/// Biases and layer normalizations are not decayed, as in BERT's own recipe.
fn decays(name: &str) -> bool {
    !name.ends_with(".bias") && !name.contains("LayerNorm")
}

fn step_tensor(
    value: Tensor<1>,
    gradient: Tensor<1>,
    state: &mut TensorState,
    learning_rate: f64,
    weight_decay: f64,
    grad_scale: f64,
) -> Tensor<1> {
    state.steps += 1;
    let step = state.steps;
    let rule = AdamW { learning_rate, beta1: BETA1, beta2: BETA2, epsilon: EPSILON, weight_decay, step, grad_scale };
    let (value, moments) = adamw(value, gradient, state.moments.take(), &rule);
    state.moments = Some(moments);
    value
}

fn step_chain(unfolded: &mut Unfolded, gradient: Tensor<1>, rule: &StepRule) -> Tensor<1> {
    let [rows, cols] = unfolded.chain.matrix_dims();
    let core_gradients = unfolded.chain.pull_back(gradient.clone().reshape([rows, cols]));
    let rate = match unfolded.rate {
        Some(rate) => rate,
        None => *unfolded.rate.insert(matching_rate(&unfolded.chain, &core_gradients, gradient, rule)),
    };
    let mut core_gradients = core_gradients.into_iter();
    let states = &mut unfolded.cores;
    let learning_rate = rule.learning_rate(states[0].steps) * rate;
    unfolded.chain.update(|k, values| {
        // `pull_back` returns one gradient for each core.
        let Some(gradient) = core_gradients.next() else { return values };
        step_tensor(values, gradient, &mut states[k], learning_rate, rule.weight_decay, rule.gradient_scale)
    });
    unfolded.chain.contract().reshape([-1])
}

/// The factor at which the chain's first step has the RMS of the dense first step.
///
/// Both are tried at the peak rate, from fresh states and without decay; the chain's step is close to linear in the rate.
fn matching_rate(chain: &Chain, core_gradients: &[Tensor<1>], gradient: Tensor<1>, rule: &StepRule) -> f64 {
    let trial = |value: Tensor<1>, gradient: Tensor<1>| {
        let state = &mut TensorState::default();
        step_tensor(value, gradient, state, rule.peak_rate, 0.0, rule.gradient_scale)
    };
    let zero = gradient.zeros_like();
    let dense: f32 = rms(trial(zero, gradient)).into_scalar();
    let mut moved = chain.clone();
    let before = moved.contract();
    moved.update(|k, values| trial(values, core_gradients[k].clone()));
    let after = moved.contract();
    let through_chain: f32 = rms((after - before).reshape([-1])).into_scalar();
    // A zero gradient moves neither: any factor will do.
    if through_chain > 0.0 { f64::from(dense / through_chain) } else { 1.0 }
}

fn rms(values: Tensor<1>) -> Tensor<1> {
    values.powi_scalar(2).mean().sqrt()
}
