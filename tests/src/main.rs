//! The command as the tests start it; see [`overfold_trainer`].

use std::process::ExitCode;

fn main() -> ExitCode {
    overfold_trainer::run()
}
