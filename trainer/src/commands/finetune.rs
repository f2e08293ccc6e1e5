//! `overfold finetune`.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory};
use overfold::checkpoint::{save_model, write_folder};
use serde_json::Value;

use crate::cli::{Cli, FinetuneArgs};
use crate::config::FinetuneConfig;
use crate::error::Error;
use crate::report::{self, Results, RunReport};
use crate::resume;
use crate::training::{Job, Log, Outcome, State, train};

pub(super) fn run(args: FinetuneArgs, arguments: &[OsString]) -> Result<(), Error> {
    let out = args.out.clone();
    let config = if args.resume { resumed_config(&args, arguments)? } else { args.config };
    if !args.resume && out.exists() {
        let reason = format!(
            "{} exists; choose another folder, or add --resume to go on with an interrupted run",
            out.display()
        );
        return Err(Error::flag("--out", reason));
    }
    // Everything that can be wrong with flags, model, data and device shows before the folder is made.
    let job = Job::prepare(config, out)?;
    let (state, mut log) = if args.resume { reopen(&job)? } else { start(&job)? };
    for note in &job.notes {
        eprintln!("note: {note}");
    }
    eprintln!(
        "{} · {} training examples · {} steps · {}",
        job.dataset,
        job.train.len(),
        job.total_steps,
        job.device.description()
    );
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    let handler = ctrlc::set_handler(move || {
        // The second Ctrl-C does not wait.
        if flag.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    });
    if let Err(error) = handler {
        eprintln!("note: Ctrl-C will not save a checkpoint: {error}");
    }
    let clock = Instant::now();
    let unsaved = |error| match error {
        Error::File { .. } | Error::Checkpoint(_) => Error::Unsaved { source: Box::new(error), out: job.out.clone() },
        error => error,
    };
    match train(&job, state, &mut log, &stop).map_err(unsaved)? {
        Outcome::Interrupted => {
            RunReport::new(&job, "interrupted").write(&job.out)?;
            let out = job.out.display();
            let message =
                format!("interrupted; everything is saved. Go on with: overfold finetune --resume --out {out}");
            Err(Error::Interrupted { message })
        }
        Outcome::Finished(state) => finish(&job, &state, clock).map_err(unsaved),
    }
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
    eprintln!("resuming after step {}", state.step);
    RunReport::new(job, "running").write(&job.out)?;
    Ok((state, log))
}

fn finish(job: &Job, state: &State, clock: Instant) -> Result<(), Error> {
    let (Some(best), Some(last)) = (&state.best, state.evaluations.last()) else {
        return Err(Error::Diverged("the run ended without an evaluation".into()));
    };
    write_folder::<Error>(&job.out.join("model"), |folder| {
        Ok(save_model(folder, &best.model, &job.result_config(), &job.folder)?)
    })?;
    let verification = report::verify(job, state, best)?;
    let results = Results {
        best: best.record.clone(),
        last: last.clone(),
        evaluations: state.evaluations.clone(),
        test: report::test_scores(job, best),
        rounds: state.rounds.clone(),
        verification,
        seconds: clock.elapsed().as_secs_f64(),
        peak_memory: report::peak_memory(),
    };
    report::print_summary(job, &results);
    let mut report = RunReport::new(job, "finished");
    report.results = Some(results);
    report.write(&job.out)
}

/// The saved flags of the run, if no flag on the command line contradicts them.
fn resumed_config(args: &FinetuneArgs, arguments: &[OsString]) -> Result<FinetuneConfig, Error> {
    let report = RunReport::read(&args.out)?;
    if report.status == "finished" {
        let out = args.out.display();
        return Err(Error::flag("--resume", format!("the run in {out} is finished; its model lies in {out}/model")));
    }
    let matches = Cli::command().get_matches_from(arguments);
    let Some(matches) = matches.subcommand_matches("finetune") else { return Ok(report.config) };
    let as_json =
        |config: &FinetuneConfig| serde_json::to_value(config).map_err(|e| Error::flag("--resume", e.to_string()));
    check_same(&as_json(&args.config)?, &as_json(&report.config)?, matches, &args.out)?;
    Ok(report.config)
}

fn check_same(given: &Value, saved: &Value, matches: &ArgMatches, out: &Path) -> Result<(), Error> {
    let Value::Object(given) = given else { return Ok(()) };
    for (key, value) in given {
        // Keys of the configuration are ids of the flags.
        let explicit = matches.value_source(key) == Some(ValueSource::CommandLine);
        if explicit && saved.get(key) != Some(value) {
            let flag = format!("--{}", key.replace('_', "-"));
            let was = saved.get(key).cloned().unwrap_or_default();
            let reason = format!(
                "{value}, but the run in {} was started with {was}; leave the flag out to go on, or start a new run with another --out",
                out.display()
            );
            return Err(Error::flag(&flag, reason));
        }
    }
    Ok(())
}
