//! `reviews`: 1,600 short English opinions on 32 subjects, part of the program (`assets/reviews` has a data card).

use std::path::Path;

use super::own::{Columns, from_rows};
use super::table::{Short, tsv};
use super::{DataError, Dataset};
use crate::metrics::Metric;

const TRAIN: &str = include_str!("../../assets/reviews/train.tsv");
const DEV: &str = include_str!("../../assets/reviews/dev.tsv");

/// Training and dev texts, labelled `negative` or `positive`.
///
/// # Errors
/// Never with the files that the program was built with.
pub fn load() -> Result<Dataset, DataError> {
    let columns = Columns { text: "text".into(), pair: None, label: "label".into(), regression: false };
    let rows = |name: &str, text: &str| {
        let path = Path::new("reviews").join(name);
        let (rows, _) = tsv(&path, text, None, &["text", "label"], Short::Refuse)?;
        Ok::<_, DataError>((path, rows))
    };
    let (path, train) = rows("train.tsv", TRAIN)?;
    let (train, labels) = from_rows(&path, train, &columns, None)?;
    let (path, dev) = rows("dev.tsv", DEV)?;
    let (dev, _) = from_rows(&path, dev, &columns, Some(&labels))?;
    Ok(Dataset { name: "reviews".into(), labels, metric: Metric::Accuracy, train, dev, notes: Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet, HashMap};

    /// Text, label, subject, kind.
    fn rows(text: &'static str) -> Vec<[&'static str; 4]> {
        let fields = |line: &'static str| line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        assert_eq!(text.lines().next(), Some("text\tlabel\tsubject\tkind"));
        text.lines().skip(1).map(fields).collect()
    }

    fn words(text: &str) -> Vec<String> {
        let lower = text.to_lowercase();
        lower.split(|c: char| !c.is_alphanumeric() && c != '\'').filter(|w| !w.is_empty()).map(str::to_owned).collect()
    }

    #[test]
    fn both_parts_are_balanced_over_labels_and_subjects() {
        for (text, size) in [(TRAIN, 1200), (DEV, 400)] {
            let rows = rows(text);
            assert_eq!(rows.len(), size);
            assert_eq!(rows.iter().filter(|row| row[1] == "positive").count(), size / 2);
            let mut subjects: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
            let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
            for [text, label, subject, kind] in &rows {
                subjects.entry(subject).or_default()[usize::from(*label == "positive")] += 1;
                *kinds.entry(kind).or_default() += 1;
                let count = text.split_whitespace().count();
                assert!((4..=40).contains(&count) && text.is_ascii() && text.trim() == *text, "{text}");
            }
            assert_eq!(subjects.len(), 32);
            assert!(subjects.values().all(|[negative, positive]| negative == positive), "{subjects:?}");
            assert_eq!(kinds.keys().copied().collect::<Vec<_>>(), ["ironic", "mixed", "negated", "plain"]);
            assert!(kinds.values().all(|&count| count * 10 > size), "{kinds:?}");
        }
        let data = load().unwrap();
        assert_eq!((data.train.len(), data.dev.len(), data.labels.outputs()), (1200, 400, 2));
    }

    #[test]
    fn no_text_repeats_another() {
        let all: Vec<Vec<String>> = [TRAIN, DEV].into_iter().flat_map(rows).map(|row| words(row[0])).collect();
        let mut runs: HashMap<&[String], usize> = HashMap::new();
        for (text, words) in all.iter().enumerate() {
            for run in words.windows(8) {
                let other = *runs.entry(run).or_insert(text);
                assert_eq!(other, text, "{run:?} stands in two texts");
            }
        }
        // Near-duplicates: more than half of the words of one in another.
        let sets: Vec<BTreeSet<&String>> = all.iter().map(|words| words.iter().collect()).collect();
        for (k, a) in sets.iter().enumerate() {
            for b in &sets[..k] {
                let (common, union) = (a.intersection(b).count(), a.union(b).count());
                assert!(2 * common < union || union < 6, "{a:?}\n{b:?}");
            }
        }
    }
}
