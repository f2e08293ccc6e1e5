//! Where the singular values of a bond go.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::MpoError;

/// Where the singular values Λ_k of each bond go. All gauges give the same matrix, and train differently.
///
/// With left and right Schmidt vectors U_k and V_k of bond k, the product of the cores left of the bond is U_k·Λ_k^a and
/// that of the cores right of it Λ_k^(1−a)·V_kᵀ.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Gauge {
    /// a = 0: all cores but the last are orthogonal from the left; the singular values are in the last.
    Left,
    /// a = 1: all cores but the first are orthogonal from the right; the singular values are in the first.
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
    pub(super) fn exponent(self, k: usize, m: usize) -> f64 {
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
        f.pad(match self {
            Self::Left => "left",
            Self::Right => "right",
            Self::Symmetric => "symmetric",
            Self::Balanced => "balanced",
        })
    }
}

impl FromStr for Gauge {
    type Err = MpoError;

    fn from_str(text: &str) -> Result<Self, MpoError> {
        let found = Self::ALL.into_iter().find(|gauge| gauge.to_string() == text);
        found.ok_or_else(|| MpoError::Gauge(text.into()))
    }
}
