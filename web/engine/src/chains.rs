//! The encoder's matrices as chains of cores, folded again: whole, or cut to a bond.

use std::collections::BTreeMap;

use burn::tensor::Device;
use overfold::chain::Chain;
use overfold::checkpoint::Weights;
use overfold::model::names::Group;
use overfold::mpo::{Gauge, Mpo, Shape, Truncation, decompose};
use serde::Serialize;

use crate::EngineError;

/// Cores of each chain, as the trainer has by default.
const CORES: usize = 5;

/// Every matrix that OPF can unfold, unfolded.
pub struct Chains {
    chains: Vec<(String, Vec<f32>, Mpo)>,
}

/// The matrices of a model, by name.
pub struct Refolded {
    /// Folded: multiplied out in f64 and rounded, as a trainer writes them.
    pub matrices: BTreeMap<String, Vec<f32>>,
    /// Not folded: the cores, in f64.
    pub chains: Vec<(String, Mpo)>,
}

impl Refolded {
    /// The cores on a device in f32, as a model holds them that is never folded.
    pub fn cores(&self, device: &Device) -> Vec<(String, Chain)> {
        self.chains.iter().map(|(name, mpo)| (name.clone(), Chain::from_mpo(mpo, device))).collect()
    }
}

/// What came of folding them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Folded {
    /// Number of matrices.
    pub matrices: usize,
    /// Widest bond of the uncut chains.
    pub widest: usize,
    /// Numbers in the chains.
    pub parameters: usize,
    /// Numbers in the matrices.
    pub of: usize,
    /// ‖W − W′‖ / ‖W‖ over all matrices together (Frobenius), W′ rounded to f32 as the model has it.
    pub error: f64,
}

impl Chains {
    /// Unfolds a model's matrices without loss, in f64.
    ///
    /// # Errors
    /// [`EngineError::Checkpoint`] if a matrix cannot be read, [`EngineError::Chain`] if it cannot be unfolded.
    pub fn unfold(weights: &Weights) -> Result<Self, EngineError> {
        let mut chains = Vec::new();
        for (name, stored) in weights.canonical_names() {
            let (Some(_), Some(&[rows, cols])) = (Group::of(&name), weights.shape(&stored)) else { continue };
            let w = weights.values(&stored)?.unwrap_or_default();
            let wide: Vec<f64> = w.iter().copied().map(f64::from).collect();
            let chain = Shape::paper(rows, cols, CORES)
                .and_then(|shape| decompose(&wide, rows, cols, &shape, Gauge::Symmetric))
                .map_err(|source| EngineError::Chain { name: name.clone(), source })?;
            chains.push((name, w, chain));
        }
        Ok(Self { chains })
    }

    /// Folds them, each bond cut to at most `bond` if one is given.
    pub fn fold(&self, bond: Option<usize>) -> (Refolded, Folded) {
        let (mut matrices, mut chains) = (BTreeMap::new(), Vec::new());
        let (mut parameters, mut of, mut distance, mut norm) = (0, 0, 0.0, 0.0);
        for (name, w, chain) in &self.chains {
            let chain = bond.map_or_else(|| chain.clone(), |bond| chain.truncate(Truncation::Rank(bond)).mpo);
            let folded: Vec<f32> = chain.contract().into_iter().map(|x| x as f32).collect();
            parameters += chain.parameters();
            of += w.len();
            distance += w.iter().zip(&folded).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum::<f64>();
            norm += w.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>();
            matrices.insert(name.clone(), folded);
            chains.push((name.clone(), chain));
        }
        let widest = self.chains.iter().flat_map(|(_, _, chain)| chain.bonds()).max().unwrap_or(1);
        let error = if norm > 0.0 { (distance / norm).sqrt() } else { 0.0 };
        (Refolded { matrices, chains }, Folded { matrices: self.chains.len(), widest, parameters, of, error })
    }
}
