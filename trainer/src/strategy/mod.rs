//! Which matrices are unfolded: the most important ones of each group (OPF §3.3).

mod importance;

use std::collections::{BTreeMap, BTreeSet};

use overfold::model::names::Group;
use serde::{Deserialize, Serialize};

pub use importance::{Accumulator, by_loss};

use crate::config::{FinetuneConfig, Method};
use crate::error::Error;

/// Importance of each matrix by name.
pub type Scores = BTreeMap<String, f64>;

/// One selection, as it is logged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Round {
    /// Optimizer steps taken before it.
    pub step: usize,
    /// The scores of all candidates.
    pub scores: Scores,
    /// Names of the chosen matrices.
    pub chosen: Vec<String>,
}

/// Chooses matrices, within each group, until every group has its number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Selector {
    groups: Vec<Group>,
    layers: usize,
    top: usize,
    chosen: BTreeSet<String>,
}

impl Selector {
    /// A selector of `--top` matrices from each of `--groups`.
    ///
    /// # Errors
    /// [`Error::Flag`] if a group has fewer matrices than are to be chosen, or no group is named.
    pub fn new(config: &FinetuneConfig, layers: usize) -> Result<Self, Error> {
        let top = if config.method == Method::Plain { 0 } else { config.top.unwrap_or(layers.div_ceil(2)) };
        if top > layers {
            return Err(Error::flag(
                "--top",
                format!(
                    "{top} matrices are to be unfolded in each group, but the model has {layers} layers, so {layers} in each"
                ),
            ));
        }
        if config.method != Method::Plain && top == 0 {
            return Err(Error::flag(
                "--top",
                "0 matrices leave nothing to unfold; for plain fine-tuning use --method plain",
            ));
        }
        if config.round == 0 {
            return Err(Error::flag("--round", "0 matrices a round would never reach --top; expected at least 1"));
        }
        let groups: BTreeSet<Group> = config.groups.iter().copied().collect();
        Ok(Self { groups: groups.into_iter().collect(), layers, top, chosen: BTreeSet::new() })
    }

    /// Matrices of the groups that are not chosen yet, while their group still wants some.
    pub fn candidates(&self) -> Vec<String> {
        let open = self.groups.iter().filter(|group| self.count(**group) < self.top);
        open.flat_map(|&group| (0..self.layers).map(move |layer| group.weight(layer)))
            .filter(|name| !self.chosen.contains(name))
            .collect()
    }

    /// Whether every group has its number.
    pub fn is_complete(&self) -> bool {
        self.groups.iter().all(|&group| self.count(group) == self.top)
    }

    /// Chooses up to `most` matrices with the highest scores from each group; ties go to the lower layer.
    pub fn choose(&mut self, scores: &Scores, most: usize) -> Vec<String> {
        let mut fresh = Vec::new();
        for &group in &self.groups {
            let mut ranked: Vec<(usize, f64)> = (0..self.layers)
                .filter(|&layer| !self.chosen.contains(&group.weight(layer)))
                .filter_map(|layer| Some((layer, *scores.get(&group.weight(layer))?)))
                .collect();
            ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            let wanted = (self.top - self.count(group)).min(most);
            fresh.extend(ranked.into_iter().take(wanted).map(|(layer, _)| group.weight(layer)));
        }
        self.chosen.extend(fresh.iter().cloned());
        fresh
    }

    /// Steps between the rounds of the dynamic strategy: `--interval`, else such that all rounds fall into the first
    /// third of the run and the chains have the rest to train.
    pub fn interval(&self, config: &FinetuneConfig, total_steps: usize) -> usize {
        let rounds = self.top.div_ceil(config.round).max(1);
        config.interval.unwrap_or(total_steps / (3 * rounds)).max(1)
    }

    fn count(&self, group: Group) -> usize {
        self.chosen.iter().filter(|name| Group::of(name).is_some_and(|(g, _)| g == group)).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selector(top: usize) -> Selector {
        Selector { groups: vec![Group::Query, Group::FfnDown], layers: 4, top, chosen: BTreeSet::new() }
    }

    fn scores(value: impl Fn(Group, usize) -> f64) -> Scores {
        Group::ALL.iter().flat_map(|&g| (0..4).map(move |l| (g, l))).map(|(g, l)| (g.weight(l), value(g, l))).collect()
    }

    #[test]
    fn the_best_of_each_group_and_of_no_other() {
        let mut selector = selector(2);
        let chosen = selector.choose(&scores(|g, l| if g == Group::Query { l as f64 } else { -(l as f64) }), 9);
        assert_eq!(
            chosen,
            [Group::Query.weight(3), Group::Query.weight(2), Group::FfnDown.weight(0), Group::FfnDown.weight(1)]
        );
        assert!(selector.is_complete());
        assert!(selector.candidates().is_empty());
    }

    #[test]
    fn rounds_never_choose_twice_and_stop_at_top() {
        let mut selector = selector(3);
        let scores = scores(|_, l| if l == 1 { f64::NAN } else { 1.0 });
        let mut all = Vec::new();
        while !selector.is_complete() {
            let chosen = selector.choose(&scores, 2);
            assert!(!chosen.is_empty());
            all.extend(chosen);
        }
        let distinct: BTreeSet<_> = all.iter().collect();
        assert_eq!((all.len(), distinct.len()), (6, 6));
    }
}
