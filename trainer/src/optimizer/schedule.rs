//! The course of the learning rate.

use crate::config::Schedule;

/// Learning-rate factor, between 0 and 1 (noam too: it is scaled to reach 1 at the end of the warm-up).
#[derive(Debug, Clone, Copy)]
pub struct Rate {
    schedule: Schedule,
    warmup: f64,
    total: f64,
}

impl Rate {
    /// For `total` optimizer steps; `warmup` is a fraction of them if below 1, else a number of steps.
    pub fn new(schedule: Schedule, warmup: f64, total: usize) -> Self {
        let total = total as f64;
        let warmup = if warmup < 1.0 { warmup * total } else { warmup };
        Self { schedule, warmup: warmup.max(1.0), total }
    }

    /// The factor for optimizer step `step`, counted from 0, of a tensor that has taken `age` steps as it is.
    ///
    /// A chain that is made in mid-run is younger than the run, and warms up by itself: AdamW's first steps have full
    /// size in every coordinate, and the schedule is at its height by then.
    pub fn factor(&self, step: usize, age: usize) -> f64 {
        let step = step as f64;
        let rise = (age as f64 + 1.0) / self.warmup;
        let fall = match self.schedule {
            Schedule::Linear => (self.total - step) / (self.total - self.warmup).max(1.0),
            Schedule::Noam => (self.warmup / (step + 1.0)).sqrt(),
            Schedule::Constant => 1.0,
        };
        rise.min(fall).clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linear_rises_and_falls_to_zero() {
        let rate = Rate::new(Schedule::Linear, 0.1, 100);
        let factor = |step| rate.factor(step, step);
        assert!((factor(0) - 0.1).abs() < 1e-12);
        assert_eq!(factor(9), 1.0);
        assert!((factor(55) - 0.5).abs() < 1e-12);
        assert!(factor(99) > 0.0 && factor(100) == 0.0);
    }

    #[test]
    fn noam_peaks_at_the_end_of_the_warm_up() {
        let rate = Rate::new(Schedule::Noam, 50.0, 1000);
        let factor = |step| rate.factor(step, step);
        assert_eq!(factor(49), 1.0);
        assert!((factor(199) - 0.5).abs() < 1e-12);
        assert!((factor(24) - 0.5).abs() < 1e-12);
    }

    #[test]
    fn no_warm_up_starts_at_the_peak() {
        assert_eq!(Rate::new(Schedule::Constant, 0.0, 10).factor(0, 0), 1.0);
    }

    #[test]
    fn a_young_tensor_rises_by_itself_and_falls_with_the_others() {
        let rate = Rate::new(Schedule::Linear, 0.1, 100);
        assert!((rate.factor(30, 0) - 0.1).abs() < 1e-12);
        assert!((rate.factor(35, 5) - 0.6).abs() < 1e-12);
        assert_eq!(rate.factor(60, 30), rate.factor(60, 60));
    }
}
