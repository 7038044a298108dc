//! What the node runs on, and how much of it the node uses.
//!
//! Reads `/proc` and the file system; what cannot be read is left empty, never an error.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use wire::status::Hardware;

use crate::upload::UnderWay;

/// Figures over less than this jump.
const SHORTEST: Duration = Duration::from_secs(2);
/// `USER_HZ`, in which Linux counts processor time towards programs on every architecture that we know.
const TICKS_PER_S: f64 = 100.0;

/// The machine.
pub struct Machine {
    hardware: Hardware,
    uploads: Arc<UnderWay>,
    usage: Mutex<Measured>,
}

/// How much is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Thousandths of one processor.
    pub cpu_permille: u32,
    /// Bytes a second that go to the store.
    pub upload_bytes_per_s: u64,
}

struct Measured {
    at: Instant,
    ticks: u64,
    sent: u64,
    usage: Usage,
}

impl Machine {
    /// Looks at the machine whose spool is here.
    #[must_use]
    pub fn look(spool: &Path, uploads: Arc<UnderWay>) -> Self {
        let disk = rustix::fs::statvfs(spool).map(|stat| stat.f_blocks.saturating_mul(stat.f_frsize));
        let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
        let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let measured = Measured {
            at: Instant::now(),
            ticks: cpu_ticks(),
            sent: uploads.sent_bytes(),
            usage: Usage::default(),
        };
        Self {
            hardware: Hardware {
                architecture: std::env::consts::ARCH.to_owned(),
                system: system_name(&release).unwrap_or_else(|| std::env::consts::OS.to_owned()),
                cores: u32::try_from(cores).unwrap_or(u32::MAX),
                memory_bytes: kib_of(&memory, "MemTotal:") * 1024,
                disk_bytes: disk.unwrap_or(0),
                gstreamer: media_core::gstreamer_version(),
            },
            uploads,
            usage: Mutex::new(measured),
        }
    }

    /// What it is.
    #[must_use]
    pub fn hardware(&self) -> Hardware {
        self.hardware.clone()
    }

    /// How much of it this process used since the last measurement, at least two seconds ago.
    #[must_use]
    pub fn usage(&self) -> Usage {
        let mut held = self.usage.lock().unwrap_or_else(PoisonError::into_inner);
        let elapsed = held.at.elapsed();
        if elapsed >= SHORTEST {
            let (ticks, sent) = (cpu_ticks(), self.uploads.sent_bytes());
            held.usage = usage(
                elapsed,
                ticks.saturating_sub(held.ticks),
                sent.saturating_sub(held.sent),
            );
            (held.at, held.ticks, held.sent) = (Instant::now(), ticks, sent);
        }
        held.usage
    }
}

fn usage(elapsed: Duration, ticks: u64, sent: u64) -> Usage {
    let seconds = elapsed.as_secs_f64().max(0.001);
    Usage {
        cpu_permille: (ticks as f64 / TICKS_PER_S / seconds * 1_000.0) as u32,
        upload_bytes_per_s: (sent as f64 / seconds) as u64,
    }
}

/// Processor time of this process so far, in ticks of the system.
fn cpu_ticks() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    ticks_of(&stat).unwrap_or(0)
}

/// Fields 14 and 15 of proc(5): user and system time. The name in field 2 may hold anything, so it is counted
/// from its last parenthesis.
fn ticks_of(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user.saturating_add(system))
}

/// `PRETTY_NAME` of os-release(5).
fn system_name(release: &str) -> Option<String> {
    let line = release
        .lines()
        .find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    let name = line.trim().trim_matches(['"', '\'']);
    let name: String = name.chars().filter(|c| !c.is_control()).take(100).collect();
    (!name.is_empty()).then_some(name)
}

/// A line such as `VmRSS:   123 kB` of a file in `/proc`.
pub(crate) fn kib_of(text: &str, key: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(key));
    line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_is_known() {
        media_core::init().unwrap();
        let machine = Machine::look(Path::new("/"), Arc::default());
        let hardware = machine.hardware();
        assert!(hardware.cores > 0 && hardware.memory_bytes > 1 << 20 && hardware.disk_bytes > 1 << 20);
        assert!(
            !hardware.system.is_empty() && hardware.gstreamer.starts_with("1."),
            "{hardware:?}"
        );
        assert_eq!(machine.usage(), Usage::default(), "too early to say");
    }

    #[test]
    fn figures_are_read_whatever_the_program_is_called() {
        let stat = "42 (a) b (c)) S 1 2 3 4 5 6 7 8 9 10 300 200 0 0 20 0 9 0 1";
        assert_eq!(ticks_of(stat), Some(500));
        assert_eq!(ticks_of("nonsense"), None);
        let used = usage(Duration::from_secs(5), 500, 10_000);
        assert_eq!(used.cpu_permille, 1_000);
        assert_eq!(used.upload_bytes_per_s, 2_000);
        assert_eq!(
            system_name("A=1\nPRETTY_NAME=\"Debian GNU/Linux 12\"\n").unwrap(),
            "Debian GNU/Linux 12"
        );
        assert_eq!(system_name("A=1"), None);
        assert_eq!(kib_of("VmPeak: 9 kB\nVmRSS:\t  77 kB\n", "VmRSS:"), 77);
    }
}
