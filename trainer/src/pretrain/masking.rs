//! Which tokens are hidden: 15 % by whole words, and of these 80 % masked, 10 % replaced at random, 10 % kept
//! (Devlin et al., NAACL 2019, §3.1 and appendix A.1; whole words as in the authors' later release).

use overfold::checkpoint::CheckpointError;
use overfold::tokenizer::{SPECIAL, WordPiece};
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};

/// A window with hidden tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Masked {
    /// Token ids as the model sees them.
    pub ids: Vec<u32>,
    /// Places of the hidden tokens, ascending.
    pub places: Vec<usize>,
    /// The tokens that were there.
    pub targets: Vec<u32>,
}

/// Hides tokens of windows `[CLS] … [SEP]`.
#[derive(Debug, Clone)]
pub struct Masker {
    mask: u32,
    /// Ids that may stand in as random tokens: all but the special ones.
    words: Vec<u32>,
    continues: Vec<bool>,
    share: f64,
}

impl Masker {
    /// Hides `share` of a window's tokens.
    ///
    /// # Errors
    /// [`CheckpointError::Tokenizer`] if the vocabulary has no `[MASK]`.
    pub fn new(tokenizer: &WordPiece, share: f64) -> Result<Self, CheckpointError> {
        let special: Vec<u32> = SPECIAL.into_iter().map(|token| tokenizer.special(token)).collect::<Result<_, _>>()?;
        Ok(Self {
            mask: tokenizer.special("[MASK]")?,
            words: (0..tokenizer.size() as u32).filter(|id| !special.contains(id)).collect(),
            continues: tokenizer.continuations(),
            share,
        })
    }

    /// Most tokens that are hidden in a window of `length`, its two special tokens counted.
    pub fn budget(&self, length: usize) -> usize {
        ((self.share * (length - 2) as f64).round() as usize).max(1)
    }

    /// Hides tokens of a window; `seed` fixes which ones.
    pub fn hide(&self, window: &[u32], seed: u64) -> Masked {
        let mut rng = StdRng::seed_from_u64(seed);
        let budget = self.budget(window.len());
        let mut words = self.words_of(window);
        words.shuffle(&mut rng);
        let mut places = Vec::with_capacity(budget);
        // A word that does not fit any more is passed over for a shorter one.
        for word in words {
            if places.len() + word.len() <= budget {
                places.extend(word);
            }
        }
        places.sort_unstable();
        let mut ids = window.to_vec();
        let targets = places.iter().map(|&place| window[place]).collect();
        for &place in &places {
            let draw: f64 = rng.random();
            if draw < 0.8 {
                ids[place] = self.mask;
            } else if draw < 0.9 {
                ids[place] = self.words[rng.random_range(0..self.words.len())];
            }
        }
        Masked { ids, places, targets }
    }

    /// Ranges of tokens that are one word, between `[CLS]` and `[SEP]`.
    pub fn words_of(&self, window: &[u32]) -> Vec<std::ops::Range<usize>> {
        let mut words: Vec<std::ops::Range<usize>> = Vec::new();
        for (place, &id) in window.iter().enumerate().take(window.len() - 1).skip(1) {
            match words.last_mut() {
                Some(word) if self.continues[id as usize] => word.end = place + 1,
                _ => words.push(place..place + 1),
            }
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ids 5–49 start words, 50–99 continue them.
    fn masker() -> Masker {
        Masker { mask: 4, words: (5..100).collect(), continues: (0..100).map(|id| id >= 50).collect(), share: 0.15 }
    }

    fn window(length: usize) -> Vec<u32> {
        let inner = (0..length as u32 - 2).map(|k| if k % 3 == 2 { 50 + k % 50 } else { 5 + k % 45 });
        [2].into_iter().chain(inner).chain([3]).collect()
    }

    #[test]
    fn hides_whole_words_up_to_the_budget() {
        let (masker, window) = (masker(), window(128));
        for seed in 0..200 {
            let masked = masker.hide(&window, seed);
            assert_eq!(masked.places.len(), masker.budget(128));
            assert_eq!(masked, masker.hide(&window, seed));
            assert!(!masked.places.contains(&0) && !masked.places.contains(&127));
            for (k, &place) in masked.places.iter().enumerate() {
                assert_eq!(masked.targets[k], window[place]);
                let continued = window[place + 1] >= 50;
                assert!(!continued || masked.places.contains(&(place + 1)), "half a word at {place}");
                assert!(window[place] < 50 || masked.places.contains(&(place - 1)), "half a word at {place}");
            }
            let changed = (0..128).filter(|&place| masked.ids[place] != window[place]);
            assert!(changed.into_iter().all(|place| masked.places.contains(&place)));
        }
    }

    #[test]
    fn eighty_ten_ten() {
        let (masker, window) = (masker(), window(128));
        let (mut masked, mut kept, mut all) = (0.0, 0.0, 0.0);
        for seed in 0..2000 {
            let hidden = masker.hide(&window, seed);
            for (&place, &target) in hidden.places.iter().zip(&hidden.targets) {
                all += 1.0;
                masked += f64::from(hidden.ids[place] == 4);
                kept += f64::from(hidden.ids[place] == target);
            }
        }
        // 38,000 draws: a standard deviation is 0.0021 and 0.0015; five of them. One random token in 95 is the old one.
        assert!((masked / all - 0.8).abs() < 0.0105, "{}", masked / all);
        assert!((kept / all - 0.1 - 0.1 / 95.0).abs() < 0.008, "{}", kept / all);
    }

    #[test]
    fn a_tiny_window_hides_one_token() {
        assert_eq!(masker().hide(&[2, 7, 3], 1).places, [1]);
    }
}
