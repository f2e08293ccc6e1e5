//! Factor lists, bond dimensions and parameter counts.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Cost, MpoError};

/// The largest ratio of the two factors that a size is split into; beyond it, padding is the smaller evil.
const MAX_RATIO: usize = 4;

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
    /// [`MpoError::Order`] if the lists differ in length or are empty, [`MpoError::Factor`] for a zero factor or a
    /// product that overflows.
    pub fn new(rows: Vec<usize>, cols: Vec<usize>) -> Result<Self, MpoError> {
        if rows.len() != cols.len() || rows.is_empty() {
            return Err(MpoError::Order { rows: rows.len(), cols: cols.len() });
        }
        let mut total: usize = 1;
        for (side, factors) in [("rows", &rows), ("columns", &cols)] {
            for (index, &factor) in factors.iter().enumerate() {
                match total.checked_mul(factor) {
                    // Squares of bond dimensions must fit too.
                    Some(product) if factor > 0 && product <= 1 << 40 => total = product,
                    _ => return Err(MpoError::Factor { side, index: index + 1, factor }),
                }
            }
        }
        Ok(Self { rows, cols })
    }

    /// The paper's shape: `[a,1,…,1,b] x [c,1,…,1,d]`, each size split into its most square pair of factors, the larger
    /// first (OPF tables 4 and 5; they print 2048 as 32·64, which differs by order alone).
    ///
    /// A size with no split of ratio 4:1 or better (a prime above 3, for example) is zero-padded to the next size that
    /// has one. One core is the matrix itself, two are the SVD.
    ///
    /// # Errors
    /// [`MpoError`] for an empty matrix or no cores.
    pub fn paper(rows: usize, cols: usize, cores: usize) -> Result<Self, MpoError> {
        if cores < 2 {
            return Self::new(vec![rows; cores], vec![cols; cores]);
        }
        let factors = |size| {
            let (large, small) = square_split(size);
            let mut factors = vec![1; cores];
            factors[0] = large;
            factors[cores - 1] = small;
            factors
        };
        Self::new(if rows == 0 { vec![0; cores] } else { factors(rows) }, if cols == 0 { vec![0; cores] } else { factors(cols) })
    }

    /// Spreads the prime factors of each size over all cores as evenly as they go, without padding; the larger products
    /// come to stand in the middle, where the bonds are wide anyway.
    ///
    /// # Errors
    /// [`MpoError`] for an empty matrix or no cores.
    pub fn balanced(rows: usize, cols: usize, cores: usize) -> Result<Self, MpoError> {
        if rows == 0 || cols == 0 || cores == 0 {
            return Self::new(vec![rows; cores], vec![cols; cores]);
        }
        Self::new(spread(rows, cores), spread(cols, cores))
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
            if product < size || product - size >= slab.max(1) && product != size {
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
        (0..self.order())
            .map(|k| [if k == 0 { 1 } else { bond(k - 1) }, self.rows[k], self.cols[k], bond(k)])
            .collect()
    }

    /// Parameters of the full chain: Σ d_{k−1}·i_k·j_k·d_k, which is I·J + Σ d_k² of the padded matrix.
    pub fn parameters(&self) -> usize {
        self.core_dims().iter().map(|dims| dims.iter().product::<usize>()).sum()
    }

    /// Parameters beyond those of the padded matrix: Σ d_k², the dimension of the gauge freedom.
    pub fn surplus(&self) -> usize {
        self.bonds().iter().map(|d| d * d).sum()
    }

    /// Operations and memory of contracting the full chain from its cheaper end.
    pub fn contraction_cost(&self) -> Cost {
        Cost::of(&self.core_dims())
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

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_factors(f, &self.rows)?;
        f.write_str(" x ")?;
        write_factors(f, &self.cols)
    }
}

fn write_factors(f: &mut fmt::Formatter<'_>, factors: &[usize]) -> fmt::Result {
    let runs = factors.chunk_by(|a, b| a == b);
    for (index, run) in runs.enumerate() {
        let comma = if index == 0 { "" } else { "," };
        match run.len() {
            count @ 3.. => write!(f, "{comma}{}*{count}", run[0])?,
            2 => write!(f, "{comma}{0},{0}", run[0])?,
            _ => write!(f, "{comma}{}", run[0])?,
        }
    }
    Ok(())
}

impl FromStr for Shape {
    type Err = MpoError;

    fn from_str(text: &str) -> Result<Self, MpoError> {
        let fail = |reason: String| MpoError::Parse { text: text.into(), reason };
        let (rows, cols) =
            text.split_once(['x', '×']).ok_or_else(|| fail("there is no ` x ` between rows and columns".into()))?;
        Self::new(parse_factors(rows).map_err(fail)?, parse_factors(cols).map_err(fail)?)
    }
}

fn parse_factors(text: &str) -> Result<Vec<usize>, String> {
    /// No chain has more cores than this; a typing error should not fill the memory.
    const MAX_ORDER: usize = 1000;
    let mut factors = Vec::new();
    for part in text.split(',').map(str::trim) {
        let number = |text: &str| text.trim().parse::<usize>().map_err(|_| format!("`{part}` is not a factor"));
        let (factor, count) = match part.split_once('*') {
            Some((factor, count)) => (number(factor)?, number(count)?),
            None => (number(part)?, 1),
        };
        if factors.len() + count > MAX_ORDER {
            return Err(format!("more than {MAX_ORDER} factors"));
        }
        factors.extend(std::iter::repeat_n(factor, count));
    }
    Ok(factors)
}

impl TryFrom<String> for Shape {
    type Error = MpoError;

    fn try_from(text: String) -> Result<Self, MpoError> {
        text.parse()
    }
}

impl From<Shape> for String {
    fn from(shape: Shape) -> Self {
        shape.to_string()
    }
}
