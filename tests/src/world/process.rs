//! A program under test as a process of its own: started, killed, started again; its output in files.

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

/// How long a process may take to stop in good order.
const STOP_DEADLINE: Duration = Duration::from_secs(30);

/// What no log may hold: GLib's word for a function that was misused, and Rust's for a panic.
const NEVER_SAID: [&str; 2] = ["-CRITICAL **", "panicked at"];

/// A program that runs, or ran, in the world.
#[derive(Debug)]
pub struct Process {
    name: String,
    program: PathBuf,
    args: Vec<OsString>,
    environment: Vec<(&'static str, OsString)>,
    folder: PathBuf,
    child: Option<Child>,
}

impl Process {
    /// Starts a program whose output goes to `<folder>/<name>.out` and `.err`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(name: &str, program: PathBuf, args: Vec<OsString>, folder: &Path) -> Result<Self> {
        let folder = folder.to_path_buf();
        let mut process = Self {
            name: name.to_owned(),
            program,
            args,
            environment: Vec::new(),
            folder,
            child: None,
        };
        process.resume()?;
        Ok(process)
    }

    /// Starts it again with the same arguments; its output is appended.
    ///
    /// # Errors
    /// When it runs still, or cannot be started.
    pub fn resume(&mut self) -> Result<()> {
        ensure!(self.child.is_none(), "{} runs already", self.name);
        let open = |path: PathBuf| File::options().create(true).append(true).open(path);
        let child = Command::new(&self.program)
            .args(&self.args)
            .envs(self.environment.iter().cloned())
            .stdin(Stdio::null())
            .stdout(open(self.output())?)
            .stderr(open(self.log())?)
            .spawn()
            .with_context(|| format!("{} cannot be started", self.program.display()))?;
        self.child = Some(child);
        Ok(())
    }

    /// Sets a variable for when it is started again.
    pub fn set_environment(&mut self, name: &'static str, value: OsString) {
        self.environment.push((name, value));
    }

    /// Where its standard output goes.
    #[must_use]
    pub fn output(&self) -> PathBuf {
        self.folder.join(format!("{}.out", self.name))
    }

    /// Where its standard error goes.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.folder.join(format!("{}.err", self.name))
    }

    /// Kills it as a power cut would, and waits for its end.
    ///
    /// # Errors
    /// When it had ended by itself before.
    pub fn kill9(&mut self) -> Result<()> {
        let mut child = self
            .child
            .take()
            .with_context(|| format!("{} does not run", self.name))?;
        let ended = child.try_wait()?;
        child.kill()?;
        child.wait()?;
        ensure!(ended.is_none(), "{} had ended by itself: {ended:?}", self.name);
        Ok(())
    }

    /// Asks it to stop and waits for its end.
    ///
    /// # Errors
    /// When it does not end in time or not with success.
    pub fn stop(&mut self) -> Result<()> {
        let mut child = self
            .child
            .take()
            .with_context(|| format!("{} does not run", self.name))?;
        let pid = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
        let started = Instant::now();
        loop {
            if let Some(status) = child.try_wait()? {
                ensure!(status.success(), "{} ended with {status}", self.name);
                return Ok(());
            }
            if started.elapsed() > STOP_DEADLINE {
                child.kill()?;
                child.wait()?;
                anyhow::bail!("{} did not stop within {STOP_DEADLINE:?}", self.name);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Fails when it ended by itself.
    ///
    /// # Errors
    /// With the end of its log.
    pub fn check_alive(&mut self) -> Result<()> {
        if let Some(child) = &mut self.child
            && let Some(status) = child.try_wait()?
        {
            anyhow::bail!("{} ended by itself with {status}:\n{}", self.name, self.tail(15));
        }
        Ok(())
    }

    /// Proportional set size in bytes; what the process costs in memory.
    ///
    /// # Errors
    /// When it does not run.
    pub fn memory_bytes(&self) -> Result<u64> {
        let child = self.child.as_ref().context("it does not run")?;
        let text = std::fs::read_to_string(format!("/proc/{}/smaps_rollup", child.id()))?;
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("Pss:"))
            .context("a line Pss")?;
        let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
        Ok(kilobytes * 1024)
    }

    /// The last lines of its log.
    #[must_use]
    pub fn tail(&self, lines: usize) -> String {
        let text = std::fs::read(self.log()).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let all: Vec<&str> = text.lines().collect();
        all[all.len().saturating_sub(lines)..].join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            eprintln!("--- the end of {}\n{}", self.log().display(), self.tail(40));
            return;
        }
        let log = std::fs::read(self.log()).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let fault = log
            .lines()
            .find(|line| NEVER_SAID.iter().any(|said| line.contains(said)));
        assert!(
            fault.is_none(),
            "the log of {} says: {}",
            self.name,
            fault.unwrap_or_default()
        );
    }
}
