//! A start from which attention finds its way: the first layer looks at a word's neighbours.
//!
//! Attention that starts uniform gives each of 128 tokens 1/128 of the output and of the gradient, and a small model then
//! stays for millions of tokens at what a bag of words tells (`docs/results/family.md` has the curves). Here each head of
//! the first layer starts out looking at one place beside a token; everything learns on from there. For pairs of texts,
//! half of the heads of the second layer start out looking for a token's twin: the same token in the other text.

use burn::module::Param;
use burn::tensor::{Device, Tensor, TensorData};
use overfold::model::{BertConfig, BertForMaskedLM};

/// Amplitude of the sines over the deviation of random weights: they are read against noise of that size.
const AMPLITUDE: f64 = 2.0;

/// The score of a head's place; that of a place one token off is about 2.6 lower, those far away are around 0.
const SCORE: f64 = 20.0;

/// The score of the same token over that of others, which are around 0; and that of the other text over the same text.
const TWIN_SCORE: f64 = 12.0;

/// Changes random weights: positions become sines in columns of their own, and the first layer's queries and keys find
/// neighbours by them.
pub fn look_at_neighbours(model: &mut BertForMaskedLM, architecture: &BertConfig) {
    let waves = Waves::new(architecture);
    let embeddings = &mut model.bert.embeddings;
    embeddings.position_embeddings.weight = waves.parameter(waves.positions());
    // The words leave these columns to the positions.
    let mut words = numbers(&embeddings.word_embeddings.weight);
    words.chunks_exact_mut(waves.width).for_each(|row| row[..waves.columns].fill(0.0));
    embeddings.word_embeddings.weight = waves.parameter(words);
    if let Some(first) = model.bert.encoder.layer.first_mut() {
        let attention = &mut first.attention.self_attention;
        attention.query.weight = waves.parameter(waves.projection(offset));
        attention.key.weight = waves.parameter(waves.projection(|_| 0.0));
    }
}

/// Changes the weights of [`look_at_neighbours`]: segments get a column of their own, and half of the second layer's heads
/// look for the same token where the segment is another.
///
/// Queries and keys are the same random projection of the words, which is close to them for few tokens but the same.
pub fn look_for_twins(model: &mut BertForMaskedLM, architecture: &BertConfig) {
    let waves = Waves::new(architecture);
    let (width, head_size, column) = (waves.width, waves.width / waves.heads, waves.columns);
    let Some(layer) = model.bert.encoder.layer.get_mut(1) else { return };
    let embeddings = &mut model.bert.embeddings;
    let mut words = numbers(&embeddings.word_embeddings.weight);
    words.chunks_exact_mut(width).for_each(|row| row[column] = 0.0);
    embeddings.word_embeddings.weight = waves.parameter(words);
    let mut segments = vec![0.0; architecture.type_vocab_size * width];
    for (segment, row) in segments.chunks_exact_mut(width).enumerate() {
        row[column] = (if segment == 0 { -waves.size } else { waves.size }) as f32;
    }
    embeddings.token_type_embeddings.weight = waves.parameter(segments);
    let attention = &mut layer.attention.self_attention;
    let (mut query, mut key) = (numbers(&attention.query.weight), numbers(&attention.key.weight));
    // A score is divided by the root of the head's size; one row of a head reads the segment, the others the words.
    let wanted = TWIN_SCORE * (head_size as f64).sqrt();
    let weights = (head_size - 1) * (width - column - 1);
    let by_word = ((wanted / weights.max(1) as f64).sqrt() / architecture.initializer_range) as f32;
    let by_segment = (wanted.sqrt() / AMPLITUDE) as f32;
    let rows = query.chunks_exact_mut(width).zip(key.chunks_exact_mut(width)).take(waves.heads.div_ceil(2) * head_size);
    for (place, (query, key)) in rows.enumerate() {
        let reads_words = !place.is_multiple_of(head_size);
        for (at, (query, key)) in query.iter_mut().zip(&mut *key).enumerate() {
            *key = if reads_words && at > column { *key * by_word } else { 0.0 };
            *query = *key;
        }
        if !reads_words {
            (query[column], key[column]) = (-by_segment, by_segment);
        }
    }
    attention.query.weight = waves.parameter(query);
    attention.key.weight = waves.parameter(key);
}

fn numbers(parameter: &Param<Tensor<2>>) -> Vec<f32> {
    parameter.to_data().iter::<f32>().collect()
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

    fn architecture(hidden: usize, heads: usize) -> BertConfig {
        BertConfig::from_value(json!({
            "model_type": "bert", "vocab_size": 50, "hidden_size": hidden, "num_hidden_layers": 2,
            "num_attention_heads": heads, "intermediate_size": 8, "hidden_act": "gelu", "max_position_embeddings": 24,
            "type_vocab_size": 2, "layer_norm_eps": 1e-12, "initializer_range": 0.05, "pad_token_id": 0,
        }))
        .unwrap()
    }

    /// A model whose random weights are not Burn's, whose seed all tests share: uniform ones of the same deviation.
    fn model(architecture: &BertConfig) -> BertForMaskedLM {
        let (hidden, device) = (architecture.hidden_size, Device::flex());
        let mut model = BertForMaskedLM::new(architecture, &device);
        let mut numbers = StdRng::seed_from_u64(1);
        let mut draw = |rows: usize| {
            let values: Vec<f32> = (0..rows * hidden).map(|_| numbers.random_range(-0.087..0.087)).collect();
            Param::from_data(TensorData::new(values, [rows, hidden]), &device)
        };
        model.bert.embeddings.word_embeddings.weight = draw(50);
        model.bert.embeddings.token_type_embeddings.weight = Param::from_tensor(Tensor::zeros([2, hidden], &device));
        model.bert.encoder.layer[1].attention.self_attention.key.weight = draw(hidden);
        look_at_neighbours(&mut model, architecture);
        model
    }

    /// Where each head of a layer looks from each token, `[heads][seq]`, if the embeddings are its input; 24 tokens.
    fn looks(model: &BertForMaskedLM, layer: usize, heads: usize, ids: &[i32], types: &[i32]) -> Vec<usize> {
        let (length, device) = (ids.len(), Device::flex());
        let put = |ids: &[i32]| Tensor::<1, Int>::from_data(ids, &device).reshape([1, length]);
        let embeddings = &model.bert.embeddings;
        let rows = |x: Tensor<3>| x.squeeze_dim::<2>(0);
        let x = rows(embeddings.word_embeddings.forward(put(ids)))
            + rows(embeddings.token_type_embeddings.forward(put(types)))
            + embeddings.position_embeddings.weight.val();
        let x = embeddings.layer_norm.forward(x);
        let attention = &model.bert.encoder.layer[layer].attention.self_attention;
        let split = |x: Tensor<2>| x.reshape([length as i32, heads as i32, -1]).swap_dims(0, 1);
        let (query, key) = (split(attention.query.forward(x.clone())), split(attention.key.forward(x)));
        let scores = query.matmul(key.transpose()).to_data().iter::<f32>().collect::<Vec<_>>();
        let best = |row: &[f32]| (0..length).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap();
        scores.chunks_exact(length).map(best).collect()
    }

    #[test]
    fn each_head_of_the_first_layer_looks_at_its_neighbour() {
        assert_eq!([0, 1, 2, 3].map(offset), [-1.0, 1.0, -2.0, 2.0]);
        let ids: Vec<i32> = (0..24).map(|k| (k * 17) % 50).collect();
        for (hidden, heads) in [(128, 4), (64, 2), (256, 8)] {
            let model = model(&architecture(hidden, heads));
            for (place, best) in looks(&model, 0, heads, &ids, &[0; 24]).into_iter().enumerate() {
                let to = (place % 24) as f64 + offset(place / 24);
                assert!(best as f64 == to || !(0.0..24.0).contains(&to), "{hidden} {heads} {place}: {best}");
            }
        }
    }

    #[test]
    fn the_second_layer_looks_for_the_same_token_in_the_other_text() {
        // Twelve tokens, and the same ones in another order.
        let ids: Vec<i32> = (0..12).chain((0..12).map(|k| (k * 5) % 12)).collect();
        let types: Vec<i32> = (0..24).map(|k| k / 12).collect();
        for (hidden, heads) in [(128, 4), (64, 2), (256, 8)] {
            let architecture = architecture(hidden, heads);
            let mut model = model(&architecture);
            look_for_twins(&mut model, &architecture);
            let looks = looks(&model, 1, heads, &ids, &types);
            for (place, best) in looks.into_iter().take(heads.div_ceil(2) * 24).enumerate() {
                let place = place % 24;
                assert!(ids[best] == ids[place] && types[best] != types[place], "{hidden} {heads} {place}: {best}");
            }
        }
    }
}
