//! One round: start a recorder, let it settle, measure, stop it, count what it recorded.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use benches::children::{Running, stop_all};
use benches::machine::{self, Ticks};
use benches::process::{self, Deeds, TICKS_PER_SECOND};
use serde::Serialize;

use crate::args::Args;
use crate::camera::Cameras;
use crate::case::Case;
use crate::footage;
use crate::recorder::{Recorder, Work};
use crate::syncs;

/// Looks at memory this often.
const LOOK: Duration = Duration::from_secs(5);

/// What one round measured.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Round {
    /// As in the table.
    pub recorder: String,
    #[serde(flatten)]
    pub case: Case,
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
    /// How often their threads were woken, per camera and second.
    pub wakeups_per_camera_s: f64,
    /// Written to the recorder's folder, per camera: shows that all did the same work.
    pub footage_bps_per_camera: f64,
    /// Bytes to the disk for each byte of footage.
    pub write_amplification: f64,
    /// Calls of fsync and fdatasync, per camera and minute, after the round; None without strace.
    pub syncs_per_camera_min: Option<f64>,
    /// Pictures in all files of the round.
    pub pictures: u64,
    /// Pictures missing between the first and the last of a camera.
    pub pictures_lost: u64,
    /// Pictures that were seen of a watched camera in a second.
    pub seen_per_s: Option<f64>,
    /// From the start to footage of every camera.
    pub start_s: f64,
    /// From asking it to end to its end.
    pub stop_s: f64,
    /// CPU time of everything that is neither recorder, simulator, bus nor bench, as a share of one core.
    pub foreign_cores: f64,
    /// Time taken by the hypervisor, as a share of all time.
    pub steal: f64,
    /// Load average over one minute, at the end.
    pub load: Option<f64>,
}

/// Everything at one moment.
struct Mark {
    at: Instant,
    recorder: u64,
    beside: u64,
    other_own: u64,
    machine: Ticks,
    footage: u64,
    deeds: Deeds,
}

/// What stays the same for a round.
pub(crate) struct Place<'a> {
    pub args: &'a Args,
    pub case: Case,
    pub cameras: &'a Cameras,
    pub scratch: &'a Path,
}

impl Place<'_> {
    /// Runs one round.
    pub(crate) async fn run(&self, recorder: &mut dyn Recorder, number: usize) -> Result<Round> {
        let folder = tempfile::tempdir_in(self.scratch).context("a folder for the footage")?;
        let work = Work {
            urls: &self.cameras.urls,
            case: self.case,
        };
        let begun = Instant::now();
        let mut measured = recorder.start(work, folder.path()).await?;
        let start_s = begun.elapsed().as_secs_f64();
        tokio::time::sleep(Duration::from_secs(self.args.warm_up)).await;
        let begin = self.mark(&measured, recorder.beside(), folder.path())?;
        let seen = recorder.seen();
        let pss = watch(&mut measured, self.args.measured()).await?;
        let end = self.mark(&measured, recorder.beside(), folder.path())?;
        let seen = recorder.seen().zip(seen).map(|(now, before)| now - before);
        let threads = process::sample_all(&pids(&measured))?.threads;
        let count = self.cameras.urls.len() as f64;
        let syncs = syncs::per_minute(&pids(&measured)).await?;
        let asked = Instant::now();
        stop_all(measured).await?;
        let stop_s = asked.elapsed().as_secs_f64();
        let fps = self.case.pictures.fps();
        let pictures = footage::count(&self.args.ffprobe(), folder.path(), fps).await?;
        let round = self.compute(&begin, &end);
        let watched = self.case.watched(self.cameras.urls.len()).count();
        let has_beside = recorder.beside().is_some();
        Ok(Round {
            recorder: recorder.name().to_owned(),
            round: number,
            pss_bytes_per_camera: pss / count,
            beside_cpu_s_per_camera_hour: round.beside_cpu_s_per_camera_hour.filter(|_| has_beside),
            threads,
            seen_per_s: seen
                .filter(|_| watched > 0)
                .map(|seen| seen as f64 / watched as f64 / round.seconds),
            syncs_per_camera_min: syncs.map(|syncs| syncs / count),
            pictures: pictures.recorded,
            pictures_lost: pictures.lost,
            start_s,
            stop_s,
            ..round
        })
    }

    fn mark(&self, measured: &[Running], beside: Option<u32>, folder: &Path) -> Result<Mark> {
        let ticks = |pid: u32| process::sample(pid).map(|usage| usage.cpu_ticks);
        let beside = beside.map(ticks).transpose()?.unwrap_or(0);
        Ok(Mark {
            at: Instant::now(),
            recorder: process::sample_all(&pids(measured))?.cpu_ticks,
            beside,
            other_own: beside + ticks(self.cameras.process.pid)? + ticks(std::process::id())?,
            machine: machine::ticks()?,
            footage: process::folder_bytes(folder),
            deeds: process::deeds(&pids(measured))?,
        })
    }

    fn compute(&self, begin: &Mark, end: &Mark) -> Round {
        let cameras = self.cameras.urls.len();
        let seconds = end.at.duration_since(begin.at).as_secs_f64();
        let cpu_s = |ticks: u64| ticks as f64 / TICKS_PER_SECOND as f64;
        let per_camera_s = |count: u64| count as f64 / cameras as f64 / seconds;
        let per_camera_hour = |ticks: u64| cpu_s(ticks) / cameras as f64 * 3600.0 / seconds;
        let own = end.recorder - begin.recorder;
        let other_own = end.other_own.saturating_sub(begin.other_own);
        let machine = end.machine.since(begin.machine);
        let footage = end.footage.saturating_sub(begin.footage);
        let written = end.deeds.disk_bytes.saturating_sub(begin.deeds.disk_bytes);
        Round {
            recorder: String::new(),
            case: self.case,
            cameras,
            round: 0,
            seconds,
            cpu_s_per_camera_hour: per_camera_hour(own),
            beside_cpu_s_per_camera_hour: Some(per_camera_hour(end.beside.saturating_sub(begin.beside))),
            pss_bytes_per_camera: 0.0,
            threads: 0,
            wakeups_per_camera_s: per_camera_s(end.deeds.wakeups.saturating_sub(begin.deeds.wakeups)),
            footage_bps_per_camera: per_camera_s(footage * 8),
            write_amplification: written as f64 / footage.max(1) as f64,
            syncs_per_camera_min: None,
            pictures: 0,
            pictures_lost: 0,
            seen_per_s: None,
            start_s: 0.0,
            stop_s: 0.0,
            foreign_cores: cpu_s(machine.busy.saturating_sub(own + other_own)) / seconds,
            steal: machine.steal as f64 / machine.total.max(1) as f64,
            load: machine::load(),
        }
    }
}

fn pids(children: &[Running]) -> Vec<u32> {
    children.iter().map(|child| child.pid).collect()
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
