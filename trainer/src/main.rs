//! The `overfold` command; see [`overfold_trainer`].

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    overfold_trainer::run()
}
