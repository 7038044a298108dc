//! How busy and how disturbed the machine was, by `/proc/stat` and `/proc/loadavg` (proc(5)).

use std::fs;
use std::io;

/// Ticks of all cores since the machine started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ticks {
    /// All of them, idle ones too.
    pub total: u64,
    /// Spent in processes and in the kernel for them.
    pub busy: u64,
    /// Taken by the hypervisor for other guests.
    pub steal: u64,
}

impl Ticks {
    /// What came since `earlier`.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Self {
        Self {
            total: self.total.saturating_sub(earlier.total),
            busy: self.busy.saturating_sub(earlier.busy),
            steal: self.steal.saturating_sub(earlier.steal),
        }
    }
}

/// The machine's ticks now.
///
/// # Errors
/// When `/proc/stat` cannot be read or understood.
pub fn ticks() -> io::Result<Ticks> {
    parse(&fs::read_to_string("/proc/stat")?)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "/proc/stat is not as expected"))
}

/// user, nice, system, idle, iowait, irq, softirq, steal; guests' time is part of user.
fn parse(text: &str) -> Option<Ticks> {
    let line = text.lines().next()?.strip_prefix("cpu ")?;
    let fields = line.split_whitespace().take(8).map(|field| field.parse().ok());
    let fields: Vec<u64> = fields.collect::<Option<_>>()?;
    let [user, nice, system, idle, iowait, irq, softirq, steal] = fields.try_into().ok()?;
    let busy = user + nice + system + irq + softirq;
    Some(Ticks {
        total: busy + idle + iowait + steal,
        busy,
        steal,
    })
}

/// Load average over one minute; None where it cannot be read.
#[must_use]
pub fn load() -> Option<f64> {
    fs::read_to_string("/proc/loadavg")
        .ok()?
        .split_whitespace()
        .next()?
        .parse()
        .ok()
}

/// Processor model and number of cores, for the report.
#[must_use]
pub fn description() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(':'))
        .map_or("unknown processor", |(_, model)| model.trim());
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!("{model}, {cores} cores")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guests_count_once() {
        let ticks = parse("cpu  100 10 50 800 20 5 5 10 90 0\ncpu0 1 2 3 4 5 6 7 8 9 10\n").unwrap();
        assert_eq!(
            ticks,
            Ticks {
                total: 1000,
                busy: 170,
                steal: 10
            }
        );
        assert_eq!(parse("cpu 1 2 3"), None);
    }
}
