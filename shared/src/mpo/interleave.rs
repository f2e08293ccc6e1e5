//! The index permutation (i₁…i_m, j₁…j_m) ↔ (i₁,j₁,…,i_m,j_m), with zero padding.

use super::{MpoError, Shape};

/// Whether `w` is a finite matrix of `rows`×`cols` that fits the shape.
pub(super) fn validate(w: &[f64], rows: usize, cols: usize, shape: &Shape) -> Result<(), MpoError> {
    shape.check(rows, cols)?;
    if w.len() != rows * cols {
        return Err(MpoError::Length { rows, cols, found: w.len() });
    }
    match w.iter().position(|x| !x.is_finite()) {
        Some(at) => Err(MpoError::NotFinite { row: at / cols, col: at % cols, value: w[at].to_string() }),
        None => Ok(()),
    }
}

/// Where each padded row, and each padded column, lies in the interleaved tensor: the sum of two offsets.
fn offsets(shape: &Shape) -> (Vec<usize>, Vec<usize>) {
    let mut rows = vec![0];
    let mut cols = vec![0];
    // Row index r = ((r₁·i₂ + r₂)·i₃ + …); its digits stand at strides of the interleaved layout.
    let mut stride = shape.padded_rows() * shape.padded_cols();
    for (&i, &j) in shape.row_factors().iter().zip(shape.col_factors()) {
        stride /= i * j;
        rows = rows.iter().flat_map(|base| (0..i).map(move |digit| base + digit * j * stride)).collect();
        cols = cols.iter().flat_map(|base| (0..j).map(move |digit| base + digit * stride)).collect();
    }
    (rows, cols)
}

/// W, row-major `rows`×`cols`, as the tensor X\[(i₁,j₁),…,(i_m,j_m)\], padded with zeros.
///
/// # Panics
/// If `rows` or `cols` exceed the padded sizes of `shape`: see [`Shape::check`].
pub fn interleave(w: &[f64], rows: usize, cols: usize, shape: &Shape) -> Vec<f64> {
    let (row_offsets, col_offsets) = offsets(shape);
    let mut x = vec![0.0; row_offsets.len() * col_offsets.len()];
    for (row, offset) in w.chunks_exact(cols).zip(&row_offsets[..rows]) {
        for (value, col_offset) in row.iter().zip(&col_offsets[..cols]) {
            x[offset + col_offset] = *value;
        }
    }
    x
}

/// The inverse of [`interleave`]: padding is removed.
///
/// # Panics
/// If `rows` or `cols` exceed the padded sizes of `shape`, or `x` is shorter than their product.
pub fn deinterleave(x: &[f64], rows: usize, cols: usize, shape: &Shape) -> Vec<f64> {
    let (row_offsets, col_offsets) = offsets(shape);
    let col_offsets = &col_offsets[..cols];
    let mut w = Vec::with_capacity(rows * cols);
    for offset in &row_offsets[..rows] {
        w.extend(col_offsets.iter().map(|col| x[offset + col]));
    }
    w
}
