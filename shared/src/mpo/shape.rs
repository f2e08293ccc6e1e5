//! Factor lists, bond dimensions and parameter counts.

use serde::{Deserialize, Serialize};

use super::{Cost, MpoError};

/// The largest ratio of the two factors that a size is split into; beyond it, padding is the smaller evil.
const MAX_RATIO: usize = 4;

/// No chain has more cores than this; a typing error should not fill the memory.
pub(super) const MAX_ORDER: usize = 1000;

/// The largest (padded) matrix: 2⁴⁰ values, or 2²⁸ where addresses have 32 bits.
const MAX_VALUES: usize = usize::MAX >> if usize::BITS < 64 { 4 } else { 24 };

/// Row factors i₁…i_m and column factors j₁…j_m of a chain of order m.
///
/// Prints and parses as `24,1*3,16 x 24,1*3,16`, where `1*3` stands for `1,1,1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Shape {
    rows: Vec<usize>,
    cols: Vec<usize>,
}

impl Shape {
    /// A shape from its factors.
    ///
    /// # Errors
    /// [`MpoError::Order`] if the lists differ in length, are empty or longer than 1000, [`MpoError::Factor`] for a zero
    /// factor or a product that is too large, [`MpoError::TooLarge`] if the chain exceeds the memory's addresses (32 bits).
    pub fn new(rows: Vec<usize>, cols: Vec<usize>) -> Result<Self, MpoError> {
        if rows.len() != cols.len() {
            return Err(MpoError::Order { rows: rows.len(), cols: cols.len(), most: MAX_ORDER });
        }
        check_order(rows.len())?;
        let mut total: usize = 1;
        for (side, factors) in [("rows", &rows), ("columns", &cols)] {
            for (index, &factor) in factors.iter().enumerate() {
                match total.checked_mul(factor) {
                    Some(product) if factor > 0 && product <= MAX_VALUES => total = product,
                    _ => return Err(MpoError::Factor { side, index: index + 1, factor, most: MAX_VALUES }),
                }
            }
        }
        let shape = Self { rows, cols };
        // Within 64 bits: at most a thousand bonds of at most 2²⁰.
        let surplus: u64 = shape.bonds().into_iter().map(|d| (d as u64).pow(2)).sum();
        match total as u64 + surplus {
            parameters if parameters > usize::MAX as u64 / 8 => Err(MpoError::TooLarge { parameters }),
            _ => Ok(shape),
        }
    }

    /// The paper's shape: `[a,1,…,1,b] x [c,1,…,1,d]`, each size split into its most square pair of factors, the larger
    /// first (OPF tables 4 and 5). The tables print one size the other way round, 2048 as `32,…,64`: against 512 as
    /// `32,…,16` that makes bonds of 1024 and 11 times the matrix's parameters at order 11, larger first 512 and 3.5 times.
    ///
    /// A size whose most square split is more lopsided than 4:1 (a prime above 3, for example) is zero-padded to the next
    /// size that has a better one; 2 and 3 keep a factor 1. One core is the matrix itself, two are the SVD.
    ///
    /// # Errors
    /// [`MpoError`] for an empty or enormous matrix, no cores or more than 1000.
    pub fn paper(rows: usize, cols: usize, cores: usize) -> Result<Self, MpoError> {
        Self::from_sizes(rows, cols, cores, |size| {
            if cores == 1 {
                return vec![size];
            }
            let (large, small) = square_split(size);
            let mut factors = vec![1; cores];
            factors[0] = large;
            factors[cores - 1] = small;
            factors
        })
    }

    /// Spreads the prime factors of each size over all cores as evenly as they go, without padding; the larger products
    /// come to stand in the middle, where the bonds are wide anyway.
    ///
    /// # Errors
    /// [`MpoError`] for an empty or enormous matrix, no cores or more than 1000.
    pub fn balanced(rows: usize, cols: usize, cores: usize) -> Result<Self, MpoError> {
        Self::from_sizes(rows, cols, cores, |size| spread(size, cores))
    }

    fn from_sizes(
        rows: usize,
        cols: usize,
        cores: usize,
        factors: impl Fn(usize) -> Vec<usize>,
    ) -> Result<Self, MpoError> {
        check_order(cores)?;
        // Before factors are sought, which takes the root of the size.
        Self::new(vec![rows], vec![cols])?;
        Self::new(factors(rows), factors(cols))
    }

    /// i₁…i_m.
    pub fn row_factors(&self) -> &[usize] {
        &self.rows
    }

    /// j₁…j_m.
    pub fn col_factors(&self) -> &[usize] {
        &self.cols
    }

    /// Number of cores m.
    pub fn order(&self) -> usize {
        self.rows.len()
    }

    /// Product of the row factors.
    pub fn padded_rows(&self) -> usize {
        self.rows.iter().product()
    }

    /// Product of the column factors.
    pub fn padded_cols(&self) -> usize {
        self.cols.iter().product()
    }

    /// n_k = i_k·j_k.
    pub fn external(&self) -> impl DoubleEndedIterator<Item = usize> + ExactSizeIterator + '_ {
        self.rows.iter().zip(&self.cols).map(|(i, j)| i * j)
    }

    /// Whether a matrix of this size can be unfolded in this shape: factors multiply out, or exceed the size by zero
    /// padding of less than one slab of the first factor.
    ///
    /// # Errors
    /// [`MpoError::Product`] names the factors, their product and the size.
    pub fn check(&self, rows: usize, cols: usize) -> Result<(), MpoError> {
        for (side, factors, size) in [("rows", &self.rows, rows), ("columns", &self.cols, cols)] {
            let product: usize = factors.iter().product();
            let slab = product / factors[0];
            if product < size || (product > size && product - size >= slab) {
                return Err(MpoError::Product { side, factors: factors.clone(), product, size, slab });
            }
        }
        Ok(())
    }

    /// d₁…d_{m−1}: d_k = min(Π_{l≤k} n_l, Π_{l>k} n_l) (OPF eq. 8).
    pub fn bonds(&self) -> Vec<usize> {
        let total: usize = self.external().product();
        let mut left = 1;
        let mut bonds: Vec<usize> = self
            .external()
            .map(|n| {
                left *= n;
                left.min(total / left)
            })
            .collect();
        bonds.pop();
        bonds
    }

    /// (d_{k−1}, i_k, j_k, d_k) of every core at full bond dimensions.
    pub fn core_dims(&self) -> Vec<[usize; 4]> {
        let bonds = self.bonds();
        let bond = |k: usize| bonds.get(k).copied().unwrap_or(1);
        (0..self.order()).map(|k| [if k == 0 { 1 } else { bond(k - 1) }, self.rows[k], self.cols[k], bond(k)]).collect()
    }

    /// Parameters of the full chain: Σ d_{k−1}·i_k·j_k·d_k, which is I·J + Σ d_k² of the padded matrix.
    pub fn parameters(&self) -> usize {
        self.core_dims().iter().map(|dims| dims.iter().product::<usize>()).sum()
    }

    /// Parameters beyond those of the padded matrix: Σ d_k², the dimension of the gauge freedom.
    pub fn surplus(&self) -> usize {
        self.bonds().iter().map(|d| d * d).sum()
    }

    /// Operations and memory of contracting the full chain, without padding, from its cheaper end.
    pub fn contraction_cost(&self) -> Cost {
        Cost::of(&self.core_dims(), self.padded_rows() * self.padded_cols())
    }
}

fn check_order(order: usize) -> Result<(), MpoError> {
    match order {
        1..=MAX_ORDER => Ok(()),
        _ => Err(MpoError::Order { rows: order, cols: order, most: MAX_ORDER }),
    }
}

/// The most square split large·small of a size, padded if need be.
fn square_split(size: usize) -> (usize, usize) {
    let split = |size: usize| {
        let small = (1..=size.isqrt()).rev().find(|b| size.is_multiple_of(*b)).unwrap_or(1);
        (size / small, small)
    };
    // Ends soon: every even number times a square is near.
    (size..).map(split).find(|(large, small)| *large <= MAX_RATIO * small).unwrap_or((size, 1))
}

/// `count` factors of a size, made from its prime factors, largest first onto the smallest product.
fn spread(mut size: usize, count: usize) -> Vec<usize> {
    let mut primes = Vec::new();
    let mut divisor = 2;
    while divisor * divisor <= size {
        while size.is_multiple_of(divisor) {
            primes.push(divisor);
            size /= divisor;
        }
        divisor += 1;
    }
    if size > 1 {
        primes.push(size);
    }
    let mut factors = vec![1; count];
    for prime in primes.into_iter().rev() {
        // Among equals the one nearest to the middle.
        let middle = |k: usize| (2 * k).abs_diff(count - 1);
        if let Some(k) = (0..count).min_by_key(|&k| (factors[k], middle(k))) {
            factors[k] *= prime;
        }
    }
    factors
}
