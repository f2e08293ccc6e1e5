//! What takes long and stays the same while a slider moves: decompositions of the matrix.

use overfold::mpo::{Gauge, Mpo, MpoError, decompose, interleave, spectrum};

use crate::figures::effects;
use crate::math::linalg::Random;
use crate::math::step::{FirstStep, first_step};
use crate::math::sweep::Sweep;
use crate::matrix::Matrix;
use crate::state::{Kind, State};

/// Decompositions of a matrix for a view.
#[derive(Debug)]
pub struct Prepared {
    /// In the factors of `state.chain`, in the symmetric gauge.
    pub chain: Mpo,
    /// In the factors of `state.shape`, with all that is found on the way.
    pub sweep: Sweep,
    /// None if the chain has no bond.
    pub bond: Option<Bond>,
    /// None if the chain has no bond.
    pub changed: Option<Changed>,
}

/// What does not depend on X.
#[derive(Debug)]
pub struct Bond {
    inputs: String,
    /// The singular values of the matrix at the bond.
    pub s: Vec<f64>,
    /// A gradient of the matrix, interleaved.
    pub gradient: Vec<f64>,
    /// The first step of the chain as it is.
    pub before: FirstStep,
}

/// The chain with X·X⁻¹ on the bond.
#[derive(Debug)]
pub struct Changed {
    inputs: String,
    /// With X of each kind, in the order of [`Kind::ALL`].
    pub chains: Vec<Mpo>,
    /// That of the chosen kind, with its orthogonality center moved to the bond.
    pub centered: Mpo,
}

impl Prepared {
    /// All of them.
    ///
    /// # Errors
    /// [`MpoError`] if the matrix is not finite.
    pub fn of(matrix: &Matrix, state: &State) -> Result<Self, MpoError> {
        let chain = unfold(matrix, state)?;
        let (bond, changed) = (Bond::of(matrix, state, &chain)?, Changed::of(matrix, state, &chain)?);
        Ok(Self { chain, sweep: Sweep::of(&matrix.w, matrix.rows, matrix.cols, &state.shape)?, bond, changed })
    }

    /// Those whose inputs have changed, for the same matrix.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub fn renew(&mut self, matrix: &Matrix, state: &State) -> Result<(), MpoError> {
        if self.chain.shape() != &state.chain {
            self.chain = unfold(matrix, state)?;
        }
        if self.sweep.shape != state.shape {
            self.sweep = Sweep::of(&matrix.w, matrix.rows, matrix.cols, &state.shape)?;
        }
        if self.bond.as_ref().map(|bond| &bond.inputs) != Some(&Bond::inputs(state)) {
            self.bond = Bond::of(matrix, state, &self.chain)?;
        }
        if self.changed.as_ref().map(|changed| &changed.inputs) != Some(&effects::inputs(state)) {
            self.changed = Changed::of(matrix, state, &self.chain)?;
        }
        Ok(())
    }
}

impl Bond {
    fn inputs(state: &State) -> String {
        format!("{} {} {}", state.chain, state.bond, state.seed)
    }

    fn of(matrix: &Matrix, state: &State, chain: &Mpo) -> Result<Option<Self>, MpoError> {
        if state.chain.order() == 1 {
            return Ok(None);
        }
        let Matrix { rows, cols, .. } = *matrix;
        let gradient = Random::new(state.seed ^ 0x5eed).normals(matrix.w.len());
        let gradient = interleave(&gradient, rows, cols, &state.chain);
        Ok(Some(Self {
            inputs: Self::inputs(state),
            s: spectrum(&matrix.w, rows, cols, &state.chain, state.bond - 1)?,
            before: first_step(chain, &gradient),
            gradient,
        }))
    }
}

impl Changed {
    fn of(matrix: &Matrix, state: &State, chain: &Mpo) -> Result<Option<Self>, MpoError> {
        let Matrix { rows, cols, .. } = *matrix;
        let chains = effects::changed(state, chain)?;
        let Some((_, chosen)) = Kind::ALL.iter().zip(&chains).find(|(kind, _)| **kind == state.kind) else {
            return Ok(None);
        };
        let centered = decompose(&chosen.contract(), rows, cols, &state.chain, Gauge::Symmetric)?;
        Ok(Some(Self { inputs: effects::inputs(state), chains, centered }))
    }
}

fn unfold(matrix: &Matrix, state: &State) -> Result<Mpo, MpoError> {
    decompose(&matrix.w, matrix.rows, matrix.cols, &state.chain, Gauge::Symmetric)
}
