//! `overfold pretrain`.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::time::Instant;

use burn::module::Module;

use super::resumed;
use crate::cli::PretrainArgs;
use crate::error::Error;
use crate::log::Log;
use crate::pretrain::{Job, Outcome, PretrainConfig, Report, Results, State, train};
use crate::report::peak_memory;
use crate::training::Phase;

pub(super) fn run(args: PretrainArgs, arguments: &[OsString]) -> Result<(), Error> {
    let out = args.out.clone();
    let config = if args.resume { resumed_config(&args, arguments)? } else { args.config };
    if !args.resume {
        clear_unstarted(&out)?;
    }
    let unsaved = |error| resumed::unsaved(error, "pretrain", &out);
    let job = Job::prepare(config, out.clone()).inspect_err(|_| {
        if !args.resume {
            // Best effort: the error that matters is the first one. The folder was not there before.
            let _ = fs::remove_dir_all(&out);
        }
    })?;
    let (state, mut log) = if args.resume { reopen(&job)? } else { start(&job)? };
    let packed = &job.windows.packed;
    eprintln!(
        "{:.1}M tokens in {} articles · {} windows of {} to learn from, {} held out · {} steps · {}",
        packed.tokens as f64 / 1e6,
        packed.articles,
        job.learned(),
        packed.length,
        job.held_out(),
        job.total_steps,
        job.device.description()
    );
    let stop = resumed::stop_flag();
    let (clock, first) = (Instant::now(), state.step);
    match train(&job, state, &mut log, &stop).map_err(unsaved)? {
        Outcome::Interrupted => {
            Report::new(&job, "interrupted").write(&job.out)?;
            Err(resumed::interrupted("pretrain", &job.out))
        }
        Outcome::Finished(state) => finish(&job, &state, clock, first).map_err(unsaved),
    }
}

/// Refuses a folder in which a run was started; tokens of one that was not are removed.
fn clear_unstarted(out: &Path) -> Result<(), Error> {
    let others = |entry: &fs::DirEntry| !entry.file_name().to_string_lossy().starts_with("tokens");
    let unstarted = out.read_dir().is_ok_and(|mut entries| !entries.any(|entry| entry.is_ok_and(|e| others(&e))));
    if unstarted {
        return fs::remove_dir_all(out).map_err(|e| Error::file(out, e));
    }
    resumed::refuse_existing(out)
}

fn start(job: &Job) -> Result<(State, Log), Error> {
    let state = State::new(job);
    Report::new(job, "running").write(&job.out)?;
    Ok((state, Log::create(&job.out)?))
}

fn reopen(job: &Job) -> Result<(State, Log), Error> {
    let state = State::load(job)?.unwrap_or_else(|| State::new(job));
    let log = Log::resume(&job.out, Phase::Main, state.step)?;
    eprintln!("resuming after step {}", state.step);
    Report::new(job, "running").write(&job.out)?;
    Ok((state, log))
}

fn finish(job: &Job, state: &State, clock: Instant, first: usize) -> Result<(), Error> {
    let model = job.out.join("model");
    job.write_model(&state.model, &model)?;
    let config = &job.config;
    let seconds = clock.elapsed().as_secs_f64();
    let tokens = (state.step - first) * config.batch * config.accumulate * config.positions;
    let results = Results {
        parameters: state.model.num_params(),
        evaluations: state.evaluations.clone(),
        seconds,
        tokens_per_second: tokens as f64 / seconds,
        peak_memory: peak_memory(),
    };
    if let Some(last) = state.evaluations.last() {
        println!(
            "{:.2}M parameters · {:.1}M tokens · hold-out perplexity {:.2}, {:.1} % of the hidden tokens found",
            results.parameters as f64 / 1e6,
            last.tokens as f64 / 1e6,
            last.perplexity,
            100.0 * last.accuracy
        );
    }
    println!("{:.0} s, {:.0} tokens/s", results.seconds, results.tokens_per_second);
    let shown = model.display();
    println!("\nThe model lies in {shown}. Try it:\n  overfold predict --fill-mask --model {shown} \"the [MASK] …\"");
    let mut report = Report::new(job, "finished");
    report.results = Some(results);
    report.write(&job.out)
}

/// The saved flags of the run, if no flag on the command line contradicts them.
fn resumed_config(args: &PretrainArgs, arguments: &[OsString]) -> Result<PretrainConfig, Error> {
    let report = Report::read(&args.out)?;
    resumed::check_resumable("pretrain", arguments, &args.config, &report.config, &report.status, &args.out)?;
    Ok(report.config)
}
