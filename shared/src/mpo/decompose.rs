//! Unfolding: from a matrix to cores, in any gauge, without loss and without an inverse.

use std::fmt;
use std::str::FromStr;

use faer::{Mat, MatRef};
use serde::{Deserialize, Serialize};

use super::interleave::interleave;
use super::svd::{Svd, svd};
use super::{MpoError, Shape};

/// Where the singular values Λ_k of each bond go. All gauges give the same matrix, and train differently.
///
/// With left and right Schmidt vectors U_k and V_k of bond k, the product of the cores left of the bond is U_k·Λ_k^a and
/// that of the cores right of it Λ_k^(1−a)·V_kᵀ.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Gauge {
    /// a = 0: all cores but the last are orthogonal from the left.
    Left,
    /// a = 1: all cores but the first are orthogonal from the right.
    Right,
    /// a = 1/2: √Λ on each side of every bond, as in the authors' released code.
    #[default]
    Symmetric,
    /// a = k/m: every core holds Λ^(1/m). The paper's middle cores are diagonal then, not identities.
    Balanced,
}

impl Gauge {
    /// All gauges.
    pub const ALL: [Self; 4] = [Self::Left, Self::Right, Self::Symmetric, Self::Balanced];

    /// The exponent a at bond `k` (from 1) of a chain of order `m`.
    fn exponent(self, k: usize, m: usize) -> f64 {
        match self {
            Self::Left => 0.0,
            Self::Right => 1.0,
            Self::Symmetric => 0.5,
            Self::Balanced => k as f64 / m as f64,
        }
    }
}

impl fmt::Display for Gauge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Left => "left",
            Self::Right => "right",
            Self::Symmetric => "symmetric",
            Self::Balanced => "balanced",
        })
    }
}

impl FromStr for Gauge {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|gauge| gauge.to_string() == text)
            .ok_or_else(|| format!("`{text}` is none of left, right, symmetric, balanced"))
    }
}

/// One core T_k.
#[derive(Debug, Clone, PartialEq)]
pub struct Core {
    /// (d_{k−1}, i_k, j_k, d_k).
    pub dims: [usize; 4],
    /// Row-major in the order of `dims`.
    pub data: Vec<f64>,
}

impl Core {
    /// The core as a matrix of `rows` rows.
    pub(super) fn matrix(&self, rows: usize) -> MatRef<'_, f64> {
        let columns = self.data.len() / rows.max(1);
        MatRef::from_row_major_slice(&self.data, rows, columns)
    }
}

/// A matrix as a chain of cores.
#[derive(Debug, Clone, PartialEq)]
pub struct Mpo {
    shape: Shape,
    rows: usize,
    cols: usize,
    cores: Vec<Core>,
}

impl Mpo {
    /// A chain from its cores, for a matrix of `rows`×`cols` (less than the factors' products if it is padded).
    ///
    /// # Errors
    /// [`MpoError`] if neighbouring cores do not fit or the factors do not fit the matrix.
    pub fn from_cores(rows: usize, cols: usize, cores: Vec<Core>) -> Result<Self, MpoError> {
        let mut bond = 1;
        for (k, core) in cores.iter().enumerate() {
            let last = k + 1 == cores.len();
            let fits = core.dims[0] == bond && core.data.len() == core.dims.iter().product::<usize>() && (!last || core.dims[3] == 1);
            if !fits {
                return Err(MpoError::Chain { index: k + 1, dims: core.dims, bond });
            }
            bond = core.dims[3];
        }
        let factors = |axis: usize| cores.iter().map(|core| core.dims[axis]).collect();
        let shape = Shape::new(factors(1), factors(2))?;
        shape.check(rows, cols)?;
        Ok(Self { shape, rows, cols, cores })
    }

    /// The same matrix size and factors with other cores, which must form a chain.
    pub(super) fn with_cores(&self, cores: Vec<Core>) -> Self {
        Self { shape: self.shape.clone(), rows: self.rows, cols: self.cols, cores }
    }

    /// The factors.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Rows of the matrix, without padding.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Columns of the matrix, without padding.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// T₁…T_m.
    pub fn cores(&self) -> &[Core] {
        &self.cores
    }

    /// d₁…d_{m−1} as they are: smaller than [`Shape::bonds`] after truncation.
    pub fn bonds(&self) -> Vec<usize> {
        self.cores.iter().skip(1).map(|core| core.dims[0]).collect()
    }

    /// Number of values in all cores.
    pub fn parameters(&self) -> usize {
        self.cores.iter().map(|core| core.data.len()).sum()
    }
}

/// Unfolds `w`, row-major `rows`×`cols`, into a chain at full bond dimensions (OPF algorithm 2, without its inverses).
///
/// With U_k, Λ_k, V_k the SVD of the k-th unfolding of the interleaved tensor, core k is
///
/// T_k = Λ_{k−1}^(−a′)·A_k·Λ_k^a,  A_k = (U_{k−1} ⊗ 1)ᵀ·U_k,
///
/// with the exponents a, a′ of the [`Gauge`]. The power of Λ_{k−1} is negative, but A_k·Λ_k = Λ_{k−1}·B_k with
/// B_k = V_{k−1}ᵀ·(1 ⊗ V_k): taking A_k where λ_k ≤ λ_{k−1} and B_k elsewhere leaves only ratios that are at most 1, so
/// rank-deficient, padded and zero matrices come out exactly. Between bonds with a 1×1 factor A_k is the identity, and
/// no SVD is computed: the paper's shapes need a single one.
///
/// # Errors
/// [`MpoError`] if the shape does not fit or the matrix is not finite.
pub fn decompose(w: &[f64], rows: usize, cols: usize, shape: &Shape, gauge: Gauge) -> Result<Mpo, MpoError> {
    shape.check(rows, cols)?;
    if w.len() != rows * cols {
        return Err(MpoError::Length { rows, cols, found: w.len() });
    }
    if let Some(at) = w.iter().position(|x| !x.is_finite()) {
        return Err(MpoError::NotFinite { row: at / cols, col: at % cols, value: w[at].to_string() });
    }
    let x = interleave(w, rows, cols, shape);
    let dims = shape.core_dims();
    let order = dims.len();
    if order == 1 {
        return Mpo::from_cores(rows, cols, vec![Core { dims: dims[0], data: x }]);
    }
    let mut cores = Vec::with_capacity(order);
    let mut left: Option<Svd> = None;
    let mut left_size = 1;
    for (k, &core_dims) in dims.iter().enumerate() {
        let n = core_dims[1] * core_dims[2];
        left_size *= n;
        let exponent = |bond: usize| gauge.exponent(bond, order);
        let last = k + 1 == order;
        // A bond next to a 1×1 factor is the same bond as the one before it.
        let right = if last || (n == 1 && left.is_some()) {
            None
        } else {
            Some(svd(MatRef::from_row_major_slice(&x, left_size, x.len() / left_size)))
        };
        let data = match (&left, &right) {
            (None, Some(right)) => first_core(right, exponent(1)),
            (Some(left), _) if last => last_core(left, exponent(k)),
            (Some(left), None) => diagonal_core(left, exponent(k + 1) - exponent(k)),
            (Some(left), Some(right)) => middle_core(left, right, n, exponent(k), exponent(k + 1)),
            // Not reached: the first core has a bond to its right.
            (None, None) => x.clone(),
        };
        cores.push(Core { dims: core_dims, data });
        left = right.or(left);
    }
    Mpo::from_cores(rows, cols, cores)
}

/// U·Λ^a, `[n, d]`.
fn first_core(bond: &Svd, a: f64) -> Vec<f64> {
    let (rows, rank) = (bond.u.nrows(), bond.s.len());
    row_major(rows, rank, |r, c| bond.u[(r, c)] * bond.s[c].powf(a))
}

/// Λ^(1−a)·Vᵀ, `[d, n]`.
fn last_core(bond: &Svd, a: f64) -> Vec<f64> {
    let (rank, columns) = (bond.s.len(), bond.v.nrows());
    row_major(rank, columns, |r, c| bond.s[r].powf(1.0 - a) * bond.v[(c, r)])
}

/// Λ^p between two equal bonds: the identity for p = 0.
fn diagonal_core(bond: &Svd, p: f64) -> Vec<f64> {
    let rank = bond.s.len();
    row_major(rank, rank, |r, c| if r == c { bond.s[r].powf(p) } else { 0.0 })
}

/// T_k between two bonds, `[d_{k−1}, n, d_k]`.
fn middle_core(left: &Svd, right: &Svd, n: usize, a_left: f64, a_right: f64) -> Vec<f64> {
    let (d_left, d_right) = (left.s.len(), right.s.len());
    // A[α, (n, β)] = Σ_r U_{k−1}[r, α]·U_k[(r, n), β].
    let outer = left.u.nrows();
    let u = Mat::from_fn(outer, n * d_right, |r, c| right.u[(r * n + c / d_right, c % d_right)]);
    let a = left.u.transpose() * &u;
    // B[(α, n), β] = Σ_c V_{k−1}[(n, c), α]·V_k[c, β].
    let inner = right.v.nrows();
    let v = Mat::from_fn(d_left * n, inner, |r, c| left.v[((r % n) * inner + c, r / n)]);
    let b = &v * &right.v;
    row_major(d_left, n * d_right, |alpha, column| {
        let (external, beta) = (column / d_right, column % d_right);
        let (from, to) = (left.s[alpha], right.s[beta]);
        // With 0/0 any finite value will do: both channels carry nothing.
        let ratio = |small: f64, large: f64, power: f64| if large > 0.0 { (small / large).powf(power) } else { 1.0 };
        if a_left == 0.0 || (a_right < 1.0 && to <= from) {
            a[(alpha, column)] * ratio(to, from, a_left) * to.powf(a_right - a_left)
        } else {
            b[(alpha * n + external, beta)] * ratio(from, to, 1.0 - a_right) * from.powf(a_right - a_left)
        }
    })
}

fn row_major(rows: usize, columns: usize, value: impl Fn(usize, usize) -> f64) -> Vec<f64> {
    let value = &value;
    (0..rows).flat_map(|r| (0..columns).map(move |c| value(r, c))).collect()
}
