//! Puts the parts together, starts them, stops them in order.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use actix_web::dev::ServerHandle;
use actix_web::middleware::from_fn;
use actix_web::web::Data;
use actix_web::{App, HttpServer};
use anyhow::Context;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::app::events::{self, Facts};
use crate::app::first_start;
use crate::app::limits::Limiter;
use crate::app::password::Passwords;
use crate::bus::keys::Keyring;
use crate::bus::{self, Bus, Heads, Nodes, Wake};
use crate::config::Config;
use crate::http::observe::observe;
use crate::secrets::{Secrets, private_dir, random};
use crate::state::now;
use crate::store::{Store, cameras};
use crate::tasks::lease::hold;
use crate::tasks::{completeness, eraser, keys, planner, presence, upkeep};
use crate::{AppState, http, objects};

/// Seconds that open requests may go on for when the server stops.
const GRACE_S: u64 = 5;

/// A running server.
#[derive(Debug)]
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its parts.
    pub state: AppState,
    handle: ServerHandle,
    http: JoinHandle<std::io::Result<()>>,
    tasks: Vec<JoinHandle<()>>,
    stop: CancellationToken,
}

impl Server {
    /// Opens the data folder and starts everything. The bus may be away: it is waited for behind the
    /// running server.
    ///
    /// # Errors
    /// When the folder, the database or the address cannot be used.
    pub async fn start(config: Config) -> anyhow::Result<Self> {
        let bind = config.http.bind;
        let listener =
            TcpListener::bind(bind).with_context(|| format!("http.bind: cannot listen on {bind}"))?;
        let address = listener.local_addr()?;
        let state = assemble(config, address).await?;
        let stop = CancellationToken::new();
        macro_rules! leased {
            ($name:literal, $run:path) => {{
                let (state, own) = (state.clone(), state.clone());
                tokio::spawn(hold(state, $name, stop.clone(), move |grant, stop| {
                    $run(own.clone(), grant, stop)
                }))
            }};
        }
        let tasks = vec![
            tokio::spawn(bus::service::run(state.clone(), stop.clone())),
            leased!("planner", planner::run),
            tokio::spawn(keys::run(state.clone(), stop.clone())),
            leased!("eraser", eraser::run),
            leased!("upkeep", upkeep::run),
            leased!("presence", presence::run),
            leased!("completeness", completeness::run),
            tokio::spawn(events::follow(state.clone(), stop.clone())),
        ];
        let shared = Data::new(state.clone());
        let server = HttpServer::new(move || {
            App::new()
                .app_data(shared.clone())
                .wrap(from_fn(observe))
                .configure(http::routes)
        })
        .disable_signals()
        .shutdown_timeout(GRACE_S)
        .listen(listener)?
        .run();
        Ok(Self {
            address,
            state,
            handle: server.handle(),
            http: tokio::spawn(server),
            tasks,
            stop,
        })
    }

    /// Lets open requests end, then the tasks.
    ///
    /// # Errors
    /// When a part did not end well.
    pub async fn stop(self) -> anyhow::Result<()> {
        // These answers never end by themselves.
        self.state.facts.close();
        self.handle.stop(true).await;
        self.stop.cancel();
        for task in self.tasks {
            task.await?;
        }
        self.http.await??;
        Ok(())
    }
}

/// Names this server to the others, and to who reads their log: its process, and what no other start has.
fn replica() -> anyhow::Result<String> {
    Ok(format!("{}-{}", std::process::id(), hex::encode(random::<6>()?)))
}

async fn assemble(config: Config, address: SocketAddr) -> anyhow::Result<AppState> {
    private_dir(&config.data_dir)?;
    let secrets = Arc::new(Secrets::open(&config.data_dir.join("secrets"))?);
    let url = config.database_url();
    let store = tokio::task::spawn_blocking(move || Store::open(&url)).await??;
    store.write(cameras::fill_in).await?;
    first_start::ensure(&store, &config.data_dir.join("admin-password"), now()).await?;
    let public_url = config.public_url(address)?;
    Ok(AppState {
        objects: objects::open(&config, &public_url, &secrets)?,
        passwords: tokio::task::spawn_blocking(Passwords::new).await??,
        public_url,
        secrets,
        store,
        bus: Bus::default(),
        bus_keys: Arc::new(Keyring::new(&config.data_dir)),
        revoke: Arc::new(Notify::new()),
        heads: Heads::default(),
        nodes: Nodes::new(config.nodes.lost_after()),
        replica: replica()?.into(),
        replan: Wake::default(),
        erase: Wake::default(),
        facts: Facts::default(),
        usernames: Arc::default(),
        limiter: Arc::new(Limiter::new(config.http.requests_per_s)),
        config: Arc::new(config),
    })
}
