//! One weight matrix as a chain of tensors on a device: unfold, contract, pull gradients back.
//!
//! For W of shape I×J with external indices (i_k, j_k), the chain T₁…T_m holds the *interleaved* matrix
//! X\[(i₁j₁)…(i_m j_m)\] = T₁\[i₁j₁\]·…·T_m\[i_m j_m\] (OPF eq. 9), and W is X with its indices put back in order. Writing
//! n_k = i_k·j_k, core k is a tensor [d_{k−1}, n_k, d_k].
//!
//! The products are matrix products from one end: P_k = P_{k−1}·T_k, reshaped from [N_{k−1}, n_k·d_k] to
//! [N_{k−1}·n_k, d_k] with N_k = n₁…n_k. The end is the one that costs fewer operations. There is no autodiff inside: the
//! pull-back (vector-Jacobian product) of the gradient of W is written by hand, and reuses the partial products of the
//! contraction that gave W. A step costs 3× the contraction's operations, whatever the batch.

mod layout;

use burn::tensor::{Device, Tensor, TensorData};

use crate::mpo::{self, Core, Gauge, Mpo, MpoError, Shape};
use layout::Layout;

/// The cores of one matrix on a device, and the partial products of the last contraction.
#[derive(Debug, Clone)]
pub struct Chain {
    layout: Layout,
    cores: Vec<ChainCore>,
    /// P₁…P_{m−1} (from the left) or S_m…S₂ (from the right) of the present cores; empty before the first contraction.
    partial: Vec<Tensor<2>>,
}

/// One core T_k as values `[d_{k−1}·n_k·d_k]` on a device.
#[derive(Debug, Clone)]
pub struct ChainCore {
    /// (d_{k−1}, i_k, j_k, d_k).
    pub dims: [usize; 4],
    /// A square core with external indices of size 1 is a matrix that starts as the identity: it is stored as I + Δ,
    /// and `values` is Δ. Weight decay then pulls toward the identity, not toward zero.
    pub plus_identity: bool,
    /// Row-major.
    pub values: Tensor<1>,
}

impl ChainCore {
    /// The full core as a matrix `[rows, columns]`, identity added.
    fn matrix(&self, rows: usize, columns: usize) -> Tensor<2> {
        let values = self.values.clone().reshape([rows, columns]);
        if self.plus_identity { values + Tensor::eye(rows, &self.values.device()) } else { values }
    }
}

impl Chain {
    /// Unfolds `w`, row-major `rows`×`cols` (outputs × inputs), in f64, and puts the cores on `device` in f32.
    ///
    /// # Errors
    /// [`MpoError`] if the shape does not fit the matrix or the matrix is not finite.
    pub fn unfold(
        w: &[f32],
        rows: usize,
        cols: usize,
        shape: &Shape,
        gauge: Gauge,
        device: &Device,
    ) -> Result<Self, MpoError> {
        let w: Vec<f64> = w.iter().map(|&x| f64::from(x)).collect();
        Ok(Self::from_mpo(&mpo::decompose(&w, rows, cols, shape, gauge)?, device))
    }

    /// Puts the cores of an MPO on `device`.
    pub fn from_mpo(mpo: &Mpo, device: &Device) -> Self {
        let cores = mpo.cores().iter().map(|core| core_on_device(core, device)).collect();
        Self { layout: Layout::new(mpo.shape(), mpo.rows(), mpo.cols()), cores, partial: Vec::new() }
    }

    /// The cores, for the optimizer to read.
    pub fn cores(&self) -> &[ChainCore] {
        &self.cores
    }

    /// Replaces the values of all cores, in order, and forgets the partial products.
    ///
    /// `update` is given each core's index and values `[d_{k−1}·n_k·d_k]`, and returns as many.
    pub fn update(&mut self, mut update: impl FnMut(usize, Tensor<1>) -> Tensor<1>) {
        self.partial.clear();
        self.cores = std::mem::take(&mut self.cores)
            .into_iter()
            .enumerate()
            .map(|(k, core)| ChainCore { values: update(k, core.values), ..core })
            .collect();
    }

    /// The shape it was unfolded in.
    pub fn shape(&self) -> &Shape {
        &self.layout.shape
    }

    /// Rows and columns of W.
    pub fn matrix_dims(&self) -> [usize; 2] {
        [self.layout.rows, self.layout.cols]
    }

    /// Number of values in all cores.
    pub fn parameters(&self) -> usize {
        self.cores.iter().map(|core| core.dims.iter().product::<usize>()).sum()
    }

    /// Contracts the chain to W, `[rows, cols]`, keeping the partial products for [`Self::pull_back`].
    pub fn contract(&mut self) -> Tensor<2> {
        self.partial.clear();
        let from_left = self.layout.from_left;
        let [left, i, j, right] = self.core(0).dims;
        let mut product =
            if from_left { self.core(0).matrix(left * i * j, right) } else { self.core(0).matrix(left, i * j * right) };
        for step in 1..self.cores.len() {
            let [left, i, j, right] = self.core(step).dims;
            let n = i * j;
            let next = if from_left {
                let [outer, _] = product.dims();
                product.clone().matmul(self.core(step).matrix(left, n * right)).reshape([outer * n, right])
            } else {
                let [_, outer] = product.dims();
                self.core(step).matrix(left * n, right).matmul(product.clone()).reshape([left, n * outer])
            };
            self.partial.push(std::mem::replace(&mut product, next));
        }
        self.layout.deinterleave(product)
    }

    /// Pulls the gradient G = ∂L/∂W, `[rows, cols]`, back to the cores: ∂L/∂T_k as `[d_{k−1}·n_k·d_k]`, in order.
    ///
    /// From the left, with dP_m = ∂L/∂X: dT_k = P_{k−1}ᵀ·dP_k and dP_{k−1} = dP_k·T_kᵀ; from the right mirrored.
    /// The gradient of Δ in I + Δ is that of the core.
    pub fn pull_back(&mut self, gradient: Tensor<2>) -> Vec<Tensor<1>> {
        let count = self.cores.len();
        if self.partial.len() + 1 != count {
            self.contract();
        }
        let mut gradients = Vec::with_capacity(count);
        // [N_m, 1] from the left, [1, N_m] from the right.
        let mut outer_gradient = self.layout.interleave(gradient);
        for step in (1..count).rev() {
            let [left, i, j, right] = self.core(step).dims;
            let n = i * j;
            let partial = self.partial[step - 1].clone();
            if self.layout.from_left {
                let [outer, _] = partial.dims();
                let dz = outer_gradient.reshape([outer, n * right]);
                gradients.push(partial.transpose().matmul(dz.clone()).reshape([left * n * right]));
                outer_gradient = dz.matmul(self.core(step).matrix(left, n * right).transpose());
            } else {
                let [_, outer] = partial.dims();
                let dz = outer_gradient.reshape([left * n, outer]);
                gradients.push(dz.clone().matmul(partial.transpose()).reshape([left * n * right]));
                outer_gradient = self.core(step).matrix(left * n, right).transpose().matmul(dz);
            }
        }
        let length = self.core(0).dims.iter().product::<usize>();
        gradients.push(outer_gradient.reshape([length]));
        // Steps ran from the last contracted core to the first.
        if self.layout.from_left {
            gradients.reverse();
        }
        gradients
    }

    /// The cores in f64 on the host, identities added, to contract them anew by [`Mpo::contract`].
    ///
    /// # Errors
    /// [`MpoError`] if the cores do not form a chain, which would be a bug.
    pub fn to_mpo(&self) -> Result<Mpo, MpoError> {
        let cores = self.cores.iter().map(|core| {
            let mut data: Vec<f64> = core.values.to_data().iter::<f32>().map(f64::from).collect();
            if core.plus_identity {
                let size = core.dims[0];
                (0..size).for_each(|k| data[k * size + k] += 1.0);
            }
            Core { dims: core.dims, data }
        });
        Mpo::from_cores(self.layout.rows, self.layout.cols, cores.collect())
    }

    /// The core of a contraction step: steps run from the cheaper end.
    fn core(&self, step: usize) -> &ChainCore {
        if self.layout.from_left { &self.cores[step] } else { &self.cores[self.cores.len() - 1 - step] }
    }
}

fn core_on_device(core: &Core, device: &Device) -> ChainCore {
    let [left, i, j, right] = core.dims;
    // A chain of a single core is the matrix itself.
    let plus_identity = i * j == 1 && left == right && left > 1;
    let mut values: Vec<f32> = Vec::with_capacity(core.data.len());
    for (index, &value) in core.data.iter().enumerate() {
        let identity = if plus_identity && index / left == index % left { 1.0 } else { 0.0 };
        values.push((value - identity) as f32);
    }
    let length = values.len();
    ChainCore { dims: core.dims, plus_identity, values: Tensor::from_data(TensorData::new(values, [length]), device) }
}

#[cfg(test)]
#[cfg(feature = "training")]
mod tests;
