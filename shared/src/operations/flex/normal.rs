//! eˣ and the normal distribution, without branches, of one number or of four at once.
//!
//! Natively loops take one: the compiler makes vectors of them, of the best kind that the processor has. A module for the
//! browser is linked for size, where it makes none, and loops take four.

use std::ops::{Add, Div, Mul, Sub};

use wide::f32x4;

/// One f32, or several side by side.
pub(super) trait Number:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self>
{
    /// The same number everywhere.
    fn of(x: f32) -> Self;
    /// `then` where it is larger than `limit`, `other` elsewhere and where it is not a number.
    fn if_above(self, limit: f32, then: Self, other: Self) -> Self;
    fn abs(self) -> Self;
    /// 2ⁿ for n in the low bits.
    fn power(self) -> Self;
}

impl Number for f32 {
    #[inline(always)]
    fn of(x: f32) -> Self {
        x
    }
    #[inline(always)]
    fn if_above(self, limit: f32, then: Self, other: Self) -> Self {
        if self > limit { then } else { other }
    }
    #[inline(always)]
    fn abs(self) -> Self {
        self.abs()
    }
    #[inline(always)]
    fn power(self) -> Self {
        f32::from_bits((self.to_bits() << 23).wrapping_add(0x3F80_0000))
    }
}

impl Number for f32x4 {
    #[inline(always)]
    fn of(x: f32) -> Self {
        Self::splat(x)
    }
    #[inline(always)]
    fn if_above(self, limit: f32, then: Self, other: Self) -> Self {
        self.simd_gt(Self::splat(limit)).select(then, other)
    }
    #[inline(always)]
    fn abs(self) -> Self {
        self.abs()
    }
    #[inline(always)]
    fn power(self) -> Self {
        let bits: wide::i32x4 = wide::bytemuck::cast(self);
        wide::bytemuck::cast((bits << 23) + wide::i32x4::splat(0x3F80_0000))
    }
}

/// eˣ to 2 ulp; NaN stays NaN, large arguments saturate, and below −87 it is 0.
#[inline(always)]
pub(super) fn exp<N: Number>(x: N) -> N {
    let of = N::of;
    let x = x.if_above(88.0, of(88.0), x);
    let x = (of(0.0) - x).if_above(87.0, of(-87.0), x);
    // Adding 1.5·2²³ rounds to the nearest integer, which then stands in the low bits.
    let shifted = x * of(std::f32::consts::LOG2_E) + of(12_582_912.0);
    let n = shifted - of(12_582_912.0);
    // x − n·ln 2 in two parts, the first of which is exact.
    let r = x - n * of(0.693_359_4) - n * of(-2.121_944_4e-4);
    // Taylor: the next term is below 2⁻²⁴ for |r| ≤ ln 2 / 2.
    let terms = [1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0];
    let p = terms.into_iter().fold(of(1.0 / 720.0), |p, term| of(term) + r * p);
    // Exactly 0 for what is masked: subnormal weights would slow the product that follows.
    (of(0.0) - x).if_above(87.0f32.next_down(), of(0.0), p * shifted.power())
}

/// Φ(x) and e^(−x²/2), by Abramowitz and Stegun 7.1.26: |error| ≤ 1.5·10⁻⁷, the size of f32 rounding.
#[inline(always)]
pub(super) fn normal<N: Number>(x: N) -> [N; 2] {
    let of = N::of;
    let z = x.abs() * of(std::f32::consts::FRAC_1_SQRT_2);
    let t = of(1.0) / (of(1.0) + of(0.327_591_1) * z);
    let bell = exp(of(0.0) - z * z);
    let terms = [-1.453_152, 1.421_413_7, -0.284_496_74, 0.254_829_6];
    let poly = t * terms.into_iter().fold(of(1.061_405_4), |sum, term| of(term) + t * sum);
    let tail = of(0.5) * poly * bell;
    [(of(0.0) - x).if_above(0.0, tail, of(1.0) - tail), bell]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_and_normal_are_accurate_and_pass_nan() {
        for k in -8699..8800 {
            let x = k as f32 * 0.01;
            let exact = f64::from(x).exp();
            assert!((f64::from(exp(x)) / exact - 1.0).abs() < 2.5e-7, "{x}");
        }
        assert!(exp(f32::NAN).is_nan() && normal(f32::NAN)[0].is_nan());
        assert!(exp(-1e9f32) == 0.0 && exp(f32::NEG_INFINITY) == 0.0);
        // scipy.stats.norm.cdf
        for (x, cdf) in [(0.0, 0.5), (1.0, 0.841_344_8), (-2.5, 0.006_209_665), (4.0, 0.999_968_35)] {
            assert!((normal(x)[0] - cdf).abs() < 2e-7, "{x}");
        }
    }

    #[test]
    fn four_at_once_are_the_same() {
        let special = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.0, -0.0, -87.0, 88.0, 87.0f32.next_down()];
        let all: Vec<f32> = (-40_000..40_000).map(|k| k as f32 * 0.01).chain(special).collect();
        for four in all.as_chunks::<4>().0 {
            let x = f32x4::from(*four);
            for (found, one) in [(exp(x), four.map(exp)), (normal(x)[0], four.map(|x| normal(x)[0]))] {
                assert_eq!(found.to_array().map(f32::to_bits), one.map(f32::to_bits), "{four:?}");
            }
        }
    }
}
