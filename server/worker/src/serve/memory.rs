//! The memory ceiling: what does not fit is refused before it starts, what outgrows its estimate is stopped.

use std::sync::atomic::{AtomicU64, Ordering};

/// How much memory the process may take.
#[derive(Debug, Default)]
pub(super) struct Ceiling {
    /// Bytes, 0 is no limit.
    limit: AtomicU64,
}

impl Ceiling {
    pub(super) fn new(limit: u64) -> Self {
        Self { limit: AtomicU64::new(limit) }
    }

    pub(super) fn set(&self, limit: u64) {
        self.limit.store(limit, Ordering::Relaxed);
    }

    /// Why work that takes `need` more bytes must not start on a process that holds `floor` bytes, if so.
    pub(super) fn refuses(&self, need: u64, floor: u64) -> Option<String> {
        let limit = self.limit.load(Ordering::Relaxed);
        (limit > 0 && floor.saturating_add(need) > limit).then(|| {
            format!(
                "this needs about {} of memory, and the worker, which holds {}, may take {}: \
                 choose a smaller cell or raise the worker's memory limit",
                mebibytes(need),
                mebibytes(floor),
                mebibytes(limit)
            )
        })
    }

    /// Why the work must stop, if the process is beyond its limit.
    pub(super) fn exceeded(&self) -> Option<String> {
        let (limit, held) = (self.limit.load(Ordering::Relaxed), resident()?);
        (limit > 0 && held > limit).then(|| {
            format!(
                "the worker was stopped because it held {} of memory and may take {}: \
                 choose a smaller cell or raise the worker's memory limit",
                mebibytes(held),
                mebibytes(limit)
            )
        })
    }
}

/// Physical memory of this process (bytes), where the system tells.
pub(super) fn resident() -> Option<u64> {
    memory_stats::memory_stats().map(|stats| stats.physical_mem as u64)
}

fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", bytes.div_ceil(1 << 20))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn the_estimate_counts_on_top_of_what_is_held() {
        let ceiling = Ceiling::new(500 * MIB);
        assert_eq!(ceiling.refuses(400 * MIB, 100 * MIB), None);
        let refusal = ceiling.refuses(400 * MIB + 1, 100 * MIB).unwrap();
        assert!(refusal.starts_with("this needs about 401 MiB of memory"), "{refusal}");
        assert!(refusal.contains("holds 100 MiB, may take 500 MiB"), "{refusal}");
        assert!(ceiling.refuses(u64::MAX, MIB).is_some());
    }

    #[test]
    fn zero_is_no_limit() {
        let ceiling = Ceiling::new(0);
        assert_eq!(ceiling.refuses(u64::MAX, u64::MAX), None);
        assert_eq!(ceiling.exceeded(), None);
    }

    #[test]
    fn a_process_knows_its_own_size() {
        let ceiling = Ceiling::new(MIB);
        assert!(resident().unwrap() > MIB);
        assert!(ceiling.exceeded().unwrap().contains("may take 1 MiB"));
        ceiling.set(1 << 50);
        assert_eq!(ceiling.exceeded(), None);
    }
}
