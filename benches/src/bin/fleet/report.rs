//! The curve, whether the target was met, and what breaks first.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use benches::database::Kind;
use benches::machine;
use serde::Serialize;
use wire::bus::NODE_TTL_S;

use crate::args::Args;
use crate::phase::{Measured, OBJECTS};

/// More of a core than this in other programs disturbs the measurement.
const MAX_FOREIGN_CORES: f64 = 0.25;
/// More of all time than this taken by the hypervisor disturbs it.
const MAX_STEAL: f64 = 0.03;
/// A generator that takes more of its one thread than this may be what is slow.
const MAX_CLIENT_CORES: f64 = 0.9;
/// As late as a plan may be.
const MAX_PLAN_MS: f64 = 10_000.0;

/// Everything that was measured, as written to `fleet.json`.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// Processor and cores.
    machine: String,
    target_cores: f64,
    target_lag_ms: f64,
    verdicts: Vec<Verdict>,
    measured: Vec<Measured>,
}

/// The target on one database, at the largest size.
#[derive(Debug, Serialize)]
struct Verdict {
    database: Kind,
    nodes: u32,
    /// None when too much disturbed the measurement.
    met: Option<bool>,
    /// What was too much there.
    missed: Vec<String>,
    doubts: Vec<String>,
    /// What was too much first, from small to large, from light load to heavy.
    breaks_first: Option<String>,
}

impl Report {
    pub(crate) fn new(measured: Vec<Measured>, args: &Args) -> Self {
        let mut kinds: Vec<Kind> = measured.iter().map(|one| one.database).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let verdict = |kind| {
            let of: Vec<&Measured> = measured.iter().filter(|one| one.database == kind).collect();
            verdict(kind, &of, args)
        };
        Self {
            machine: machine::description(),
            target_cores: args.target_cores,
            target_lag_ms: args.target_lag_ms,
            verdicts: kinds.into_iter().filter_map(verdict).collect(),
            measured,
        }
    }

    /// Whether a database clearly missed the target.
    pub(crate) fn is_missed(&self) -> bool {
        self.verdicts.iter().any(|verdict| verdict.met == Some(false))
    }

    /// Writes `fleet.json`.
    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
        let file = folder.join("fleet.json");
        fs::write(&file, serde_json::to_vec_pretty(self)?)
            .with_context(|| format!("writing {}", file.display()))
    }

    /// For people: a line a measurement.
    pub(crate) fn table(&self) -> String {
        let mut text = format!("\n{}\n\n", self.machine);
        let _ = writeln!(
            text,
            "{:<10} {:>5} {:<15} {:>8} {:>8} {:>8} {:>8} {:>8} {:>15} {:>23} {:>17}",
            "database",
            "nodes",
            "load",
            "events/s",
            "lag p50",
            "lag p99",
            "backlog",
            "age p99",
            "plan p50/p99",
            "cores cp/bus/db/client",
            "MB cp/bus/db"
        );
        for one in &self.measured {
            text.push_str(&line(one));
        }
        text.push_str(
            "\nlag: from the bus to the index, ms; age: of the status that the API shows, ms; plan: from a \
             change's request\nto its node, ms; backlog: events not in the index at the end; cp: control \
             plane, with SQLite in it\n",
        );
        for verdict in &self.verdicts {
            text.push_str(&verdict.sentences(self.target_cores, self.target_lag_ms));
        }
        text
    }
}

fn line(one: &Measured) -> String {
    let plan = one.plan_ms.map_or_else(
        || "-".to_owned(),
        |plan| format!("{:.0}/{:.0}", plan.p50, plan.p99),
    );
    let (cores, pss) = (one.cores, one.pss_mb);
    let cores = format!(
        "{:.2}/{:.2}/{:.2}/{:.2}",
        cores.server, cores.bus, cores.database, cores.client
    );
    let pss = format!("{:.0}/{:.0}/{:.0}", pss.server, pss.bus, pss.database);
    format!(
        "{:<10} {:>5} {:<15} {:>8.0} {:>8.0} {:>8.0} {:>8} {:>8.0} {plan:>15} {cores:>23} {pss:>17}\n",
        one.database.to_string(),
        one.nodes,
        one.what,
        one.indexed_per_s,
        one.lag_ms.p50,
        one.lag_ms.p99,
        one.backlog,
        one.staleness_ms.p99,
    )
}

impl Verdict {
    fn sentences(&self, cores: f64, lag_ms: f64) -> String {
        let what = format!(
            "{}, {} nodes: events and status with {cores} cores and a p99 lag of {lag_ms} ms",
            self.database, self.nodes
        );
        let mut text = match self.met {
            Some(true) => format!("{what}: met.\n"),
            Some(false) => format!("{what}: MISSED: {}.\n", self.missed.join("; ")),
            None => format!("{what}: nothing is concluded: {}.\n", self.doubts.join("; ")),
        };
        let first = self.breaks_first.as_deref().unwrap_or("nothing that was tried");
        let _ = writeln!(text, "{}: breaks first: {first}.", self.database);
        text
    }
}

fn verdict(database: Kind, measured: &[&Measured], args: &Args) -> Option<Verdict> {
    let largest = measured.iter().rfind(|one| one.what == OBJECTS)?;
    let missed = too_much(largest, args);
    let mut doubts = Vec::new();
    if largest.foreign_cores > MAX_FOREIGN_CORES {
        doubts.push(format!("other programs took {:.2} cores", largest.foreign_cores));
    }
    if largest.steal > MAX_STEAL {
        doubts.push(format!("the hypervisor took {:.1}%", largest.steal * 100.0));
    }
    if largest.cores.client > MAX_CLIENT_CORES {
        doubts.push("the generator took its whole thread".to_owned());
    }
    if cfg!(debug_assertions) {
        doubts.push("a build without optimisation measures nothing".to_owned());
    }
    let mut met = Some(missed.is_empty());
    if args.smoke {
        doubts.push("a smoke run measures nothing".to_owned());
        met = None;
    } else if !doubts.is_empty() && (met == Some(false) || cfg!(debug_assertions)) {
        // A target that is met in spite of a disturbance is met; one that is missed then says nothing.
        met = None;
    }
    let breaks_first = measured.iter().find_map(|one| {
        let found = too_much(one, args);
        (!found.is_empty()).then(|| format!("{} nodes, {}: {}", one.nodes, one.what, found.join("; ")))
    });
    Some(Verdict {
        database,
        nodes: largest.nodes,
        met,
        missed,
        doubts,
        breaks_first,
    })
}

/// What of a measurement is over its limit.
fn too_much(one: &Measured, args: &Args) -> Vec<String> {
    let mut found = Vec::new();
    let mut unless = |holds: bool, sentence: String| {
        if !holds {
            found.push(sentence);
        }
    };
    unless(
        one.cores.server <= args.target_cores,
        format!("the control plane takes {:.2} cores", one.cores.server),
    );
    unless(
        one.lag_ms.p99 <= args.target_lag_ms,
        format!("events wait {:.0} ms", one.lag_ms.p99),
    );
    unless(
        one.backlog as f64 <= one.published_per_s * args.target_lag_ms / 1000.0,
        format!("{} events pile up", one.backlog),
    );
    unless(
        one.staleness_ms.p99 <= NODE_TTL_S as f64 * 1000.0,
        "nodes are taken for lost".to_owned(),
    );
    unless(
        one.plan_ms.is_none_or(|plan| plan.p99 <= MAX_PLAN_MS),
        "plans arrive late".to_owned(),
    );
    unless(
        one.unanswered == 0,
        format!("{} requests are not answered", one.unanswered),
    );
    found
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::phase::{Each, Spread};

    fn measured(nodes: u32, cores: f64, lag: f64, foreign_cores: f64) -> Measured {
        Measured {
            database: Kind::Postgres,
            nodes,
            cameras: 32,
            what: OBJECTS,
            seconds: 1.0,
            planned_s: 1.0,
            published_per_s: 500.0,
            indexed_per_s: 500.0,
            heads_per_s: 0.0,
            lag_ms: Spread {
                p99: lag,
                ..Spread::default()
            },
            backlog: 3,
            staleness_ms: Spread::default(),
            plan_ms: None,
            cores: Each {
                server: cores,
                ..Each::default()
            },
            pss_mb: Each::default(),
            unanswered: 0,
            foreign_cores,
            steal: 0.0,
        }
    }

    #[test]
    fn the_largest_size_is_judged_and_the_first_that_breaks_is_named() {
        let mut args = Args::parse_from(["fleet"]);
        let curve = |foreign| {
            vec![
                measured(100, 0.2, 20.0, foreign),
                measured(1000, 1.7, 80.0, foreign),
            ]
        };
        let found = too_much(&curve(0.0)[1], &args);
        assert_eq!(found, ["the control plane takes 1.70 cores"]);
        let report = Report::new(curve(0.0), &args);
        let first = report.verdicts[0].breaks_first.as_deref().unwrap();
        assert!(
            first.starts_with("1000 nodes, objects, status: the control plane"),
            "{first}"
        );
        // On a busy machine a miss concludes nothing.
        let busy = Report::new(curve(0.9), &args);
        assert!(!busy.is_missed() && busy.table().contains("other programs took 0.90 cores"));
        args.target_cores = 2.0;
        assert!(too_much(&curve(0.0)[1], &args).is_empty());
    }
}
