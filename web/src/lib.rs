//! The page's lesson: MPO arithmetic in the browser. So far its skeleton, one figure: the bond profile of a shape.
//!
//! Everything that can be computed without a browser is plain Rust, tested natively; `page` holds what touches the DOM.

#[cfg(target_family = "wasm")]
mod page;

use overfold::mpo::{MpoError, Shape};

/// What the page says about a shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// The shape in its canonical spelling.
    pub shape: String,
    /// d₁…d_{m−1}.
    pub bonds: Vec<usize>,
    /// Rows and columns of the matrix.
    pub size: [usize; 2],
    /// Parameters of the chain.
    pub parameters: usize,
    /// Σ d_k²: parameters beyond the matrix's own.
    pub surplus: usize,
}

impl Profile {
    /// The profile of a shape such as `24,1*3,16 x 24,1*3,16`.
    ///
    /// # Errors
    /// [`MpoError`] says what is wrong with the text.
    pub fn of(text: &str) -> Result<Self, MpoError> {
        let shape: Shape = text.parse()?;
        Ok(Self {
            bonds: shape.bonds(),
            size: [shape.padded_rows(), shape.padded_cols()],
            parameters: shape.parameters(),
            surplus: shape.surplus(),
            shape: shape.to_string(),
        })
    }

    /// One sentence for the page.
    pub fn sentence(&self) -> String {
        let [rows, cols] = self.size;
        format!(
            "A {rows}×{cols} matrix has {} numbers; this chain has {}. The surplus is {}, the sum of the squared bonds.",
            rows * cols,
            self.parameters,
            self.surplus
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_surplus_is_what_the_chain_has_more() {
        let profile = Profile::of("24,1,1,16 x 24,1,1,16").unwrap();
        assert_eq!(profile.bonds, [256, 256, 256]);
        assert_eq!(profile.parameters - 384 * 384, profile.surplus);
        assert!(profile.sentence().contains("147456 numbers"));
        assert!(Profile::of("24").is_err());
    }
}
