//! What a process costs, by `/proc/<pid>` (Linux, proc(5)).

use std::fs;
use std::io;
use std::path::Path;

/// Ticks a second in `/proc/<pid>/stat`: `USER_HZ`, 100 on every Linux that this builds for.
pub const TICKS_PER_SECOND: u64 = 100;

/// One look at a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// User and system time of all its threads since it started, in ticks.
    pub cpu_ticks: u64,
    /// Proportional set size: resident memory, shared pages divided among their users.
    pub pss_bytes: u64,
    /// Threads.
    pub threads: u64,
}

/// Looks at one process.
///
/// # Errors
/// When it is gone, or `/proc` says what cannot be understood.
pub fn sample(pid: u32) -> io::Result<Usage> {
    let folder = Path::new("/proc").join(pid.to_string());
    let (cpu_ticks, threads) =
        parse_stat(&fs::read_to_string(folder.join("stat"))?).ok_or_else(|| invalid("stat"))?;
    let pss_bytes = parse_pss(&fs::read_to_string(folder.join("smaps_rollup"))?)
        .ok_or_else(|| invalid("smaps_rollup"))?;
    Ok(Usage {
        cpu_ticks,
        pss_bytes,
        threads,
    })
}

/// The sum over processes.
///
/// # Errors
/// When one of them is gone: what is left would look cheap.
pub fn sample_all(pids: &[u32]) -> io::Result<Usage> {
    pids.iter().try_fold(Usage::default(), |sum, &pid| {
        let one = sample(pid)?;
        Ok(Usage {
            cpu_ticks: sum.cpu_ticks + one.cpu_ticks,
            pss_bytes: sum.pss_bytes + one.pss_bytes,
            threads: sum.threads + one.threads,
        })
    })
}

/// What processes did since they started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Deeds {
    /// How often their threads went to sleep of themselves, and so were woken.
    pub wakeups: u64,
    /// Bytes that went to the disk for them, of files and of the file system's own books.
    pub disk_bytes: u64,
}

/// What processes did; threads that have ended are not in it.
///
/// # Errors
/// When one of the processes is gone, or `/proc` says what cannot be understood.
pub fn deeds(pids: &[u32]) -> io::Result<Deeds> {
    let mut all = Deeds::default();
    for pid in pids {
        let folder = Path::new("/proc").join(pid.to_string());
        let disk = parse_field(&fs::read_to_string(folder.join("io"))?, "write_bytes:");
        all.disk_bytes += disk.ok_or_else(|| invalid("io"))?;
        for task in fs::read_dir(folder.join("task"))?.flatten() {
            // One that ends meanwhile did not matter.
            if let Ok(text) = fs::read_to_string(task.path().join("status")) {
                let slept = parse_field(&text, "voluntary_ctxt_switches:");
                all.wakeups += slept.ok_or_else(|| invalid("status"))?;
            }
        }
    }
    Ok(all)
}

/// The number after a name at the start of a line.
fn parse_field(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().parse().ok()
}

/// User and system time in ticks of a process, of its children that run, and of those that it has seen end.
///
/// # Errors
/// When the process is gone, or `/proc` says what cannot be understood.
pub fn family_ticks(pid: u32) -> io::Result<u64> {
    let folder = Path::new("/proc").join(pid.to_string());
    let own = parse_ticks(&fs::read_to_string(folder.join("stat"))?).ok_or_else(|| invalid("stat"))?;
    let children = fs::read_to_string(folder.join(format!("task/{pid}/children")))?;
    let running = children.split_whitespace().filter_map(|child| {
        // One that ends meanwhile is counted with its parent the next time.
        let (ticks, _) = parse_stat(&fs::read_to_string(format!("/proc/{child}/stat")).ok()?)?;
        Some(ticks)
    });
    Ok(own + running.sum::<u64>())
}

/// Memory of a process and of its children that run.
///
/// # Errors
/// When the process is gone, or `/proc` says what cannot be understood.
pub fn family_pss(pid: u32) -> io::Result<u64> {
    let own = sample(pid)?.pss_bytes;
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))?;
    // One that ends meanwhile has none.
    let running = children.split_whitespace().filter_map(|child| {
        let child = sample(child.parse().ok()?).ok()?;
        Some(child.pss_bytes)
    });
    Ok(own + running.sum::<u64>())
}

fn invalid(file: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("/proc/<pid>/{file} is not as expected"),
    )
}

/// (`utime` + `stime`, `num_threads`). The command's name may hold spaces and parentheses, so fields count
/// from the last parenthesis.
fn parse_stat(text: &str) -> Option<(u64, u64)> {
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    Some((number(11)? + number(12)?, number(17)?))
}

/// `utime`, `stime`, `cutime` and `cstime` together.
fn parse_ticks(text: &str) -> Option<u64> {
    let fields = text.rsplit_once(')')?.1.split_whitespace().skip(11).take(4);
    fields.map(|field| field.parse::<u64>().ok()).sum()
}

fn parse_pss(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

/// Bytes of all files below a folder; 0 where it cannot be read.
#[must_use]
pub fn folder_bytes(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else {
        return 0;
    };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => folder_bytes(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_names_with_parentheses() {
        let line = "42 (a) b (c)) S 1 42 42 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 7 0 12345 1000 200";
        assert_eq!(parse_stat(line), Some((300, 7)));
        assert_eq!(parse_stat("42 (x) S 1"), None);
        assert_eq!(parse_ticks(&line.replace("250 50 0 0", "250 50 7 3")), Some(310));
    }

    #[test]
    fn reads_the_proportional_set_size() {
        let text =
            "5581-7ffc ---p 00000000 00:00 0 [rollup]\nRss:  2000 kB\nPss:    1536 kB\nPss_Dirty: 9 kB\n";
        assert_eq!(parse_pss(text), Some(1_572_864));
        assert_eq!(parse_pss("Rss: 1 kB"), None);
    }

    #[test]
    fn fields_are_found_at_the_start_of_a_line() {
        let text = "Name: x\nvoluntary_ctxt_switches:\t12\nnonvoluntary_ctxt_switches:\t7\n";
        assert_eq!(parse_field(text, "voluntary_ctxt_switches:"), Some(12));
        assert_eq!(parse_field(text, "write_bytes:"), None);
    }

    #[test]
    fn this_process_can_be_looked_at() {
        assert!(deeds(&[std::process::id()]).unwrap().wakeups > 0);
        assert!(deeds(&[u32::MAX]).is_err());
        let usage = sample(std::process::id()).unwrap();
        assert!(usage.pss_bytes > 0 && usage.threads > 0);
        assert!(sample_all(&[std::process::id(), u32::MAX]).is_err());
    }
}
