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
    let curves = args.runs.iter().map(|run| read(run)).collect::<Result<Vec<_>, _>>()?;
    if curves.iter().any(|curve| curve.pretrained != curves[0].pretrained) {
        return Err(Error::flag("RUN", "some runs pre-trained and some fine-tuned; their losses share no axis"));
    }
    let text = draw(&curves).map_err(|e| Error::file(&args.svg, e.to_string()))?;
    replace_file(&args.svg, &text)?;
    for curve in &curves {
        if let Some((x, loss)) = curve.points.last() {
            let unit = if curve.pretrained { "M tokens" } else { "epochs" };
            println!("{}: loss {loss:.4} after {x:.2} {unit}", curve.name);
        }
    }
    Ok(())
}

fn read(run: &Path) -> Result<Curve, Error> {
    let name = run.file_name().unwrap_or(run.as_os_str()).to_string_lossy().into_owned();
    let mut curve = Curve { name, points: Vec::new(), pretrained: false };
    for entry in log::read(run)? {
        if entry["event"] != "evaluation" || entry["phase"] != "main" {
            continue;
        }
        let holdout = &entry["holdout"];
        curve.pretrained = holdout.is_object();
        let point = if curve.pretrained {
            (holdout["tokens"].as_f64().map(|tokens| tokens / 1e6), holdout["loss"].as_f64())
        } else {
            (entry["epoch"].as_f64(), entry["loss"].as_f64())
        };
        if let (Some(x), Some(loss)) = point {
            curve.points.push((x, loss));
        }
    }
    if curve.points.is_empty() {
        return Err(Error::file(
            &run.join("log.jsonl"),
            "no loss was measured yet; let the run come to its first evaluation",
        ));
    }
    Ok(curve)
}

fn draw(curves: &[Curve]) -> Result<String, Box<dyn std::error::Error>> {
    let all = || curves.iter().flat_map(|curve| &curve.points);
    let right = all().map(|(x, _)| *x).fold(f64::MIN_POSITIVE, f64::max);
    let low = all().map(|(_, loss)| *loss).fold(f64::INFINITY, f64::min);
    let high = all().map(|(_, loss)| *loss).fold(f64::NEG_INFINITY, f64::max);
    let margin = ((high - low) * 0.05).max(1e-3);
    let (caption, x, y) = if curves[0].pretrained {
        ("Loss on the hold-out text", "million tokens", "cross-entropy of hidden tokens in nats")
    } else {
        ("Loss on the validation set", "epochs", "loss")
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
