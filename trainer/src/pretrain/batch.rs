//! Windows as a batch on a device, and what is asked of them.

use burn::tensor::{Device, Int, Tensor, TensorData};
use overfold::model::Batch;

use super::masking::Masked;
use super::pairs::Pair;

/// A window with hidden tokens, or made two texts, of which some tokens of the second are asked.
pub(super) enum Sample {
    Masked(Masked),
    Pair { pair: Pair, asked: Vec<usize> },
}

/// Masked windows and pairs on a device.
#[derive(Debug)]
pub struct MaskedBatch {
    /// What the model sees.
    pub batch: Batch,
    /// `[batch · read]` indices, into the flattened batch, of the tokens that are read: of each row the first one and the
    /// hidden or asked ones, then the first one again where there are fewer.
    pub read: Tensor<1, Int>,
    /// `[places]` indices of the hidden tokens among those.
    pub places: Tensor<1, Int>,
    /// `[places]` the tokens that were there.
    pub targets: Tensor<1, Int>,
    /// Those rows that are two texts.
    pub pairs: Option<Pairs>,
}

/// The rows of a batch that are two texts; no token of theirs is hidden.
#[derive(Debug)]
pub struct Pairs {
    /// `[pairs]` their indices.
    pub rows: Tensor<1, Int>,
    /// `[pairs]` the share of the second text that occurs in the first.
    pub shares: Tensor<1>,
    /// `[tokens]` indices of tokens of the second texts among those that are read.
    pub tokens: Tensor<1, Int>,
    /// `[tokens]` 1 for those that occur in the first text, 0 for the others.
    pub occur: Tensor<1>,
}

impl MaskedBatch {
    /// Rows of `length` tokens, of which `read` are read; `pad` fills rows that are shorter.
    pub(super) fn new(samples: &[Sample], [length, read]: [usize; 2], pad: u32, device: &Device) -> Self {
        let (mut all, mut places, mut targets) = (Vec::new(), Vec::new(), Vec::new());
        let (mut rows, mut shares, mut tokens, mut occur) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (row, sample) in samples.iter().enumerate() {
            let among_read = |k: usize| (row * read + 1 + k) as i32;
            let in_batch = |place: usize| (row * length + place) as i32;
            all.push(in_batch(0));
            match sample {
                Sample::Masked(masked) => {
                    all.extend(masked.places.iter().map(|&place| in_batch(place)));
                    places.extend((0..masked.places.len()).map(among_read));
                    targets.extend(masked.targets.iter().map(|&id| id as i32));
                }
                Sample::Pair { pair, asked } => {
                    all.extend(asked.iter().map(|&place| in_batch(pair.second.start + place)));
                    tokens.extend((0..asked.len()).map(among_read));
                    occur.extend(asked.iter().map(|&place| f32::from(pair.occurs[place])));
                    rows.push(row as i32);
                    shares.push(pair.share());
                }
            }
            all.resize((row + 1) * read, in_batch(0));
        }
        let one_text = vec![0; length];
        let sequences = samples.iter().map(|sample| match sample {
            Sample::Masked(masked) => (&masked.ids[..], &one_text[..masked.ids.len()]),
            Sample::Pair { pair, .. } => (&pair.ids[..], &pair.types[..]),
        });
        let put = |values: Vec<i32>| {
            let count = values.len();
            Tensor::from_data(TensorData::new(values, [count]), device)
        };
        let put_numbers = |values: Vec<f32>| Tensor::from_data(values.as_slice(), device);
        Self {
            batch: Batch::new(&sequences.collect::<Vec<_>>(), pad, length, device),
            read: put(all),
            places: put(places),
            targets: put(targets),
            pairs: (!rows.is_empty()).then(|| Pairs {
                rows: put(rows),
                shares: put_numbers(shares),
                tokens: put(tokens),
                occur: put_numbers(occur),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_is_found_among_what_is_read() {
        let masked = Masked { ids: vec![2, 4, 8, 4, 9, 3], places: vec![1, 3], targets: vec![7, 6] };
        let pair = Pair {
            ids: vec![2, 8, 3, 9, 8, 3],
            types: vec![0, 0, 0, 1, 1, 1],
            second: 3..5,
            occurs: vec![false, true],
        };
        let samples = [Sample::Pair { pair, asked: vec![1] }, Sample::Masked(masked)];
        let found = MaskedBatch::new(&samples, [6, 3], 0, &Device::flex());
        let ids = found.batch.ids.clone().flatten::<1>(0, 1);
        let numbers = |tensor: Tensor<1, Int>| tensor.to_data().iter::<i32>().collect::<Vec<_>>();
        let pairs = found.pairs.unwrap();
        let read = ids.select(0, found.read);
        assert_eq!(numbers(read.clone()), [2, 8, 2, 2, 4, 4]);
        assert_eq!(numbers(read.clone().select(0, found.places)), [4, 4]);
        assert_eq!(numbers(found.targets), [7, 6]);
        assert_eq!(numbers(read.select(0, pairs.tokens)), [8]);
        assert_eq!(numbers(pairs.rows), [0]);
        assert_eq!(pairs.occur.to_data().iter::<f32>().collect::<Vec<_>>(), [1.0]);
        assert_eq!(pairs.shares.to_data().iter::<f32>().collect::<Vec<_>>(), [0.5]);
        assert_eq!(numbers(found.batch.type_ids.flatten(0, 1)), [0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0]);
    }
}
