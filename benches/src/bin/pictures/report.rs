//! The table, and whether anything may be concluded from it.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use benches::machine;
use benches::stats::{median, spread};
use serde::Serialize;

use crate::case::{CASES, Case, FIRST_PICTURE_MS};
use crate::ours::Kind;
use crate::round::{Round, Side};

/// More of a core than this in other programs disturbs the measurement.
const MAX_FOREIGN_CORES: f64 = 0.25;
/// More of all time than this taken by the hypervisor disturbs it.
const MAX_STEAL: f64 = 0.03;
/// A side that makes less of the pictures that were asked for did not do the work.
const MIN_PICTURES: f64 = 0.9;
/// Our files must not be smaller than this share of FFmpeg's: less detail is less work.
const MIN_SIZE: f64 = 0.8;

/// Everything that was measured, as written to `pictures.json`.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub machine: String,
    /// First line of what FFmpeg says of its version, and GStreamer's.
    pub versions: Vec<String>,
    pub verdicts: Vec<Verdict>,
    /// From asking our side to the first picture of a stream, milliseconds: median and worst.
    pub first_picture_ms: Option<(f64, f64)>,
    pub rounds: Vec<Round>,
}

/// Ours beside FFmpeg, or why nothing is concluded.
#[derive(Debug, Serialize)]
pub(crate) struct Verdict {
    pub case: &'static str,
    pub rows: [Row; 2],
    pub target: f64,
    /// Our CPU time as a share of FFmpeg's, as measured.
    pub ratio: f64,
    /// What disturbed the measurement; nothing is concluded then.
    pub doubts: Vec<String>,
}

/// One side over all rounds: medians.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub side: Side,
    pub rounds: usize,
    pub cpu_ms: f64,
    pub cpu_spread: f64,
    pub pictures_per_second: f64,
    pub kb_per_picture: f64,
    pub first_ms: f64,
}

impl Report {
    /// Sums the rounds up.
    pub(crate) fn new(rounds: Vec<Round>, max_spread: f64, versions: Vec<String>) -> Self {
        let verdicts = CASES.iter().filter_map(|case| {
            let all: Vec<&Round> = rounds.iter().filter(|round| round.case == case.name).collect();
            (!all.is_empty()).then(|| verdict(case, &all, max_spread))
        });
        let verdicts = verdicts.collect();
        let streams = |round: &&Round| round.side == Side::Ours && round.pictures_per_second > 0.0;
        let ours = rounds.iter().filter(streams);
        let first: Vec<f64> = ours.flat_map(|round| round.first_ms.iter().copied()).collect();
        let worst = first.iter().copied().fold(0.0, f64::max);
        Self {
            machine: machine::description(),
            versions,
            verdicts,
            first_picture_ms: (!first.is_empty()).then(|| (median(&first), worst)),
            rounds,
        }
    }

    /// No target was clearly missed.
    pub(crate) fn passed(&self) -> bool {
        let late = self
            .first_picture_ms
            .is_some_and(|(middle, _)| middle > FIRST_PICTURE_MS);
        let missed = |verdict: &Verdict| verdict.doubts.is_empty() && verdict.ratio > verdict.target;
        !late && !self.verdicts.iter().any(missed)
    }

    /// For people.
    pub(crate) fn table(&self) -> String {
        let mut text = format!("\n{}\n{}\n", self.machine, self.versions.join("\n"));
        let _ = writeln!(
            text,
            "\n{:<12} {:<7} {:>10} {:>7} {:>11} {:>8} {:>9}",
            "pictures", "by", "CPU ms", "spread", "pictures/s", "kB each", "first ms"
        );
        for verdict in &self.verdicts {
            for row in &verdict.rows {
                let _ = writeln!(
                    text,
                    "{:<12} {:<7} {:>10.1} {:>6.0}% {:>11.1} {:>8.1} {:>9.0}",
                    verdict.case,
                    match row.side {
                        Side::Ours => "ours",
                        Side::Ffmpeg => "ffmpeg",
                    },
                    row.cpu_ms,
                    row.cpu_spread * 100.0,
                    row.pictures_per_second,
                    row.kb_per_picture,
                    row.first_ms
                );
            }
        }
        text.push_str("CPU ms: a second of all consumers together; of one picture for thumbnails.\n\n");
        for verdict in &self.verdicts {
            text.push_str(&verdict.sentence());
        }
        if let Some((middle, worst)) = self.first_picture_ms {
            let _ = writeln!(
                text,
                "first picture: {middle:.0} ms after it was asked for, {worst:.0} ms at worst; target {FIRST_PICTURE_MS:.0} ms."
            );
        }
        text
    }

    /// Writes `pictures.json`.
    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
        fs::write(folder.join("pictures.json"), serde_json::to_vec_pretty(self)?)?;
        Ok(())
    }
}

impl Verdict {
    fn sentence(&self) -> String {
        if self.doubts.is_empty() {
            let met = if self.ratio <= self.target {
                "met"
            } else {
                "MISSED"
            };
            format!(
                "{}: {:.3} of FFmpeg's CPU time; target {} {met}.\n",
                self.case, self.ratio, self.target
            )
        } else {
            format!(
                "{}: nothing is concluded ({:.3} was measured): {}.\n",
                self.case,
                self.ratio,
                self.doubts.join("; ")
            )
        }
    }
}

fn row(side: Side, all: &[&Round]) -> Row {
    let rounds: Vec<&&Round> = all.iter().filter(|round| round.side == side).collect();
    let of = |figure: fn(&Round) -> f64| rounds.iter().map(|round| figure(round)).collect::<Vec<f64>>();
    let cpu = of(|round| round.cpu_ms);
    Row {
        side,
        rounds: rounds.len(),
        cpu_ms: median(&cpu),
        cpu_spread: spread(&cpu),
        pictures_per_second: median(&of(|round| round.pictures_per_second)),
        kb_per_picture: median(&of(|round| round.bytes_per_picture)) / 1e3,
        first_ms: median(&of(|round| median(&round.first_ms))),
    }
}

fn verdict(case: &Case, rounds: &[&Round], max_spread: f64) -> Verdict {
    let rows = [row(Side::Ours, rounds), row(Side::Ffmpeg, rounds)];
    let mut doubts = Vec::new();
    if cfg!(debug_assertions) {
        doubts.push("built without optimisation".to_owned());
    }
    for row in &rows {
        if row.rounds < 2 {
            doubts.push("one round shows no spread".to_owned());
        }
        if row.cpu_spread > max_spread {
            let percent = row.cpu_spread * 100.0;
            doubts.push(format!("{:?} differs by {percent:.0}% between rounds", row.side));
        }
        if case.kind == Kind::Stream && row.pictures_per_second < MIN_PICTURES * f64::from(case.rate) {
            let rate = row.pictures_per_second;
            doubts.push(format!("{:?} made {rate:.1} pictures a second", row.side));
        }
    }
    let worst = |figure: fn(&Round) -> f64| rounds.iter().map(|round| figure(round)).fold(0.0, f64::max);
    let (foreign, steal) = (worst(|round| round.foreign_cores), worst(|round| round.steal));
    if foreign > MAX_FOREIGN_CORES {
        doubts.push(format!("other programs took {foreign:.2} cores in one round"));
    }
    if steal > MAX_STEAL {
        doubts.push(format!("the hypervisor took {:.1}% of one round", steal * 100.0));
    }
    let (ours, theirs) = (rows[0].kb_per_picture, rows[1].kb_per_picture);
    if ours < MIN_SIZE * theirs {
        doubts.push(format!(
            "{ours:.1} and {theirs:.1} kB a picture are not the same work"
        ));
    }
    Verdict {
        case: case.name,
        ratio: rows[0].cpu_ms / rows[1].cpu_ms.max(f64::MIN_POSITIVE),
        rows,
        target: case.target,
        doubts,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(side: Side, cpu_ms: f64, foreign_cores: f64) -> Round {
        Round {
            case: CASES[0].name,
            side,
            round: 1,
            cpu_ms,
            pictures_per_second: 15.0,
            bytes_per_picture: 1e5,
            first_ms: vec![40.0],
            foreign_cores,
            steal: 0.0,
        }
    }

    #[test]
    fn a_noisy_run_concludes_nothing_and_a_quiet_one_may_miss() {
        let (ours, theirs) = (round(Side::Ours, 90.0, 0.0), round(Side::Ffmpeg, 100.0, 0.0));
        let quiet = vec![ours.clone(), theirs.clone(), ours.clone(), theirs.clone()];
        let mut report = Report::new(quiet, 0.15, Vec::new());
        // Tests are built without optimisation, which is a doubt of its own.
        report.verdicts[0]
            .doubts
            .retain(|doubt| !doubt.contains("optimisation"));
        assert!(!report.passed());
        assert!(
            report
                .table()
                .contains("0.900 of FFmpeg's CPU time; target 0.6 MISSED")
        );
        let noisy = vec![
            ours.clone(),
            theirs.clone(),
            ours,
            round(Side::Ffmpeg, 130.0, 0.9),
        ];
        let report = Report::new(noisy, 0.15, Vec::new());
        let table = report.table();
        assert!(report.passed(), "{table}");
        assert!(table.contains("Ffmpeg differs by 26% between rounds"), "{table}");
        assert!(table.contains("other programs took 0.90 cores"), "{table}");
        let folder = tempfile::tempdir().unwrap();
        report.write(folder.path()).unwrap();
        assert!(folder.path().join("pictures.json").is_file());
    }
}
