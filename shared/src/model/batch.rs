//! A padded batch of token ids on a device.

use burn::tensor::{Device, Int, Tensor, TensorData};

/// Token ids, segments and attention mask, padded to one length.
#[derive(Debug, Clone)]
pub struct Batch {
    /// `[batch, seq]` token ids.
    pub ids: Tensor<2, Int>,
    /// `[batch, seq]` segment ids.
    pub type_ids: Tensor<2, Int>,
    /// `[batch, seq]`: 1 where there is a token, 0 where there is padding.
    pub mask: Tensor<2>,
}

impl Batch {
    /// Pads sequences of `(token ids, segment ids)` to `length`, or to the longest if that is longer.
    ///
    /// `pad` is the id of `[PAD]`; padding is masked, so its choice changes nothing.
    pub fn new(sequences: &[(&[u32], &[u32])], pad: u32, length: usize, device: &Device) -> Self {
        let seq = sequences.iter().map(|(ids, _)| ids.len()).max().unwrap_or(1).max(length).max(1);
        let shape = [sequences.len(), seq];
        let mut ids = vec![pad as i32; sequences.len() * seq];
        let mut type_ids = vec![0i32; ids.len()];
        let mut mask = vec![0f32; ids.len()];
        for (row, (tokens, types)) in sequences.iter().enumerate() {
            for (column, (&token, &kind)) in tokens.iter().zip(types.iter()).enumerate() {
                ids[row * seq + column] = token as i32;
                type_ids[row * seq + column] = kind as i32;
                mask[row * seq + column] = 1.0;
            }
        }
        Self {
            ids: Tensor::from_data(TensorData::new(ids, shape), device),
            type_ids: Tensor::from_data(TensorData::new(type_ids, shape), device),
            mask: Tensor::from_data(TensorData::new(mask, shape), device),
        }
    }

    /// `[batch, 1, 1, seq]`: 0 for tokens, −10⁴ for padding, to be added to attention scores.
    ///
    /// e^−10⁴ is exactly 0 in f32, and −10⁴ is representable in f16 too.
    pub fn mask_bias(&self) -> Tensor<4> {
        let [batch, seq] = self.mask.dims();
        ((self.mask.clone() - 1.0) * 1e4).reshape([batch, 1, 1, seq])
    }
}
