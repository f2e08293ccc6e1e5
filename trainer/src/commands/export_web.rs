//! `overfold export-web`: a fine-tuned model as the page loads it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use burn::tensor::Device;
use overfold::checkpoint::{Folder, Precision, named_tensors, save_model, write_folder};
use overfold::manifest::{self, CHUNK, Evaluation, File, Kind, Made, Manifest, SELF_TEST, VERSION};
use overfold::tokenizer::WordPiece;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::cli::ExportWebArgs;
use crate::data::{self, Columns, Example, Label, Labels, Task};
use crate::encode::EncodedSet;
use crate::error::Error;
use crate::export::{Source, Variant, chunks, training};
use crate::training::{logits, read_model};

pub(super) fn run(args: &ExportWebArgs) -> Result<(), Error> {
    if args.out.exists() {
        return Err(Error::flag("--out", format!("{} exists; choose another folder", args.out.display())));
    }
    let source = match (&args.run, &args.model) {
        (Some(run), _) => Source::run(run)?,
        (None, Some(model)) => Source::model(model)?,
        (None, None) => return Err(Error::flag("--run", "expected the folder of a run, or --model")),
    };
    for note in &source.notes {
        eprintln!("note: {note}");
    }
    let Labels::Classes(labels) = &source.labels else {
        let flag = if args.run.is_some() { "--run" } else { "--model" };
        return Err(Error::flag(flag, "the model gives a number; the page shows models that tell classes"));
    };
    let texts = labelled(args, labels)?;
    write_folder::<Error>(&args.out, |out| {
        let mut stored = Vec::new();
        let mut models = Vec::new();
        for variant in &source.variants {
            if let Some((_, texts)) = &texts {
                stored.push(self_test(&source, variant, texts, args.max_length)?);
            }
            let tensors = named_tensors(&variant.model);
            models.push(variant.describe(chunks::write(&tensors, stem(variant.kind), CHUNK, out)?));
        }
        write_tokenizer(&source.folder, out)?;
        write_json(out, "config.json", &source.folder.config)?;
        if let Some((dataset, texts)) = &texts {
            let texts = texts.iter().map(|example| (example.text.clone(), class(example))).collect();
            write_json(out, manifest::EVALUATION, &Evaluation { dataset: dataset.clone(), texts, logits: stored })?;
        }
        if let Some(run) = &args.run {
            write_json(out, manifest::TRAINING, &training::read(run, &source.rounds)?)?;
        }
        let manifest = Manifest {
            version: VERSION,
            name: args.name.clone(),
            license: args.license.clone(),
            task: source.task.clone(),
            labels: labels.clone(),
            max_length: args.max_length,
            made: Made { overfold: env!("CARGO_PKG_VERSION").into(), flags: source.flags.clone() },
            models,
            files: hashes(out)?,
        };
        write_json(out, manifest::NAME, &manifest)?;
        let bytes: usize = manifest.files.values().map(|file| file.bytes).sum();
        println!("{} models in {} files, {:.1} MB", manifest.models.len(), manifest.files.len(), bytes as f64 / 1e6);
        Ok(())
    })?;
    println!("{} holds what the page loads", args.out.display());
    Ok(())
}

/// Labelled texts of the same classes: given ones, or the reviews that are part of the program.
fn labelled(args: &ExportWebArgs, labels: &[String]) -> Result<Option<(String, Vec<Example>)>, Error> {
    if let (Some(dev), Some(text), Some(label)) = (&args.dev, &args.text, &args.label) {
        let columns = Columns { text: text.clone(), pair: None, label: label.clone(), regression: false };
        let (examples, _) = data::own::load_split(dev, &columns, Some(&Labels::Classes(labels.to_vec())))?;
        let name = dev.file_name().unwrap_or_default().to_string_lossy();
        return Ok(Some((name.into_owned(), examples)));
    }
    let reviews = Task::Reviews.load(None)?;
    if reviews.labels == Labels::Classes(labels.to_vec()) {
        return Ok(Some((reviews.name, reviews.dev)));
    }
    eprintln!(
        "note: no labelled texts of the classes {labels:?}, so the page can neither test itself nor show an accuracy; \
         give some by --dev, --text and --label"
    );
    Ok(None)
}

/// Logits of the first texts by the weights that are exported, which are rounded.
fn self_test(source: &Source, variant: &Variant, texts: &[Example], max_length: usize) -> Result<Vec<Vec<f32>>, Error> {
    let scratch = tempfile::tempdir().map_err(|e| Error::file(&std::env::temp_dir(), e))?;
    let (config, files) = (&source.folder.config, source.folder.files());
    save_model(scratch.path(), &variant.model, config, files, Precision::Half)?;
    let folder = Folder::open(scratch.path())?;
    let device = Device::flex();
    let model = read_model(&folder, &source.labels, &device)?;
    let set = EncodedSet::new(&texts[..texts.len().min(SELF_TEST)], &folder.tokenizer(max_length)?)?;
    Ok(logits(&model, &set, 1, &device))
}

/// The tokenizer as one file, whatever files the folder has.
fn write_tokenizer(folder: &Folder, to: &Path) -> Result<(), Error> {
    let path = to.join("tokenizer.json");
    let text = WordPiece::open_unbound(folder.files())?.to_json()?;
    fs::write(&path, text).map_err(|e| Error::file(&path, e))
}

fn stem(kind: Kind) -> &'static str {
    match kind {
        Kind::Folded => "folded",
        Kind::Plain => "plain",
        Kind::Before => "before",
        Kind::Given => "model",
    }
}

fn class(example: &Example) -> usize {
    match example.label {
        Label::Class(class) => class,
        // Only classes are loaded.
        Label::Score(_) => 0,
    }
}

fn write_json(folder: &Path, name: &str, value: &impl Serialize) -> Result<(), Error> {
    let path = folder.join(name);
    let mut text = serde_json::to_string(value).map_err(|e| Error::file(&path, e))?;
    text.push('\n');
    fs::write(&path, text).map_err(|e| Error::file(&path, e))
}

/// Length and hash of every file in a folder.
fn hashes(folder: &Path) -> Result<BTreeMap<String, File>, Error> {
    let failed = |e| Error::file(folder, e);
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let bytes = fs::read(&path).map_err(|e| Error::file(&path, e))?;
        let sha256 = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        files.insert(name, File { bytes: bytes.len(), sha256 });
    }
    Ok(files)
}
