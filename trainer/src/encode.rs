//! Examples as token ids, and their batches.

use std::ops::Range;

use burn::tensor::{Device, Int, Tensor, TensorData};
use overfold::model::Batch;
use overfold::tokenizer::{Encoded, WordPiece};
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

use crate::data::{Example, Label};
use crate::error::Error;

/// A tokenized data set.
#[derive(Debug, Clone)]
pub struct EncodedSet {
    /// Token ids of each example.
    pub inputs: Vec<Encoded>,
    /// Labels, in the same order.
    pub labels: Vec<Label>,
    pad: u32,
}

/// The labels of a batch on a device.
#[derive(Debug, Clone)]
pub enum Targets {
    /// `[batch]` class indices.
    Classes(Tensor<1, Int>),
    /// `[batch]` numbers.
    Scores(Tensor<1>),
}

impl EncodedSet {
    /// Tokenizes examples.
    ///
    /// # Errors
    /// As [`WordPiece::encode`].
    pub fn new(examples: &[Example], tokenizer: &WordPiece) -> Result<Self, Error> {
        let encode = |example: &Example| tokenizer.encode(&example.text, example.pair.as_deref());
        Ok(Self {
            inputs: examples.iter().map(encode).collect::<Result<_, _>>()?,
            labels: examples.iter().map(|example| example.label).collect(),
            pad: tokenizer.pad(),
        })
    }

    /// Number of examples.
    pub fn len(&self) -> usize {
        self.inputs.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.inputs.is_empty()
    }

    /// Number of examples that were cut to fit.
    pub fn truncated(&self) -> usize {
        self.inputs.iter().filter(|input| input.truncated).count()
    }

    /// The examples at `indices` as one batch, padded to the longest, rounded up to a multiple of `pad_to`.
    pub fn batch(&self, indices: &[usize], pad_to: usize, device: &Device) -> Batch {
        let sequences: Vec<(&[u32], &[u32])> =
            indices.iter().map(|&i| (&self.inputs[i].ids[..], &self.inputs[i].type_ids[..])).collect();
        let longest = sequences.iter().map(|(ids, _)| ids.len()).max().unwrap_or(1);
        Batch::new(&sequences, self.pad, longest.next_multiple_of(pad_to), device)
    }

    /// The labels of the examples at `indices`.
    pub fn targets(&self, indices: &[usize], device: &Device) -> Targets {
        let length = indices.len();
        let classes: Vec<i32> = indices
            .iter()
            .filter_map(|&i| match self.labels[i] {
                Label::Class(class) => Some(class as i32),
                Label::Score(_) => None,
            })
            .collect();
        // A data set is of one kind throughout.
        if classes.len() == length {
            return Targets::Classes(Tensor::from_data(TensorData::new(classes, [length]), device));
        }
        let scores: Vec<f32> = indices
            .iter()
            .map(|&i| match self.labels[i] {
                Label::Score(score) => score,
                Label::Class(class) => class as f32,
            })
            .collect();
        Targets::Scores(Tensor::from_data(TensorData::new(scores, [length]), device))
    }

    /// The order of the examples in each epoch of a run.
    pub fn order(&self, group_by_length: bool, batch: usize, seed: u64) -> EpochOrder {
        if group_by_length {
            EpochOrder::by_length(self.inputs.iter().map(|input| input.ids.len()).collect(), batch, seed)
        } else {
            EpochOrder::new(self.len(), seed)
        }
    }

    /// Batches in order of length, so that little is padded; for evaluation.
    pub fn batches_by_length(&self, size: usize) -> Vec<Vec<usize>> {
        let mut order: Vec<usize> = (0..self.len()).collect();
        order.sort_by_key(|&i| self.inputs[i].ids.len());
        order.chunks(size).map(<[usize]>::to_vec).collect()
    }
}

/// The order of examples in each epoch: a permutation fixed by seed and epoch alone, so that a resumed run meets the
/// same batches. The last one asked for is kept.
#[derive(Debug)]
pub struct EpochOrder {
    seed: u64,
    epoch: Option<usize>,
    order: Vec<usize>,
    /// Length of each example and size of the batches, if batches are of alike lengths.
    lengths: Option<(Vec<usize>, usize)>,
}

/// Batches whose examples are sorted by length together: enough for little padding, few enough that an example meets
/// other neighbours in each epoch.
const SORTED: usize = 50;

impl EpochOrder {
    /// Orders of `examples` examples.
    pub fn new(examples: usize, seed: u64) -> Self {
        Self { seed, epoch: None, order: (0..examples).collect(), lengths: None }
    }

    /// Orders in which every `batch` examples that follow each other have alike lengths; such batches are at random
    /// places.
    pub fn by_length(lengths: Vec<usize>, batch: usize, seed: u64) -> Self {
        let examples = lengths.len();
        Self { lengths: Some((lengths, batch)), ..Self::new(examples, seed) }
    }

    /// The order of an epoch, counted from 0.
    pub fn of(&mut self, epoch: usize) -> &[usize] {
        if self.epoch != Some(epoch) {
            self.epoch = Some(epoch);
            self.order.sort_unstable();
            let place = (epoch as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let mut rng = StdRng::seed_from_u64(self.seed ^ place);
            self.order.shuffle(&mut rng);
            if let Some((lengths, batch)) = &self.lengths {
                for group in self.order.chunks_mut(SORTED * batch) {
                    group.sort_by_key(|&example| lengths[example]);
                }
                // The last batch may be shorter: it stays where it is.
                let (full, rest) = self.order.split_at(self.order.len() / batch * batch);
                let mut batches: Vec<&[usize]> = full.chunks(*batch).collect();
                batches.shuffle(&mut rng);
                self.order = [batches.concat().as_slice(), rest].concat();
            }
        }
        &self.order
    }
}

/// The range of an epoch's order that makes pass `pass`; the last one may be shorter.
pub fn pass_range(examples: usize, batch: usize, pass: usize) -> Range<usize> {
    (pass * batch).min(examples)..((pass + 1) * batch).min(examples)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_is_a_permutation_that_the_seed_fixes() {
        let mut orders = EpochOrder::new(100, 7);
        let order = orders.of(2).to_vec();
        assert_ne!(order, orders.of(3));
        assert_eq!(order, orders.of(2));
        assert_eq!(order, EpochOrder::new(100, 7).of(2));
        assert_ne!(order, EpochOrder::new(100, 8).of(2));
        let mut sorted = order;
        sorted.sort_unstable();
        assert_eq!(sorted, (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn batches_by_length_cover_an_epoch_with_little_padding() {
        let lengths: Vec<usize> = (0..1003).map(|k| 3 + k * 7919 % 120).collect();
        let padded = |order: &[usize]| -> usize {
            order.chunks(10).map(|batch| batch.len() * batch.iter().map(|&k| lengths[k]).max().unwrap()).sum()
        };
        let mut orders = EpochOrder::by_length(lengths.clone(), 10, 7);
        let order = orders.of(0).to_vec();
        let (all, random) = (lengths.iter().sum::<usize>(), EpochOrder::new(1003, 7).of(0).to_vec());
        assert!(padded(&order) < all * 11 / 10 && padded(&random) > all * 3 / 2, "{} {all}", padded(&order));
        // Long and short batches are mixed, and neighbours change.
        let first: Vec<usize> = order.chunks(10).map(|batch| lengths[batch[0]]).collect();
        assert!(!first.is_sorted() && order != orders.of(1));
        let mut sorted = order;
        sorted.sort_unstable();
        assert_eq!(sorted, (0..1003).collect::<Vec<_>>());
    }

    #[test]
    fn passes_cover_an_epoch_once() {
        let covered: Vec<usize> = (0..4).flat_map(|pass| pass_range(10, 3, pass)).collect();
        assert_eq!(covered, (0..10).collect::<Vec<_>>());
    }
}
