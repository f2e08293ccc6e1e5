//! Dense gradients by parameter name.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Gradients as Tape, Tensor};
use overfold::model::names::Path;
use overfold::operations::sum_of_squares;

/// ∂L/∂W of every parameter, flattened.
#[derive(Debug, Default)]
pub struct Gradients(BTreeMap<String, Tensor<1>>);

impl Gradients {
    /// Adds what backward found for `module` to what is there.
    pub fn accumulate<M: Module>(&mut self, module: &M, tape: Tape) {
        struct Collector<'a> {
            gradients: &'a mut BTreeMap<String, Tensor<1>>,
            tape: Tape,
            path: Path,
        }
        impl ModuleVisitor for Collector<'_> {
            fn enter_module(&mut self, name: &str, _container: &str) {
                self.path.push(name);
            }
            fn exit_module(&mut self, _name: &str, _container: &str) {
                self.path.pop();
            }
            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
                let Some(gradient) = param.val().grad_remove(&mut self.tape) else { return };
                let gradient = gradient.reshape([-1]);
                let name = self.path.name();
                let sum = match self.gradients.remove(&name) {
                    Some(sum) => sum + gradient,
                    None => gradient,
                };
                self.gradients.insert(name, sum);
            }
        }
        module.visit(&mut Collector { gradients: &mut self.0, tape, path: Path::default() });
    }

    /// Removes and returns a parameter's gradient.
    pub fn take(&mut self, name: &str) -> Option<Tensor<1>> {
        self.0.remove(name)
    }

    /// A parameter's gradient.
    pub fn get(&self, name: &str) -> Option<&Tensor<1>> {
        self.0.get(name)
    }

    /// The global norm √Σ‖G‖²; NaN or infinite if any gradient is. Waits for the device.
    pub fn norm(&self) -> f64 {
        let squares: Vec<Tensor<1>> = self.0.values().map(|g| sum_of_squares(g.clone())).collect();
        if squares.is_empty() { 0.0 } else { f64::from(Tensor::cat(squares, 0).sum().into_scalar::<f32>()).sqrt() }
    }
}
