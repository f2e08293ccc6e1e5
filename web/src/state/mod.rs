//! What the visitor has chosen: one plain struct. Every figure is a function of it and of the matrix.

mod hash;
mod set;
#[cfg(test)]
mod tests;

pub use set::{SECTIONS, STEPS};

use std::fmt;

use overfold::mpo::{MpoError, Shape};

/// No figure draws a longer chain.
pub const MAX_ORDER: usize = 16;
/// No figure computes with a larger chain: 32 MB in f64.
pub const MAX_PARAMETERS: usize = 4_000_000;

/// Which matrix the figures show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Built in: a piece of a query weight.
    Query,
    /// Built in: a piece of the position embeddings.
    Positions,
    /// From the visitor's own file.
    Own,
}

/// Which matrix the figure about rank and pairing shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sample {
    /// W cut to rank 4.
    LowRank,
    /// A Kronecker product of two random matrices.
    Kronecker,
    /// W itself.
    Whole,
}

/// What is put on a bond as X·X⁻¹.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// X·Xᵀ = 1.
    Orthogonal,
    /// Another scale for every channel.
    Diagonal,
    /// An orthogonal matrix times a diagonal one.
    Generic,
}

impl Kind {
    /// All kinds, in the order of the figures.
    pub const ALL: [Self; 3] = [Self::Orthogonal, Self::Diagonal, Self::Generic];
}

/// How a size is split into factors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// `[a,1,…,1,b]`, as in the paper.
    Paper,
    /// Spread evenly.
    Balanced,
}

/// Enumerations have one spelling, for the address and for controls.
macro_rules! spelled {
    ($type:ident: $($variant:ident = $text:literal),+) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$variant => $text),+ })
            }
        }
        impl std::str::FromStr for $type {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err(format!("`{text}` is none of {}", [$($text),+].join(", "))),
                }
            }
        }
    };
}
spelled!(Source: Query = "query", Positions = "positions", Own = "own");
spelled!(Sample: LowRank = "lowrank", Kronecker = "kronecker", Whole = "whole");
spelled!(Kind: Orthogonal = "orthogonal", Diagonal = "diagonal", Generic = "generic");
spelled!(Style: Paper = "paper", Balanced = "balanced");

/// The view. Indices that a reader sees count from 1.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// Rows and columns of the matrix; not in the address.
    pub size: [usize; 2],
    /// The matrix.
    pub matrix: Source,
    /// Section 1: the row of the small example, 1 to 3.
    pub row: usize,
    /// Section 2: singular values kept, 0 to their number.
    pub cut: usize,
    /// Section 2: the visitor's guess.
    pub guess: Option<usize>,
    /// Section 3: factors of the sweep.
    pub shape: Shape,
    /// Section 3: step of the sweep, from 0.
    pub sweep: usize,
    /// Section 3: the matrix whose rank is looked at.
    pub sample: Sample,
    /// Section 4 and 7: factors of the chain.
    pub chain: Shape,
    /// Section 4: the bond that gets X·X⁻¹, from 1.
    pub bond: usize,
    /// Section 4: X.
    pub kind: Kind,
    /// Section 4: how far X is from the identity, in tenths, 0 to 20.
    pub strength: usize,
    /// Section 4: channels kept when that bond is cut.
    pub keep: usize,
    /// Section 4: seed of X and of the gradient.
    pub seed: u64,
    /// Section 7: contractions done.
    pub fold: usize,
    /// Section 10: rows of the calculator's matrix.
    pub rows: usize,
    /// Section 10: its columns.
    pub cols: usize,
    /// Section 10: number of cores.
    pub cores: usize,
    /// Section 10: how its sizes are split.
    pub style: Style,
    /// Sections that a teacher hides.
    pub hide: Vec<String>,
    /// The last step of the lesson that is shown, from 1; all if there is none.
    pub step: Option<usize>,
    /// The only section shown, in another page's frame for example.
    pub embed: Option<String>,
    /// What this version does not know, kept as it is.
    pub unknown: Vec<(String, String)>,
}

impl State {
    /// The view of someone who has touched nothing, for a matrix of this size.
    ///
    /// # Errors
    /// [`MpoError`] if the matrix is empty.
    pub fn new(matrix: Source, size: [usize; 2]) -> Result<Self, MpoError> {
        let [rows, cols] = size;
        Ok(Self {
            size,
            matrix,
            row: 2,
            cut: rows.min(cols).div_ceil(4),
            guess: None,
            shape: Shape::balanced(rows, cols, 4)?,
            sweep: 3,
            sample: Sample::LowRank,
            chain: Shape::paper(rows, cols, 3)?,
            bond: 1,
            kind: Kind::Generic,
            strength: 5,
            keep: rows.min(cols).div_ceil(4),
            seed: 1,
            fold: 1,
            rows: 3072,
            cols: 768,
            cores: 11,
            style: Style::Paper,
            hide: Vec::new(),
            step: None,
            embed: None,
            unknown: Vec::new(),
        })
    }

    /// A shape as one would type it, without `1*3` for `1,1,1` unless it is long.
    pub fn spelled(shape: &Shape) -> String {
        let list = |factors: &[usize]| factors.iter().map(usize::to_string).collect::<Vec<_>>().join(",");
        if shape.order() > 8 {
            return shape.to_string();
        }
        format!("{} x {}", list(shape.row_factors()), list(shape.col_factors()))
    }

    /// Last step of the sweep: the matrix, its pairing, and two steps for each bond.
    pub fn last_step(&self) -> usize {
        1 + 2 * (self.shape.order() - 1)
    }

    /// Bond dimension of the bond that gets X·X⁻¹; 1 if there is no bond.
    pub fn bond_dimension(&self) -> usize {
        self.chain.bonds().get(self.bond.saturating_sub(1)).copied().unwrap_or(1)
    }
}
