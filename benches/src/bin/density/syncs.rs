//! How often processes ask for the disk: counted by strace, after the measurement, since it slows them.

use std::io::ErrorKind;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Command;

/// So long is counted.
const LENGTH: Duration = Duration::from_secs(6);

/// Calls of fsync and fdatasync of processes in a minute; None where strace is missing or
/// may not look at them.
pub(crate) async fn per_minute(pids: &[u32]) -> Result<Option<f64>> {
    let log = tempfile::NamedTempFile::new()?;
    let mut command = Command::new("strace");
    command.args([
        "-f",
        "-qq",
        "-e",
        "trace=fsync,fdatasync",
        "-e",
        "signal=none",
        "-o",
    ]);
    command.arg(log.path()).stdin(Stdio::null()).stderr(Stdio::null());
    for pid in pids {
        command.args(["-p", &pid.to_string()]);
    }
    let mut strace = match command.kill_on_drop(true).spawn() {
        Ok(strace) => strace,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).context("starting strace"),
    };
    tokio::time::sleep(LENGTH).await;
    if strace.try_wait()?.is_some() {
        // It may not look at processes here.
        return Ok(None);
    }
    if let Some(pid) = strace.id().and_then(|pid| Pid::from_raw(pid.cast_signed())) {
        let _ = kill_process(pid, Signal::INT);
    }
    strace.wait().await?;
    let text = std::fs::read_to_string(log.path())?;
    let calls = text
        .lines()
        .filter(|line| line.contains("sync(") && !line.contains("resumed"))
        .count();
    Ok(Some(calls as f64 * 60.0 / LENGTH.as_secs_f64()))
}
