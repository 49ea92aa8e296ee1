//! How long to leave a worker alone that keeps failing.

use std::time::Duration;

use tokio::time::Instant;

/// Longest pause.
const LONGEST: Duration = Duration::from_secs(60);

/// Failures in a row. One may be bad luck, so the first is followed by no pause; then the pauses double.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
    until: Option<Instant>,
    reason: String,
}

impl Backoff {
    pub(super) fn failed(&mut self, now: Instant, reason: &str) {
        self.failures += 1;
        reason.clone_into(&mut self.reason);
        let pause = self.failures.checked_sub(2).map(|n| Duration::from_secs(1 << n.min(6)));
        self.until = pause.map(|pause| now + pause.min(LONGEST));
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Why no worker is started now, if so.
    pub(super) fn refusal(&self, now: Instant) -> Option<String> {
        let left = self.until?.checked_duration_since(now).filter(|left| !left.is_zero())?;
        let (failures, reason) = (self.failures, &self.reason);
        let seconds = left.as_secs_f64().ceil();
        Some(format!(
            "the worker failed {failures} times in a row and is tried again in {seconds} s; last: {reason}"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_minute() {
        let now = Instant::now();
        let mut backoff = Backoff::default();
        let mut pause = || {
            backoff.failed(now, "out of luck");
            let refused = |s: u64| backoff.refusal(now + Duration::from_secs(s)).is_some();
            (0..100).take_while(|&s| refused(s)).count()
        };
        let pauses: Vec<usize> = std::iter::repeat_with(&mut pause).take(10).collect();
        assert_eq!(pauses, [0, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
    }

    #[test]
    fn the_refusal_says_when_and_why() {
        let now = Instant::now();
        let mut backoff = Backoff::default();
        backoff.failed(now, "a");
        backoff.failed(now, "no such file");
        let message =
            "the worker failed 2 times in a row and is tried again in 1 s; last: no such file";
        assert_eq!(backoff.refusal(now).as_deref(), Some(message));
        backoff.clear();
        assert_eq!(backoff.refusal(now), None);
    }
}
