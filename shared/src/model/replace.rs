//! A model with other numbers in some of its parameters.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, Tensor, TensorData};

use super::names::Path;

/// The module with `values` (row-major) in the parameters of these names, put on `device`; names that it does not have are
/// passed over.
///
/// # Panics
/// If the number of values is not the parameter's.
pub fn replaced<M: Module>(module: M, values: BTreeMap<String, Vec<f32>>, device: &Device) -> M {
    let tensor = |values: Vec<f32>| {
        let length = values.len();
        Tensor::<1>::from_data(TensorData::new(values, [length]), device)
    };
    with_tensors(module, values.into_iter().map(|(name, values)| (name, tensor(values))).collect())
}

/// As [`replaced`], with values that are on the device already; in any shape.
///
/// # Panics
/// If the number of values is not the parameter's.
pub fn with_tensors<M: Module, const N: usize>(module: M, values: BTreeMap<String, Tensor<N>>) -> M {
    module.map(&mut Replace { values, path: Path::default() })
}

struct Replace<const N: usize> {
    values: BTreeMap<String, Tensor<N>>,
    path: Path,
}

impl<const N: usize> ModuleMapper for Replace<N> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        match self.values.remove(&self.path.name()) {
            Some(values) => param.map(|old| values.reshape(old.dims())),
            None => param,
        }
    }
}
