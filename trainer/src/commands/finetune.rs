//! `overfold finetune`.

use std::ffi::OsString;
use std::fs;
use std::time::Instant;

use overfold::checkpoint::{save_model, write_folder};

use super::resumed;
use crate::cli::FinetuneArgs;
use crate::config::FinetuneConfig;
use crate::error::Error;
use crate::log::Log;
use crate::report::{self, Results, RunReport};
use crate::resume;
use crate::training::{Job, Outcome, State, train};

pub(super) fn run(args: FinetuneArgs, arguments: &[OsString]) -> Result<(), Error> {
    let out = args.out.clone();
    let config = if args.resume { resumed_config(&args, arguments)? } else { args.config };
    if !args.resume {
        resumed::refuse_existing(&out)?;
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
    let stop = resumed::stop_flag();
    let clock = Instant::now();
    let unsaved = |error| match error {
        Error::File { .. } | Error::Checkpoint(_) => {
            Error::Unsaved { source: Box::new(error), command: "finetune", out: job.out.clone() }
        }
        error => error,
    };
    match train(&job, state, &mut log, &stop).map_err(unsaved)? {
        Outcome::Interrupted => {
            RunReport::new(&job, "interrupted").write(&job.out)?;
            Err(resumed::interrupted("finetune", &job.out))
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
        Ok(save_model(folder, &best.model, &job.result_config(), job.folder.files())?)
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
    resumed::check_same("finetune", arguments, &args.config, &report.config, &args.out)?;
    Ok(report.config)
}
