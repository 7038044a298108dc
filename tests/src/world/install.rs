//! Installs the programs as an operator does: keys, the bus' configuration, a node that joins.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::process::Process;
use super::programs::built;

/// The certificate of the authority that everybody trusts, in a world with TLS.
pub(super) const CA_FILE: &str = "ca.pem";

/// Configures control plane and bus in a folder; `http` and `bus` are more keys of the control plane's sections.
/// With a private authority in the folder, the bus speaks TLS.
///
/// # Errors
/// When a command fails.
pub(super) fn control(dir: &Path, bus_port: u16, http_port: u16, (http, bus): (&str, &str)) -> Result<()> {
    let config = dir.join("control.toml");
    let (ca, certificate, key) = (dir.join(CA_FILE), dir.join("bus.pem"), dir.join("bus.key"));
    let (scheme, trust) = if ca.exists() {
        ("tls", format!("ca_file = {ca:?}\n"))
    } else {
        ("nats", String::new())
    };
    let text = format!(
        "data_dir = {:?}\n[http]\nbind = \"127.0.0.1:{http_port}\"\n{http}[bus]\nurl = \"{scheme}://127.0.0.1:{bus_port}\"\n{trust}{bus}",
        dir.join("control"),
    );
    std::fs::write(&config, text)?;
    let config = config.as_os_str();
    run("control-plane", &["init".as_ref(), "--config".as_ref(), config])?;
    let (out, store, port) = (dir.join("nats.conf"), dir.join("nats"), bus_port.to_string());
    let mut arguments: Vec<&OsStr> = vec![
        "nats-config".as_ref(),
        "--config".as_ref(),
        config,
        "--out".as_ref(),
        out.as_os_str(),
        "--store-dir".as_ref(),
        store.as_os_str(),
        "--port".as_ref(),
        port.as_ref(),
        "--max-store".as_ref(),
        "2GB".as_ref(),
    ];
    if ca.exists() {
        let tls = ["--tls-cert".as_ref(), certificate.as_os_str()];
        arguments.extend(tls);
        arguments.extend(["--tls-key".as_ref(), key.as_os_str()]);
    }
    run("control-plane", &arguments).map(drop)
}

/// Lets a node join and starts it; its files are `<file>.toml`, `<file>.err` and the folder `<file>`.
///
/// # Errors
/// When it cannot join or be started.
pub(super) fn node(dir: &Path, file: &str, name: &str, server: &str) -> Result<Process> {
    let config = dir.join(format!("{file}.toml"));
    let mut text = format!("data_dir = {:?}\nname = {name:?}\n", dir.join(file));
    let ca = dir.join(CA_FILE);
    if ca.exists() {
        text = format!("{text}[https]\nca_file = {ca:?}\n");
    }
    std::fs::write(&config, text)?;
    let control = dir.join("control.toml");
    let token = run(
        "control-plane",
        &[
            "enrolment-token".as_ref(),
            "--bare".as_ref(),
            "--config".as_ref(),
            control.as_os_str(),
        ],
    )?;
    run(
        "recorder-node",
        &[
            "enrol".as_ref(),
            "--config".as_ref(),
            config.as_os_str(),
            "--server".as_ref(),
            server.as_ref(),
            "--token".as_ref(),
            token.trim().as_ref(),
        ],
    )?;
    let arguments = vec!["run".into(), "--config".into(), config.into()];
    Process::start(file, built("recorder-node")?, arguments, dir)
}

/// Runs a command to its end; what it printed.
fn run(program: &str, arguments: &[&OsStr]) -> Result<String> {
    let output = Command::new(built(program)?)
        .args(arguments)
        .output()
        .with_context(|| format!("{program} cannot be started"))?;
    ensure!(
        output.status.success(),
        "{program} {:?} failed: {}",
        arguments.first(),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8(output.stdout)?)
}
