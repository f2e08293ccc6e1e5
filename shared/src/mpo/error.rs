//! What can be wrong with a shape or a matrix.

use thiserror::Error;

/// Why a matrix cannot be unfolded, or cores do not make a chain.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum MpoError {
    /// The text of a shape cannot be read.
    #[error("`{text}` is not a shape: {reason}; expected row factors x column factors, as in `24,1*3,16 x 24,1*3,16`")]
    Parse {
        /// The text.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Row and column factors differ in number, or there are none.
    #[error("{rows} row factors and {cols} column factors; expected as many of one as of the other, at least one")]
    Order {
        /// Number of row factors.
        rows: usize,
        /// Number of column factors.
        cols: usize,
    },
    /// A factor is zero, or the product of factors is too large.
    #[error("factor {index} of the {side} is {factor}: factors are at least 1 and their product fits a 64-bit integer")]
    Factor {
        /// `rows` or `columns`.
        side: &'static str,
        /// Position, from 1.
        index: usize,
        /// Its value.
        factor: usize,
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
    /// Neighbouring cores do not fit.
    #[error("core {index} has dimensions {dims:?}, which do not continue a chain at bond dimension {bond}")]
    Chain {
        /// Position, from 1.
        index: usize,
        /// Its dimensions.
        dims: [usize; 4],
        /// What its left bond should be.
        bond: usize,
    },
}
