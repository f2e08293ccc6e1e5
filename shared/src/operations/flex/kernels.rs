//! Loops over slices: row by row where rows matter, in parallel chunks of fixed size, so that results do not depend on
//! the number of threads.
//!
//! The inner loops have no branches and are compiled twice, for the baseline and for AVX2; the faster is chosen at run
//! time. Sums over rows are made per chunk and then in the order of the chunks.

#[cfg(feature = "parallel")]
use rayon::prelude::*;

use super::super::mask::Mask;
use super::normal::{exp, normal};
#[cfg(not(feature = "parallel"))]
use super::sequential::*;

/// Elements in a parallel chunk: large enough to pay for a task, small enough to stay in the L2 cache.
const CHUNK: usize = 16 * 1024;

/// Rows in a parallel chunk for a given row length.
fn rows_per_chunk(row: usize) -> usize {
    (CHUNK / row.max(1)).max(1)
}

/// Compiles a function for the baseline and for AVX2 with FMA, and calls the best that the processor has.
macro_rules! vectorized {
    ($(#[$doc:meta])* fn $name:ident($($arg:ident: $type:ty),* $(,)?) $body:block) => {
        $(#[$doc])*
        #[inline]
        fn $name($($arg: $type),*) {
            #[inline(always)]
            fn body($($arg: $type),*) $body
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2,fma")]
                fn avx2($($arg: $type),*) { body($($arg),*) }
                if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                    // SAFETY: the processor has the features that the function was compiled for.
                    return unsafe { avx2($($arg),*) };
                }
            }
            body($($arg),*)
        }
    };
}

/// Changes every number of a slice; in a browser four at once, see [`super::normal`].
macro_rules! each {
    ($slice:expr, |$x:ident| $y:expr) => {
        let rest: &mut [f32] = $slice;
        #[cfg(target_family = "wasm")]
        let rest = {
            let (fours, rest) = rest.as_chunks_mut::<4>();
            for four in fours {
                let $x = wide::f32x4::from(*four);
                *four = wide::f32x4::to_array($y);
            }
            rest
        };
        for place in rest {
            let $x = *place;
            *place = $y;
        }
    };
}

/// Σ f(k) over 0..n in eight running sums: one would wait for itself at every addition.
#[inline(always)]
fn lane_sum(n: usize, f: impl Fn(usize) -> f32) -> f32 {
    let mut lanes = [0.0f32; 8];
    let whole = n - n % 8;
    for at in (0..whole).step_by(8) {
        for (k, lane) in lanes.iter_mut().enumerate() {
            *lane += f(at + k);
        }
    }
    (whole..n).map(f).sum::<f32>() + lanes.iter().sum::<f32>()
}

vectorized! {
    fn gelu_chunk(x: &[f32], y: &mut [f32]) {
        y.copy_from_slice(x);
        each!(y, |x| x * normal(x)[0]);
    }
}

/// y = x·Φ(x).
pub(super) fn gelu(x: &[f32], y: &mut [f32]) {
    y.par_chunks_mut(CHUNK).zip(x.par_chunks(CHUNK)).for_each(|(y, x)| gelu_chunk(x, y));
}

vectorized! {
    fn gelu_backward_chunk(x: &[f32], dy: &mut [f32]) {
        const INV_SQRT_2PI: f32 = 0.398_942_3;
        for (dy, &x) in dy.iter_mut().zip(x) {
            let [cdf, bell] = normal(x);
            *dy *= cdf + x * bell * INV_SQRT_2PI;
        }
    }
}

/// dy ← dy·(Φ(x) + x·φ(x)).
pub(super) fn gelu_backward(x: &[f32], dy: &mut [f32]) {
    dy.par_chunks_mut(CHUNK).zip(x.par_chunks(CHUNK)).for_each(|(dy, x)| gelu_backward_chunk(x, dy));
}

vectorized! {
    fn mask_chunk(x: &mut [f32], first: u32, mask: Mask) {
        for (k, x) in x.iter_mut().enumerate() {
            *x *= mask.factor(first.wrapping_add(k as u32));
        }
    }
}

/// x ← x·mask.
pub(super) fn dropout(x: &mut [f32], mask: Mask) {
    x.par_chunks_mut(CHUNK).enumerate().for_each(|(c, x)| mask_chunk(x, (c * CHUNK) as u32, mask));
}

vectorized! {
    fn softmax_row(scores: &mut [f32], bias: &[f32], scale: f32) {
        let mut top = f32::NEG_INFINITY;
        for (s, &b) in scores.iter_mut().zip(bias) {
            *s = *s * scale + b;
            // NaN is not larger, but shows in the sum below.
            top = if *s > top { *s } else { top };
        }
        each!(scores, |s| exp(s - top));
        let inverse = 1.0 / lane_sum(scores.len(), |k| scores[k]);
        for s in scores.iter_mut() {
            *s *= inverse;
        }
    }
}

/// Rows of `seq` scores to softmax(scores·scale + bias); `bias` has a row of `seq` for each `per_batch` rows.
pub(super) fn softmax(scores: &mut [f32], bias: &[f32], seq: usize, per_batch: usize, scale: f32) {
    let rows = rows_per_chunk(seq);
    scores.par_chunks_mut(rows * seq).enumerate().for_each(|(chunk, scores)| {
        for (k, row) in scores.chunks_exact_mut(seq).enumerate() {
            let batch = (chunk * rows + k) / per_batch;
            softmax_row(row, &bias[batch * seq..(batch + 1) * seq], scale);
        }
    });
}

vectorized! {
    fn softmax_backward_row(p: &[f32], d: &mut [f32], scale: f32) {
        let d = &mut d[..p.len()];
        let dot = lane_sum(p.len(), |k| p[k] * d[k]);
        for (&p, d) in p.iter().zip(d) {
            *d = p * (*d - dot) * scale;
        }
    }
}

/// d ← scale·p∘(d − Σ p∘d) for each row, after d ← d·mask.
pub(super) fn softmax_backward(p: &[f32], d: &mut [f32], seq: usize, scale: f32, mask: Option<Mask>) {
    let rows = rows_per_chunk(seq);
    d.par_chunks_mut(rows * seq).zip(p.par_chunks(rows * seq)).enumerate().for_each(|(chunk, (d, p))| {
        if let Some(mask) = mask {
            mask_chunk(d, (chunk * rows * seq) as u32, mask);
        }
        for (d, p) in d.chunks_exact_mut(seq).zip(p.chunks_exact(seq)) {
            softmax_backward_row(p, d, scale);
        }
    });
}

vectorized! {
    fn norm_row(x: &mut [f32], y: &mut [f32], gamma: &[f32], beta: &[f32], epsilon: f32, rstd: &mut f32) {
        let n = x.len() as f32;
        let mean = lane_sum(x.len(), |k| x[k]) / n;
        for v in x.iter_mut() {
            *v -= mean;
        }
        let variance = lane_sum(x.len(), |k| x[k] * x[k]);
        *rstd = 1.0 / (variance / n + epsilon).sqrt();
        for (((x, y), &g), &b) in x.iter_mut().zip(y).zip(gamma).zip(beta) {
            *x *= *rstd;
            *y = *x * g + b;
        }
    }
}

/// Layer normalization of rows: `x` becomes (x − mean)/std, `y` that times gamma plus beta, `rstd` 1/std of each row.
pub(super) fn layer_norm(x: &mut [f32], y: &mut [f32], rstd: &mut [f32], gamma: &[f32], beta: &[f32], epsilon: f32) {
    let row = gamma.len();
    let rows = rows_per_chunk(row);
    let chunks = x.par_chunks_mut(rows * row).zip(y.par_chunks_mut(rows * row)).zip(rstd.par_chunks_mut(rows));
    chunks.for_each(|((x, y), rstd)| {
        for ((x, y), rstd) in x.chunks_exact_mut(row).zip(y.chunks_exact_mut(row)).zip(rstd) {
            norm_row(x, y, gamma, beta, epsilon, rstd);
        }
    });
}

vectorized! {
    fn norm_backward_row(normed: &[f32], dy: &mut [f32], gamma: &[f32], rstd: f32, dgamma: &mut [f32], dbeta: &mut [f32]) {
        let n = normed.len() as f32;
        let (dy, gamma) = (&mut dy[..normed.len()], &gamma[..normed.len()]);
        let mean = lane_sum(normed.len(), |k| dy[k] * gamma[k]) / n;
        let dot = lane_sum(normed.len(), |k| dy[k] * gamma[k] * normed[k]) / n;
        for ((((dy, &x), &g), dgamma), dbeta) in dy.iter_mut().zip(normed).zip(gamma).zip(dgamma).zip(dbeta) {
            *dgamma += *dy * x;
            *dbeta += *dy;
            *dy = rstd * (*dy * g - mean - x * dot);
        }
    }
}

/// Backward of [`layer_norm`]: `dy` becomes dx; returns (dgamma, dbeta).
pub(super) fn layer_norm_backward(normed: &[f32], dy: &mut [f32], rstd: &[f32], gamma: &[f32]) -> (Vec<f32>, Vec<f32>) {
    let row = gamma.len();
    let rows = rows_per_chunk(row);
    let parts: Vec<(Vec<f32>, Vec<f32>)> = dy
        .par_chunks_mut(rows * row)
        .zip(normed.par_chunks(rows * row))
        .zip(rstd.par_chunks(rows))
        .map(|((dy, normed), rstd)| {
            let (mut dgamma, mut dbeta) = (vec![0.0; row], vec![0.0; row]);
            for ((dy, normed), &rstd) in dy.chunks_exact_mut(row).zip(normed.chunks_exact(row)).zip(rstd) {
                norm_backward_row(normed, dy, gamma, rstd, &mut dgamma, &mut dbeta);
            }
            (dgamma, dbeta)
        })
        .collect();
    let (dgammas, dbetas): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
    (add_rows(dgammas, row), add_rows(dbetas, row))
}

fn add_rows(parts: Vec<Vec<f32>>, row: usize) -> Vec<f32> {
    parts.into_iter().fold(vec![0.0; row], |mut sum, part| {
        sum.iter_mut().zip(part).for_each(|(s, p)| *s += p);
        sum
    })
}

vectorized! {
    fn add_chunk(x: &mut [f32], other: &[f32]) {
        for (x, &o) in x.iter_mut().zip(other) {
            *x += o;
        }
    }
}

/// Adds `bias` to every row.
pub(super) fn add_bias(x: &mut [f32], bias: &[f32]) {
    let rows = rows_per_chunk(bias.len());
    x.par_chunks_mut(rows * bias.len())
        .for_each(|x| x.chunks_exact_mut(bias.len()).for_each(|row| add_chunk(row, bias)));
}

/// x ← x·mask + residual.
pub(super) fn dropout_add(x: &mut [f32], residual: &[f32], mask: Option<Mask>) {
    x.par_chunks_mut(CHUNK).zip(residual.par_chunks(CHUNK)).enumerate().for_each(|(c, (x, residual))| {
        if let Some(mask) = mask {
            mask_chunk(x, (c * CHUNK) as u32, mask);
        }
        add_chunk(x, residual);
    });
}

/// The sum of all rows of length `row`.
pub(super) fn sum_rows(x: &[f32], row: usize) -> Vec<f32> {
    let parts = x.par_chunks(rows_per_chunk(row) * row).map(|x| {
        let mut sum = vec![0.0; row];
        x.chunks_exact(row).for_each(|x| add_chunk(&mut sum, x));
        sum
    });
    add_rows(parts.collect(), row)
}

/// Σx² in f64 across chunks.
pub(super) fn sum_of_squares(x: &[f32]) -> f64 {
    let parts: Vec<f64> = x
        .par_chunks(CHUNK)
        .map(|x| {
            let mut lanes = [0.0f64; 8];
            for c in x.chunks(8) {
                for (l, &v) in lanes.iter_mut().zip(c) {
                    *l += f64::from(v) * f64::from(v);
                }
            }
            lanes.iter().sum()
        })
        .collect();
    parts.iter().sum()
}

/// What one AdamW step multiplies with, the same for all elements.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    pub scale: f32,
    pub beta1: f32,
    pub beta2: f32,
    /// Learning rate over the first bias correction.
    pub rate: f32,
    /// 1/√ of the second bias correction.
    pub root: f32,
    pub epsilon: f32,
    /// 1 − learning rate × weight decay.
    pub keep: f32,
}

vectorized! {
    fn adamw_chunk(p: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32], step: Step) {
        for (((p, &g), m), v) in p.iter_mut().zip(g).zip(m).zip(v) {
            let g = g * step.scale;
            *m = step.beta1 * *m + (1.0 - step.beta1) * g;
            *v = step.beta2 * *v + (1.0 - step.beta2) * g * g;
            *p = *p * step.keep - step.rate * *m / (v.sqrt() * step.root + step.epsilon);
        }
    }
}

/// One AdamW step in place.
pub(super) fn adamw(p: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32], step: Step) {
    p.par_chunks_mut(CHUNK)
        .zip(g.par_chunks(CHUNK))
        .zip(m.par_chunks_mut(CHUNK))
        .zip(v.par_chunks_mut(CHUNK))
        .for_each(|(((p, g), m), v)| adamw_chunk(p, g, m, v, step));
}
