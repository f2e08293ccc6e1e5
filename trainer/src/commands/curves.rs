//! `overfold curves`: how the loss of runs fell, as a picture.

use std::path::Path;

use plotters::prelude::*;

use crate::cli::CurvesArgs;
use crate::error::Error;
use crate::log;
use crate::report::replace_file;

/// The losses of one run.
struct Curve {
    name: String,
    /// Millions of tokens if the run pre-trained, else epochs; and the loss.
    points: Vec<(f64, f64)>,
    pretrained: bool,
}

pub(super) fn run(args: &CurvesArgs) -> Result<(), Error> {
    let curves = args.runs.iter().map(|run| read(run, args.training)).collect::<Result<Vec<_>, _>>()?;
    if curves.iter().any(|curve| curve.pretrained != curves[0].pretrained) {
        return Err(Error::flag("RUN", "some runs pre-trained and some fine-tuned; their losses share no axis"));
    }
    let text = draw(&curves, args.training).map_err(|e| Error::file(&args.svg, e.to_string()))?;
    replace_file(&args.svg, &text)?;
    for curve in &curves {
        if let Some((x, loss)) = curve.points.last() {
            let unit = if curve.pretrained { "M tokens" } else { "epochs" };
            println!("{}: loss {loss:.4} after {x:.2} {unit}", curve.name);
        }
    }
    Ok(())
}

fn read(run: &Path, training: bool) -> Result<Curve, Error> {
    let name = run.file_name().unwrap_or(run.as_os_str()).to_string_lossy().into_owned();
    let mut curve = Curve { name, points: Vec::new(), pretrained: false };
    for entry in log::read(run)? {
        if entry["event"] != if training { "step" } else { "evaluation" } || entry["phase"] != "main" {
            continue;
        }
        let found = if entry["holdout"].is_object() { &entry["holdout"] } else { &entry };
        let tokens = found["tokens"].as_f64();
        curve.pretrained = tokens.is_some();
        if let (Some(x), Some(loss)) =
            (tokens.map(|tokens| tokens / 1e6).or(entry["epoch"].as_f64()), found["loss"].as_f64())
        {
            curve.points.push((x, loss));
        }
    }
    if training {
        // Single batches differ too much to be looked at.
        let mean = |points: &[(f64, f64)]| {
            let sum = points.iter().fold((0.0, 0.0), |sum, point| (sum.0 + point.0, sum.1 + point.1));
            (sum.0 / points.len() as f64, sum.1 / points.len() as f64)
        };
        curve.points = curve.points.chunks(curve.points.len().div_ceil(40).max(1)).map(mean).collect();
    }
    if curve.points.is_empty() {
        return Err(Error::file(
            &run.join("log.jsonl"),
            "no loss was measured yet; let the run come to its first evaluation",
        ));
    }
    Ok(curve)
}

fn draw(curves: &[Curve], training: bool) -> Result<String, Box<dyn std::error::Error>> {
    let all = || curves.iter().flat_map(|curve| &curve.points);
    let right = all().map(|(x, _)| *x).fold(f64::MIN_POSITIVE, f64::max);
    let low = all().map(|(_, loss)| *loss).fold(f64::INFINITY, f64::min);
    let high = all().map(|(_, loss)| *loss).fold(f64::NEG_INFINITY, f64::max);
    let margin = ((high - low) * 0.05).max(1e-3);
    let (x, y) = if curves[0].pretrained {
        ("million tokens", "cross-entropy of hidden tokens in nats")
    } else {
        ("epochs", "loss")
    };
    let caption = match (training, curves[0].pretrained) {
        (true, _) => "Loss on what is learned from, before it is",
        (false, true) => "Loss on the hold-out text",
        (false, false) => "Loss on the validation set",
    };
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, (720, 420)).into_drawing_area();
        area.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&area)
            .caption(caption, ("sans-serif", 16))
            .margin(14)
            .x_label_area_size(38)
            .y_label_area_size(56)
            .build_cartesian_2d(0.0..right, low - margin..high + margin)?;
        chart.configure_mesh().x_desc(x).y_desc(y).draw()?;
        for (index, curve) in curves.iter().enumerate() {
            let color = Palette99::pick(index).to_rgba();
            chart
                .draw_series(LineSeries::new(curve.points.iter().copied(), color.stroke_width(2)))?
                .label(curve.name.as_str())
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], color.stroke_width(2)));
        }
        chart.configure_series_labels().border_style(BLACK.mix(0.3)).background_style(WHITE.mix(0.8)).draw()?;
        area.present()?;
    }
    Ok(text)
}
