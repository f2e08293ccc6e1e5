//! Dropout masks by counting: whether an element is dropped follows from the seed and its index alone.

use super::Dropout;

/// Odd multipliers of the hash: the golden ratio, and two found by Wellons' search for low bias ("lowbias32").
pub(super) const FACTORS: [u32; 3] = [0x9E37_79B9, 0x21F0_AAAD, 0x735A_2D97];

/// A mask in a form that is cheap to evaluate anywhere.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mask {
    pub seed: [u32; 2],
    /// An element whose hash is below is dropped.
    pub threshold: u32,
    pub scale: f32,
}

impl Mask {
    pub fn new(dropout: Dropout) -> Self {
        Self {
            seed: [dropout.seed as u32, (dropout.seed >> 32) as u32],
            threshold: (dropout.probability * 4_294_967_296.0) as u32,
            scale: (1.0 / (1.0 - dropout.probability)) as f32,
        }
    }

    /// 0 or 1/(1 − p) for the element at `index`.
    ///
    /// Three rounds of multiply and xor-shift, each a bijection.
    #[cfg(any(test, feature = "flex"))]
    #[inline(always)]
    pub fn factor(self, index: u32) -> f32 {
        let mut x = index.wrapping_mul(FACTORS[0]) ^ self.seed[0];
        x ^= x >> 16;
        x = x.wrapping_mul(FACTORS[1]);
        x ^= x >> 15;
        x = (x ^ self.seed[1]).wrapping_mul(FACTORS[2]);
        x ^= x >> 15;
        if x >= self.threshold { self.scale } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drops(seed: u64, count: u32) -> Vec<bool> {
        let mask = Mask::new(Dropout { probability: 0.1, seed: crate::model::mix(seed) });
        (0..count).map(|k| mask.factor(k) == 0.0).collect()
    }

    #[test]
    fn a_tenth_is_dropped_and_neighbours_are_independent() {
        const N: u32 = 1_000_000;
        // Standard deviation of a count of 10⁶ at p = 0.1 is 300; at p = 0.01, 100. Five of them.
        for seed in 0..5 {
            let drop = drops(seed, N);
            let count = drop.iter().filter(|&&d| d).count() as f64;
            assert!((count - 1e5).abs() < 1500.0, "{count}");
            for lag in [1, 2, 64, 384, 1536] {
                let both = drop.iter().zip(&drop[lag..]).filter(|(a, b)| **a && **b).count() as f64;
                assert!((both - 1e4).abs() < 520.0, "lag {lag}: {both}");
            }
            let both = drop.iter().zip(drops(seed + 1, N)).filter(|(a, b)| **a && *b).count() as f64;
            assert!((both - 1e4).abs() < 520.0, "next seed: {both}");
        }
    }
}
