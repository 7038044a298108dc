//! What a node says of itself, in the reader's words.

use wire::status::{NodeStatus, StreamState, StreamStatus};

use crate::parts::bytes;

/// A report older than this is stale: a node reports every five seconds.
const STALE_MS: i64 = 15_000;

/// A measure: what is measured, how much, and how much of it is used, where that can be said.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Measure {
    pub(crate) name: &'static str,
    pub(crate) text: String,
    /// 0 to 1.
    pub(crate) used: Option<f64>,
}

/// The measures of a status.
pub(crate) fn measures(status: &NodeStatus) -> Vec<Measure> {
    let hardware = &status.hardware;
    let measure = |name, text, used| Measure { name, text, used };
    let cores = hardware.cores.max(1);
    let percent = f64::from(status.cpu_permille) / 10.0;
    let mut list = vec![
        measure(
            "CPU",
            match hardware.cores {
                0 => format!("{percent:.0} % of a core"),
                cores => format!("{percent:.0} % of a core, {cores} cores"),
            },
            (hardware.cores > 0).then(|| percent / 100.0 / f64::from(cores)),
        ),
        measure(
            "Memory",
            of(status.memory_bytes, hardware.memory_bytes),
            part(status.memory_bytes, hardware.memory_bytes),
        ),
        measure(
            "Disk",
            match hardware.disk_bytes {
                0 => format!("{} free", bytes(status.disk_free_bytes)),
                all => format!("{} free of {}", bytes(status.disk_free_bytes), bytes(all)),
            },
            part(
                hardware.disk_bytes.saturating_sub(status.disk_free_bytes),
                hardware.disk_bytes,
            ),
        ),
        measure("Footage here", bytes(status.spool_bytes), None),
    ];
    list.push(measure("To upload", uploads(status), None));
    if status.outbox_backlog > 0 {
        list.push(measure(
            "To announce",
            format!("{} facts", status.outbox_backlog),
            None,
        ));
    }
    list
}

fn uploads(status: &NodeStatus) -> String {
    let rate = match status.upload_bytes_per_s {
        0 => String::new(),
        rate => format!(", at {}/s", bytes(rate)),
    };
    match status.upload_backlog {
        0 => format!("nothing{rate}"),
        1 => format!("1 object, {}{rate}", bytes(status.upload_backlog_bytes)),
        many => format!("{many} objects, {}{rate}", bytes(status.upload_backlog_bytes)),
    }
}

fn of(used: u64, all: u64) -> String {
    match all {
        0 => bytes(used),
        all => format!("{} of {}", bytes(used), bytes(all)),
    }
}

fn part(used: u64, all: u64) -> Option<f64> {
    (all > 0).then(|| (used as f64 / all as f64).clamp(0.0, 1.0))
}

/// How long ago the last report was, when that is too long.
pub(crate) fn stale(age_ms: Option<u64>) -> Option<i64> {
    let age_ms = i64::try_from(age_ms?).ok()?;
    (age_ms > STALE_MS).then_some(age_ms)
}

/// A stream's state in a line.
pub(crate) fn stream(status: &StreamStatus) -> String {
    let mut parts = vec![match &status.state {
        StreamState::Idle => "outside its hours".to_owned(),
        StreamState::Connecting => "connecting".to_owned(),
        StreamState::Armed => "about to record".to_owned(),
        StreamState::Recording => "recording".to_owned(),
        StreamState::Degraded { detail } => format!("recording, but {detail}"),
        StreamState::Failed { detail, .. } => format!("not recording: {detail}"),
    }];
    if status.bitrate_bps > 0 {
        parts.push(format!("{:.1} frames/s", status.fps));
        parts.push(format!("{} kbit/s", status.bitrate_bps / 1000));
    }
    if let Some(age) = status.keyframe_age_ms {
        parts.push(format!("keyframe {:.1} s ago", age as f64 / 1000.0));
    }
    if let Some(offset) = status.clock_offset_ms.filter(|offset| offset.abs() >= 1000) {
        parts.push(format!("its clock is off by {:.1} s", offset as f64 / 1000.0));
    }
    if status.attempts > 1 {
        parts.push(format!("{} attempts", status.attempts));
    }
    parts.join(" · ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_well() {
        assert_eq!(bytes(0), "0 kB");
        assert_eq!(bytes(1_234_000_000), "1.2 GB");
        assert_eq!(bytes(35_400_000), "35 MB");
        assert_eq!(bytes(2_500_000_000_000), "2.5 TB");
        assert_eq!(of(1_000_000, 0), "1 MB");
        assert_eq!(part(1, 0), None);
        assert_eq!(part(3, 2), Some(1.0));
    }
}
