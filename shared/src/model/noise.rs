//! Seeds for the dropout places of one forward pass.

use std::cell::Cell;

use crate::operations::Dropout;

/// Gives every dropout place of a forward pass its own seed, in the order in which the pass meets them.
///
/// The masks depend on the seed given here alone, not on what ran before: a resumed run draws the masks that the
/// uninterrupted one would have drawn.
#[derive(Debug)]
pub struct Noise {
    seed: Option<Cell<u64>>,
}

impl Noise {
    /// No dropout: evaluation.
    pub fn off() -> Self {
        Self { seed: None }
    }

    /// Dropout drawn from `seed`; use another seed at each step.
    pub fn on(seed: u64) -> Self {
        Self { seed: Some(Cell::new(mix(seed))) }
    }

    /// The next place, which drops with `probability`.
    pub fn next(&self, probability: f64) -> Option<Dropout> {
        let state = self.seed.as_ref()?;
        state.set(mix(state.get()));
        (probability > 0.0).then(|| Dropout { probability, seed: state.get() })
    }
}

/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): a bijection that spreads neighbouring seeds.
pub fn mix(seed: u64) -> u64 {
    let z = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
