//! Two texts in one window, for the tasks that compare two: a passage, and the same passage with runs of its words
//! replaced by what follows later in the article. The model learns which words of the second text occur in the first, and
//! which share of them does.
//!
//! Like BERT's next-sentence prediction (Devlin et al., NAACL 2019, §3.1) it trains the pooler and the segments from
//! text alone; but what is asked has degrees, and words of the one text must be looked up in the other.

use std::ops::Range;

use rand::RngExt;
use rand::rngs::StdRng;

/// Words that are kept or replaced together, at most.
const RUN: usize = 6;

/// `[CLS] first [SEP] second [SEP]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    /// Token ids.
    pub ids: Vec<u32>,
    /// Segment ids: 0, then 1.
    pub types: Vec<u32>,
    /// The second text's tokens.
    pub second: Range<usize>,
    /// Whether each of them occurs in the first text.
    pub occurs: Vec<bool>,
}

impl Pair {
    /// Makes a pair of a window `[CLS] … [SEP]`, whose words lie in `words`; not longer than the window.
    ///
    /// `None` if the window has fewer than two words in each half.
    pub fn of(window: &[u32], words: &[Range<usize>], rng: &mut StdRng) -> Option<Self> {
        let (cls, sep) = (*window.first()?, *window.last()?);
        let room = window.len().checked_sub(3)?;
        let halves = words.iter().take_while(|word| word.end <= 1 + room / 2).count();
        let (first, later) = words.split_at(halves);
        let both = first.len().min(later.len());
        if both < 2 {
            return None;
        }
        let mut ids = vec![cls];
        ids.extend(first.iter().flat_map(|word| &window[word.clone()]));
        ids.push(sep);
        let start = ids.len();
        // Texts of tasks differ in length, too.
        let length = rng.random_range(both.div_ceil(3)..=both);
        let from = rng.random_range(0..=both - length);
        let keep: f64 = rng.random();
        let mut at = from;
        while at < from + length {
            let run = at..(at + rng.random_range(1..=RUN)).min(from + length);
            at = run.end;
            let source = if rng.random::<f64>() < keep { first } else { later };
            let tokens: Vec<u32> = source[run].iter().flat_map(|word| &window[word.clone()]).copied().collect();
            if ids.len() + tokens.len() >= window.len() {
                break;
            }
            ids.extend(tokens);
        }
        let second = start..ids.len();
        let occurs = ids[second.clone()].iter().map(|id| ids[1..start].contains(id)).collect();
        ids.push(sep);
        let types = (0..ids.len()).map(|place| u32::from(place >= start)).collect();
        Some(Self { ids, types, second, occurs })
    }

    /// Share of the second text's tokens that occur in the first.
    pub fn share(&self) -> f32 {
        self.occurs.iter().filter(|&&occurs| occurs).count() as f32 / self.occurs.len().max(1) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn the_second_text_is_of_the_first_as_far_as_it_says() {
        // Tokens tell their place, so that it is seen where each comes from; a word in three has two of them.
        let window: Vec<u32> = (100..228).collect();
        let mut words: Vec<Range<usize>> = Vec::new();
        while words.last().map_or(1, |word| word.end) < 127 {
            let start = words.last().map_or(1, |word| word.end);
            words.push(start..(start + 1 + usize::from(words.len().is_multiple_of(3))).min(127));
        }
        let mut shares = Vec::new();
        for seed in 0..300 {
            let pair = Pair::of(&window, &words, &mut StdRng::seed_from_u64(seed)).unwrap();
            assert!(pair.ids.len() <= 128 && pair.ids.len() == pair.types.len());
            let cut = pair.ids.iter().position(|&id| id == 227).unwrap();
            let (first, second) = (&pair.ids[1..cut], &pair.ids[cut + 1..pair.ids.len() - 1]);
            assert_eq!(first, &window[1..=first.len()]);
            assert_eq!((pair.ids[0], pair.ids.last()), (100, Some(&227)));
            assert!(pair.types.iter().enumerate().all(|(place, &kind)| kind == u32::from(place > cut)));
            assert_eq!(&pair.ids[pair.second.clone()], second);
            let of_first = second.iter().filter(|id| first.contains(id)).count();
            assert_eq!(pair.share(), of_first as f32 / second.len() as f32);
            assert!(second.len() >= first.len() / 4, "{} of {}", second.len(), first.len());
            shares.push(pair.share());
        }
        // Uniform, but for the length of runs: every quarter has its part.
        for quarter in 0..4 {
            let low = quarter as f32 / 4.0;
            let count = shares.iter().filter(|&&share| share >= low && share <= low + 0.25).count();
            assert!(count > 30, "{count} of 300 from {low}");
        }
    }

    #[test]
    fn a_window_of_one_word_makes_no_pair() {
        let window: Vec<u32> = (0..32).collect();
        assert_eq!(Pair::of(&window, std::slice::from_ref(&(1..31)), &mut StdRng::seed_from_u64(1)), None);
        assert_eq!(Pair::of(&[2, 3], &[], &mut StdRng::seed_from_u64(1)), None);
    }
}
