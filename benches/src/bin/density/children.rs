//! Child processes: started with their output in a file, stopped by asking first.

use std::fs::File;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// A running program; killed when dropped.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) name: String,
    pub(crate) pid: u32,
    child: Child,
}

impl Running {
    /// Starts a program; its output goes to `log`.
    pub(crate) fn start(name: &str, program: &Path, arguments: &[String], log: &Path) -> Result<Self> {
        Self::start_with(name, program, arguments, log, &[])
    }

    /// The same with further environment variables.
    pub(crate) fn start_with(
        name: &str,
        program: &Path,
        arguments: &[String],
        log: &Path,
        environment: &[(&str, &Path)],
    ) -> Result<Self> {
        let out = File::create(log).with_context(|| format!("creating {}", log.display()))?;
        let errors = out.try_clone()?;
        let child = Command::new(program)
            .args(arguments)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(errors)
            .kill_on_drop(true)
            // Ctrl-C in a terminal reaches this program alone; it then stops the rest in order.
            .process_group(0)
            .spawn()
            .with_context(|| format!("starting {}", program.display()))?;
        let pid = child.id().context("the process ended at once")?;
        Ok(Self {
            name: name.to_owned(),
            pid,
            child,
        })
    }

    /// Fails when it has ended.
    pub(crate) fn check(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => bail!("{} ended by itself: {status}", self.name),
        }
    }

    /// Asks it to end, waits, and forces it after ten seconds.
    pub(crate) async fn stop(mut self) -> Result<()> {
        if let Some(pid) = i32::try_from(self.pid).ok().and_then(Pid::from_raw) {
            // It may have ended between: then there is nothing to ask.
            let _ = kill_process(pid, Signal::TERM);
        }
        if timeout(Duration::from_secs(10), self.child.wait()).await.is_err() {
            eprintln!("    {} did not end when asked and is killed", self.name);
            self.child.kill().await?;
        }
        Ok(())
    }
}

/// Stops all of them at the same time.
pub(crate) async fn stop_all(children: Vec<Running>) -> Result<()> {
    futures::future::try_join_all(children.into_iter().map(Running::stop)).await?;
    Ok(())
}

/// A loopback port that is free now.
pub(crate) fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?
        .local_addr()?
        .port())
}

/// Polls until the fact is there.
pub(crate) async fn wait_for(what: &str, limit: Duration, mut fact: impl FnMut() -> bool) -> Result<()> {
    let poll = async {
        while !fact() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(limit, poll)
        .await
        .with_context(|| format!("{what}: not within {} s", limit.as_secs()))
}
