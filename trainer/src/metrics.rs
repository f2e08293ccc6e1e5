//! The metrics of GLUE.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::data::Label;

/// A figure of merit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Metric {
    /// Fraction of right predictions.
    Accuracy,
    /// Harmonic mean of precision and recall of class 1.
    F1,
    /// Matthews correlation coefficient; for more than two classes its generalization R_K (Gorodkin, 2004).
    Matthews,
    /// Rank correlation, ties at their mean rank.
    Spearman,
    /// Linear correlation.
    Pearson,
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Accuracy => "accuracy",
            Self::F1 => "F1",
            Self::Matthews => "Matthews",
            Self::Spearman => "Spearman",
            Self::Pearson => "Pearson",
        })
    }
}

/// The figures of one evaluation; the main one first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// Number of examples.
    pub examples: usize,
    /// Figures, main metric first.
    pub values: Vec<(Metric, f64)>,
}

impl Scores {
    /// The main metric's value; −∞ if it is not a number, so that a broken model is never the best.
    pub fn main_value(&self) -> f64 {
        self.values.first().map(|(_, value)| *value).filter(|value| !value.is_nan()).unwrap_or(f64::NEG_INFINITY)
    }

    /// The value of a metric, if it was computed.
    pub fn get(&self, metric: Metric) -> Option<f64> {
        self.values.iter().find(|(m, _)| *m == metric).map(|(_, value)| *value)
    }
}

impl fmt::Display for Scores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (metric, value)) in self.values.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{metric} {value:.4}")?;
            if *metric == Metric::Accuracy {
                let (low, high) = wilson(value * self.examples as f64, self.examples as f64);
                write!(f, " [{low:.3}, {high:.3}]")?;
            }
        }
        Ok(())
    }
}

/// The 95 % interval of a proportion (Wilson, 1927).
pub fn wilson(right: f64, n: f64) -> (f64, f64) {
    const Z: f64 = 1.959_963_984_540_054;
    if n == 0.0 {
        return (0.0, 1.0);
    }
    let p = right / n;
    let center = p + Z * Z / (2.0 * n);
    let half = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + Z * Z / n;
    (((center - half) / scale).max(0.0), ((center + half) / scale).min(1.0))
}

/// Scores of logits against labels. The first of several equal logits wins; NaN never does.
pub fn score(main: Metric, logits: &[Vec<f32>], labels: &[Label]) -> Scores {
    let scores: Vec<(f64, f64)> = logits
        .iter()
        .zip(labels)
        .filter_map(|(row, label)| match label {
            Label::Score(score) => Some((f64::from(row[0]), f64::from(*score))),
            Label::Class(_) => None,
        })
        .collect();
    let values = if scores.is_empty() {
        let gold: Vec<usize> = labels.iter().filter_map(|l| if let Label::Class(c) = l { Some(*c) } else { None }).collect();
        let predicted: Vec<usize> = logits.iter().map(|row| argmax(row)).collect();
        let classes = logits.first().map_or(0, Vec::len);
        let mut wanted = vec![main, Metric::Accuracy];
        if classes == 2 {
            wanted.extend([Metric::F1, Metric::Matthews]);
        }
        let mut values: Vec<(Metric, f64)> = Vec::new();
        for metric in wanted {
            if !values.iter().any(|(m, _)| *m == metric) {
                values.push((metric, of_classes(metric, &predicted, &gold)));
            }
        }
        values
    } else {
        let (x, y): (Vec<f64>, Vec<f64>) = scores.into_iter().unzip();
        let mut values = vec![(Metric::Spearman, spearman(&x, &y)), (Metric::Pearson, pearson(&x, &y))];
        values.sort_by_key(|(metric, _)| *metric != main);
        values
    };
    Scores { examples: labels.len(), values }
}

fn of_classes(metric: Metric, predicted: &[usize], gold: &[usize]) -> f64 {
    match metric {
        Metric::F1 => f1(predicted, gold),
        Metric::Matthews => matthews(predicted, gold),
        _ => accuracy(predicted, gold),
    }
}

fn argmax(row: &[f32]) -> usize {
    let mut best = 0;
    for (index, value) in row.iter().enumerate() {
        if *value > row[best] || row[best].is_nan() {
            best = index;
        }
    }
    best
}

/// Mean cross-entropy or mean squared error in f64.
pub fn mean_loss(logits: &[Vec<f32>], labels: &[Label]) -> f64 {
    let loss = |(row, label): (&Vec<f32>, &Label)| match label {
        Label::Score(score) => f64::from(row[0] - score).powi(2),
        Label::Class(class) => {
            let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let sum: f64 = row.iter().map(|&x| f64::from(x - top).exp()).sum();
            sum.ln() - f64::from(row[*class] - top)
        }
    };
    logits.iter().zip(labels).map(loss).sum::<f64>() / labels.len() as f64
}

/// Fraction of right predictions.
pub fn accuracy(predicted: &[usize], gold: &[usize]) -> f64 {
    let right = predicted.iter().zip(gold).filter(|(p, g)| p == g).count();
    right as f64 / gold.len() as f64
}

/// F1 of class 1; 0 if it is neither predicted nor there.
pub fn f1(predicted: &[usize], gold: &[usize]) -> f64 {
    let count = |test: fn(usize, usize) -> bool| predicted.iter().zip(gold).filter(|(p, g)| test(**p, **g)).count() as f64;
    let hits = count(|p, g| p == 1 && g == 1);
    let misses = count(|p, g| (p == 1) != (g == 1));
    if hits == 0.0 { 0.0 } else { 2.0 * hits / (2.0 * hits + misses) }
}

/// Matthews correlation; 0 if predictions or labels are constant.
pub fn matthews(predicted: &[usize], gold: &[usize]) -> f64 {
    let classes = predicted.iter().chain(gold).max().map_or(0, |top| top + 1);
    let n = gold.len() as f64;
    let right = accuracy(predicted, gold) * n;
    let (mut both, mut squares_p, mut squares_g) = (0.0, 0.0, 0.0);
    for class in 0..classes {
        let p = predicted.iter().filter(|&&x| x == class).count() as f64;
        let g = gold.iter().filter(|&&x| x == class).count() as f64;
        both += p * g;
        squares_p += p * p;
        squares_g += g * g;
    }
    let denominator = ((n * n - squares_p) * (n * n - squares_g)).sqrt();
    if denominator == 0.0 { 0.0 } else { (right * n - both) / denominator }
}

/// Linear correlation; NaN if either side is constant or has a NaN.
pub fn pearson(x: &[f64], y: &[f64]) -> f64 {
    let n = x.len() as f64;
    let (mean_x, mean_y) = (x.iter().sum::<f64>() / n, y.iter().sum::<f64>() / n);
    let (mut xy, mut xx, mut yy) = (0.0, 0.0, 0.0);
    for (a, b) in x.iter().zip(y) {
        let (dx, dy) = (a - mean_x, b - mean_y);
        xy += dx * dy;
        xx += dx * dx;
        yy += dy * dy;
    }
    xy / (xx * yy).sqrt()
}

/// Rank correlation: [`pearson`] of the ranks.
pub fn spearman(x: &[f64], y: &[f64]) -> f64 {
    if x.iter().chain(y).any(|value| value.is_nan()) {
        return f64::NAN;
    }
    pearson(&ranks(x), &ranks(y))
}

fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut first = 0;
    for tie in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let mean = first as f64 + (tie.len() as f64 + 1.0) / 2.0;
        tie.iter().for_each(|&index| ranks[index] = mean);
        first += tie.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    // import numpy as np; from sklearn.metrics import *; from scipy.stats import *
    // p = np.array([0,1,1,0,1,1,0,1,0,1]); g = np.array([0,1,0,0,1,1,1,1,0,0])
    // f1_score(g, p), matthews_corrcoef(g, p)
    // p3 = np.array([0,1,2,2,1,0,2,1,0,0]); g3 = np.array([0,2,2,1,1,0,2,0,0,1]); matthews_corrcoef(g3, p3)
    // x = np.array([1,2,2,3,5,4,4.5]); y = np.array([.1,.4,.35,.4,.9,.2,.8]); spearmanr(x, y)[0], pearsonr(x, y)[0]
    const P: [usize; 10] = [0, 1, 1, 0, 1, 1, 0, 1, 0, 1];
    const G: [usize; 10] = [0, 1, 0, 0, 1, 1, 1, 1, 0, 0];

    #[test]
    fn agree_with_scikit_learn_and_scipy() {
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} {b}");
        close(accuracy(&P, &G), 0.7);
        close(f1(&P, &G), 0.727_272_727_272_727_3);
        close(matthews(&P, &G), 0.408_248_290_463_863);
        let (p3, g3) = ([0, 1, 2, 2, 1, 0, 2, 1, 0, 0], [0, 2, 2, 1, 1, 0, 2, 0, 0, 1]);
        close(matthews(&p3, &g3), 0.393_939_393_939_393_95);
        let x = [1.0, 2.0, 2.0, 3.0, 5.0, 4.0, 4.5];
        let y = [0.1, 0.4, 0.35, 0.4, 0.9, 0.2, 0.8];
        close(spearman(&x, &y), 0.754_545_454_545_454_5);
        close(pearson(&x, &y), 0.768_817_976_559_524_1);
    }

    #[test]
    fn edges() {
        assert_eq!(matthews(&[1, 1, 1], &[1, 0, 1]), 0.0);
        assert_eq!(f1(&[0, 0], &[1, 0]), 0.0);
        assert!(spearman(&[1.0, 1.0], &[1.0, 2.0]).is_nan());
        assert!(spearman(&[1.0, f64::NAN], &[1.0, 2.0]).is_nan());
        let scores = score(Metric::Spearman, &[vec![1.0], vec![1.0]], &[Label::Score(1.0), Label::Score(2.0)]);
        assert_eq!(scores.main_value(), f64::NEG_INFINITY);
        // statsmodels.stats.proportion.proportion_confint(350, 408, method='wilson')
        let (low, high) = wilson(350.0, 408.0);
        assert!((low - 0.820_614_114_613_8).abs() < 1e-12 && (high - 0.888_396_582_939_9).abs() < 1e-12, "{low} {high}");
    }

    #[test]
    fn the_main_metric_comes_first() {
        let logits = [vec![0.1, 0.9], vec![0.8, 0.2], vec![f32::NAN, 0.0]];
        let labels = [Label::Class(1), Label::Class(1), Label::Class(1)];
        let scores = score(Metric::F1, &logits, &labels);
        assert_eq!(scores.values[0], (Metric::F1, 0.8));
        assert_eq!(scores.get(Metric::Accuracy), Some(2.0 / 3.0));
        assert!((mean_loss(&logits[..1], &labels[..1]) - (1.0 + (-0.8f64).exp()).ln()).abs() < 1e-6);
    }
}
