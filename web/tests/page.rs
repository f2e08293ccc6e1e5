//! `index.html` shows, without script, what the code computes.
//!
//! The figures in it are drawn by this test: `OVERFOLD_DRAW=1 cargo test --release -p overfold-web --test page` writes them;
//! without the variable the test compares. Numbers may differ a little, since the last digits of an SVD depend on the machine.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use overfold::manifest::{Evaluation, Manifest};
use overfold_web::protocol::{Drawn, Request};
use overfold_web::session::Session;
use overfold_web::state::{SECTIONS, STEPS};

/// Relative difference of numbers that count as equal; rounding errors themselves may be anything below this.
const TOLERANCE: f64 = 0.02;

/// A figure with what belongs to every figure.
fn markup(figure: &Drawn) -> String {
    let Drawn { id, picture, caption, table, how } = figure;
    format!(
        r#"<!-- figure {id} -->
      <figure id="fig-{id}">
        <div class="picture">{picture}</div>
        <p class="detail"></p>
        <figcaption>{caption}</figcaption>
        <div class="more">
          <details class="numbers"><summary>Show numbers</summary>
            <div class="table" tabindex="0" role="region" aria-label="Numbers of the figure {id}">{table}</div>
            <button type="button" data-copy="csv">Copy as CSV</button>
          </details>
          <details class="how"><summary>How was this computed?</summary><p>{how}</p></details>
          <button type="button" data-copy="svg">Copy picture as SVG</button>
        </div>
      </figure>
      "#
    )
}

fn with_figures(html: &str) -> String {
    let mut session = Session::new().unwrap();
    let reply = session.answer(Request::Open { hash: String::new(), width: 704.0 }).unwrap();
    let mut html = html.to_string();
    for figure in &reply.figures {
        let (begin, end) = (format!("<!-- figure {} -->", figure.id), format!("<!-- /figure {} -->", figure.id));
        let from = html.find(&begin).unwrap_or_else(|| panic!("index.html has no place for {}", figure.id));
        let to = html.find(&end).unwrap_or_else(|| panic!("the place of {} has no end", figure.id));
        html.replace_range(from..to, &markup(figure));
    }
    assert_eq!(html.matches("<figure id=").count(), reply.figures.len());
    html
}

/// Text between numbers, and the numbers.
fn parts(html: &str) -> (Vec<&str>, Vec<f64>) {
    let (mut words, mut numbers) = (Vec::new(), Vec::new());
    let mut rest = html;
    let digit = |c: char| c.is_ascii_digit();
    while let Some(start) = rest.find(digit) {
        let length = rest[start..].find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(rest.len() - start);
        let mut end = start + length;
        if rest[end..].starts_with("e-") && rest[end + 2..].starts_with(digit) {
            end += 2 + rest[end + 2..].find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len() - end - 2);
        }
        words.push(&rest[..start]);
        numbers.push(rest[start..end].trim_end_matches('.').parse().unwrap_or(0.0));
        rest = &rest[end..];
    }
    words.push(rest);
    (words, numbers)
}

#[test]
fn index_html_shows_what_is_computed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../index.html");
    let html = std::fs::read_to_string(&path).unwrap();
    let drawn = with_figures(&html);
    if std::env::var_os("OVERFOLD_DRAW").is_some() {
        std::fs::write(&path, drawn).unwrap();
        return;
    }
    same(&html, &drawn);
}

/// The same words, and nearly the same numbers.
fn same(old: &str, new: &str) {
    let ((words, numbers), (new_words, new_numbers)) = (parts(old), parts(new));
    let advice = "draw the page again: OVERFOLD_DRAW=1 cargo test --release -p overfold-web --test page";
    for (old, new) in words.iter().zip(&new_words) {
        assert_eq!(old, new, "{advice}");
    }
    assert_eq!(words.len(), new_words.len(), "{advice}");
    for (at, (old, new)) in numbers.iter().zip(&new_numbers).enumerate() {
        let is_rounding = |x: &f64| x.abs() < 1e-5;
        let is_close = (old - new).abs() <= TOLERANCE * old.abs().max(new.abs()).max(1.0);
        assert!(
            is_close || (is_rounding(old) && is_rounding(new)),
            "{old} became {new} after {:?}; {advice}",
            words[at]
        );
    }
}

/// Views that the browser test opens, besides the first.
const VIEWS: [&str; 4] = [
    "#v=1&matrix=positions&row=1&cut=40&guess=9&sweep=4&sample=kronecker",
    "#v=1&cut=0&shape=2,4,8_x_8,4,3&sweep=0&sample=whole&kind=diagonal&strength=20&keep=1&seed=7&fold=2",
    "#v=1&chain=4,2,2,4_x_4,3,2,4&bond=2&kind=orthogonal&keep=9&fold=3&rows=1000&cols=77&cores=4&style=balanced",
    "#v=1&cut=64&shape=64_x_96&sweep=1&chain=64_x_96&keep=1&fold=0&rows=384&cols=384&cores=1",
];

#[test]
fn the_browser_test_knows_what_is_computed() {
    let captions = |hash: &str| {
        let mut session = Session::new().unwrap();
        let reply = session.answer(Request::Open { hash: hash.into(), width: 704.0 }).unwrap();
        assert!(reply.notes.is_empty(), "{hash}: {:?}", reply.notes);
        assert_eq!(reply.hash, hash);
        let lines = reply.figures.iter().map(|figure| (figure.id, figure.caption.clone()));
        serde_json::json!({ "hash": hash, "captions": lines.collect::<Vec<_>>() })
    };
    let text = serde_json::to_string_pretty(&VIEWS.map(captions)).unwrap() + "\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/browser/golden.json");
    if std::env::var_os("OVERFOLD_DRAW").is_some() {
        std::fs::write(&path, text).unwrap();
        return;
    }
    same(&std::fs::read_to_string(&path).unwrap(), &text);
}

#[test]
fn addresses_are_relative_and_inner_links_lead_somewhere() {
    let html = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../index.html")).unwrap();
    for attribute in ["href=\"", "src=\""] {
        for (at, _) in html.match_indices(attribute) {
            let rest = &html[at + attribute.len()..];
            let target = &rest[..rest.find('"').unwrap()];
            assert!(!target.starts_with('/') && !target.starts_with("http"), "{target} is not relative");
            if let Some(id) = target.strip_prefix('#') {
                assert!(html.contains(&format!("id=\"{id}\"")), "{target} leads nowhere");
            }
        }
    }
}

/// `page/step.js` begins a step at every section and at every heading that is marked.
#[test]
fn the_lesson_has_as_many_steps_as_the_address_allows() {
    let html = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../index.html")).unwrap();
    assert_eq!(html.matches("<section id=").count() + html.matches("<h3 data-step>").count(), STEPS);
    let sections: Vec<&str> =
        html.split("<section id=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert_eq!(sections, SECTIONS);
}

/// The recorded answers in the hero are those that were stored with the model.
#[test]
fn recorded_answers_are_the_models() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let html = std::fs::read_to_string(root.join("../index.html")).unwrap();
    let read = |name: &str| std::fs::read_to_string(root.join("demo").join(name)).unwrap();
    let evaluation: Evaluation = serde_json::from_str(&read("evaluation.json")).unwrap();
    let labels = serde_json::from_str::<Manifest>(&read("manifest.json")).unwrap().labels;
    let from = html.find(r#"<p id="recorded">"#).unwrap();
    let paragraph = &html[from..from + html[from..].find("</p>").unwrap()];
    let answers: Vec<&str> = paragraph.split("<q>").skip(1).collect();
    assert_eq!(answers.len(), 2);
    for answer in answers {
        let (text, rest) = answer.split_once("</q> – ").unwrap();
        let (label, percent) = rest.split_once(", ").unwrap();
        let percent: f64 = percent.split(' ').next().unwrap().parse().unwrap();
        let index = evaluation.texts.iter().position(|(other, _)| other == text).unwrap();
        let powers: Vec<f64> = evaluation.logits[0][index].iter().map(|&x| f64::from(x).exp()).collect();
        let class = labels.iter().position(|other| other == label).unwrap();
        let wanted = 100.0 * powers[class] / powers.iter().sum::<f64>();
        assert!((wanted - percent).abs() <= 0.051, "{text}: {percent}, not {wanted}");
        let wrong = rest.contains("which is wrong");
        assert_eq!(wrong, evaluation.texts[index].1 != class, "{text}");
    }
}
