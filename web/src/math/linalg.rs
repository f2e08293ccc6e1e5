//! The little dense algebra of the figures, on row-major f64. The decompositions are `overfold::mpo`'s.

use overfold::mpo::{Core, Gauge, Mpo, MpoError, Shape, decompose};

/// A = U·diag(s)·Vᵀ.
#[derive(Debug, Clone)]
pub struct Svd {
    /// Rows of A.
    pub rows: usize,
    /// Columns of A.
    pub cols: usize,
    /// `[rows, rank]`, rank = min(rows, cols).
    pub u: Vec<f64>,
    /// Descending.
    pub s: Vec<f64>,
    /// diag(s)·Vᵀ, `[rank, cols]`.
    pub svt: Vec<f64>,
}

impl Svd {
    /// The SVD is a chain of two cores, `[rows,1] x [1,cols]`.
    ///
    /// # Errors
    /// [`MpoError`] if the matrix is empty or not finite.
    pub fn of(a: &[f64], rows: usize, cols: usize) -> Result<Self, MpoError> {
        let shape = Shape::new(vec![rows, 1], vec![1, cols])?;
        let mpo = decompose(a, rows, cols, &shape, Gauge::Left)?;
        let (u, svt) = (mpo.cores()[0].data.clone(), mpo.cores()[1].data.clone());
        let s = svt.chunks_exact(cols).map(norm).collect();
        Ok(Self { rows, cols, u, s, svt })
    }

    /// The best approximation of rank `keep` as a chain of two cores; there is none of rank 0.
    ///
    /// # Errors
    /// None in practice: the factors fit.
    pub fn chain(&self, keep: usize) -> Result<Option<Mpo>, MpoError> {
        let keep = keep.min(self.s.len());
        if keep == 0 {
            return Ok(None);
        }
        let left = Core { dims: [1, self.rows, 1, keep], data: self.left(keep) };
        let right = Core { dims: [keep, 1, self.cols, 1], data: self.svt[..keep * self.cols].to_vec() };
        Mpo::from_cores(self.rows, self.cols, vec![left, right]).map(Some)
    }

    /// The first columns of U, `[rows, keep]`.
    fn left(&self, keep: usize) -> Vec<f64> {
        self.u.chunks_exact(self.s.len()).flat_map(|row| &row[..keep]).copied().collect()
    }
}

/// aᵀ `[cols, rows]` of a `[rows, cols]`.
pub fn transpose(a: &[f64], rows: usize, cols: usize) -> Vec<f64> {
    (0..cols).flat_map(|c| (0..rows).map(move |r| a[r * cols + c])).collect()
}

/// The Frobenius norm.
pub fn norm(a: &[f64]) -> f64 {
    a.iter().map(|x| x * x).sum::<f64>().sqrt()
}

/// ‖a − b‖.
pub fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
}

/// The cosine of the angle between two arrays; 0 if one is zero.
pub fn cosine(a: &[f64], b: &[f64]) -> f64 {
    let dot: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
    let scale = norm(a) * norm(b);
    if scale > 0.0 { dot / scale } else { 0.0 }
}

/// √Σσ² of the values beyond the first `keep`.
pub fn tail(s: &[f64], keep: usize) -> f64 {
    norm(&s[keep.min(s.len())..])
}

/// How many singular values count as not zero: those above `1e-12` of the largest.
pub fn rank(s: &[f64]) -> usize {
    let top = s.first().copied().unwrap_or(0.0);
    s.iter().filter(|s| **s > top * 1e-12).count()
}

/// Random numbers that a seed repeats on every machine (SplitMix64, Steele et al. 2014).
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// From a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Even in [0, 1).
    pub fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Standard normal (Marsaglia's polar method).
    pub fn normal(&mut self) -> f64 {
        loop {
            let (x, y) = (2.0 * self.uniform() - 1.0, 2.0 * self.uniform() - 1.0);
            let square = x * x + y * y;
            if square > 0.0 && square < 1.0 {
                return x * (-2.0 * square.ln() / square).sqrt();
            }
        }
    }

    /// `count` standard normal numbers.
    pub fn normals(&mut self, count: usize) -> Vec<f64> {
        (0..count).map(|_| self.normal()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_svd_reproduces_and_its_tail_is_the_error() {
        let a = Random::new(1).normals(6 * 9);
        let svd = Svd::of(&a, 6, 9).unwrap();
        let truncated =
            |keep| svd.chain(keep).unwrap().map_or_else(|| vec![0.0; a.len()], |chain: Mpo| chain.contract());
        for keep in 0..=6 {
            assert!((distance(&truncated(keep), &a) - tail(&svd.s, keep)).abs() < 1e-13);
        }
        assert_eq!(rank(&Svd::of(&truncated(2), 6, 9).unwrap().s), 2);
        assert_eq!(transpose(&[1.0, 2.0, 3.0], 1, 3), [1.0, 2.0, 3.0]);
    }

    #[test]
    fn random_numbers_are_those_of_the_reference() {
        // First outputs of SplitMix64 for seed 1234567, from its authors' test vector.
        let mut random = Random::new(1234567);
        assert_eq!([random.bits(), random.bits()], [6457827717110365317, 3203168211198807973]);
        let many = Random::new(3).normals(20000);
        assert!((norm(&many).powi(2) / 20000.0 - 1.0).abs() < 0.03);
    }
}
