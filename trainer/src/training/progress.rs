//! What a user sees while waiting: a bar on a terminal, plain lines elsewhere.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Seconds between plain lines.
const QUIET: Duration = Duration::from_secs(10);

/// Progress of a phase of known length.
#[derive(Debug)]
pub struct Progress {
    bar: Option<ProgressBar>,
    what: &'static str,
    total: usize,
    first: usize,
    start: Instant,
    printed: Instant,
}

impl Progress {
    /// Starts at step `done` of `total`.
    pub fn new(what: &'static str, done: usize, total: usize) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(total as u64).with_position(done as u64);
            let style = "{prefix} {bar:30} {pos}/{len} [{elapsed} < {eta}, {per_sec}] {msg}";
            if let Ok(style) = ProgressStyle::with_template(style) {
                bar.set_style(style);
            }
            bar.set_prefix(what);
            // Time left is by the steps of this process.
            bar.reset_eta();
            bar
        });
        let now = Instant::now();
        Self { bar, what, total, first: done, start: now, printed: now }
    }

    /// Step `done` is finished; `message` is made only if it will be shown.
    pub fn advance(&mut self, done: usize, message: impl FnOnce() -> String) {
        if let Some(bar) = &self.bar {
            bar.set_position(done as u64);
            // Reading the loss waits for the device: not at every step.
            if self.printed.elapsed() > Duration::from_millis(500) || done == self.total {
                bar.set_message(message());
                self.printed = Instant::now();
            }
        } else if self.printed.elapsed() > QUIET || done == self.total {
            let speed = (done - self.first) as f64 / self.start.elapsed().as_secs_f64();
            let left = (self.total - done) as f64 / speed;
            eprintln!("{} {done}/{} · {} · {speed:.2} steps/s · {left:.0} s left", self.what, self.total, message());
            self.printed = Instant::now();
        }
    }

    /// Prints a line above the bar.
    pub fn note(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.println(line),
            None => eprintln!("{line}"),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
