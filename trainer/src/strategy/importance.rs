//! How much a matrix matters for the loss.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::Tensor;
use overfold::model::BertForSequenceClassification;
use overfold::model::names::Path;

use super::Scores;
use crate::config::Importance;
use crate::error::Error;
use crate::optimizer::Gradients;

/// Importance summed over optimizer steps, on the device.
#[derive(Debug, Clone, Default)]
pub struct Accumulator {
    sums: BTreeMap<String, Tensor<1>>,
}

impl Accumulator {
    /// Adds one step for each of `names`: Σ|G ∘ W| (OPF eq. 7), or the mean squared gradient.
    ///
    /// `gradients` are those of the whole optimizer step, before clipping.
    pub fn add(
        &mut self,
        kind: Importance,
        model: &BertForSequenceClassification,
        gradients: &Gradients,
        names: &[String],
    ) {
        struct Visitor<'a> {
            kind: Importance,
            sums: &'a mut BTreeMap<String, Tensor<1>>,
            gradients: &'a Gradients,
            names: &'a [String],
            path: Path,
        }
        impl ModuleVisitor for Visitor<'_> {
            fn enter_module(&mut self, name: &str, _container: &str) {
                self.path.push(name);
            }
            fn exit_module(&mut self, _name: &str, _container: &str) {
                self.path.pop();
            }
            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
                let name = self.path.name();
                if !self.names.contains(&name) {
                    return;
                }
                let Some(gradient) = self.gradients.get(&name).cloned() else { return };
                let score = match self.kind {
                    Importance::Fisher => {
                        // The released code clips every matrix's gradient to norm 1 before it squares:
                        // mean(min(1, 1/‖G‖)²·G²) = min(‖G‖², 1)/n.
                        let count = gradient.dims()[0] as f64;
                        gradient.powi_scalar(2).sum().clamp_max(1.0) / count
                    }
                    _ => (gradient * param.val().inner().reshape([-1])).abs().sum(),
                };
                let sum = match self.sums.remove(&name) {
                    Some(sum) => sum + score,
                    None => score,
                };
                self.sums.insert(name, sum);
            }
        }
        model.visit(&mut Visitor { kind, sums: &mut self.sums, gradients, names, path: Path::default() });
    }

    /// The sums; waits for the device.
    pub fn scores(&self) -> Scores {
        self.sums.iter().map(|(name, sum)| (name.clone(), f64::from(sum.clone().into_scalar::<f32>()))).collect()
    }

    /// The sums on the device, to be saved.
    pub fn sums(&self) -> &BTreeMap<String, Tensor<1>> {
        &self.sums
    }

    /// Puts back saved sums.
    pub fn restore(&mut self, sums: impl IntoIterator<Item = (String, Tensor<1>)>) {
        self.sums = sums.into_iter().collect();
    }

    /// Starts a new round.
    pub fn clear(&mut self) {
        self.sums.clear();
    }
}

/// |loss − loss with W = 0| for each of `names` (OPF eq. 6).
///
/// `loss` is evaluated once for the model as it is and once for each name.
///
/// # Errors
/// What `loss` returns.
pub fn by_loss(
    model: &BertForSequenceClassification,
    names: &[String],
    mut loss: impl FnMut(&BertForSequenceClassification) -> Result<f64, Error>,
) -> Result<Scores, Error> {
    let reference = loss(model)?;
    names
        .iter()
        .map(|name| {
            let without = model.clone().map(&mut Zero { name, path: Path::default() });
            Ok((name.clone(), (loss(&without)? - reference).abs()))
        })
        .collect()
}

/// Sets one parameter to zero.
struct Zero<'a> {
    name: &'a str,
    path: Path,
}

impl ModuleMapper for Zero<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if self.path.name() == self.name { param.map(|value| value.zeros_like()) } else { param }
    }
}
