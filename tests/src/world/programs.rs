//! Where the programs under test are, and free ports for them.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// A program of this workspace, built beside the running test.
///
/// # Errors
/// When it has not been built.
pub fn built(name: &str) -> Result<PathBuf> {
    let test = std::env::current_exe()?;
    let folder = test
        .parent()
        .and_then(|deps| deps.parent())
        .context("the test's folder")?;
    let program = folder.join(name);
    ensure!(
        program.is_file(),
        "{} has not been built: cargo build --workspace --bins",
        program.display()
    );
    Ok(program)
}

/// nats-server on PATH, new enough for key-value buckets with markers.
///
/// # Errors
/// When there is none, or an old one.
pub fn nats_server() -> Result<PathBuf> {
    let named = std::env::var_os("NATS_SERVER").map_or_else(|| PathBuf::from("nats-server"), PathBuf::from);
    let said = Command::new(&named)
        .arg("--version")
        .output()
        .context("nats-server is missing: tests/run.sh installs it")?;
    let said = String::from_utf8_lossy(&said.stdout);
    let version = said
        .split(['v', ' ', '\n'])
        .find(|word| word.contains('.'))
        .unwrap_or_default();
    let mut numbers = version
        .split('.')
        .map(|number| number.parse::<u32>().unwrap_or_default());
    let (major, minor) = (
        numbers.next().unwrap_or_default(),
        numbers.next().unwrap_or_default(),
    );
    ensure!(
        (major, minor) >= (2, 11),
        "nats-server {version} is too old: 2.11 or newer is needed"
    );
    Ok(named)
}

/// A port that was free a moment ago.
///
/// # Errors
/// When the machine has none.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
