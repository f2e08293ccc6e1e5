//! Between the matrix W and the interleaved tensor X, on any device and for any order.

use burn::tensor::{Device, Tensor};

use crate::mpo::Shape;

/// How W `[rows, cols]` lies in a chain: the shape, the padding, and the end to contract from.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub shape: Shape,
    pub rows: usize,
    pub cols: usize,
    pub from_left: bool,
}

impl Layout {
    pub fn new(shape: &Shape, rows: usize, cols: usize) -> Self {
        Self { shape: shape.clone(), rows, cols, from_left: shape.contraction_cost().from_left }
    }

    /// W `[rows, cols]` → X, padded with zeros, as `[rows·cols, 1]`.
    pub fn interleave(&self, w: Tensor<2>) -> Tensor<2> {
        let (rows, cols) = (self.shape.padded_rows(), self.shape.padded_cols());
        let device = w.device();
        let w = pad(w, rows, cols, &device);
        let mut x = w.reshape([1, rows, cols, 1, 1]);
        // Peel (i_k, j_k) off the front: [done, i_k·I, 1, j_k·J, 1] → [done·i_k·j_k, I, ...].
        let (mut done, mut rows_left, mut cols_left) = (1, rows, cols);
        for (&i, &j) in self.shape.row_factors().iter().zip(self.shape.col_factors()) {
            (rows_left, cols_left) = (rows_left / i, cols_left / j);
            x = x.reshape([done, i, rows_left, j, cols_left]);
            if rows_left > 1 && j > 1 {
                x = x.swap_dims(2, 3);
            }
            done *= i * j;
        }
        x.reshape([rows * cols, 1])
    }

    /// X, in any shape with as many elements → W `[rows, cols]`, padding removed.
    pub fn deinterleave(&self, x: Tensor<2>) -> Tensor<2> {
        let (rows, cols) = (self.shape.padded_rows(), self.shape.padded_cols());
        let mut done = rows * cols;
        let mut x = x.reshape([done, 1, 1, 1, 1]);
        let (mut rows_right, mut cols_right) = (1, 1);
        for (&i, &j) in self.shape.row_factors().iter().zip(self.shape.col_factors()).rev() {
            done /= i * j;
            x = x.reshape([done, i, j, rows_right, cols_right]);
            if rows_right > 1 && j > 1 {
                x = x.swap_dims(2, 3);
            }
            (rows_right, cols_right) = (rows_right * i, cols_right * j);
        }
        x.reshape([rows, cols]).slice([0..self.rows, 0..self.cols])
    }
}

fn pad(w: Tensor<2>, rows: usize, cols: usize, device: &Device) -> Tensor<2> {
    let [r, c] = w.dims();
    let w = if c < cols { Tensor::cat(vec![w, Tensor::zeros([r, cols - c], device)], 1) } else { w };
    if r < rows { Tensor::cat(vec![w, Tensor::zeros([rows - r, cols], device)], 0) } else { w }
}
