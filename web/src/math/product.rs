//! Chains multiplied out for a figure: here in f64, and once more in f32 by the engine's GPU where there is one.

use overfold::mpo::{Core, Mpo, MpoError};

use super::linalg::{distance, norm};
use crate::matrix::Matrix;
use crate::number::short;

/// What one f32 operation may be off, relatively: WGSL lets a result be rounded either way, so it is the whole gap between
/// two numbers.
const EPSILON: f64 = f32::EPSILON as f64;

/// W′ as a chain multiplies out to, and what it lacks.
#[derive(Debug, Clone)]
pub struct Product {
    /// W′, row-major.
    pub matrix: Vec<f64>,
    /// W − W′.
    pub residual: Vec<f64>,
}

/// All chains that a figure multiplies out, with the products that it shows.
#[derive(Debug, Clone, Default)]
pub struct Products {
    chains: Vec<Mpo>,
    shown: Vec<Product>,
    gpu: Option<Comparison>,
}

/// The GPU's products beside those in f64, in parts of ‖W‖: the largest of all, or those of the first that rounding does not
/// explain.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Comparison {
    /// ‖W′ − W″‖, or the same of the residual if that is larger.
    pub difference: f64,
    /// What rounding explains: the bound that `tolerance` derives.
    pub tolerance: f64,
    /// The roundings in it, along the longest way to an entry.
    pub roundings: usize,
    /// Whether rounding explains each difference. Where it does not, the f64 products stand.
    pub holds: bool,
}

impl Products {
    /// Multiplied out here, in f64.
    pub fn of(chains: Vec<Mpo>, matrix: &Matrix) -> Self {
        let multiply = |chain: &Mpo| {
            let product = chain.contract();
            Product { residual: matrix.w.iter().zip(&product).map(|(w, x)| w - x).collect(), matrix: product }
        };
        Self { shown: chains.iter().map(multiply).collect(), chains, gpu: None }
    }

    /// The chains.
    pub fn chains(&self) -> &[Mpo] {
        &self.chains
    }

    /// The products, in the order of the chains.
    pub fn shown(&self) -> &[Product] {
        &self.shown
    }

    /// ‖W − W′‖ of a product.
    pub fn error(&self, index: usize) -> f64 {
        self.shown.get(index).map_or(0.0, |product| norm(&product.residual))
    }

    /// What a GPU computed, if there is anything of it.
    pub fn gpu(&self) -> Option<&Comparison> {
        self.gpu.as_ref()
    }

    /// The same products as a GPU computed them: of each chain W′ and W − W′, one after the other. They are shown if rounding
    /// explains how far they are from those in f64. `None` if there are more or fewer numbers than that.
    ///
    /// # Errors
    /// None in practice: the magnitudes of a chain are a chain.
    pub fn by_gpu(&self, numbers: &[f32], matrix: &Matrix) -> Result<Option<Self>, MpoError> {
        let size = matrix.w.len();
        if self.chains.is_empty() || numbers.len() != 2 * size * self.chains.len() {
            return Ok(None);
        }
        let wide = |numbers: &[f32]| numbers.iter().copied().map(f64::from).collect::<Vec<_>>();
        let found = numbers.chunks_exact(2 * size);
        let found: Vec<_> =
            found.map(|both| Product { matrix: wide(&both[..size]), residual: wide(&both[size..]) }).collect();
        let mut gpu = Comparison { holds: true, ..Comparison::default() };
        for ((chain, own), other) in self.chains.iter().zip(&self.shown).zip(&found) {
            let (absolute, roundings) = tolerance(chain, &own.residual)?;
            let apart = [distance(&own.matrix, &other.matrix), distance(&own.residual, &other.residual)];
            // Not a number is farther than any.
            let apart = if apart.iter().all(|x| x.is_finite()) { apart[0].max(apart[1]) } else { f64::INFINITY };
            let [difference, tolerance] = [apart, absolute].map(|x| x / matrix.norm.max(f64::MIN_POSITIVE));
            if apart > absolute {
                gpu = Comparison { difference, tolerance, roundings, holds: false };
                break;
            }
            gpu.difference = gpu.difference.max(difference);
            if tolerance >= gpu.tolerance {
                (gpu.tolerance, gpu.roundings) = (tolerance, roundings);
            }
        }
        let shown = if gpu.holds { found } else { self.shown.clone() };
        Ok(Some(Self { chains: self.chains.clone(), shown, gpu: Some(gpu) }))
    }

    /// What of ‖W‖ may be rounding in a product that is shown, if more than in f64.
    pub fn rounding(&self) -> f64 {
        self.gpu.filter(|gpu| gpu.holds).map_or(0.0, |gpu| gpu.tolerance)
    }

    /// Where and how it was computed, as markup; nothing if there is no chain.
    pub fn words(&self) -> String {
        let Some(gpu) = &self.gpu else {
            return if self.chains.is_empty() {
                String::new()
            } else {
                " W′, the product of the cores, was multiplied out in f64 on the CPU.".into()
            };
        };
        let (difference, tolerance) = (short(gpu.difference), short(gpu.tolerance));
        if gpu.holds {
            format!(
                " W′, the product of the cores, was multiplied out and subtracted from W in f32 on the GPU, by WebGPU; in f64 on the CPU it is the same to \
                 {difference} of ‖W‖. The tolerance is {tolerance}, all that rounding can do: γ·‖|T₁|·…·|T<sub>m</sub>|‖ with γ for {} roundings of 2⁻²³, \
                 and one for W − W′.",
                gpu.roundings
            )
        } else {
            format!(
                " W′, the product of the cores, was multiplied out in f64 on the CPU: the GPU’s is {difference} of ‖W‖ away, and rounding to f32 explains only \
                 {tolerance}."
            )
        }
    }
}

/// How far a product and its residual in f32 may be from those in f64 (Frobenius), and the number of roundings in it.
///
/// A product of matrices whose sums have d terms is off by at most γ_d·|A|·|B|, entry by entry, in whatever order it is summed
/// and with or without fused operations (Higham 2002, §3.5), γ_n = nε/(1 − nε). So a chain is off by at most
/// γ_N·|T₁|·…·|T_m|, N = Σd + 2m: each core is rounded when it is stored, and once more where it is held as I + Δ, as the
/// engine holds square cores without external indices. The subtraction adds ε·|W − W′|.
fn tolerance(chain: &Mpo, residual: &[f64]) -> Result<(f64, usize), MpoError> {
    let magnitude = |core: &Core| {
        let [left, i, j, right] = core.dims;
        let mut data: Vec<f64> = core.data.iter().map(|x| x.abs()).collect();
        if i * j == 1 && left == right {
            (0..left).for_each(|k| data[k * left + k] = (core.data[k * left + k] - 1.0).abs() + 1.0);
        }
        Core { dims: core.dims, data }
    };
    let magnitudes = Mpo::from_cores(chain.rows(), chain.cols(), chain.cores().iter().map(magnitude).collect())?;
    let roundings = chain.bonds().iter().sum::<usize>() + 2 * chain.cores().len();
    let n = roundings as f64 * EPSILON;
    Ok((n / (1.0 - n) * norm(&magnitudes.contract()) + EPSILON * norm(residual), roundings))
}

#[cfg(test)]
mod tests {
    use overfold::mpo::{Gauge, Shape, decompose, deinterleave};

    use super::*;
    use crate::math::transform::Transform;
    use crate::state::{Kind, Source};

    /// In f32 by loops: core by core from the left, each sum from its last term to its first, so in another order than any
    /// that is used elsewhere.
    fn single(chain: &Mpo, stored: &[f32]) -> Vec<f32> {
        let mut product = vec![1f32];
        for core in chain.cores() {
            let (left, width) = (core.dims[0], core.data.len() / core.dims[0]);
            let term = |row: &[f32], col: usize| {
                (0..left).rev().map(|k| row[k] * core.data[k * width + col] as f32).sum::<f32>()
            };
            product = product.chunks(left).flat_map(|row| (0..width).map(move |col| term(row, col))).collect();
        }
        let wide: Vec<f64> = product.iter().copied().map(f64::from).collect();
        let product = deinterleave(&wide, chain.rows(), chain.cols(), chain.shape());
        let product: Vec<f32> = product.iter().map(|x| *x as f32).collect();
        let residual: Vec<f32> = stored.iter().zip(&product).map(|(w, x)| w - x).collect();
        [product, residual].concat()
    }

    fn chains(matrix: &Matrix, shape: &str) -> Vec<Mpo> {
        let shape: Shape = shape.parse().unwrap();
        let chain = decompose(&matrix.w, matrix.rows, matrix.cols, &shape, Gauge::Symmetric).unwrap();
        let changed = |kind| Transform::new(kind, chain.bonds()[0], 2.0, 5).insert(&chain, 0).unwrap();
        std::iter::once(chain.clone()).chain(Kind::ALL.map(changed)).collect()
    }

    #[test]
    fn f32_is_within_the_tolerance_and_shown() {
        for source in [Source::Query, Source::Positions] {
            let matrix = Matrix::built_in(source).unwrap();
            for shape in ["64,1 x 1,96", "8,1,8 x 12,1,8", "4,4,4 x 4,6,4", "4,4,5 x 4,6,4"] {
                let own = Products::of(chains(&matrix, shape), &matrix);
                assert!(own.error(0) < 1e-12 * matrix.norm && own.words().ends_with("in f64 on the CPU."));
                let numbers: Vec<f32> = own.chains().iter().flat_map(|c| single(c, &matrix.stored)).collect();
                let found = own.by_gpu(&numbers, &matrix).unwrap().unwrap();
                let gpu = *found.gpu().unwrap();
                assert!(gpu.holds && gpu.difference > 0.0, "{shape}: {gpu:?}");
                // Tight enough to tell a wrong product.
                assert!(gpu.tolerance < 2e-2, "{shape}: {gpu:?}");
                assert!(found.error(0) > own.error(0) && found.error(0) <= found.rounding() * matrix.norm, "{shape}");
                assert!(found.words().contains("on the GPU"));
            }
        }
    }

    #[test]
    fn a_wrong_product_is_not_shown() {
        let matrix = Matrix::built_in(Source::Query).unwrap();
        let own = Products::of(vec![matrix.svd.chain(16).unwrap().unwrap()], &matrix);
        let right = single(&own.chains()[0], &matrix.stored);
        for wrong in [0.01 * matrix.norm as f32, f32::NAN, f32::INFINITY] {
            for at in [0, right.len() - 1] {
                let mut numbers = right.clone();
                numbers[at] += wrong;
                let found = own.by_gpu(&numbers, &matrix).unwrap().unwrap();
                assert!(!found.gpu().unwrap().holds && found.rounding() == 0.0);
                assert_eq!(found.shown()[0].matrix, own.shown()[0].matrix);
                assert!(found.words().contains("on the CPU: the GPU’s is"), "{}", found.words());
            }
        }
        assert!(own.by_gpu(&right[1..], &matrix).unwrap().is_none());
        assert!(Products::default().by_gpu(&[], &matrix).unwrap().is_none());
    }

    #[test]
    fn the_tolerance_is_that_of_the_formula() {
        // One product of 2 terms: |A||B| = 1·3 + 2·4 and γ for 2 + 2·2 roundings.
        let core = |dims, data: &[f64]| Core { dims, data: data.to_vec() };
        let chain = Mpo::from_cores(1, 1, vec![core([1, 1, 1, 2], &[1.0, -2.0]), core([2, 1, 1, 1], &[3.0, 4.0])]);
        let (found, roundings) = tolerance(&chain.unwrap(), &[0.5]).unwrap();
        let e = 2f64.powi(-23);
        assert_eq!(roundings, 6);
        assert!((found - (6.0 * e / (1.0 - 6.0 * e) * 11.0 + e * 0.5)).abs() < 1e-20);
    }
}
