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
    /// Figures, main metric first. One that is not a number is `null` in JSON.
    #[serde(with = "null_for_nan")]
    pub values: Vec<(Metric, f64)>,
}

/// JSON has no NaN: `serde_json` writes `null` for it, but does not read it back as one.
mod null_for_nan {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Metric;

    pub(super) fn serialize<S: Serializer>(values: &[(Metric, f64)], serializer: S) -> Result<S::Ok, S::Error> {
        let values: Vec<_> =
            values.iter().map(|&(metric, value)| (metric, value.is_finite().then_some(value))).collect();
        values.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(Metric, f64)>, D::Error> {
        let values: Vec<(Metric, Option<f64>)> = Vec::deserialize(deserializer)?;
        Ok(values.into_iter().map(|(metric, value)| (metric, value.unwrap_or(f64::NAN))).collect())
    }
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
            if *metric == Metric::Accuracy && value.is_finite() {
                let right = (value * self.examples as f64).round() as usize;
                let (low, high) = wilson(right, self.examples);
                write!(f, " [{low:.3}, {high:.3}]")?;
            }
        }
        Ok(())
    }
}

/// The 95 % interval of a proportion, `right` of `n` (Wilson, 1927); (0, 1) if `n` is 0.
pub fn wilson(right: usize, n: usize) -> (f64, f64) {
    const Z: f64 = 1.959_963_984_540_054;
    if n == 0 {
        return (0.0, 1.0);
    }
    let (right, n) = (right as f64, n as f64);
    let p = right / n;
    let center = p + Z * Z / (2.0 * n);
    let half = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + Z * Z / n;
    (((center - half) / scale).max(0.0), ((center + half) / scale).min(1.0))
}

/// Scores of logits against labels, row by row.
///
/// Classes give `main` and the accuracy, two classes also F1 and Matthews; numbers give Spearman and Pearson. The first
/// of several equal logits wins. Where a logit is NaN every figure is NaN: part of a broken model's answers would look
/// like those of a working one.
pub fn score(main: Metric, logits: &[Vec<f32>], labels: &[Label]) -> Scores {
    debug_assert_eq!(logits.len(), labels.len(), "a row of logits for each label");
    let numbers = matches!(main, Metric::Spearman | Metric::Pearson);
    let mut wanted = vec![main];
    if numbers {
        wanted.extend([Metric::Spearman, Metric::Pearson]);
    } else {
        wanted.push(Metric::Accuracy);
        if logits.first().is_some_and(|row| row.len() == 2) {
            wanted.extend([Metric::F1, Metric::Matthews]);
        }
    }
    // The main one stands first; its second mention goes.
    let mut first = true;
    wanted.retain(|metric| *metric != main || std::mem::take(&mut first));
    let broken = logits.iter().any(|row| row.is_empty() || row.iter().any(|logit| logit.is_nan()));
    let values = if broken {
        wanted.into_iter().map(|metric| (metric, f64::NAN)).collect()
    } else if numbers {
        let predicted: Vec<f64> = logits.iter().map(|row| f64::from(row[0])).collect();
        let gold: Vec<f64> = labels.iter().map(|label| label_number(*label)).collect();
        let of =
            |metric| if metric == Metric::Pearson { pearson(&predicted, &gold) } else { spearman(&predicted, &gold) };
        wanted.into_iter().map(|metric| (metric, of(metric))).collect()
    } else {
        let predicted: Vec<usize> = logits.iter().map(|row| argmax(row)).collect();
        let gold: Vec<usize> =
            labels.iter().filter_map(|l| if let Label::Class(c) = l { Some(*c) } else { None }).collect();
        wanted.into_iter().map(|metric| (metric, of_classes(metric, &predicted, &gold))).collect()
    };
    Scores { examples: labels.len(), values }
}

fn label_number(label: Label) -> f64 {
    match label {
        Label::Score(score) => f64::from(score),
        Label::Class(class) => class as f64,
    }
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
        if *value > row[best] {
            best = index;
        }
    }
    best
}

/// Mean cross-entropy or mean squared error in f64; NaN where a logit is NaN, or there is no example.
pub fn mean_loss(logits: &[Vec<f32>], labels: &[Label]) -> f64 {
    let loss = |(row, label): (&Vec<f32>, &Label)| match label {
        Label::Score(score) => (row.first().map_or(f64::NAN, |&x| f64::from(x)) - f64::from(*score)).powi(2),
        Label::Class(class) => {
            let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let sum: f64 = row.iter().map(|&x| f64::from(x - top).exp()).sum();
            sum.ln() - row.get(*class).map_or(f64::NAN, |x| f64::from(x - top))
        }
    };
    logits.iter().zip(labels).map(loss).sum::<f64>() / labels.len() as f64
}

/// Fraction of right predictions; NaN if there is none.
pub fn accuracy(predicted: &[usize], gold: &[usize]) -> f64 {
    let right = predicted.iter().zip(gold).filter(|(p, g)| p == g).count();
    right as f64 / gold.len() as f64
}

/// F1 of class 1; 0 if it is neither predicted nor there.
pub fn f1(predicted: &[usize], gold: &[usize]) -> f64 {
    let count =
        |test: fn(usize, usize) -> bool| predicted.iter().zip(gold).filter(|(p, g)| test(**p, **g)).count() as f64;
    let hits = count(|p, g| p == 1 && g == 1);
    let misses = count(|p, g| (p == 1) != (g == 1));
    if hits == 0.0 { 0.0 } else { 2.0 * hits / (2.0 * hits + misses) }
}

/// Matthews correlation; 0 if predictions or labels are constant.
pub fn matthews(predicted: &[usize], gold: &[usize]) -> f64 {
    let classes = predicted.iter().chain(gold).max().map_or(0, |top| top + 1);
    let counts = |of: &[usize]| {
        let mut counts = vec![0.0; classes];
        of.iter().for_each(|&class| counts[class] += 1.0);
        counts
    };
    let (p, g): (Vec<f64>, Vec<f64>) = (counts(predicted), counts(gold));
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let n = gold.len() as f64;
    let right = predicted.iter().zip(gold).filter(|(p, g)| p == g).count() as f64;
    // Whole numbers below 2⁵³ each: exactly 0 for what is constant.
    let (spread_p, spread_g) = (n * n - dot(&p, &p), n * n - dot(&g, &g));
    if spread_p == 0.0 || spread_g == 0.0 { 0.0 } else { (right * n - dot(&p, &g)) / (spread_p * spread_g).sqrt() }
}

/// Linear correlation; NaN if either side is constant, has a NaN or an infinity, or there are fewer than two.
pub fn pearson(x: &[f64], y: &[f64]) -> f64 {
    // The rounded mean of equal numbers may differ from them; what is left would correlate.
    let constant = |values: &[f64]| values.windows(2).all(|pair| pair[0] == pair[1]);
    if constant(x) || constant(y) {
        return f64::NAN;
    }
    let n = x.len() as f64;
    let (mean_x, mean_y) = (x.iter().sum::<f64>() / n, y.iter().sum::<f64>() / n);
    let (mut xy, mut xx, mut yy) = (0.0, 0.0, 0.0);
    for (a, b) in x.iter().zip(y) {
        let (dx, dy) = (a - mean_x, b - mean_y);
        xy += dx * dy;
        xx += dx * dx;
        yy += dy * dy;
    }
    // Rounding may leave 1 + 2⁻⁵²; `clamp` keeps NaN.
    (xy / (xx.sqrt() * yy.sqrt())).clamp(-1.0, 1.0)
}

/// Rank correlation: [`pearson`] of the ranks; NaN if either side is constant or has a NaN.
pub fn spearman(x: &[f64], y: &[f64]) -> f64 {
    if x.iter().chain(y).any(|value| value.is_nan()) {
        return f64::NAN;
    }
    pearson(&ranks(x), &ranks(y))
}

/// From 1; equal values get the mean of their ranks.
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

    fn close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-12, "{found}, expected {expected}");
    }

    fn column(n: usize, of: impl Fn(usize) -> usize) -> Vec<usize> {
        (0..n).map(of).collect()
    }

    // scipy 1.17.1, scikit-learn 1.9.1:
    //
    // k = np.arange(200)
    // g, p = k * k % 7 % 2, k * 37 % 11 % 2
    // accuracy_score(g, p), f1_score(g, p), matthews_corrcoef(g, p)
    // g, p = k * k % 7 % 3, (k * k % 7 + (k % 5 == 0)) % 3
    // accuracy_score(g, p), matthews_corrcoef(g, p)
    // x, y = k * 37 % 23 / 10, (k * 37 % 23 + k * 13 % 17) / 7      # 23 and 39 different values: many ties
    // spearmanr(x, y)[0], pearsonr(x, y)[0]
    #[test]
    fn agree_with_scikit_learn_and_scipy() {
        let (g, p) = (column(200, |k| k * k % 7 % 2), column(200, |k| k * 37 % 11 % 2));
        close(accuracy(&p, &g), 0.515);
        close(f1(&p, &g), 0.340_136_054_421_768_7);
        close(matthews(&p, &g), -0.014_471_725_240_633_917);
        let (g, p) = (column(200, |k| k * k % 7 % 3), column(200, |k| (k * k % 7 + usize::from(k % 5 == 0)) % 3));
        close(accuracy(&p, &g), 0.8);
        close(matthews(&p, &g), 0.673_866_083_126_453_7);
        let x: Vec<f64> = (0..200).map(|k| (k * 37 % 23) as f64 / 10.0).collect();
        let y: Vec<f64> = (0..200).map(|k| (k * 37 % 23 + k * 13 % 17) as f64 / 7.0).collect();
        close(spearman(&x, &y), 0.811_120_636_726_429_5);
        close(pearson(&x, &y), 0.809_728_980_899_989);
    }

    // x = [1,2,2,3,5,4,4.5]; y = [.1,.4,.35,.4,.9,.2,.8]; spearmanr(x, y)[0], pearsonr(x, y)[0]
    #[test]
    fn ties_share_their_mean_rank() {
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 0.0, -0.0, 3.0]), [5.0, 3.0, 5.0, 1.5, 1.5, 5.0]);
        let (x, y) = ([1.0, 2.0, 2.0, 3.0, 5.0, 4.0, 4.5], [0.1, 0.4, 0.35, 0.4, 0.9, 0.2, 0.8]);
        close(spearman(&x, &y), 0.754_545_454_545_454_5);
        close(pearson(&x, &y), 0.768_817_976_559_524_1);
    }

    // z, o = np.array([0,1,1,0]), np.ones(4, int)
    // f1_score(z, o), f1_score(z, 0*o), f1_score(0*o, 0*o), matthews_corrcoef(z, o), …(o, z), …(o, o)
    // matthews_corrcoef(z, z), …(z, 1 - z)
    // pearsonr(.1*o, z)[0], spearmanr(o, z)[0] are nan
    #[test]
    fn constant_predictions_and_labels() {
        let (z, o, n) = ([0, 1, 1, 0], [1; 4], [0; 4]);
        close(f1(&o, &z), 2.0 / 3.0);
        assert_eq!([f1(&n, &z), f1(&n, &n)], [0.0, 0.0]);
        assert_eq!([matthews(&o, &z), matthews(&z, &o), matthews(&o, &o)], [0.0; 3]);
        assert_eq!([matthews(&z, &z), matthews(&[1, 0, 0, 1], &z)], [1.0, -1.0]);
        let z = [0.0, 1.0, 1.0, 0.0];
        // 0.1 + 0.1 + 0.1 is not 0.3.
        assert!(
            pearson(&[0.1; 3], &z[..3]).is_nan() && pearson(&z, &[0.1; 4]).is_nan() && spearman(&[1.0; 4], &z).is_nan()
        );
        assert!(pearson(&[], &[]).is_nan() && spearman(&[1.0], &[2.0]).is_nan() && accuracy(&[], &[]).is_nan());
        assert_eq!([f1(&[], &[]), matthews(&[], &[])], [0.0, 0.0]);
        assert!(spearman(&[1.0, f64::NAN], &[1.0, 2.0]).is_nan());
        assert!(pearson(&[0.1, 0.2, 0.3], &[0.3, 0.6, 0.9]) <= 1.0);
    }

    // scipy.stats.binomtest(right, n).proportion_ci(method="wilson")
    #[test]
    fn intervals() {
        for (right, n, low, high) in [
            (350, 408, 0.820_614_114_613_803_7, 0.888_396_582_939_911_4),
            (0, 10, 0.0, 0.277_532_799_862_889_26),
            (10, 10, 0.722_467_200_137_110_7, 1.0),
            (1, 3, 0.061_491_944_720_396_26, 0.792_340_399_197_952_3),
        ] {
            let found = wilson(right, n);
            close(found.0, low);
            close(found.1, high);
        }
        assert_eq!(wilson(0, 0), (0.0, 1.0));
    }

    #[test]
    fn the_main_metric_comes_first_and_once() {
        let logits = [vec![0.1, 0.9], vec![0.8, 0.2], vec![-1.0, 0.0], vec![0.5, 0.5]];
        let labels = [1, 1, 1, 0].map(Label::Class);
        let names =
            |main| score(main, &logits, &labels).values.into_iter().map(|(metric, _)| metric).collect::<Vec<_>>();
        assert_eq!(names(Metric::F1), [Metric::F1, Metric::Accuracy, Metric::Matthews]);
        assert_eq!(names(Metric::Accuracy), [Metric::Accuracy, Metric::F1, Metric::Matthews]);
        assert_eq!(names(Metric::Matthews), [Metric::Matthews, Metric::Accuracy, Metric::F1]);
        let scores = score(Metric::F1, &logits, &labels);
        assert_eq!((scores.values[0].0, scores.main_value(), scores.examples), (Metric::F1, 0.8, 4));
        assert_eq!(scores.get(Metric::Accuracy), Some(0.75));
        assert_eq!(scores.to_string(), "F1 0.8000, accuracy 0.7500 [0.301, 0.954], Matthews 0.5774");
        let three = score(Metric::Accuracy, &[vec![0.0, 1.0, 2.0]], &[Label::Class(2)]);
        assert_eq!(three.values, [(Metric::Accuracy, 1.0)]);
        let numbers = score(Metric::Spearman, &[vec![1.0], vec![3.0], vec![2.0]], &[0.1, 0.2, 0.3].map(Label::Score));
        assert_eq!(numbers.values.iter().map(|v| v.0).collect::<Vec<_>>(), [Metric::Spearman, Metric::Pearson]);
        close(numbers.main_value(), 0.5);
    }

    #[test]
    fn a_model_of_nan_is_never_the_best_and_survives_json() {
        let broken = [vec![f32::NAN, 0.0], vec![0.0, 1.0]];
        for (main, logits) in [
            (Metric::F1, &broken[..]),
            (Metric::Spearman, &[vec![f32::NAN], vec![1.0]]),
            (Metric::Accuracy, &[vec![], vec![]]),
        ] {
            let labels = if main == Metric::Spearman { [0.0, 1.0].map(Label::Score) } else { [0, 1].map(Label::Class) };
            let scores = score(main, logits, &labels);
            assert!(scores.values.iter().all(|(_, value)| value.is_nan()), "{scores}");
            assert_eq!(scores.main_value(), f64::NEG_INFINITY);
            assert!(mean_loss(logits, &labels).is_nan());
            let text = serde_json::to_string(&scores).unwrap();
            let read: Scores = serde_json::from_str(&text).unwrap();
            assert!(read.values[0].0 == main && read.values[0].1.is_nan(), "{text}");
        }
        let fine = score(Metric::Accuracy, &[vec![0.0, 1.0, 0.5]], &[Label::Class(1)]);
        assert_eq!(serde_json::to_string(&fine).unwrap(), r#"{"examples":1,"values":[["accuracy",1.0]]}"#);
    }

    #[test]
    fn losses() {
        close(mean_loss(&[vec![0.25, 0.75]], &[Label::Class(1)]), (1.0 + (-0.5f64).exp()).ln());
        close(mean_loss(&[vec![1.0], vec![-1.0]], &[3.0, -1.5].map(Label::Score)), 2.125);
    }
}
