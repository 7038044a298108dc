//! One round: start a recorder, let it settle, measure, stop it.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use benches::machine::{self, Ticks};
use benches::process::{self, TICKS_PER_SECOND};
use serde::Serialize;

use crate::args::Args;
use crate::camera::Cameras;
use crate::recorder::Recorder;
use benches::children::{Running, stop_all};

/// Looks at memory this often.
const LOOK: Duration = Duration::from_secs(5);

/// What one round measured.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Round {
    /// As in the table.
    pub recorder: &'static str,
    pub cameras: usize,
    pub round: usize,
    /// Seconds measured.
    pub seconds: f64,
    /// User and system time of all measured processes, per camera and hour of footage.
    pub cpu_s_per_camera_hour: f64,
    /// The same of the process beside, such as the bus.
    pub beside_cpu_s_per_camera_hour: Option<f64>,
    /// Mean over the round, of all measured processes, per camera.
    pub pss_bytes_per_camera: f64,
    /// All measured processes.
    pub threads: u64,
    /// Written to the recorder's folder, per camera: shows that both did the same work.
    pub footage_bps_per_camera: f64,
    /// CPU time of everything that is neither recorder, simulator, bus nor bench, as a share of one core.
    pub foreign_cores: f64,
    /// Time taken by the hypervisor, as a share of all time.
    pub steal: f64,
    /// Load average over one minute, at the end.
    pub load: Option<f64>,
}

/// CPU ticks of everything at one moment.
struct Mark {
    at: Instant,
    recorder: u64,
    beside: u64,
    other_own: u64,
    machine: Ticks,
    footage: u64,
}

/// Runs one round.
pub(crate) async fn run(
    args: &Args,
    recorder: &mut (dyn Recorder + Send),
    cameras: &Cameras,
    number: usize,
    scratch: &Path,
) -> Result<Round> {
    let folder = tempfile::tempdir_in(scratch).context("a folder for the footage")?;
    let mut measured = recorder.start(&cameras.urls, folder.path()).await?;
    tokio::time::sleep(Duration::from_secs(args.warm_up)).await;
    let begin = mark(&measured, recorder.beside(), cameras, folder.path())?;
    let pss = watch(&mut measured, args.measured()).await?;
    let end = mark(&measured, recorder.beside(), cameras, folder.path())?;
    let threads = process::sample_all(&pids(&measured))?.threads;
    let has_beside = recorder.beside().is_some();
    let name = recorder.name();
    stop_all(measured).await?;
    let round = compute(name, cameras.urls.len(), number, &begin, &end);
    Ok(Round {
        pss_bytes_per_camera: pss / cameras.urls.len() as f64,
        beside_cpu_s_per_camera_hour: round.beside_cpu_s_per_camera_hour.filter(|_| has_beside),
        threads,
        ..round
    })
}

fn pids(children: &[Running]) -> Vec<u32> {
    children.iter().map(|child| child.pid).collect()
}

fn mark(measured: &[Running], beside: Option<u32>, cameras: &Cameras, folder: &Path) -> Result<Mark> {
    let ticks = |pid: u32| process::sample(pid).map(|usage| usage.cpu_ticks);
    let beside = beside.map(ticks).transpose()?.unwrap_or(0);
    Ok(Mark {
        at: Instant::now(),
        recorder: process::sample_all(&pids(measured))?.cpu_ticks,
        beside,
        other_own: beside + ticks(cameras.process.pid)? + ticks(std::process::id())?,
        machine: machine::ticks()?,
        footage: process::folder_bytes(folder),
    })
}

/// Waits for the length of the round and returns the mean of the memory seen meanwhile.
async fn watch(measured: &mut [Running], length: Duration) -> Result<f64> {
    let end = tokio::time::Instant::now() + length;
    let mut looks = Vec::new();
    loop {
        for child in measured.iter_mut() {
            child.check()?;
        }
        looks.push(process::sample_all(&pids(measured))?.pss_bytes as f64);
        let left = end.saturating_duration_since(tokio::time::Instant::now());
        if left.is_zero() {
            break;
        }
        tokio::time::sleep(left.min(LOOK)).await;
    }
    if looks.is_empty() {
        bail!("nothing was measured");
    }
    Ok(looks.iter().sum::<f64>() / looks.len() as f64)
}

fn compute(recorder: &'static str, cameras: usize, round: usize, begin: &Mark, end: &Mark) -> Round {
    let seconds = end.at.duration_since(begin.at).as_secs_f64();
    let cpu_s = |ticks: u64| ticks as f64 / TICKS_PER_SECOND as f64;
    let per_camera_hour = |ticks: u64| cpu_s(ticks) / cameras as f64 * 3600.0 / seconds;
    let own = end.recorder - begin.recorder;
    let other_own = end.other_own.saturating_sub(begin.other_own);
    let machine = end.machine.since(begin.machine);
    Round {
        recorder,
        cameras,
        round,
        seconds,
        cpu_s_per_camera_hour: per_camera_hour(own),
        beside_cpu_s_per_camera_hour: Some(per_camera_hour(end.beside.saturating_sub(begin.beside))),
        pss_bytes_per_camera: 0.0,
        threads: 0,
        footage_bps_per_camera: end.footage.saturating_sub(begin.footage) as f64 * 8.0
            / seconds
            / cameras as f64,
        foreign_cores: cpu_s(machine.busy.saturating_sub(own + other_own)) / seconds,
        steal: machine.steal as f64 / machine.total.max(1) as f64,
        load: machine::load(),
    }
}
