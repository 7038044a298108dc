//! All light nodes together.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use benches::bus::Bus;
use futures::{StreamExt, TryStreamExt};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinSet;

use crate::node::{Arrived, Counts, Node};
use crate::seed;

/// Connections that are made at once.
const AT_ONCE: usize = 32;

/// The nodes; they end when it is dropped.
pub(crate) struct Crowd {
    pub(crate) counts: Arc<Counts>,
    pub(crate) plans: UnboundedReceiver<Arrived>,
    tasks: JoinSet<Result<()>>,
    nodes: usize,
}

impl Crowd {
    /// Connects them; each says its status from then on, and nothing else yet.
    pub(crate) async fn connect(bus: &Bus, nodes: u32, cameras: u32) -> Result<Self> {
        let (sender, plans) = unbounded_channel();
        let counts = Arc::new(Counts::default());
        let connected: Vec<Node> = futures::stream::iter(1..=nodes)
            .map(|number| {
                let (sender, counts) = (sender.clone(), Arc::clone(&counts));
                async move {
                    let id = seed::node(number)?;
                    let all = (1..=cameras).map(|camera| seed::camera(number, camera, cameras));
                    Ok::<_, anyhow::Error>(Node {
                        id,
                        cameras: all.collect::<Result<_>>()?,
                        offset: f64::from(number) / f64::from(nodes),
                        client: bus.node(id).await?,
                        counts,
                        plans: sender,
                    })
                }
            })
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await?;
        let mut tasks = JoinSet::new();
        for node in connected {
            node.start(&mut tasks).await?;
        }
        Ok(Self {
            counts,
            plans,
            tasks,
            nodes: nodes as usize,
        })
    }

    /// Waits until each has got a plan.
    pub(crate) async fn planned(&mut self, limit: Duration) -> Result<()> {
        let mut without = self.nodes;
        let mut seen = HashSet::new();
        let all = async {
            while without > 0 {
                let arrived = self.plans.recv().await.context("a plan")?;
                if seen.insert(arrived.plan.node) {
                    without -= 1;
                }
            }
            Ok(())
        };
        match tokio::time::timeout(limit, all).await {
            Ok(done) => done,
            Err(_) => bail!("{without} nodes have no plan after {} s", limit.as_secs()),
        }
    }

    /// Fails when a node has failed.
    pub(crate) fn check(&mut self) -> Result<()> {
        match self.tasks.try_join_next() {
            None => Ok(()),
            Some(Ok(Err(error))) => Err(error.context("a light node")),
            Some(Ok(Ok(()))) => bail!("a light node was disconnected"),
            Some(Err(error)) => Err(error.into()),
        }
    }
}
