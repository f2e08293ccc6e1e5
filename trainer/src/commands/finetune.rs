//! `overfold finetune`.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use overfold::checkpoint::{Precision, save_model, write_folder};

use super::resumed;
use crate::builtin;
use crate::cli::FinetuneArgs;
use crate::config::{FinetuneConfig, Method};
use crate::data::Task;
use crate::error::Error;
use crate::log::Log;
use crate::report::{self, Results, RunReport};
use crate::resume;
use crate::training::{Job, Outcome, State, train};

/// What suits the model that is part of the program: a small one learns at a higher rate than BERT does, and longer.
const SMALL_RATE: f64 = 1e-3;
const SMALL_EPOCHS: f64 = 6.0;

pub(super) fn run(args: FinetuneArgs, arguments: &[OsString]) -> Result<(), Error> {
    let (config, out) = match (args.resume, args.out) {
        (true, Some(out)) => (resumed_config(&args.config, arguments, &out)?, out),
        (true, None) => return Err(Error::flag("--resume", "which run? Give its folder with --out")),
        (false, out) => {
            let config = with_defaults(args.config, arguments);
            let out = out.unwrap_or_else(|| free_folder(&config));
            resumed::refuse_existing(&out)?;
            (config, out)
        }
    };
    let stop = resumed::stop_flag();
    // Everything that can be wrong with flags, model, data and device shows before the folder is made.
    let job = Job::prepare(config, out)?;
    let (state, mut log) = if args.resume { reopen(&job)? } else { start(&job)? };
    for note in &job.notes {
        eprintln!("note: {note}");
    }
    let plain = if job.config.with_plain { Some(plain_twin(&job, &stop)?) } else { None };
    let results = carry_out(&job, state, &mut log, &stop)?;
    report::print_summary(&job, &results, plain.as_ref());
    Ok(())
}

/// Fills in what was not given. Without model and data, the command shows what it does with those that it brings along,
/// beside plain fine-tuning.
fn with_defaults(mut config: FinetuneConfig, arguments: &[OsString]) -> FinetuneConfig {
    let nothing = config.model.is_none() && config.task.is_none() && config.train.is_none();
    config.with_plain |= nothing && config.method != Method::Plain;
    if config.train.is_none() {
        config.task.get_or_insert(Task::Reviews);
    }
    if config.model.get_or_insert_with(|| builtin::NAME.into()) == builtin::NAME {
        let given = |key| resumed::explicit("finetune", arguments, key);
        if !given("lr") {
            config.lr = SMALL_RATE;
        }
        if !given("epochs") {
            config.epochs = SMALL_EPOCHS;
        }
    }
    config
}

/// `runs/TASK-METHOD`, numbered if it is there.
fn free_folder(config: &FinetuneConfig) -> PathBuf {
    let data = match (&config.task, &config.train) {
        (Some(task), _) => task.to_string(),
        (None, train) => train.iter().filter_map(|train| train.file_stem()).map(|s| s.to_string_lossy()).collect(),
    };
    let name = format!("{data}-{}", config.method);
    let numbered = (2..).map(|n| format!("{name}-{n}"));
    let mut folders = [name.clone()].into_iter().chain(numbered).map(|name| PathBuf::from("runs").join(name));
    folders.find(|folder| !folder.exists()).unwrap_or_default()
}

/// The same run with no chains, in the folder `plain` of the run: finished, gone on with, or begun.
fn plain_twin(job: &Job, stop: &AtomicBool) -> Result<Results, Error> {
    let out = job.out.join("plain");
    let config = FinetuneConfig { method: Method::Plain, with_plain: false, ..job.config.clone() };
    let begun = out.join("run.json").is_file();
    if begun && let Some(results) = RunReport::read(&out)?.results {
        return Ok(results);
    }
    let twin = Job::prepare(config, out)?;
    let (state, mut log) = if begun { reopen(&twin)? } else { start(&twin)? };
    carry_out(&twin, state, &mut log, stop).map_err(|error| match error {
        // The run that the user started is the one to go on with.
        Error::Interrupted { .. } => resumed::interrupted("finetune", &job.out),
        Error::Unsaved { source, command, .. } => Error::Unsaved { source, command, out: job.out.clone() },
        error => error,
    })
}

fn start(job: &Job) -> Result<(State, Log), Error> {
    let state = State::new(job)?;
    fs::create_dir_all(&job.out).map_err(|e| Error::file(&job.out, e))?;
    RunReport::new(job, "running").write(&job.out)?;
    Ok((state, Log::create(&job.out)?))
}

fn reopen(job: &Job) -> Result<(State, Log), Error> {
    let state = match resume::load(job)? {
        Some(state) => state,
        None => State::new(job)?,
    };
    let log = Log::resume(&job.out, state.phase, state.step)?;
    RunReport::new(job, "running").write(&job.out)?;
    Ok((state, log))
}

/// Trains to the end, writes the model and the report.
fn carry_out(job: &Job, state: State, log: &mut Log, stop: &AtomicBool) -> Result<Results, Error> {
    eprintln!(
        "{} · {} · {} training examples · {} steps{} · {}",
        job.dataset,
        job.config.method,
        job.train.len(),
        job.total_steps,
        if state.step > 0 { format!(" · resuming after step {}", state.step) } else { String::new() },
        job.device.description()
    );
    let unsaved = |error| resumed::unsaved(error, "finetune", &job.out);
    let clock = Instant::now();
    match train(job, state, log, stop).map_err(unsaved)? {
        Outcome::Interrupted => {
            RunReport::new(job, "interrupted").write(&job.out)?;
            Err(resumed::interrupted("finetune", &job.out))
        }
        Outcome::Finished(state) => finish(job, &state, clock).map_err(unsaved),
    }
}

fn finish(job: &Job, state: &State, clock: Instant) -> Result<Results, Error> {
    let (Some(best), Some(last)) = (&state.best, state.evaluations.last()) else {
        return Err(Error::Diverged("the run ended without an evaluation".into()));
    };
    write_folder::<Error>(&job.out.join("model"), |folder| {
        Ok(save_model(folder, &best.model, &job.result_config(), job.folder.files(), Precision::Single)?)
    })?;
    let (before, verification) = report::verify(job, state, best)?;
    let results = Results {
        before: Some(before),
        best: best.record.clone(),
        last: last.clone(),
        evaluations: state.evaluations.clone(),
        test: report::test_scores(job, best),
        rounds: state.rounds.clone(),
        verification,
        seconds: clock.elapsed().as_secs_f64(),
        peak_memory: report::peak_memory(),
    };
    let mut report = RunReport::new(job, "finished");
    report.results = Some(results.clone());
    report.write(&job.out)?;
    Ok(results)
}

/// The saved flags of the run, if no flag on the command line contradicts them.
fn resumed_config(config: &FinetuneConfig, arguments: &[OsString], out: &Path) -> Result<FinetuneConfig, Error> {
    let report = RunReport::read(out)?;
    resumed::check_resumable("finetune", arguments, config, &report.config, &report.status, out)?;
    Ok(report.config)
}
