//! The table, and whether anything may be concluded from it.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use benches::machine;
use benches::stats::{median, spread};
use serde::Serialize;

use crate::round::Round;

/// More of a core than this in other programs disturbs the measurement.
const MAX_FOREIGN_CORES: f64 = 0.25;
/// More of all time than this taken by the hypervisor disturbs it.
const MAX_STEAL: f64 = 0.03;
/// Recorders whose footage differs by more than this did not do the same work.
const MAX_FOOTAGE_DIFFERENCE: f64 = 0.15;
/// What a simulated camera sends; less of it would flatter everybody.
const CAMERA_MBPS: f64 = 2.0;

/// Everything that was measured, as written to `density.json`.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// Processor and cores.
    pub machine: String,
    /// Version lines of what was compared.
    pub versions: Vec<String>,
    /// Medians.
    pub rows: Vec<Row>,
    /// One entry a number of cameras.
    pub verdicts: Vec<Verdict>,
    /// Every round.
    pub rounds: Vec<Round>,
}

/// One recorder at one number of cameras, over all rounds.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub recorder: &'static str,
    pub cameras: usize,
    pub rounds: usize,
    pub cpu_s_per_camera_hour: f64,
    /// Between rounds, as a share of the median.
    pub cpu_spread: f64,
    pub beside_cpu_s_per_camera_hour: Option<f64>,
    pub pss_mb_per_camera: f64,
    pub threads: f64,
    pub footage_mbps_per_camera: f64,
}

/// Ours beside FFmpeg, or why nothing is concluded.
#[derive(Debug, Serialize)]
pub(crate) struct Verdict {
    pub cameras: usize,
    /// CPU time of the first recorder as a share of the second one's; None when it was too noisy.
    pub cpu_ratio: Option<f64>,
    /// The same of memory.
    pub pss_ratio: Option<f64>,
    /// What disturbed the measurement.
    pub doubts: Vec<String>,
}

impl Report {
    /// Sums the rounds up. `names`: the recorder in question, then the one it is compared with.
    pub(crate) fn new(
        rounds: Vec<Round>,
        names: [&'static str; 2],
        max_spread: f64,
        versions: Vec<String>,
    ) -> Self {
        let mut counts: Vec<usize> = rounds.iter().map(|round| round.cameras).collect();
        counts.dedup();
        let mut rows = Vec::new();
        let mut verdicts = Vec::new();
        for cameras in counts {
            let of = |name| {
                rounds
                    .iter()
                    .filter(move |round| round.cameras == cameras && round.recorder == name)
            };
            let pair = names.map(|name| row(name, cameras, &of(name).collect::<Vec<_>>()));
            let all: Vec<&Round> = rounds.iter().filter(|round| round.cameras == cameras).collect();
            verdicts.push(verdict(cameras, &pair, &all, max_spread));
            rows.extend(pair);
        }
        Self {
            machine: machine::description(),
            versions,
            rows,
            verdicts,
            rounds,
        }
    }

    /// For people.
    pub(crate) fn table(&self) -> String {
        let mut text = format!("\n{}\n", self.machine);
        for version in &self.versions {
            let _ = writeln!(text, "{version}");
        }
        let _ = writeln!(
            text,
            "\n{:>7}  {:<14} {:>18} {:>7} {:>14} {:>13} {:>8} {:>13}",
            "cameras",
            "recorder",
            "CPU-s/camera-hour",
            "spread",
            "bus beside",
            "PSS MB/camera",
            "threads",
            "Mbit/s/camera"
        );
        for row in &self.rows {
            let beside = row
                .beside_cpu_s_per_camera_hour
                .map_or("–".to_owned(), |value| format!("{value:.2}"));
            let _ = writeln!(
                text,
                "{:>7}  {:<14} {:>18.2} {:>6.0}% {:>14} {:>13.2} {:>8.0} {:>13.2}",
                row.cameras,
                row.recorder,
                row.cpu_s_per_camera_hour,
                row.cpu_spread * 100.0,
                beside,
                row.pss_mb_per_camera,
                row.threads,
                row.footage_mbps_per_camera
            );
        }
        text.push('\n');
        for verdict in &self.verdicts {
            text.push_str(&verdict.sentence());
        }
        text
    }

    /// Writes `density.json` and `density.csv`.
    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
        fs::write(folder.join("density.json"), serde_json::to_vec_pretty(self)?)?;
        let mut csv = String::from(
            "cameras,recorder,round,seconds,cpu_s_per_camera_hour,beside_cpu_s_per_camera_hour,\
             pss_bytes_per_camera,threads,footage_bps_per_camera,foreign_cores,steal,load\n",
        );
        for round in &self.rounds {
            let optional = |value: Option<f64>| value.map_or(String::new(), |value| format!("{value:.3}"));
            let _ = writeln!(
                csv,
                "{},{},{},{:.3},{:.3},{},{:.0},{},{:.0},{:.4},{:.4},{}",
                round.cameras,
                round.recorder,
                round.round,
                round.seconds,
                round.cpu_s_per_camera_hour,
                optional(round.beside_cpu_s_per_camera_hour),
                round.pss_bytes_per_camera,
                round.threads,
                round.footage_bps_per_camera,
                round.foreign_cores,
                round.steal,
                optional(round.load),
            );
        }
        fs::write(folder.join("density.csv"), csv)?;
        Ok(())
    }
}

impl Verdict {
    fn sentence(&self) -> String {
        match (self.cpu_ratio, self.pss_ratio) {
            (Some(cpu), Some(pss)) => format!(
                "{} cameras: the node takes {cpu:.2} of FFmpeg's CPU time and {pss:.3} of its memory.\n",
                self.cameras
            ),
            _ => format!(
                "{} cameras: nothing is concluded: {}.\n",
                self.cameras,
                self.doubts.join("; ")
            ),
        }
    }
}

fn row(recorder: &'static str, cameras: usize, rounds: &[&Round]) -> Row {
    let of = |figure: fn(&Round) -> f64| rounds.iter().map(|round| figure(round)).collect::<Vec<f64>>();
    let cpu = of(|round| round.cpu_s_per_camera_hour);
    let beside: Vec<f64> = rounds
        .iter()
        .filter_map(|round| round.beside_cpu_s_per_camera_hour)
        .collect();
    Row {
        recorder,
        cameras,
        rounds: rounds.len(),
        cpu_s_per_camera_hour: median(&cpu),
        cpu_spread: spread(&cpu),
        beside_cpu_s_per_camera_hour: (!beside.is_empty()).then(|| median(&beside)),
        pss_mb_per_camera: median(&of(|round| round.pss_bytes_per_camera)) / 1e6,
        threads: median(&of(|round| round.threads as f64)),
        footage_mbps_per_camera: median(&of(|round| round.footage_bps_per_camera)) / 1e6,
    }
}

fn verdict(cameras: usize, [ours, theirs]: &[Row; 2], rounds: &[&Round], max_spread: f64) -> Verdict {
    let mut doubts = Vec::new();
    if cfg!(debug_assertions) {
        doubts.push("built without optimisation".to_owned());
    }
    if ours.rounds < 2 || theirs.rounds < 2 {
        doubts.push("one round shows no spread".to_owned());
    }
    for row in [ours, theirs] {
        if row.cpu_spread > max_spread {
            doubts.push(format!(
                "{} differs by {:.0}% between rounds",
                row.recorder,
                row.cpu_spread * 100.0
            ));
        }
    }
    let worst = |figure: fn(&Round) -> f64| rounds.iter().map(|round| figure(round)).fold(0.0, f64::max);
    let foreign = worst(|round| round.foreign_cores);
    if foreign > MAX_FOREIGN_CORES {
        doubts.push(format!("other programs took {foreign:.2} cores in one round"));
    }
    let steal = worst(|round| round.steal);
    if steal > MAX_STEAL {
        doubts.push(format!("the hypervisor took {:.1}% of one round", steal * 100.0));
    }
    let footage = (ours.footage_mbps_per_camera, theirs.footage_mbps_per_camera);
    if (footage.0 - footage.1).abs() > MAX_FOOTAGE_DIFFERENCE * footage.1.max(f64::MIN_POSITIVE) {
        doubts.push(format!(
            "{:.2} and {:.2} Mbit/s a camera are not the same work",
            footage.0, footage.1
        ));
    }
    if footage.0 < 0.75 * CAMERA_MBPS {
        doubts.push(format!(
            "{:.2} Mbit/s a camera were recorded instead of {CAMERA_MBPS}",
            footage.0
        ));
    }
    let usable = doubts.is_empty();
    let ratio = |a: f64, b: f64| (usable && b > 0.0).then(|| a / b);
    Verdict {
        cameras,
        cpu_ratio: ratio(ours.cpu_s_per_camera_hour, theirs.cpu_s_per_camera_hour),
        pss_ratio: ratio(ours.pss_mb_per_camera, theirs.pss_mb_per_camera),
        doubts,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(recorder: &'static str, number: usize, cpu: f64, foreign_cores: f64) -> Round {
        Round {
            recorder,
            cameras: 8,
            round: number,
            seconds: 60.0,
            cpu_s_per_camera_hour: cpu,
            beside_cpu_s_per_camera_hour: None,
            pss_bytes_per_camera: 1e6,
            threads: 3,
            footage_bps_per_camera: 2e6,
            foreign_cores,
            steal: 0.0,
            load: Some(1.0),
        }
    }

    #[test]
    fn a_noisy_run_concludes_nothing() {
        let rounds = vec![
            round("a", 1, 4.0, 0.0),
            round("b", 1, 14.0, 0.9),
            round("a", 2, 8.0, 0.0),
            round("b", 2, 14.1, 0.0),
        ];
        let report = Report::new(rounds, ["a", "b"], 0.15, Vec::new());
        assert_eq!(report.verdicts[0].cpu_ratio, None);
        let table = report.table();
        assert!(table.contains("nothing is concluded"), "{table}");
        assert!(table.contains("a differs by 67% between rounds"), "{table}");
        assert!(table.contains("other programs took 0.90 cores"), "{table}");
    }

    #[test]
    fn medians_and_files() {
        let rounds = vec![
            round("a", 1, 4.0, 0.0),
            round("b", 1, 16.0, 0.0),
            round("a", 2, 4.2, 0.0),
        ];
        let report = Report::new(rounds, ["a", "b"], 0.15, vec!["b 1.0".to_owned()]);
        assert!((report.rows[0].cpu_s_per_camera_hour - 4.1).abs() < 1e-9);
        let folder = tempfile::tempdir().unwrap();
        report.write(folder.path()).unwrap();
        let csv = fs::read_to_string(folder.path().join("density.csv")).unwrap();
        assert_eq!(csv.lines().count(), 4);
        assert!(folder.path().join("density.json").is_file());
    }
}
