//! What is measured in a round, one thing after the other.

use std::time::{Duration, Instant};

use anyhow::Result;
use benches::database::{Database, Kind};
use benches::machine::{self, Ticks};
use benches::process::{TICKS_PER_SECOND, family_ticks, sample};
use benches::stats::percentile;
use reqwest::Client;
use serde::Serialize;

use crate::args::Args;
use crate::client::{self, Times};
use crate::seed;
use crate::server::Server;

/// Requests at a time where the rate is not given.
const WIDTH: u32 = 4;
/// Before anything is measured: caches fill, connections are made.
const WARM_UP: Duration = Duration::from_secs(1);

/// The steady list, which has a target.
pub(crate) const LIST: &str = "list, steady";

/// One measurement.
#[derive(Debug, Serialize)]
pub(crate) struct Measured {
    pub(crate) database: Kind,
    pub(crate) round: usize,
    pub(crate) what: &'static str,
    pub(crate) seconds: f64,
    pub(crate) requests: usize,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) max_ms: f64,
    /// CPU time of each process, in milliseconds a request.
    pub(crate) server_cpu_ms: f64,
    pub(crate) database_cpu_ms: f64,
    pub(crate) client_cpu_ms: f64,
    /// Cores that other programs took.
    pub(crate) foreign_cores: f64,
    /// Share of the time that the hypervisor took.
    pub(crate) steal: f64,
}

/// All measurements of one round.
pub(crate) async fn all(
    args: &Args,
    database: &Database,
    server: &mut Server,
    round: usize,
) -> Result<Vec<Measured>> {
    let (organizations, _, page, _) = args.amounts();
    let password = seed::password(database)?;
    let client = Client::new();
    let base = server.base.clone();
    let token = client::sign_in(&client, &base, 1, &password).await?;
    let list = client
        .get(format!("{base}/api/v1/cameras?limit={page}"))
        .bearer_auth(&token);
    let length = args.measured();
    client::flat_out(list_copy(&list)?, 1, WARM_UP).await?;

    let mut done = Vec::new();
    let meter = Meter::start(database, server)?;
    let times = client::sign_ins(&base, args.logins(), organizations as usize, &password).await?;
    done.push(meter.stop("sign-in", round, &times)?);
    let meter = Meter::start(database, server)?;
    let times = client::steadily(list_copy(&list)?, args.rate, length).await?;
    done.push(meter.stop(LIST, round, &times)?);
    let meter = Meter::start(database, server)?;
    let times = client::flat_out(list, WIDTH, length / 2).await?;
    done.push(meter.stop("list, flat out", round, &times)?);
    let meter = Meter::start(database, server)?;
    let times = client::edits(&client, &base, &token, page, (WIDTH, length / 2)).await?;
    done.push(meter.stop("camera edit", round, &times)?);
    Ok(done)
}

fn list_copy(list: &reqwest::RequestBuilder) -> Result<reqwest::RequestBuilder> {
    list.try_clone()
        .ok_or_else(|| anyhow::anyhow!("a request with a body to copy"))
}

/// Counters at the beginning of a measurement.
struct Meter<'a> {
    database: &'a Database,
    server: u32,
    begun: Instant,
    machine: Ticks,
    /// Of server, database, client.
    before: [u64; 3],
}

impl<'a> Meter<'a> {
    fn start(database: &'a Database, server: &mut Server) -> Result<Self> {
        server.process.check()?;
        Ok(Self {
            database,
            server: server.process.pid,
            begun: Instant::now(),
            machine: machine::ticks()?,
            before: ticks(database, server.process.pid)?,
        })
    }

    fn stop(self, what: &'static str, round: usize, times: &Times) -> Result<Measured> {
        let seconds = self.begun.elapsed().as_secs_f64();
        let machine = machine::ticks()?.since(self.machine);
        let after = ticks(self.database, self.server)?;
        let spent = [0, 1, 2].map(|index| after[index].saturating_sub(self.before[index]));
        let requests = times.len();
        let cpu_ms = |ticks: u64| ticks as f64 * 1000.0 / TICKS_PER_SECOND as f64 / requests.max(1) as f64;
        let foreign = machine.busy.saturating_sub(spent.iter().sum());
        let measured = Measured {
            database: self.database.kind,
            round,
            what,
            seconds,
            requests,
            p50_ms: percentile(times, 0.5),
            p99_ms: percentile(times, 0.99),
            max_ms: percentile(times, 1.0),
            server_cpu_ms: cpu_ms(spent[0]),
            database_cpu_ms: cpu_ms(spent[1]),
            client_cpu_ms: cpu_ms(spent[2]),
            foreign_cores: foreign as f64 / TICKS_PER_SECOND as f64 / seconds,
            steal: machine.steal as f64 / machine.total.max(1) as f64,
        };
        eprintln!(
            "    {what}: {requests} requests, p50 {:.1} ms, p99 {:.1} ms, {:.2} foreign cores",
            measured.p50_ms, measured.p99_ms, measured.foreign_cores
        );
        Ok(measured)
    }
}

fn ticks(database: &Database, server: u32) -> Result<[u64; 3]> {
    Ok([
        family_ticks(server)?,
        database.ticks()?,
        // Not of its family: server and database are its children.
        sample(std::process::id())?.cpu_ticks,
    ])
}
