//! Where a new password comes from: typed, piped or generated, but never an argument, which others on the
//! machine can see.

use std::io::{BufRead, IsTerminal};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use clap::Args;

use super::tell;
use crate::app::password;
use crate::domain;
use crate::secrets::{random, write_private};

/// Bytes of a generated password.
const RANDOM: usize = 15;

#[derive(Debug, Args)]
pub(super) struct NewPassword {
    /// Generate the password and write it to this file, which must not be there and which only its owner
    /// can read. Without this the password is asked for, or read from standard input: its first line.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

impl NewPassword {
    /// The hash of a password that does for `login`, and the file that it was written to.
    pub(super) fn hash(&self, login: &str) -> anyhow::Result<(String, Option<Written>)> {
        let (text, written) = match &self.password_file {
            Some(path) => {
                let text = BASE64_URL_SAFE_NO_PAD.encode(random::<RANDOM>()?);
                write_private(path, &format!("{text}\n"))
                    .with_context(|| format!("cannot write {}", path.display()))?;
                (text, Some(Written(Some(path.clone()))))
            }
            None => (asked()?, None),
        };
        domain::password::check(&text, login)?;
        Ok((password::hash(&text)?, written))
    }
}

/// A file with a password, which goes again unless the password is in force.
#[derive(Debug)]
pub(super) struct Written(Option<PathBuf>);

impl Written {
    /// The password is in force.
    pub(super) fn keep(mut self) {
        if let Some(path) = self.0.take() {
            said(&path);
        }
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        if let Some(path) = &self.0
            && let Err(error) = std::fs::remove_file(path)
        {
            tracing::warn!(%error, file = %path.display(), "a file with a password that is not in force stays");
        }
    }
}

fn said(path: &Path) {
    tell(&format!("the password is in {}", path.display()));
}

fn asked() -> anyhow::Result<String> {
    if std::io::stdin().is_terminal() {
        let first = rpassword::prompt_password("New password: ").context("cannot ask for the password")?;
        let again = rpassword::prompt_password("Once more: ").context("cannot ask for the password")?;
        if first != again {
            bail!("the two passwords differ");
        }
        return Ok(first);
    }
    let mut line = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut line)
        .context("standard input is not text")?;
    let text = line.trim_end_matches(['\n', '\r']);
    if text.is_empty() {
        bail!("there is no password on standard input");
    }
    Ok(text.to_owned())
}
