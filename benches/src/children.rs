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
pub struct Running {
    /// What it is called in messages.
    pub name: String,
    /// Its process id.
    pub pid: u32,
    child: Child,
}

impl Running {
    /// Starts a program; its output goes to `log`.
    ///
    /// # Errors
    /// When the log cannot be written or the program not be started.
    pub fn start(name: &str, program: &Path, arguments: &[String], log: &Path) -> Result<Self> {
        Self::start_with(name, program, arguments, log, &[])
    }

    /// The same with further environment variables.
    ///
    /// # Errors
    /// As [`Running::start`].
    pub fn start_with(
        name: &str,
        program: &Path,
        arguments: &[String],
        log: &Path,
        environment: &[(&str, &Path)],
    ) -> Result<Self> {
        let mut command = Command::new(program);
        command.args(arguments).envs(environment.iter().copied());
        Self::spawn(name, command, log)
    }

    /// The same with a command that is prepared further.
    ///
    /// # Errors
    /// As [`Running::start`].
    pub fn spawn(name: &str, mut command: Command, log: &Path) -> Result<Self> {
        let out = File::create(log).with_context(|| format!("creating {}", log.display()))?;
        let errors = out.try_clone()?;
        let child = command
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(errors)
            .kill_on_drop(true)
            // Ctrl-C in a terminal reaches this program alone; it then stops the rest in order.
            .process_group(0)
            .spawn()
            .with_context(|| format!("starting {name}"))?;
        let pid = child.id().context("the process ended at once")?;
        Ok(Self {
            name: name.to_owned(),
            pid,
            child,
        })
    }

    /// Says whether it still runs.
    ///
    /// # Errors
    /// When it has ended.
    pub fn check(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => bail!("{} ended by itself: {status}", self.name),
        }
    }

    /// Asks it to end, waits, and forces it after ten seconds.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub async fn stop(mut self) -> Result<()> {
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
///
/// # Errors
/// As [`Running::stop`].
pub async fn stop_all(children: Vec<Running>) -> Result<()> {
    futures::future::try_join_all(children.into_iter().map(Running::stop)).await?;
    Ok(())
}

/// A loopback port that is free now.
///
/// # Errors
/// When there is none.
pub fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?
        .local_addr()?
        .port())
}

/// Polls until the fact is there.
///
/// # Errors
/// When it is not within `limit`.
pub async fn wait_for(what: &str, limit: Duration, mut fact: impl FnMut() -> bool) -> Result<()> {
    let poll = async {
        while !fact() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(limit, poll)
        .await
        .with_context(|| format!("{what}: not within {} s", limit.as_secs()))
}
