//! Row-major dense helpers over faer.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};

/// How many threads one operation may use.
pub(super) fn threads() -> Par {
    #[cfg(feature = "parallel")]
    return Par::rayon(0);
    #[cfg(not(feature = "parallel"))]
    Par::Seq
}

/// Row-major values as a matrix of `rows` rows.
pub(super) fn view(values: &[f64], rows: usize) -> MatRef<'_, f64> {
    let columns = values.len() / rows.max(1);
    MatRef::from_row_major_slice(values, rows, columns)
}

/// a·b, row-major.
pub(super) fn multiply(a: MatRef<'_, f64>, b: MatRef<'_, f64>, par: Par) -> Vec<f64> {
    let mut out = vec![0.0; a.nrows() * b.ncols()];
    let target = MatMut::from_row_major_slice_mut(&mut out, a.nrows(), b.ncols());
    matmul(target, Accum::Replace, a, b, 1.0, par);
    out
}

/// a `[rows, inner]` · b `[inner, columns]`, both row-major.
///
/// # Panics
/// If the lengths do not fit.
pub fn matrix_product(a: &[f64], b: &[f64], rows: usize, inner: usize, columns: usize) -> Vec<f64> {
    let (a, b) = (MatRef::from_row_major_slice(a, rows, inner), MatRef::from_row_major_slice(b, inner, columns));
    multiply(a, b, threads())
}

/// The matrix with entries `value(row, column)`, row-major.
pub(super) fn tabulate(rows: usize, columns: usize, value: impl Fn(usize, usize) -> f64) -> Vec<f64> {
    let mut out = Vec::with_capacity(rows * columns);
    for row in 0..rows {
        out.extend((0..columns).map(|column| value(row, column)));
    }
    out
}

/// The identity, row-major.
pub(super) fn identity(size: usize) -> Vec<f64> {
    tabulate(size, size, |row, column| if row == column { 1.0 } else { 0.0 })
}

/// The Frobenius norm; squares neither overflow nor vanish.
pub(super) fn norm(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let largest = values.clone().fold(0.0, |top: f64, x| top.max(x.abs()));
    if largest == 0.0 || !largest.is_finite() {
        return largest;
    }
    values.map(|x| (x / largest).powi(2)).sum::<f64>().sqrt() * largest
}
