//! `overfold fold`: an interrupted run's checkpoint as a Hugging Face folder.

use burn::tensor::Device;
use overfold::checkpoint::{Precision, save_model, write_folder};
use overfold::model::BertForSequenceClassification;

use crate::cli::FoldArgs;
use crate::data::Labels;
use crate::error::Error;
use crate::hub;
use crate::report::RunReport;
use crate::resume;

pub(super) fn run(args: &FoldArgs) -> Result<(), Error> {
    if args.out.exists() {
        return Err(Error::flag("--out", format!("{} exists; choose another folder", args.out.display())));
    }
    let report = RunReport::read(&args.run)?;
    let source = hub::open(report.config.model.as_deref().unwrap_or_default())?;
    let mut config = source.config.clone();
    match &report.labels {
        Labels::Classes(classes) => config.set_head(classes),
        Labels::Regression => config.set_head(&[]),
    }
    let device = Device::flex();
    let empty = BertForSequenceClassification::new(&config, report.labels.outputs(), &device);
    // The model is dense at every step: its weights are the contracted chains.
    let (model, step) = resume::load_weights(&args.run, empty, &device)?;
    write_folder::<Error>(&args.out, |folder| {
        Ok(save_model(folder, &model, &config, source.files(), Precision::Single)?)
    })?;
    println!("{} holds the model of step {step}", args.out.display());
    Ok(())
}
