//! The table, and the files with everything.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use benches::machine;
use serde::Serialize;

use crate::case::Case;
use crate::plot;
use crate::round::Round;
use crate::verdict::{Row, Verdict, row, verdict};

/// Everything that was measured, as written to `density.json`.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// Processor and cores.
    pub machine: String,
    /// Version lines of what was compared.
    pub versions: Vec<String>,
    /// Medians.
    pub rows: Vec<Row>,
    /// Each recorder beside the last one.
    pub verdicts: Vec<Verdict>,
    /// Every round.
    pub rounds: Vec<Round>,
}

impl Report {
    /// Sums the rounds up. All of `names` are compared with the last one.
    pub(crate) fn new(rounds: Vec<Round>, names: &[String], max_spread: f64, versions: Vec<String>) -> Self {
        let mut groups: Vec<(Case, usize)> = rounds.iter().map(|round| (round.case, round.cameras)).collect();
        groups.dedup();
        let mut rows = Vec::new();
        let mut verdicts = Vec::new();
        for group in groups {
            let of = |name: &String| {
                let own = rounds.iter().filter(|round| (round.case, round.cameras) == group);
                own.filter(|round| round.recorder == *name).collect::<Vec<_>>()
            };
            let all: Vec<(Row, Vec<&Round>)> = names
                .iter()
                .filter_map(|name| Some((row(&of(name))?, of(name))))
                .collect();
            if let Some(((theirs, their_rounds), others)) = all.split_last() {
                verdicts.extend(others.iter().map(|(ours, own)| {
                    let both = [own.as_slice(), their_rounds.as_slice()].concat();
                    verdict(ours, theirs, &both, max_spread)
                }));
            }
            rows.extend(all.into_iter().map(|(row, _)| row));
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
            "\n{:<16} {:>7} {:<13} {:>9} {:>6} {:>6} {:>7} {:>7} {:>8} {:>6} {:>6} {:>7} {:>5} {:>6} {:>5}",
            "stream",
            "cameras",
            "recorder",
            "CPU-s/c-h",
            "spread",
            "beside",
            "MB/c",
            "threads",
            "wakes/c·s",
            "Mbit/s",
            "disk×",
            "syncs/m",
            "lost",
            "start",
            "stop"
        );
        for row in &self.rows {
            let optional = |value: Option<f64>, digits: usize| {
                value.map_or("–".to_owned(), |v| format!("{v:.digits$}"))
            };
            let _ = writeln!(
                text,
                "{:<16} {:>7} {:<13} {:>9.2} {:>5.0}% {:>6} {:>7.2} {:>7.0} {:>9.1} {:>6.2} {:>6.2} {:>7} {:>5} {:>5.1}s {:>4.1}s",
                row.case.to_string(),
                row.cameras,
                row.recorder,
                row.cpu_s_per_camera_hour,
                row.cpu_spread * 100.0,
                optional(row.beside_cpu_s_per_camera_hour, 2),
                row.pss_mb_per_camera,
                row.threads,
                row.wakeups_per_camera_s,
                row.footage_mbps_per_camera,
                row.write_amplification,
                optional(row.syncs_per_camera_min, 1),
                row.pictures_lost,
                row.start_s,
                row.stop_s,
            );
        }
        text.push_str(
            "\nper camera: CPU-seconds an hour, of the process beside (bus) likewise, MB of PSS, wake-ups a second,\n\
             Mbit/s and calls of fsync a minute; disk×: bytes to the disk for one of footage; lost: pictures of all\n\
             rounds; start: until all record; stop: until all is closed\n",
        );
        for verdict in &self.verdicts {
            text.push_str(&verdict.sentence());
        }
        text
    }

    /// Writes `density.json`, `density.csv` and `density.svg`.
    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
        fs::write(folder.join("density.json"), serde_json::to_vec_pretty(self)?)?;
        fs::write(folder.join("density.csv"), self.csv())?;
        plot::draw(&self.rows, &folder.join("density.svg"))
    }

    fn csv(&self) -> String {
        let mut csv = String::from(
            "stream,cameras,recorder,round,seconds,cpu_s_per_camera_hour,beside_cpu_s_per_camera_hour,\
             pss_bytes_per_camera,threads,wakeups_per_camera_s,footage_bps_per_camera,write_amplification,\
             syncs_per_camera_min,pictures,pictures_lost,seen_per_s,start_s,stop_s,foreign_cores,steal,load\n",
        );
        let optional = |value: Option<f64>| value.map_or(String::new(), |value| format!("{value:.3}"));
        for round in &self.rounds {
            let cells = [
                round.case.to_string(),
                round.cameras.to_string(),
                round.recorder.clone(),
                round.round.to_string(),
                format!("{:.3}", round.seconds),
                format!("{:.3}", round.cpu_s_per_camera_hour),
                optional(round.beside_cpu_s_per_camera_hour),
                format!("{:.0}", round.pss_bytes_per_camera),
                round.threads.to_string(),
                format!("{:.2}", round.wakeups_per_camera_s),
                format!("{:.0}", round.footage_bps_per_camera),
                format!("{:.3}", round.write_amplification),
                optional(round.syncs_per_camera_min),
                round.pictures.to_string(),
                round.pictures_lost.to_string(),
                optional(round.seen_per_s),
                format!("{:.2}", round.start_s),
                format!("{:.2}", round.stop_s),
                format!("{:.4}", round.foreign_cores),
                format!("{:.4}", round.steal),
                optional(round.load),
            ];
            let _ = writeln!(csv, "{}", cells.join(","));
        }
        csv
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::{Codec, Pictures};

    fn round(recorder: &str, number: usize, cpu: f64, foreign_cores: f64) -> Round {
        let case = Case {
            pictures: Pictures::P720,
            codec: Codec::H264,
            audio: false,
            watch_every: None,
        };
        Round {
            recorder: recorder.to_owned(),
            case,
            cameras: 8,
            round: number,
            seconds: 60.0,
            cpu_s_per_camera_hour: cpu,
            beside_cpu_s_per_camera_hour: None,
            pss_bytes_per_camera: 1e6,
            threads: 3,
            wakeups_per_camera_s: 20.0,
            footage_bps_per_camera: 2e6,
            write_amplification: 1.0,
            syncs_per_camera_min: None,
            pictures: 7_000,
            pictures_lost: 2,
            seen_per_s: None,
            start_s: 1.0,
            stop_s: 1.0,
            foreign_cores,
            steal: 0.0,
            load: Some(1.0),
        }
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn a_noisy_run_concludes_nothing() {
        let rounds = vec![
            round("a", 1, 4.0, 0.0),
            round("b", 1, 14.0, 0.9),
            round("a", 2, 8.0, 0.0),
            round("b", 2, 14.1, 0.0),
        ];
        let report = Report::new(rounds, &names(&["a", "b"]), 0.15, Vec::new());
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
            round("c", 1, 9.0, 0.0),
            round("b", 1, 16.0, 0.0),
            round("a", 2, 4.2, 0.0),
        ];
        let report = Report::new(rounds, &names(&["a", "c", "b"]), 0.15, vec!["b 1.0".to_owned()]);
        assert!((report.rows[0].cpu_s_per_camera_hour - 4.1).abs() < 1e-9);
        assert_eq!(report.rows[0].pictures_lost, 4);
        let pairs: Vec<_> = report
            .verdicts
            .iter()
            .map(|one| (one.recorder.as_str(), one.against.as_str()))
            .collect();
        assert_eq!(pairs, [("a", "b"), ("c", "b")]);
        let folder = tempfile::tempdir().unwrap();
        report.write(folder.path()).unwrap();
        let csv = fs::read_to_string(folder.path().join("density.csv")).unwrap();
        let columns: Vec<usize> = csv.lines().map(|line| line.split(',').count()).collect();
        assert_eq!(columns, [21; 5]);
        assert!(folder.path().join("density.json").is_file());
        let svg = fs::read_to_string(folder.path().join("density.svg")).unwrap();
        assert!(svg.contains("720p15-2m h264") && svg.contains("</svg>"));
    }
}
