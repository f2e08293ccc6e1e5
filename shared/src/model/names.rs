//! Parameters by their names in a Hugging Face checkpoint, and the groups that OPF selects from.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The path of a parameter during a walk through the modules, as the checkpoint spells it.
#[derive(Debug, Default)]
pub struct Path(Vec<String>);

impl Path {
    /// Enters a field.
    pub fn push(&mut self, field: &str) {
        // The two names that Rust cannot or would not spell as the checkpoint does.
        self.0.push(match field {
            "self_attention" => "self".into(),
            "layer_norm" => "LayerNorm".into(),
            other => other.into(),
        });
    }

    /// Leaves it.
    pub fn pop(&mut self) {
        self.0.pop();
    }

    /// For example `bert.encoder.layer.0.attention.self.query.weight`.
    pub fn name(&self) -> String {
        self.0.join(".")
    }
}

/// One module type over all layers (OPF §3.3: the most important matrices are chosen within each group).
///
/// The groups are told apart by exact names: `output.dense` alone would match `attention.output.dense` too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Group {
    /// `attention.self.query`.
    Query,
    /// `attention.self.key`.
    Key,
    /// `attention.self.value`.
    Value,
    /// `attention.output.dense`.
    AttentionOutput,
    /// `intermediate.dense`.
    FfnUp,
    /// `output.dense` of the layer.
    FfnDown,
}

impl Group {
    /// All groups in the order of the forward pass.
    pub const ALL: [Self; 6] = [Self::Query, Self::Key, Self::Value, Self::AttentionOutput, Self::FfnUp, Self::FfnDown];

    /// The module's path within its layer.
    pub fn module(self) -> &'static str {
        match self {
            Self::Query => "attention.self.query",
            Self::Key => "attention.self.key",
            Self::Value => "attention.self.value",
            Self::AttentionOutput => "attention.output.dense",
            Self::FfnUp => "intermediate.dense",
            Self::FfnDown => "output.dense",
        }
    }

    /// The name of this group's weight in `layer`.
    pub fn weight(self, layer: usize) -> String {
        format!("bert.encoder.layer.{layer}.{}.weight", self.module())
    }

    /// Group and layer of a parameter, if it is the weight of one of the groups.
    pub fn of(name: &str) -> Option<(Self, usize)> {
        let (layer, module) = name.strip_prefix("bert.encoder.layer.")?.split_once('.')?;
        let module = module.strip_suffix(".weight")?;
        let group = Self::ALL.into_iter().find(|group| group.module() == module)?;
        Some((group, layer.parse().ok()?))
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Query => "query",
            Self::Key => "key",
            Self::Value => "value",
            Self::AttentionOutput => "attention-output",
            Self::FfnUp => "ffn-up",
            Self::FfnDown => "ffn-down",
        })
    }
}

impl FromStr for Group {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|group| group.to_string() == text).ok_or_else(|| {
            let known: Vec<String> = Self::ALL.iter().map(Self::to_string).collect();
            format!("unknown group `{text}`; the groups are {}", known.join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_exact() {
        for group in Group::ALL {
            assert_eq!(Group::of(&group.weight(7)), Some((group, 7)));
            assert_eq!(group.to_string().parse(), Ok(group));
        }
        assert_eq!(Group::of("bert.encoder.layer.0.output.dense.bias"), None);
        assert_eq!(Group::of("bert.pooler.dense.weight"), None);
        assert!("ffn".parse::<Group>().unwrap_err().contains("ffn-up"));
    }
}
