//! A start from which attention finds its way: the first layer looks at a word's neighbours.
//!
//! Attention that starts uniform gives each of 128 tokens 1/128 of the output and of the gradient, and a small model then
//! stays for millions of tokens at what a bag of words tells (`docs/results/family.md` has the curves). Here each head of
//! the first layer starts out looking at one place beside a token; everything learns on from there.

use burn::module::Param;
use burn::tensor::{Device, Tensor, TensorData};
use overfold::model::{BertConfig, BertForMaskedLM};

/// Amplitude of the sines over the deviation of random weights: they are read against noise of that size.
const AMPLITUDE: f64 = 2.0;

/// The score of a head's place; that of a place one token off is about 2.6 lower, those far away are around 0.
const SCORE: f64 = 20.0;

/// Changes random weights: positions become sines in columns of their own, and the first layer's queries and keys find
/// neighbours by them.
pub fn look_at_neighbours(model: &mut BertForMaskedLM, architecture: &BertConfig) {
    let waves = Waves::new(architecture);
    let embeddings = &mut model.bert.embeddings;
    embeddings.position_embeddings.weight = waves.parameter(waves.positions());
    // The words leave these columns to the positions.
    let mut words = embeddings.word_embeddings.weight.to_data().iter::<f32>().collect::<Vec<_>>();
    words.chunks_exact_mut(waves.width).for_each(|row| row[..waves.columns].fill(0.0));
    embeddings.word_embeddings.weight = waves.parameter(words);
    if let Some(first) = model.bert.encoder.layer.first_mut() {
        let attention = &mut first.attention.self_attention;
        attention.query.weight = waves.parameter(waves.projection(offset));
        attention.key.weight = waves.parameter(waves.projection(|_| 0.0));
    }
}

/// Where a head looks: one to the left, one to the right, two to the left …
fn offset(head: usize) -> f64 {
    let distance = (head / 2 + 1) as f64;
    if head.is_multiple_of(2) { -distance } else { distance }
}

/// Positions as sines and cosines (Vaswani et al., 2017, section 3.5) in the first columns, where "one token further" is
/// the same rotation everywhere, so that one product finds a neighbour.
struct Waves {
    width: usize,
    positions: usize,
    heads: usize,
    /// As many as a head has, a quarter of the width at most; in pairs of sine and cosine.
    columns: usize,
    size: f64,
}

impl Waves {
    fn new(architecture: &BertConfig) -> Self {
        let (width, heads) = (architecture.hidden_size, architecture.num_attention_heads);
        let columns = (width / heads).min(width / 4) / 2 * 2;
        let positions = architecture.max_position_embeddings;
        Self { width, positions, heads, columns, size: AMPLITUDE * architecture.initializer_range }
    }

    /// Radians a token in a pair of columns: wavelengths from 2π tokens to 2π times the longest input.
    fn frequency(&self, pair: usize) -> f64 {
        (self.positions as f64).powf(-2.0 * pair as f64 / self.columns as f64)
    }

    /// The table of positions, `[positions, width]` row by row.
    fn positions(&self) -> Vec<f32> {
        let mut table = vec![0.0; self.positions * self.width];
        for (position, row) in table.chunks_exact_mut(self.width).enumerate() {
            for pair in 0..self.columns / 2 {
                let (sin, cos) = (position as f64 * self.frequency(pair)).sin_cos();
                (row[2 * pair], row[2 * pair + 1]) = ((self.size * sin) as f32, (self.size * cos) as f32);
            }
        }
        table
    }

    /// A projection `[width, width]` in which each head sees its token's position, `offset(head)` tokens further.
    fn projection(&self, offset: impl Fn(usize) -> f64) -> Vec<f32> {
        // The faster half tells neighbours apart; in the slower one they are all but equal.
        let (head_size, pairs) = (self.width / self.heads, self.columns.div_ceil(4));
        // After normalization: words have deviation 1 where positions have `AMPLITUDE` as amplitude.
        let share = self.columns as f64 / self.width as f64;
        let square = AMPLITUDE.powi(2) / (1.0 - share + share * AMPLITUDE.powi(2) / 2.0);
        let strength = (SCORE * (head_size as f64).sqrt() / (square * pairs.max(1) as f64)).sqrt();
        let mut weight = vec![0.0; self.width * self.width];
        for head in 0..self.heads {
            for pair in 0..pairs {
                let (sin, cos) = (offset(head) * self.frequency(pair)).sin_cos();
                let (row, column) = (head * head_size + 2 * pair, 2 * pair);
                // sin(a + b) = cos b · sin a + sin b · cos a, and the cosine alike.
                for (row, [of_sine, of_cosine]) in [(row, [cos, sin]), (row + 1, [-sin, cos])] {
                    weight[row * self.width + column] = (strength * of_sine) as f32;
                    weight[row * self.width + column + 1] = (strength * of_cosine) as f32;
                }
            }
        }
        weight
    }

    /// Rows of `width` numbers as a parameter.
    fn parameter(&self, values: Vec<f32>) -> Param<Tensor<2>> {
        let rows = values.len() / self.width;
        Param::from_data(TensorData::new(values, [rows, self.width]), &Device::flex())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Int;
    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};
    use serde_json::json;

    /// Attention of the first layer's heads, `[heads][seq][seq]`, before the softmax.
    fn scores(hidden: usize, heads: usize) -> (usize, Vec<f32>) {
        let architecture = BertConfig::from_value(json!({
            "model_type": "bert", "vocab_size": 50, "hidden_size": hidden, "num_hidden_layers": 1,
            "num_attention_heads": heads, "intermediate_size": 8, "hidden_act": "gelu", "max_position_embeddings": 24,
            "type_vocab_size": 2, "layer_norm_eps": 1e-12, "initializer_range": 0.05, "pad_token_id": 0,
        }))
        .unwrap();
        let mut model = BertForMaskedLM::new(&architecture, &Device::flex());
        // Not Burn's random numbers, whose seed all tests share: uniform ones of the same deviation.
        let mut numbers = StdRng::seed_from_u64(1);
        let words: Vec<f32> = (0..50 * hidden).map(|_| numbers.random_range(-0.087..0.087)).collect();
        let words = TensorData::new(words, [50, hidden]);
        model.bert.embeddings.word_embeddings.weight = Param::from_data(words, &Device::flex());
        look_at_neighbours(&mut model, &architecture);
        let embeddings = &model.bert.embeddings;
        let ids: Vec<i32> = (0..24).map(|k| (k * 17) % 50).collect();
        let ids = Tensor::<1, Int>::from_data(ids.as_slice(), &Device::flex()).reshape([1, 24]);
        let x = embeddings.word_embeddings.forward(ids).squeeze::<2>() + embeddings.position_embeddings.weight.val();
        let x = embeddings.layer_norm.forward(x);
        let attention = &model.bert.encoder.layer[0].attention.self_attention;
        let split = |x: Tensor<2>| x.reshape([24, heads, hidden / heads]).swap_dims(0, 1);
        let (query, key) = (split(attention.query.forward(x.clone())), split(attention.key.forward(x)));
        let scores = query.matmul(key.transpose()) / ((hidden / heads) as f64).sqrt();
        (24, scores.to_data().iter::<f32>().collect())
    }

    #[test]
    fn each_head_of_the_first_layer_looks_at_its_neighbour() {
        assert_eq!([0, 1, 2, 3].map(offset), [-1.0, 1.0, -2.0, 2.0]);
        for (hidden, heads) in [(128, 4), (64, 2), (256, 8)] {
            let (length, scores) = scores(hidden, heads);
            let (mut right, mut all) = (0, 0);
            for (place, row) in scores.chunks_exact(length).enumerate() {
                let to = (place % length) as f64 + offset(place / length);
                let best = (0..length).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap();
                if (0.0..length as f64).contains(&to) {
                    all += 1;
                    right += usize::from(best as f64 == to);
                }
            }
            assert_eq!(right, all, "{hidden} {heads}");
        }
    }
}
