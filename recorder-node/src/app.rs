//! `recorder-node run`: puts the parts together, and takes them apart in order.

mod resume;

use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle as Thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use media_core::{Engine, EngineConfig};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use wire::NodeId;
use wire::plan::Plan;

use crate::bus::access::{Access, renew};
use crate::bus::credentials::Secrets;
use crate::bus::{Link, heads, outbox::Drain, plan, serve::Server, status::Reporter};
use crate::config::Config;
use crate::db::{Db, settings};
use crate::erasure::Eraser;
use crate::identity::Identity;
use crate::machine::Machine;
use crate::media::Recorder;
use crate::spool::commit::{self, Commit, Signals};
use crate::spool::heads::Heads;
use crate::spool::space::Space;
use crate::spool::{Layout, now, writer};
use crate::supervisor::shared::{Context, attempt_limiter};
use crate::supervisor::{Roster, Supervisors};
use crate::upload::{UnderWay, Uplink, Uploader};
use resume::{Past, resume};

/// Threads that wait for the disk, at most.
const BLOCKING: usize = 24;
/// How long an idle one stays.
const IDLE: Duration = Duration::from_secs(1);
/// Attempts end and objects are sealed within this after a signal.
const SEAL_LIMIT: Duration = Duration::from_millis(3_500);
/// Then what the outbox holds may still go.
const FLUSH_LIMIT: Duration = Duration::from_millis(1_000);

/// Runs the node until SIGTERM or SIGINT.
///
/// # Errors
/// When something that recording needs does not start.
pub fn run(config: Config) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        // Enough for what waits for the disk at once. Tokio wakes its idle threads in turn, so that a few calls a
        // second keep as many of them as a burst has made, unless they go soon.
        .max_blocking_threads(BLOCKING)
        .thread_keep_alive(IDLE)
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let result = runtime.block_on(async {
        let media = EngineConfig {
            sole_user: true,
            ..EngineConfig::default()
        };
        let engine = Engine::new(media).context("cannot start the media library")?;
        let stop = CancellationToken::new();
        stop_on_signal(stop.clone())?;
        serve(config, Arc::new(engine), stop).await
    });
    // Whatever still hangs, such as a read from a dead disk, must not keep the process.
    runtime.shutdown_timeout(Duration::from_millis(200));
    result
}

fn stop_on_signal(stop: CancellationToken) -> anyhow::Result<()> {
    let mut term = signal(SignalKind::terminate()).context("SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT")?;
    tokio::spawn(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping");
        stop.cancel();
    });
    Ok(())
}

/// Runs the node with any recorder until `stop`.
///
/// # Errors
/// As [`run`].
pub async fn serve(
    config: Config,
    recorder: Arc<dyn Recorder>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let started = now();
    let identity = Identity::load(&config.data_dir)?;
    let node = identity.node;
    let access = Access::new(
        identity,
        config.data_dir.clone(),
        (config.bus.clone(), config.https.clone()),
    )?;
    let db = Db::open(&config.data_dir)?;
    let layout = Layout::create(&config.data_dir).context("cannot make the spool")?;
    let past = {
        let (db, layout, config) = (db.clone(), layout.clone(), config.clone());
        tokio::task::spawn_blocking(move || resume(&db, &layout, &config, node)).await??
    };
    let Past {
        plan: cached,
        ledger,
        sessions,
        covered,
        retries,
        heads,
    } = past;
    let signals = Arc::new(Signals::default());
    let (commit, commit_thread) = commit::start(
        layout.clone(),
        db.clone(),
        (ledger, sessions),
        heads.clone(),
        signals.clone(),
    )?;
    let (writer, writer_threads) = writer::start(layout.clone(), node, heads.clone(), commit.clone())?;
    let (link, keeper) = Link::new();
    let context = Arc::new(Context {
        recorder: recorder.clone(),
        record: config.record.clone(),
        writer: Mutex::new(Some(writer)),
        commit: commit.clone(),
        secrets: Secrets::new(db.clone(), link.clone(), node),
        changed: Arc::new(Notify::new()),
        attempts: attempt_limiter(),
        started: Instant::now(),
    });
    let roster = Roster::default();
    let (plans, plan_seen) = watch::channel(cached.clone());
    let mut supervisors = Supervisors::new(context.clone(), covered, retries, roster.clone());
    if let Some(plan) = &cached {
        supervisors.reconcile(plan).await;
    }
    let parts = Parts {
        config,
        node,
        db: db.clone(),
        layout,
        link: link.clone(),
        heads,
        signals,
        recorder,
        uploads: Arc::default(),
        uplink: Arc::default(),
        roster: roster.clone(),
    };
    parts.uplink.limit(cached.and_then(|plan| plan.uplink_bps));
    let (caught_up, erased) = watch::channel(0);
    let drain = parts.drain(erased);
    // The bus outlives the recording by a moment, to announce what was sealed last.
    let bus_stop = CancellationToken::new();
    let mut tasks = JoinSet::new();
    tasks.spawn(keeper.run(access.clone(), bus_stop.clone()));
    tasks.spawn(renew(access, link.clone(), plans.clone(), stop.clone()));
    let (read, plan_read) = watch::channel(0);
    let secrets = context.secrets.clone();
    tasks.spawn(secrets.follow(plan_seen.clone(), stop.clone()));
    tasks.spawn(plan::follow(link, node, plans, read, stop.clone()));
    let reporter = Reporter {
        node,
        name: parts.config.node_name(),
        started,
        db: db.clone(),
        layout: parts.layout.clone(),
        machine: Machine::look(parts.layout.root(), parts.uploads.clone()),
        roster,
        plan: plan_seen.clone(),
        changed: context.changed.clone(),
    };
    tasks.spawn(reporter.run(parts.link.clone(), stop.clone()));
    let eraser = parts.eraser(context.clone(), plan_read, caught_up);
    tasks.spawn(eraser.run(plan_seen.clone(), stop.clone()));
    parts.spawn(&drain, &mut tasks, &stop, &bus_stop);
    let (name, data_dir) = (
        parts.config.node_name(),
        parts.config.data_dir.display().to_string(),
    );
    tracing::info!(%node, name, data_dir, "ready");
    follow(&db, plan_seen, (&mut supervisors, &parts.uplink), &stop).await;
    seal_all(supervisors, context, commit, writer_threads, commit_thread).await;
    let _ = tokio::time::timeout(FLUSH_LIMIT, parts.flush(&drain)).await;
    bus_stop.cancel();
    tasks.abort_all();
    tracing::info!("stopped");
    Ok(())
}

/// What the tasks beside the recording work with.
struct Parts {
    config: Config,
    node: NodeId,
    db: Db,
    layout: Layout,
    link: Link,
    heads: Arc<Heads>,
    signals: Arc<Signals>,
    recorder: Arc<dyn Recorder>,
    uploads: Arc<UnderWay>,
    uplink: Arc<Uplink>,
    roster: Roster,
}

impl Parts {
    fn drain(&self, erased: watch::Receiver<u64>) -> Drain {
        Drain {
            node: self.node,
            db: self.db.clone(),
            link: self.link.clone(),
            heads: self.heads.clone(),
            uploads: Arc::new(Notify::new()),
            erased,
        }
    }

    fn eraser(
        &self,
        context: Arc<Context>,
        read: watch::Receiver<u64>,
        caught_up: watch::Sender<u64>,
    ) -> Eraser {
        Eraser {
            node: self.node,
            db: self.db.clone(),
            layout: self.layout.clone(),
            heads: self.heads.clone(),
            roster: self.roster.clone(),
            changed: context.changed.clone(),
            writer: Arc::new(move || context.writer()),
            uploads: self.uploads.clone(),
            signals: self.signals.clone(),
            read,
            caught_up,
        }
    }

    /// Starts what announces, uploads, frees and answers.
    fn spawn(
        &self,
        drain: &Drain,
        tasks: &mut JoinSet<()>,
        stop: &CancellationToken,
        bus_stop: &CancellationToken,
    ) {
        let node = self.node;
        tasks.spawn(heads::publish(
            self.link.clone(),
            node,
            self.heads.clone(),
            bus_stop.clone(),
        ));
        tasks.spawn(drain.clone().publish(self.signals.clone(), bus_stop.clone()));
        tasks.spawn(drain.clone().confirm(bus_stop.clone()));
        let space = Space {
            layout: self.layout.clone(),
            db: self.db.clone(),
            node,
            policy: self.config.spool.clone(),
            heads: self.heads.clone(),
        };
        tasks.spawn(space.run(self.signals.clone(), stop.clone()));
        let server = Server {
            node,
            layout: self.layout.clone(),
            recorder: self.recorder.clone(),
            roster: self.roster.clone(),
        };
        tasks.spawn(server.run(self.link.clone(), bus_stop.clone()));
        let uploader = Uploader {
            node,
            db: self.db.clone(),
            layout: self.layout.clone(),
            link: self.link.clone(),
            https: self.config.https.clone(),
            concurrency: self.config.upload.concurrency,
            signals: self.signals.clone(),
            under_way: self.uploads.clone(),
            uplink: self.uplink.clone(),
        };
        let uploads = uploader.run(drain.uploads.clone(), stop.clone());
        tasks.spawn(async move {
            if let Err(error) = uploads.await {
                tracing::error!("nothing will be uploaded: {error:#}");
            }
        });
    }

    /// Announces what was sealed last.
    async fn flush(&self, drain: &Drain) {
        while let Ok(true) = drain.publish_due().await {}
        let _ = heads::publish_changed(&self.link, self.node, &self.heads).await;
        let _ = drain.confirm_all().await;
        if let Some(client) = self.link.client() {
            let _ = client.flush().await;
        }
    }
}

/// Reconciles to each plan until `stop`.
async fn follow(
    db: &Db,
    mut plans: watch::Receiver<Option<Plan>>,
    (supervisors, uplink): (&mut Supervisors, &Uplink),
    stop: &CancellationToken,
) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            changed = plans.changed() => if changed.is_err() {
                stop.cancelled().await;
                return;
            },
        }
        let Some(plan) = plans.borrow_and_update().clone() else {
            continue;
        };
        tracing::info!(
            revision = plan.revision,
            streams = plan.entries.len(),
            "following a plan"
        );
        supervisors.reconcile(&plan).await;
        uplink.limit(plan.uplink_bps);
        let kept = db
            .call(move |c| {
                settings::put_plan(c, &plan)?;
                let cameras: Vec<_> = plan.entries.iter().map(|entry| entry.camera).collect();
                settings::keep_credentials_of(c, &cameras)
            })
            .await;
        if let Err(error) = kept {
            tracing::error!(%error, "the plan could not be kept for a start without the bus");
        }
    }
}

/// Ends attempts, then the writer, then the commit thread: each hands its last work to the next.
async fn seal_all(
    supervisors: Supervisors,
    context: Arc<Context>,
    commit: SyncSender<Commit>,
    writer: writer::Handle,
    committer: Thread<()>,
) {
    let sealed = async {
        supervisors.stop().await;
        // An attempt that hangs still holds a sender; the writer then ends with the process.
        drop(
            context
                .writer
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
        drop(context);
        drop(commit);
        let joined = tokio::task::spawn_blocking(move || {
            writer.join();
            committer.join().is_ok()
        });
        joined.await
    };
    match tokio::time::timeout(SEAL_LIMIT, sealed).await {
        Ok(Ok(true)) => tracing::info!("all objects are sealed"),
        _ => tracing::warn!("not all objects could be sealed in time; the next start repairs them"),
    }
}
