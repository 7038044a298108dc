//! What is measured at one size, one thing after the other.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use async_nats::Client;
use benches::database::{Database, Kind};
use benches::machine::{self, Ticks};
use benches::process::{TICKS_PER_SECOND, family_pss, family_ticks, sample};
use benches::stats::percentile;
use serde::Serialize;

use crate::args::Args;
use crate::crowd::Crowd;
use crate::node::lock;
use crate::observer::{self, Api, Times, taken};

/// Objects and status alone, which has the target.
pub(crate) const OBJECTS: &str = "objects, status";
const EDITS: &str = "+ changes";
const HEADS: &str = "+ heads";
/// Before anything is measured: the backlog of the start goes, statements are prepared.
const WARM_UP: Duration = Duration::from_secs(8);

/// Where it is measured.
pub(crate) struct Site<'a> {
    pub(crate) args: &'a Args,
    pub(crate) nodes: u32,
    pub(crate) database: &'a Database,
    pub(crate) bus: u32,
    pub(crate) server: u32,
    pub(crate) planned_s: f64,
}

/// Milliseconds of something.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Spread {
    pub(crate) count: usize,
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) max: f64,
}

impl Spread {
    fn of(times: &[f64]) -> Self {
        Self {
            count: times.len(),
            p50: percentile(times, 0.5),
            p99: percentile(times, 0.99),
            max: percentile(times, 1.0),
        }
    }
}

/// A figure of each process; SQLite runs in the server's.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Each {
    pub(crate) server: f64,
    pub(crate) bus: f64,
    pub(crate) database: f64,
    pub(crate) client: f64,
}

/// One measurement.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Measured {
    pub(crate) database: Kind,
    pub(crate) nodes: u32,
    pub(crate) cameras: u32,
    pub(crate) what: &'static str,
    pub(crate) seconds: f64,
    /// From the server's start until the last node had its plan.
    pub(crate) planned_s: f64,
    pub(crate) published_per_s: f64,
    pub(crate) indexed_per_s: f64,
    pub(crate) heads_per_s: f64,
    /// From the stream's taking of an event to the index's acknowledgement, in milliseconds.
    pub(crate) lag_ms: Spread,
    /// Objects that were published, ever, and not acknowledged at the end.
    pub(crate) backlog: i64,
    /// Age of what the API shows of a node, in milliseconds.
    pub(crate) staleness_ms: Spread,
    /// From a change's request to its node, in milliseconds; infinite when it did not arrive.
    pub(crate) plan_ms: Option<Spread>,
    pub(crate) cores: Each,
    /// Proportional set size in MB at the end.
    pub(crate) pss_mb: Each,
    /// Requests and puts of nodes without an answer in ten seconds.
    pub(crate) unanswered: u64,
    /// Cores that other programs took.
    pub(crate) foreign_cores: f64,
    /// Share of the time that the hypervisor took.
    pub(crate) steal: f64,
}

/// All measurements of one size.
pub(crate) async fn all(
    site: &Site<'_>,
    crowd: &mut Crowd,
    api: &Api,
    observer: Client,
) -> Result<Vec<Measured>> {
    let (lags, ages) = (Times::default(), Times::default());
    let mut acked = 0;
    let gather = async {
        tokio::try_join!(
            observer::acknowledgements(observer, lags.clone()),
            observer::staleness(api.clone(), site.nodes, ages.clone()),
        )
        .map(|_| ())
    };
    let work = async {
        crowd.counts.records.store(true, Ordering::Relaxed);
        tokio::time::sleep(WARM_UP).await;
        acked += taken(&lags).len();
        let length = site.args.measured();
        let mut done = Vec::new();
        for what in [OBJECTS, EDITS, HEADS] {
            crowd.counts.heads.store(what == HEADS, Ordering::Relaxed);
            taken(&ages);
            let meter = Meter::start(site, crowd, what)?;
            let plans = if what == EDITS {
                let edits = (site.args.edits, length / 2);
                let size = (site.nodes, site.args.cameras);
                Some(observer::edits(api, size, edits, &mut crowd.plans).await?)
            } else {
                tokio::time::sleep(if what == OBJECTS { length } else { length / 2 }).await;
                None
            };
            let lags = taken(&lags);
            acked += lags.len();
            done.push(meter.stop(crowd, (&lags, &taken(&ages)), plans, acked)?);
            crowd.check()?;
        }
        Ok::<_, anyhow::Error>(done)
    };
    let done = tokio::select! {
        done = work => done?,
        ended = gather => {
            ended?;
            bail!("the observers ended");
        }
    };
    if let Some(reason) = lock(&crowd.counts.refusal).as_ref() {
        bail!("the index refused an object: {reason}");
    }
    Ok(done)
}

/// Counters at the beginning of a measurement.
struct Meter<'a> {
    site: &'a Site<'a>,
    what: &'static str,
    begun: Instant,
    machine: Ticks,
    before: [u64; 4],
    published: u64,
    told: u64,
    unanswered: u64,
}

impl<'a> Meter<'a> {
    fn start(site: &'a Site<'a>, crowd: &Crowd, what: &'static str) -> Result<Self> {
        Ok(Self {
            site,
            what,
            begun: Instant::now(),
            machine: machine::ticks()?,
            before: ticks(site)?,
            published: crowd.counts.published.load(Ordering::Relaxed),
            told: crowd.counts.told.load(Ordering::Relaxed),
            unanswered: crowd.counts.unanswered.load(Ordering::Relaxed),
        })
    }

    fn stop(
        self,
        crowd: &Crowd,
        (lags, ages): (&[f64], &[f64]),
        plans: Option<Vec<f64>>,
        acked: usize,
    ) -> Result<Measured> {
        let seconds = self.begun.elapsed().as_secs_f64();
        let machine = machine::ticks()?.since(self.machine);
        let after = ticks(self.site)?;
        let spent = [0, 1, 2, 3].map(|index| after[index].saturating_sub(self.before[index]));
        let foreign = machine.busy.saturating_sub(spent.iter().sum());
        let cores = |ticks: u64| ticks as f64 / TICKS_PER_SECOND as f64 / seconds;
        let published = crowd.counts.published.load(Ordering::Relaxed);
        let told = crowd.counts.told.load(Ordering::Relaxed);
        let measured = Measured {
            database: self.site.database.kind,
            nodes: self.site.nodes,
            cameras: self.site.args.cameras,
            what: self.what,
            seconds,
            planned_s: self.site.planned_s,
            published_per_s: (published - self.published) as f64 / seconds,
            indexed_per_s: lags.len() as f64 / seconds,
            heads_per_s: (told - self.told) as f64 / seconds,
            lag_ms: Spread::of(lags),
            backlog: i64::try_from(published)? - i64::try_from(acked)?,
            staleness_ms: Spread::of(ages),
            plan_ms: plans.map(|times| Spread::of(&times)),
            cores: Each {
                server: cores(spent[0]),
                bus: cores(spent[1]),
                database: cores(spent[2]),
                client: cores(spent[3]),
            },
            pss_mb: memory(self.site)?,
            unanswered: crowd.counts.unanswered.load(Ordering::Relaxed) - self.unanswered,
            foreign_cores: cores(foreign),
            steal: machine.steal as f64 / machine.total.max(1) as f64,
        };
        eprintln!(
            "    {}: {:.0} events/s, lag p99 {:.0} ms, {:.2} cores, {:.2} foreign",
            self.what,
            measured.indexed_per_s,
            measured.lag_ms.p99,
            measured.cores.server,
            measured.foreign_cores
        );
        Ok(measured)
    }
}

/// Of server, bus, database, client.
fn ticks(site: &Site<'_>) -> Result<[u64; 4]> {
    Ok([
        family_ticks(site.server)?,
        family_ticks(site.bus)?,
        site.database.ticks()?,
        // Not of its family: the others are its children.
        sample(std::process::id())?.cpu_ticks,
    ])
}

fn memory(site: &Site<'_>) -> Result<Each> {
    let mb = |bytes: u64| bytes as f64 / 1e6;
    Ok(Each {
        server: mb(family_pss(site.server)?),
        bus: mb(family_pss(site.bus)?),
        database: mb(site.database.pss_bytes()?),
        client: mb(sample(std::process::id())?.pss_bytes),
    })
}
