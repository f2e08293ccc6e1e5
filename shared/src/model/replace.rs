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
    module.map(&mut Replace { values, device, path: Path::default() })
}

struct Replace<'a> {
    values: BTreeMap<String, Vec<f32>>,
    device: &'a Device,
    path: Path,
}

impl ModuleMapper for Replace<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        match self.values.remove(&self.path.name()) {
            Some(values) => {
                param.map(|old| Tensor::from_data(TensorData::new(values, old.dims().to_vec()), self.device))
            }
            None => param,
        }
    }
}
