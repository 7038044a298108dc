//! `--soak`: one node for a long time, with cameras that break off again and again. Its memory must stay.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use benches::children::Running;
use benches::{machine, process};
use serde::Serialize;
use wire::source::Reader;

use crate::args::Args;
use crate::camera::Cameras;
use crate::node::Node;
use crate::plot;
use crate::recorder::{Recorder, Work};
use crate::store::Store;

/// Looks at the node this often.
const LOOK: Duration = Duration::from_secs(5);
/// Memory at the beginning and at the end is the mean over this share of the time.
const SHARE: f64 = 0.1;
/// This share at the beginning does not count: queues and caches fill.
const WARM_UP: f64 = 0.1;
/// The end of the time, for cameras that did not come back as often as they should.
const LAST_CUTS: Duration = Duration::from_secs(40);
/// Growth from the beginning to the end that still is none.
const FLAT: f64 = 0.05;

/// One look.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Look {
    /// Seconds since all cameras were recorded.
    pub at_s: f64,
    pub pss_bytes: u64,
    pub threads: u64,
    /// Open files and sockets.
    pub files: usize,
}

/// What came of it, as written to `soak.json`.
#[derive(Debug, Serialize)]
struct Soak {
    machine: String,
    cameras: usize,
    minutes: u64,
    /// Of the camera with the fewest.
    least_reconnects: u64,
    first_pss_bytes: f64,
    last_pss_bytes: f64,
    growth: f64,
    looks: Vec<Look>,
}

/// Runs it.
///
/// # Errors
/// When something does not start, and at the end when the memory grew or the cameras did not come back.
pub(crate) async fn run(args: &Args, minutes: u64, scratch: &Path) -> Result<()> {
    let (Some(case), Some(&count)) = (args.cases().first().copied(), args.cameras.first()) else {
        bail!("nothing to record");
    };
    let store = Store::start()?;
    let nats = (args.nats_server.as_path(), Some(store));
    let mut node = Node::new(args.recorder_node()?, Reader::Auto, nats, scratch).await?;
    eprintln!("{case}, {count} cameras: starting the simulator");
    let cameras = Cameras::start(args, case, count, scratch).await?;
    let folder = tempfile::tempdir_in(scratch)?;
    let work = Work {
        urls: &cameras.urls,
        case,
    };
    let mut running = node.start(work, folder.path()).await?;
    let length = Duration::from_secs(minutes * 60);
    let looks = tokio::select! {
        looks = watch(&mut running, length) => looks?,
        broken = break_off((&cameras, &node), args.reconnects, length) => match broken? {},
    };
    let least = node.reconnects().await?.into_iter().min().unwrap_or(0);
    benches::children::stop_all(running).await?;
    cameras.process.stop().await?;
    let soak = Soak::new(count, minutes, least, looks);
    soak.write(&args.out)?;
    println!("{}", soak.table());
    println!("written: soak.json and soak.svg in {}", args.out.display());
    soak.judge(args.reconnects)
}

/// Looks at the node until the time is over.
async fn watch(running: &mut [Running], length: Duration) -> Result<Vec<Look>> {
    let begun = Instant::now();
    let mut looks: Vec<Look> = Vec::new();
    let mut told = 0;
    while begun.elapsed() < length {
        tokio::time::sleep(LOOK).await;
        for child in running.iter_mut() {
            child.check()?;
        }
        let pid = running.first().context("no node")?.pid;
        let usage = process::sample(pid)?;
        let look = Look {
            at_s: begun.elapsed().as_secs_f64(),
            pss_bytes: usage.pss_bytes,
            threads: usage.threads,
            files: std::fs::read_dir(format!("/proc/{pid}/fd"))?.count(),
        };
        looks.push(look);
        let minute = (look.at_s / 60.0) as u64;
        if minute > told {
            told = minute;
            eprintln!(
                "    {minute} min: {:.1} MB, {} threads, {} files",
                look.pss_bytes as f64 / 1e6,
                look.threads,
                look.files
            );
        }
    }
    Ok(looks)
}

/// Cuts one camera after the other, evenly over the time but its end. There it cuts those again that a busy
/// machine kept from coming back between two cuts. Never ends in good order.
async fn break_off((cameras, node): (&Cameras, &Node), each: u64, length: Duration) -> Result<Infallible> {
    let count = cameras.urls.len();
    let all = each * count as u64;
    if all == 0 {
        return std::future::pending().await;
    }
    let pause = (length.saturating_sub(LAST_CUTS)).div_f64(all as f64);
    let mut next = tokio::time::interval(pause);
    for number in 0..all {
        next.tick().await;
        cut(cameras, usize::try_from(number % count as u64)?).await?;
    }
    loop {
        // As old as a status gets, and a connection's time.
        tokio::time::sleep(Duration::from_secs(8)).await;
        for (camera, again) in node.reconnects().await?.into_iter().enumerate() {
            if again < each {
                cut(cameras, camera).await?;
            }
        }
    }
}

async fn cut(cameras: &Cameras, camera: usize) -> Result<()> {
    cameras.cut(camera).await.context("cutting a camera's connection")
}

impl Soak {
    fn new(cameras: usize, minutes: u64, least_reconnects: u64, looks: Vec<Look>) -> Self {
        let end = looks.last().map_or(0.0, |look| look.at_s);
        let mean = |from: f64, to: f64| {
            let within = looks
                .iter()
                .filter(|look| (from * end..=to * end).contains(&look.at_s));
            let bytes: Vec<f64> = within.map(|look| look.pss_bytes as f64).collect();
            bytes.iter().sum::<f64>() / bytes.len().max(1) as f64
        };
        let (first, last) = (mean(WARM_UP, WARM_UP + SHARE), mean(1.0 - SHARE, 1.0));
        Self {
            machine: machine::description(),
            cameras,
            minutes,
            least_reconnects,
            first_pss_bytes: first,
            last_pss_bytes: last,
            growth: last / first.max(1.0) - 1.0,
            looks,
        }
    }

    fn table(&self) -> String {
        let mut text = format!("\n{}\n", self.machine);
        let most = |figure: fn(&Look) -> u64| self.looks.iter().map(figure).max().unwrap_or(0);
        let _ = writeln!(
            text,
            "{} cameras, {} minutes, each came back {} times or more",
            self.cameras, self.minutes, self.least_reconnects
        );
        let _ = writeln!(
            text,
            "PSS {:.1} MB at the beginning, {:.1} MB at the end: {:+.1} %; at most {:.1} MB",
            self.first_pss_bytes / 1e6,
            self.last_pss_bytes / 1e6,
            self.growth * 100.0,
            most(|look| look.pss_bytes) as f64 / 1e6
        );
        let _ = writeln!(
            text,
            "at most {} threads and {} open files",
            most(|look| look.threads),
            most(|look| look.files as u64)
        );
        text
    }

    fn write(&self, folder: &Path) -> Result<()> {
        std::fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
        std::fs::write(folder.join("soak.json"), serde_json::to_vec_pretty(self)?)?;
        plot::soak(&self.looks, &folder.join("soak.svg"))
    }

    fn judge(&self, reconnects: u64) -> Result<()> {
        if self.least_reconnects < reconnects {
            bail!(
                "a camera came back {} times instead of {reconnects}",
                self.least_reconnects
            );
        }
        if self.growth > FLAT {
            bail!("the memory grew by {:.1} %", self.growth * 100.0);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn soak(bytes: impl Fn(f64) -> f64) -> Soak {
        let look = |number: u32| {
            let at_s = f64::from(number) * 5.0;
            Look {
                at_s,
                pss_bytes: bytes(at_s) as u64,
                threads: 16,
                files: 80,
            }
        };
        Soak::new(32, 60, 200, (1..=720).map(look).collect())
    }

    #[test]
    fn filling_up_at_first_is_no_growth() {
        let flat = soak(|at| if at < 300.0 { 20e6 } else { 50e6 });
        assert!(flat.growth.abs() < 1e-9);
        assert!(flat.judge(200).is_ok());
        assert!(
            flat.judge(201)
                .unwrap_err()
                .to_string()
                .contains("200 times instead of 201")
        );
    }

    #[test]
    fn a_leak_is_found() {
        let leak = soak(|at| 50e6 + at * 1_000.0);
        assert!(leak.judge(200).unwrap_err().to_string().contains("grew by 5.7 %"));
    }
}
