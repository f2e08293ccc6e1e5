//! One file for each command.

mod curves;
mod doctor;
mod eval;
mod eval_holdout;
mod export_web;
mod fill_mask;
mod finetune;
mod fold;
mod inspect;
mod loaded;
mod predict;
mod pretrain;
mod resumed;
mod vocab;

use std::ffi::OsString;

use crate::cli::{Cli, Command};
use crate::error::Error;

/// Carries out a command; `arguments` are the words of the command line, to tell given flags from defaults.
pub fn dispatch(cli: Cli, arguments: &[OsString]) -> Result<(), Error> {
    match cli.command {
        Command::Finetune(args) => finetune::run(*args, arguments),
        Command::Eval(args) => eval::run(args),
        Command::Predict(args) => predict::run(args),
        Command::Fold(args) => fold::run(&args),
        Command::Inspect(args) => inspect::run(args),
        Command::Curves(args) => curves::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Vocab(args) => vocab::run(&args),
        Command::ExportWeb(args) => export_web::run(&args),
        Command::Pretrain(args) => pretrain::run(*args, arguments),
    }
}
