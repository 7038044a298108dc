//! One round of one side: start it, let it settle, measure from outside, stop it.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use benches::children::{Running, stop_all, wait_for};
use benches::machine::{self, Ticks};
use benches::process::{self, TICKS_PER_SECOND};
use serde::Serialize;

use crate::args::Args;
use crate::camera::Camera;
use crate::case::Case;
use crate::ours::{Kind, Told};

/// Who made the pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Side {
    Ours,
    Ffmpeg,
}

/// What one round measured.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Round {
    pub case: &'static str,
    pub side: Side,
    pub round: usize,
    /// CPU time: milliseconds a second for all consumers of a stream together, milliseconds of a single picture.
    pub cpu_ms: f64,
    /// Of each consumer; 0 for single pictures.
    pub pictures_per_second: f64,
    pub bytes_per_picture: f64,
    /// From asking to having it, milliseconds: each decoder that was started.
    pub first_ms: Vec<f64>,
    /// CPU time of everything that is neither measured, simulator nor bench, as a share of one core.
    pub foreign_cores: f64,
    /// Time taken by the hypervisor, as a share of all time.
    pub steal: f64,
}

/// Where everything runs.
pub(crate) struct Place<'a> {
    pub args: &'a Args,
    pub camera: &'a Camera,
    pub folder: &'a Path,
}

/// Everything at one moment.
struct Mark {
    at: Instant,
    measured: u64,
    other_own: u64,
    machine: Ticks,
    pictures: u64,
    bytes: u64,
}

impl Place<'_> {
    /// Runs one round.
    pub(crate) async fn run(&self, case: &Case, side: Side, round: usize) -> Result<Round> {
        let measured = match (case.kind, side) {
            (Kind::Stream, _) => self.stream(case, side).await?,
            (Kind::Thumbnails, Side::Ours) => self.our_thumbnails(case).await?,
            (Kind::Thumbnails, Side::Ffmpeg) => self.ffmpeg_thumbnails(case).await?,
        };
        Ok(Round { round, ..measured })
    }

    async fn stream(&self, case: &Case, side: Side) -> Result<Round> {
        let mut running = Vec::new();
        match side {
            Side::Ours => running.push(self.ours(case, case.consumers)?),
            Side::Ffmpeg => {
                for number in 0..case.consumers {
                    running.push(self.ffmpeg(case, number)?);
                }
            }
        }
        let logs: Vec<_> = (0..running.len()).map(|number| self.told_at(number)).collect();
        wait_for("the first pictures", Duration::from_secs(60), || {
            let all = logs.iter().all(|log| told(log, side).pictures > 0);
            all || running.iter_mut().any(|child| child.check().is_err())
        })
        .await?;
        tokio::time::sleep(Duration::from_secs(self.args.warm_up)).await;
        let look = || -> Result<Mark> {
            let all: Vec<Told> = logs.iter().map(|log| told(log, side)).collect();
            let pids: Vec<u32> = running.iter().map(|child| child.pid).collect();
            Ok(Mark {
                at: Instant::now(),
                measured: process::sample_all(&pids)?.cpu_ticks,
                other_own: self.other_own()?,
                machine: machine::ticks()?,
                pictures: all.iter().map(|told| told.pictures).sum(),
                bytes: all.iter().map(|told| told.bytes).sum(),
            })
        };
        let begin = look()?;
        tokio::time::sleep(self.args.measured()).await;
        let end = look()?;
        for child in &mut running {
            child.check()?;
        }
        let first_ms = told(&logs[0], side).first_ms;
        stop_all(running).await?;
        Ok(compute(case, side, (&begin, &end), first_ms))
    }

    async fn our_thumbnails(&self, case: &Case) -> Result<Round> {
        let machine = (machine::ticks()?, self.other_own()?, Instant::now());
        let count = self.args.thumbnails;
        let mut child = self.ours(case, count as usize)?;
        let log = self.told_at(0);
        wait_for("the single pictures", Duration::from_secs(120), || {
            told(&log, Side::Ours).ticks.is_some() || child.check().is_err()
        })
        .await?;
        child.check()?;
        let told = told(&log, Side::Ours);
        let ticks = told.ticks.context("the pictures were not made")?;
        let own = process::sample(child.pid)?.cpu_ticks;
        child.stop().await?;
        let (foreign_cores, steal) = self.disturbed(machine, own)?;
        Ok(Round {
            first_ms: told.first_ms,
            bytes_per_picture: told.bytes as f64 / f64::from(count),
            foreign_cores,
            steal,
            ..single(case, Side::Ours, ticks, count)
        })
    }

    async fn ffmpeg_thumbnails(&self, case: &Case) -> Result<Round> {
        let machine = (machine::ticks()?, self.other_own()?, Instant::now());
        let (mut first_ms, mut bytes, mut ticks, mut all_ticks, mut failed) = (Vec::new(), 0, 0, 0, 0);
        while first_ms.len() < self.args.thumbnails as usize {
            let (begin, before) = (Instant::now(), ended_children()?);
            let progress = self.told_at(0);
            let arguments = case.ffmpeg(
                &self.camera.url,
                self.args.ffmpeg_quality,
                &progress.to_string_lossy(),
            );
            let mut command = tokio::process::Command::new(&self.args.ffmpeg);
            let status = command.args(arguments).kill_on_drop(true).status().await?;
            let took = ended_children()? - before;
            all_ticks += took;
            if status.success() {
                first_ms.push(begin.elapsed().as_secs_f64() * 1e3);
                bytes += told(&progress, Side::Ffmpeg).bytes;
                ticks += took;
                continue;
            }
            // It may give up on a busy machine, and is then not counted.
            failed += 1;
            if failed > 3 {
                bail!("FFmpeg made no picture");
            }
        }
        let (foreign_cores, steal) = self.disturbed(machine, all_ticks)?;
        Ok(Round {
            first_ms,
            bytes_per_picture: bytes as f64 / f64::from(self.args.thumbnails),
            foreign_cores,
            steal,
            ..single(case, Side::Ffmpeg, ticks, self.args.thumbnails)
        })
    }

    /// This program again, as our side.
    fn ours(&self, case: &Case, consumers: usize) -> Result<Running> {
        let own = std::env::current_exe().context("the path of this program")?;
        let kind = match case.kind {
            Kind::Stream => "stream",
            Kind::Thumbnails => "thumbnails",
        };
        let arguments = [
            ("--kind", kind.to_owned()),
            ("--width", case.width.to_string()),
            ("--height", case.height.to_string()),
            ("--rate", case.rate.to_string()),
            ("--consumers", consumers.to_string()),
            ("--url", self.camera.url.clone()),
        ];
        let arguments = arguments
            .into_iter()
            .flat_map(|(name, value)| [name.to_owned(), value]);
        let arguments: Vec<String> = std::iter::once("ours".to_owned()).chain(arguments).collect();
        Running::start("our side", &own, &arguments, &self.told_at(0))
    }

    fn ffmpeg(&self, case: &Case, number: usize) -> Result<Running> {
        let progress = self.told_at(number);
        let _ = std::fs::remove_file(&progress);
        let log = self.folder.join(format!("ffmpeg-{number}.log"));
        let arguments = case.ffmpeg(
            &self.camera.url,
            self.args.ffmpeg_quality,
            &progress.to_string_lossy(),
        );
        Running::start("ffmpeg", &self.args.ffmpeg, &arguments, &log)
    }

    /// Where a side tells how far it is.
    fn told_at(&self, number: usize) -> std::path::PathBuf {
        self.folder.join(format!("told-{number}"))
    }

    /// Ticks of simulator and bench.
    fn other_own(&self) -> Result<u64> {
        let ticks = |pid: u32| process::sample(pid).map(|usage| usage.cpu_ticks);
        Ok(ticks(self.camera.process.pid)? + ticks(std::process::id())?)
    }

    fn disturbed(&self, (machine, other, at): (Ticks, u64, Instant), own: u64) -> Result<(f64, f64)> {
        let other = self.other_own()?.saturating_sub(other);
        let since = machine::ticks()?.since(machine);
        Ok(disturbance(since, own + other, at.elapsed().as_secs_f64()))
    }
}

/// Ticks of children that this process has seen end.
fn ended_children() -> Result<u64> {
    let text = std::fs::read_to_string("/proc/self/stat")?;
    let fields = text.rsplit_once(')').context("/proc/self/stat")?.1;
    // cutime and cstime (proc(5)).
    let both = fields.split_whitespace().skip(13).take(2);
    Ok(both.map(str::parse::<u64>).sum::<Result<u64, _>>()?)
}

/// The newest that a side has told.
fn told(log: &Path, side: Side) -> Told {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    match side {
        Side::Ours => {
            let lines = text
                .lines()
                .rev()
                .filter_map(|line| serde_json::from_str(line).ok());
            lines.into_iter().next().unwrap_or_default()
        }
        Side::Ffmpeg => {
            let newest = |key: &str| {
                let mut values = text.lines().rev().filter_map(|line| line.strip_prefix(key));
                values.find_map(|value| value.trim().parse().ok()).unwrap_or(0)
            };
            Told {
                pictures: newest("frame="),
                bytes: newest("total_size="),
                ..Told::default()
            }
        }
    }
}

fn disturbance(machine: Ticks, own: u64, seconds: f64) -> (f64, f64) {
    let foreign = machine.busy.saturating_sub(own) as f64 / TICKS_PER_SECOND as f64 / seconds;
    (foreign, machine.steal as f64 / machine.total.max(1) as f64)
}

fn single(case: &Case, side: Side, ticks: u64, count: u32) -> Round {
    Round {
        case: case.name,
        side,
        round: 0,
        cpu_ms: ticks as f64 * 1e3 / TICKS_PER_SECOND as f64 / f64::from(count),
        pictures_per_second: 0.0,
        bytes_per_picture: 0.0,
        first_ms: Vec::new(),
        foreign_cores: 0.0,
        steal: 0.0,
    }
}

fn compute(case: &Case, side: Side, (begin, end): (&Mark, &Mark), first_ms: Vec<f64>) -> Round {
    let seconds = end.at.duration_since(begin.at).as_secs_f64();
    let measured = end.measured - begin.measured;
    let other = end.other_own.saturating_sub(begin.other_own);
    let pictures = end.pictures.saturating_sub(begin.pictures) as f64;
    let machine = end.machine.since(begin.machine);
    let (foreign_cores, steal) = disturbance(machine, measured + other, seconds);
    Round {
        case: case.name,
        side,
        round: 0,
        cpu_ms: measured as f64 * 1e3 / TICKS_PER_SECOND as f64 / seconds,
        pictures_per_second: pictures / seconds / case.consumers as f64,
        bytes_per_picture: end.bytes.saturating_sub(begin.bytes) as f64 / pictures.max(1.0),
        first_ms,
        foreign_cores,
        steal,
    }
}
