//! The `overfold` command: fine-tunes a small language model over-parameterized and folds it back.
//!
//! [`cli`] declares the commands, `commands` carries them out. [`training`] is the loop, [`optimizer`] updates dense
//! weights and chains by the same rule, [`strategy`] chooses the matrices, [`data`] and [`metrics`] are what a task
//! consists of, [`resume`] keeps what an interrupted run needs, [`export`] writes what the page loads.

pub mod builtin;
pub mod cli;
mod commands;
pub mod config;
pub mod data;
pub mod device;
pub mod encode;
pub mod error;
pub mod export;
pub mod hub;
pub mod log;
pub mod metrics;
pub mod optimizer;
pub mod pretrain;
pub mod progress;
pub mod report;
pub mod resume;
pub mod strategy;
pub mod training;

use std::process::ExitCode;

use clap::Parser;

/// Runs the command line of this process.
pub fn run() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    match commands::dispatch(cli::Cli::parse_from(&arguments), &arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error::Error::Interrupted { message }) => {
            eprintln!("{message}");
            // 128 + SIGINT, as shells report it.
            ExitCode::from(130)
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
