//! What a user sees while waiting: a bar on a terminal, plain lines elsewhere.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Seconds between plain lines.
const QUIET: Duration = Duration::from_secs(10);

/// Progress of something long.
#[derive(Debug)]
pub struct Progress {
    bar: Option<ProgressBar>,
    what: &'static str,
    unit: &'static str,
    /// 0 if nobody knows.
    total: usize,
    first: usize,
    start: Instant,
    printed: Instant,
}

impl Progress {
    /// Starts at step `done` of `total`.
    pub fn new(what: &'static str, done: usize, total: usize) -> Self {
        let style = "{prefix} {bar:30} {pos}/{len} [{elapsed} < {eta}, {per_sec}] {msg}";
        Self::start(Self::bar(what, style, done, Some(total as u64)), what, "steps", done, total)
    }

    /// Counts `unit`s, of which nobody knows how many there are.
    pub fn counter(what: &'static str, unit: &'static str) -> Self {
        let style = format!("{{prefix}} {{spinner}} {{pos}} {unit} [{{elapsed}}, {{per_sec}}] {{msg}}");
        Self::start(Self::bar(what, &style, 0, None), what, unit, 0, 0)
    }

    fn bar(what: &'static str, style: &str, done: usize, length: Option<u64>) -> Option<ProgressBar> {
        std::io::stderr().is_terminal().then(|| {
            let bar = length.map_or_else(ProgressBar::no_length, ProgressBar::new).with_position(done as u64);
            if let Ok(style) = ProgressStyle::with_template(style) {
                bar.set_style(style);
            }
            bar.set_prefix(what);
            // Time left is by the steps of this process.
            bar.reset_eta();
            bar
        })
    }

    fn start(bar: Option<ProgressBar>, what: &'static str, unit: &'static str, first: usize, total: usize) -> Self {
        let now = Instant::now();
        Self { bar, what, unit, total, first, start: now, printed: now }
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
            let Self { what, unit, total, .. } = self;
            let speed = (done - self.first) as f64 / self.start.elapsed().as_secs_f64();
            let message = message();
            if *total > 0 {
                let left = (*total - done) as f64 / speed;
                eprintln!("{what} {done}/{total} · {message} · {speed:.2} {unit}/s · {left:.0} s left");
            } else {
                eprintln!("{what} {done} {unit} · {message} · {speed:.0} {unit}/s");
            }
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
