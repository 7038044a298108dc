//! The table, and whether the target was met.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use benches::database::Kind;
use benches::machine;
use benches::stats::median;
use serde::Serialize;

use crate::args::Args;
use crate::phase::{LIST, Measured};

/// More of a core than this in other programs disturbs the measurement; the bus is one of them.
const MAX_FOREIGN_CORES: f64 = 0.25;
/// More of all time than this taken by the hypervisor disturbs it.
const MAX_STEAL: f64 = 0.03;

/// Everything that was measured, as written to `control-plane-load.json`.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// Processor and cores.
    machine: String,
    organizations: u32,
    cameras: u32,
    cameras_on_page: u32,
    audit_rows: u32,
    rate: u32,
    target_ms: f64,
    verdicts: Vec<Verdict>,
    measured: Vec<Measured>,
}

/// The target on one database.
#[derive(Debug, Serialize)]
struct Verdict {
    database: Kind,
    /// Median of the rounds.
    p99_ms: f64,
    /// None when too much disturbed the measurement.
    met: Option<bool>,
    doubts: Vec<String>,
}

impl Report {
    pub(crate) fn new(measured: Vec<Measured>, args: &Args) -> Self {
        let (organizations, cameras, cameras_on_page, audit_rows) = args.amounts();
        let mut kinds: Vec<Kind> = measured.iter().map(|one| one.database).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let of = |kind| {
            measured
                .iter()
                .filter(move |one| one.database == kind && one.what == LIST)
        };
        let verdicts = kinds
            .into_iter()
            .map(|kind| verdict(kind, &of(kind).collect::<Vec<_>>(), args))
            .collect();
        Self {
            machine: machine::description(),
            organizations,
            cameras,
            cameras_on_page,
            audit_rows,
            rate: args.rate,
            target_ms: args.target_ms,
            verdicts,
            measured,
        }
    }

    /// Whether a database clearly missed the target.
    pub(crate) fn is_missed(&self) -> bool {
        self.verdicts.iter().any(|verdict| verdict.met == Some(false))
    }

    /// For people: medians of the rounds, one database beside the other.
    pub(crate) fn table(&self) -> String {
        let mut text = format!(
            "\n{}\n{} organizations, {} cameras, {} audit rows; lists of {} cameras, {} a second when steady\n\n",
            self.machine, self.organizations, self.cameras, self.audit_rows, self.cameras_on_page, self.rate
        );
        let _ = writeln!(
            text,
            "{:<15} {:<11} {:>9} {:>9} {:>9} {:>11} {:>10} {:>10} {:>10}",
            "what", "database", "p50 ms", "p99 ms", "max ms", "requests/s", "server ms", "db ms", "client ms"
        );
        let mut names: Vec<(&str, Kind)> = Vec::new();
        for one in &self.measured {
            if !names.contains(&(one.what, one.database)) {
                names.push((one.what, one.database));
            }
        }
        names.sort_by_key(|(what, _)| self.measured.iter().position(|one| one.what == *what));
        for (what, kind) in names {
            text.push_str(&self.line(what, kind));
        }
        text.push_str("\nserver, db, client: CPU time a request\n");
        for verdict in &self.verdicts {
            text.push_str(&verdict.sentence(self.target_ms));
        }
        text
    }

    fn line(&self, what: &str, kind: Kind) -> String {
        let middle = |figure: fn(&Measured) -> f64| {
            let rounds = self
                .measured
                .iter()
                .filter(|one| one.what == what && one.database == kind);
            median(&rounds.map(figure).collect::<Vec<f64>>())
        };
        format!(
            "{what:<15} {:<11} {:>9.1} {:>9.1} {:>9.1} {:>11.1} {:>10.2} {:>10.2} {:>10.2}\n",
            kind.to_string(),
            middle(|one| one.p50_ms),
            middle(|one| one.p99_ms),
            middle(|one| one.max_ms),
            middle(|one| one.requests as f64 / one.seconds),
            middle(|one| one.server_cpu_ms),
            middle(|one| one.database_cpu_ms),
            middle(|one| one.client_cpu_ms),
        )
    }

    /// Writes `control-plane-load.json`.
    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
        let file = folder.join("control-plane-load.json");
        fs::write(&file, serde_json::to_vec_pretty(self)?)
            .with_context(|| format!("writing {}", file.display()))
    }
}

impl Verdict {
    fn sentence(&self, target_ms: f64) -> String {
        let kind = self.database;
        let p99_ms = self.p99_ms;
        match self.met {
            Some(true) => format!("{kind}: lists within {target_ms} ms: met (p99 {p99_ms:.1} ms).\n"),
            Some(false) => format!("{kind}: lists within {target_ms} ms: MISSED (p99 {p99_ms:.1} ms).\n"),
            None => format!("{kind}: nothing is concluded: {}.\n", self.doubts.join("; ")),
        }
    }
}

/// A quick answer in spite of a disturbance is still quick; a slow one then says nothing.
fn verdict(database: Kind, rounds: &[&Measured], args: &Args) -> Verdict {
    let p99_ms = median(&rounds.iter().map(|one| one.p99_ms).collect::<Vec<f64>>());
    let worst = |figure: fn(&Measured) -> f64| rounds.iter().map(|one| figure(one)).fold(0.0, f64::max);
    let mut doubts = Vec::new();
    let (foreign, steal) = (worst(|one| one.foreign_cores), worst(|one| one.steal));
    if foreign > MAX_FOREIGN_CORES {
        doubts.push(format!("other programs took {foreign:.2} cores in one round"));
    }
    if steal > MAX_STEAL {
        doubts.push(format!("the hypervisor took {:.1}% of one round", steal * 100.0));
    }
    let mut is_quick = Some(p99_ms <= args.target_ms);
    if args.smoke {
        doubts.push("a smoke run measures nothing".to_owned());
        is_quick = None;
    } else if is_quick == Some(false) && !doubts.is_empty() {
        is_quick = None;
    }
    Verdict {
        database,
        p99_ms,
        met: is_quick,
        doubts,
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn round(p99_ms: f64, foreign_cores: f64) -> Measured {
        Measured {
            database: Kind::Sqlite,
            round: 1,
            what: LIST,
            seconds: 1.0,
            requests: 50,
            p50_ms: 1.0,
            p99_ms,
            max_ms: p99_ms,
            server_cpu_ms: 1.0,
            database_cpu_ms: 0.0,
            client_cpu_ms: 1.0,
            foreign_cores,
            steal: 0.0,
        }
    }

    #[test]
    fn a_slow_run_on_a_busy_machine_concludes_nothing() {
        let args = Args::parse_from(["control-plane-load"]);
        let judged = |p99_ms, foreign| Report::new(vec![round(p99_ms, foreign)], &args);
        assert_eq!(judged(19.0, 0.0).verdicts[0].met, Some(true));
        assert_eq!(judged(19.0, 0.9).verdicts[0].met, Some(true));
        assert!(judged(21.0, 0.0).is_missed());
        let disturbed = judged(21.0, 0.9);
        assert!(!disturbed.is_missed());
        assert!(disturbed.table().contains("other programs took 0.90 cores"));
    }
}
