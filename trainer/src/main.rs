//! The `overfold` command; see [`overfold_trainer`].

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

unsafe extern "C" {
    fn mi_option_set(option: i32, value: std::ffi::c_long);
}

/// `mi_option_purge_delay` of the bundled mimalloc: milliseconds after which freed memory goes back to the system.
const PURGE_DELAY: i32 = 15;

fn main() -> ExitCode {
    // Never: every training step needs what the last one freed, and getting it anew is a page fault each 4 KB.
    // SAFETY: a plain setter of the allocator that is linked above; no other thread runs yet.
    unsafe { mi_option_set(PURGE_DELAY, -1) };
    overfold_trainer::run()
}
