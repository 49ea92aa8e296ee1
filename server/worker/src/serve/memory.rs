//! The memory ceiling: what does not fit is refused before it starts, what outgrows its estimate is stopped.

use std::sync::atomic::{AtomicU64, Ordering};

use sysinfo::{MemoryRefreshKind, RefreshKind, System};

/// How much memory the process may take.
#[derive(Debug)]
pub(super) struct Ceiling {
    /// Bytes as asked for, 0 is what the machine allows.
    asked: AtomicU64,
    /// Bytes that the machine allows, `u64::MAX` where it does not say.
    machine: u64,
}

impl Ceiling {
    /// `limit` in bytes; 0: half of the memory of this machine.
    pub(super) fn new(limit: u64) -> Self {
        Self { asked: AtomicU64::new(limit), machine: half_of_this_machine() }
    }

    pub(super) fn set(&self, limit: u64) {
        self.asked.store(limit, Ordering::Relaxed);
    }

    fn limit(&self) -> u64 {
        match self.asked.load(Ordering::Relaxed) {
            0 => self.machine,
            asked => asked,
        }
    }

    /// Why work that takes `need` more bytes must not start on a process that holds `floor` bytes, if so.
    pub(super) fn refuses(&self, need: u64, floor: u64) -> Option<String> {
        let limit = self.limit();
        (floor.saturating_add(need) > limit).then(|| {
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
        let (limit, held) = (self.limit(), resident()?);
        (held > limit).then(|| {
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

/// Bytes. A container may have less than the machine it is on. The other half is for the editor and everything else:
/// a machine that has to swap is slower than one that says no.
fn half_of_this_machine() -> u64 {
    let ram = RefreshKind::nothing().with_memory(MemoryRefreshKind::nothing().with_ram());
    let system = System::new_with_specifics(ram);
    let container = system.cgroup_limits().map_or(u64::MAX, |limits| limits.total_memory);
    let total = system.total_memory().min(container);
    if total == 0 { u64::MAX } else { total / 2 }
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
    fn zero_is_what_the_machine_allows() {
        let ceiling = Ceiling::new(0);
        let machine = ceiling.limit();
        assert!(machine > 64 * MIB && machine < 1 << 50, "{machine}");
        assert_eq!(ceiling.refuses(machine - MIB, MIB), None);
        assert!(ceiling.refuses(machine, MIB).is_some());
        assert_eq!(ceiling.exceeded(), None);
        ceiling.set(MIB);
        assert_eq!(ceiling.limit(), MIB);
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
