//! `overfold inspect`: a checkpoint's matrices, or one of them as a chain.

use std::path::Path;

use overfold::checkpoint::{Folder, Weights};
use overfold::model::names::Group;
use overfold::mpo::{Mpo, Shape, Truncation, decompose, entropy};
use plotters::prelude::*;
use serde_json::json;

use crate::cli::InspectArgs;
use crate::error::Error;
use crate::hub;

pub(super) fn run(args: InspectArgs) -> Result<(), Error> {
    let folder = hub::open(&args.model)?;
    let weights = folder.weights()?;
    match &args.matrix {
        Some(name) => one(&args, &weights, name),
        None => all(&args, &folder, &weights),
    }
}

/// A line for each matrix of the groups.
fn all(args: &InspectArgs, folder: &Folder, weights: &Weights) -> Result<(), Error> {
    let names = weights.canonical_names();
    let mut lines = Vec::new();
    let (mut dense, mut unfolded) = (0, 0);
    for layer in 0..folder.config.num_hidden_layers {
        for group in Group::ALL {
            let name = group.weight(layer);
            let Some(dims) = names.get(&name).and_then(|name| weights.shape(name)) else { continue };
            let shape = paper(args, dims[0], dims[1])?;
            (dense, unfolded) = (dense + dims[0] * dims[1], unfolded + shape.parameters());
            lines.push((name, group, dims.to_vec(), shape));
        }
    }
    let total: usize =
        weights.names().filter_map(|name| weights.shape(name)).map(|dims| dims.iter().product::<usize>()).sum();
    if args.json {
        let matrices: Vec<_> = lines
            .iter()
            .map(|(name, group, dims, shape)| {
                json!({"name": name, "group": group, "rows": dims[0], "cols": dims[1], "shape": shape, "bonds": shape.bonds(),
                    "parameters": shape.parameters()})
            })
            .collect();
        println!("{}", json!({"tensors": total, "cores": args.cores, "matrices": matrices}));
        return Ok(());
    }
    println!("{:<52} {:<17} {:>11} {:>10} {:>6}  shape", "matrix", "group", "size", "unfolded", "bond");
    for (name, group, dims, shape) in &lines {
        let bond = shape.bonds().into_iter().max().unwrap_or(1);
        println!(
            "{name:<52} {:<17} {:>11} {:>9.2}x {bond:>6}  {shape}",
            group.to_string(),
            format!("{}x{}", dims[0], dims[1]),
            shape.parameters() as f64 / (dims[0] * dims[1]) as f64,
        );
    }
    println!(
        "\n{} matrices hold {:.2}M of {:.2}M parameters; with {} cores each they would be trained as {:.2}M.",
        lines.len(),
        dense as f64 / 1e6,
        total as f64 / 1e6,
        args.cores,
        unfolded as f64 / 1e6
    );
    Ok(())
}

fn paper(args: &InspectArgs, rows: usize, cols: usize) -> Result<Shape, Error> {
    let wrap = |source| Error::Shape { flag: format!("--cores {}", args.cores), source };
    match &args.shape {
        Some(shape) => shape
            .check(rows, cols)
            .map(|()| shape.clone())
            .map_err(|source| Error::Shape { flag: "--shape".into(), source }),
        None => Shape::paper(rows, cols, args.cores).map_err(wrap),
    }
}

/// One matrix: shape, bonds, spectrum, exactness, and what truncation would cost.
fn one(args: &InspectArgs, weights: &Weights, wanted: &str) -> Result<(), Error> {
    let names = weights.canonical_names();
    let prefixed = format!("bert.{wanted}");
    let found = [wanted, &prefixed].into_iter().find_map(|name| names.get(name));
    let Some(name) = found.filter(|name| weights.shape(name).is_some_and(|dims| dims.len() == 2)) else {
        let example = Group::FfnUp.weight(0);
        let reason = format!(
            "`{wanted}` is not a matrix in {}; `overfold inspect` without it lists them, {example} for example",
            weights.path().display()
        );
        return Err(Error::flag("--matrix", reason));
    };
    let dims = weights.shape(name).unwrap_or_default().to_vec();
    let values: Vec<f64> = weights.values(name)?.unwrap_or_default().into_iter().map(f64::from).collect();
    let shape = paper(args, dims[0], dims[1])?;
    let wrap = |source| Error::Shape { flag: name.clone(), source };
    let mpo = decompose(&values, dims[0], dims[1], &shape, args.gauge).map_err(wrap)?;
    let error = relative_error(&values, &mpo.contract());
    let spectra = mpo.spectra();
    let truncations = truncations(&mpo);
    let cost = mpo.contraction_cost();
    if let Some(path) = &args.svg {
        draw(path, name, &spectra).map_err(|e| Error::file(path, e))?;
    }
    if args.json {
        let truncated: Vec<_> = truncations
            .iter()
            .map(|(rank, parameters, bound, error)| json!({"bond": rank, "parameters": parameters, "bound": bound, "error": error}))
            .collect();
        println!(
            "{}",
            json!({"name": name, "rows": dims[0], "cols": dims[1], "shape": shape, "gauge": args.gauge, "bonds": mpo.bonds(),
                "parameters": {"matrix": dims[0] * dims[1], "chain": mpo.parameters(), "surplus": shape.surplus()},
                "relative_error": error, "contraction": {"flops": cost.flops, "peak_bytes": cost.peak_bytes},
                "spectra": spectra, "entropies": spectra.iter().map(|s| entropy(s)).collect::<Vec<_>>(),
                "truncations": truncated})
        );
        return Ok(());
    }
    println!("{name}  {}x{}", dims[0], dims[1]);
    println!("shape        {shape} (order {}, gauge {})", shape.order(), args.gauge);
    println!("bonds        {:?}", mpo.bonds());
    println!(
        "parameters   {} in the chain = {} in the (padded) matrix + {} surplus (sum of squared bonds)",
        mpo.parameters(),
        shape.padded_rows() * shape.padded_cols(),
        shape.surplus()
    );
    println!("lossless     relative error of unfold and fold {error:.1e} in f64");
    println!(
        "contraction  {:.3} GFLOP from the {}, {:.1} MB",
        cost.flops as f64 / 1e9,
        if cost.from_left { "left" } else { "right" },
        cost.peak_bytes as f64 / 1e6
    );
    if let Some((spectrum, rest)) = widest(&spectra) {
        let entropy = entropy(spectrum);
        println!(
            "spectrum     of the widest bond: largest {:.4}, median {:.4}, smallest {:.2e}",
            spectrum[0],
            spectrum[spectrum.len() / 2],
            rest
        );
        println!("entropy      {entropy:.3} of at most {:.3}", (spectrum.len() as f64).ln());
        println!("\n  bond   parameters   of matrix   error    proven bound");
        for (rank, parameters, bound, error) in &truncations {
            println!(
                "{rank:>6} {parameters:>12} {:>10.2}x   {error:.4}   {bound:.4}",
                *parameters as f64 / (dims[0] * dims[1]) as f64
            );
        }
        println!("(relative errors if every bond were cut to that width: compression, which OPF does not do)");
    }
    Ok(())
}

fn widest(spectra: &[Vec<f64>]) -> Option<(&Vec<f64>, f64)> {
    let spectrum = spectra.iter().max_by_key(|spectrum| spectrum.len())?;
    Some((spectrum, *spectrum.last()?))
}

/// Bond, parameters, relative bound and relative error at halved bonds.
fn truncations(mpo: &Mpo) -> Vec<(usize, usize, f64, f64)> {
    let mut rank = mpo.bonds().into_iter().max().unwrap_or(1);
    let mut lines = Vec::new();
    while rank > 1 && lines.len() < 6 {
        rank /= 2;
        let truncated = mpo.truncate(Truncation::Rank(rank));
        let scale = if truncated.norm > 0.0 { truncated.norm } else { 1.0 };
        lines.push((rank, truncated.mpo.parameters(), truncated.bound / scale, truncated.error / scale));
    }
    lines
}

fn relative_error(w: &[f64], other: &[f64]) -> f64 {
    let norm = w.iter().map(|x| x * x).sum::<f64>().sqrt();
    let error = w.iter().zip(other).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
    if norm > 0.0 { error / norm } else { error }
}

/// The spectrum of each distinct bond on a logarithmic scale.
fn draw(path: &Path, name: &str, spectra: &[Vec<f64>]) -> Result<(), Box<dyn std::error::Error>> {
    let mut distinct: Vec<(usize, &Vec<f64>)> = Vec::new();
    for (bond, spectrum) in spectra.iter().enumerate() {
        if distinct.iter().all(|(_, seen)| *seen != spectrum) {
            distinct.push((bond + 1, spectrum));
        }
    }
    let longest = distinct.iter().map(|(_, s)| s.len()).max().unwrap_or(1);
    let largest = distinct.iter().map(|(_, s)| s[0]).fold(f64::MIN_POSITIVE, f64::max);
    // Zeros have no place on a logarithmic scale: they are drawn at its foot.
    let foot = largest * 1e-6;
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, (720, 420)).into_drawing_area();
        area.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&area)
            .caption(format!("Singular values on the bonds of {name}"), ("sans-serif", 16))
            .margin(14)
            .x_label_area_size(38)
            .y_label_area_size(64)
            .build_cartesian_2d(1..longest.max(2), (foot..largest * 1.5).log_scale())?;
        chart
            .configure_mesh()
            .x_desc("index")
            .y_desc("singular value")
            .y_label_formatter(&|y| format!("{y:.0e}"))
            .draw()?;
        for (index, (bond, spectrum)) in distinct.iter().enumerate() {
            let color = Palette99::pick(index).to_rgba();
            let points = spectrum.iter().enumerate().map(|(k, &s)| (k + 1, s.max(foot)));
            chart
                .draw_series(LineSeries::new(points, color.stroke_width(2)))?
                .label(format!("bond {bond}"))
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], color.stroke_width(2)));
        }
        chart.configure_series_labels().border_style(BLACK.mix(0.3)).background_style(WHITE.mix(0.8)).draw()?;
        area.present()?;
    }
    std::fs::write(path, text)?;
    Ok(())
}
