//! What can be wrong with a shape, a matrix or a chain.

use thiserror::Error;

/// Why a matrix cannot be unfolded, or cores do not make a chain.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum MpoError {
    /// The text of a shape cannot be read.
    #[error("`{text}` is not a shape: {reason}; expected row factors x column factors, as in `24,1*3,16 x 24,1*3,16`")]
    Parse {
        /// The text.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The name of a gauge cannot be read.
    #[error("`{0}` is none of left, right, symmetric, balanced")]
    Gauge(String),
    /// Row and column factors differ in number, or there are none or too many.
    #[error("{rows} row factors and {cols} column factors; expected as many of one as of the other, 1 to {most}")]
    Order {
        /// Number of row factors.
        rows: usize,
        /// Number of column factors.
        cols: usize,
        /// The largest order.
        most: usize,
    },
    /// A factor is zero, or the product of factors is too large.
    #[error(
        "factor {index} of the {side} is {factor}: factors are at least 1 and all together multiply to at most {most}"
    )]
    Factor {
        /// `rows` or `columns`.
        side: &'static str,
        /// Position, from 1.
        index: usize,
        /// Its value.
        factor: usize,
        /// The largest number of values in a matrix.
        most: usize,
    },
    /// The full chain has more values than can be addressed.
    #[error("a chain of {parameters} parameters is too large for this machine's addresses")]
    TooLarge {
        /// Σ d_{k−1}·i_k·j_k·d_k.
        parameters: u64,
    },
    /// Factors do not multiply out to the size of the matrix.
    #[error(
        "{side} {factors:?} multiply to {product}, but the matrix has {size} {side}; expected {size}, or more by zero \
         padding of less than one slab of the first factor ({slab})"
    )]
    Product {
        /// `rows` or `columns`.
        side: &'static str,
        /// The factors.
        factors: Vec<usize>,
        /// Their product.
        product: usize,
        /// The matrix's size.
        size: usize,
        /// Product without the first factor.
        slab: usize,
    },
    /// The slice does not hold rows × columns values.
    #[error("{found} values for a matrix of {rows} rows and {cols} columns")]
    Length {
        /// Rows.
        rows: usize,
        /// Columns.
        cols: usize,
        /// Values given.
        found: usize,
    },
    /// NaN or infinity in the matrix.
    #[error("the matrix is {value} at row {row}, column {col}")]
    NotFinite {
        /// Row, from 0.
        row: usize,
        /// Column, from 0.
        col: usize,
        /// The value's text, so that errors can be compared.
        value: String,
    },
    /// NaN or infinity in a core.
    #[error("core {index} is {value} at index {at:?} (left bond, row, column, right bond)")]
    CoreNotFinite {
        /// Position, from 1.
        index: usize,
        /// Where in the core, from 0.
        at: [usize; 4],
        /// The value's text.
        value: String,
    },
    /// Neighbouring cores do not fit.
    #[error(
        "core {index} has dimensions {dims:?} and {found} values, which do not continue a chain at bond dimension {bond}"
    )]
    Chain {
        /// Position, from 1.
        index: usize,
        /// Its dimensions.
        dims: [usize; 4],
        /// Its number of values.
        found: usize,
        /// What its left bond should be.
        bond: usize,
    },
    /// There is no such core or bond.
    #[error("there is no {what} {index}: counting from 0, a chain of order {order} has {count}")]
    Index {
        /// `core` or `bond`.
        what: &'static str,
        /// The index asked for, from 0.
        index: usize,
        /// Number of cores.
        order: usize,
        /// How many there are.
        count: usize,
    },
}
