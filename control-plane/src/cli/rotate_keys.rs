//! `rotate-keys`: new keys in the place of those of now, without signing anybody out.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::SystemTime;

use anyhow::{Context, bail};
use clap::Args;
use rustix::fs::FlockOperation;

use super::{ConfigFile, connect, tell};
use crate::Error;
use crate::app::console;
use crate::app::rotation::{self, Purpose, Resealed};
use crate::secrets::Ring;
use crate::state::now;
use crate::store::{Connection, transaction};

/// Rotates the server's keys while it runs.
///
/// A new key signs and encrypts from now on; the former ones still verify and decrypt, so that nobody is
/// signed out and no address stops working. With the master key everything that is encrypted (cameras'
/// credentials, second factors) is encrypted again, in one transaction. A running server takes the new
/// keys within seconds.
///
/// --drop-old makes no key: it forgets the former ones. Access tokens outlive a rotation by 15 minutes and
/// addresses of footage by 7 hours; before that it refuses, unless --now is given. Keep the backup of
/// <data_dir>/secrets in step: a backup of the database needs the master key that it was encrypted under.
///
/// Without --jwt, --url and --master it is about all three.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    control-plane rotate-keys --config /etc/cloudcam/control.toml --dry-run\n  \
    control-plane rotate-keys --config /etc/cloudcam/control.toml --master\n  \
    control-plane rotate-keys --config /etc/cloudcam/control.toml --drop-old")]
pub(super) struct RotateKeys {
    #[command(flatten)]
    config: ConfigFile,
    /// The key of access tokens.
    #[arg(long)]
    jwt: bool,
    /// The key of addresses of playlists, footage and uploads.
    #[arg(long)]
    url: bool,
    /// The key of cameras' credentials and second factors.
    #[arg(long)]
    master: bool,
    /// Forget the former keys instead of making new ones.
    #[arg(long)]
    drop_old: bool,
    /// With --drop-old: end at once what the former keys signed.
    #[arg(long, requires = "drop_old")]
    now: bool,
    /// Only say what would be done.
    #[arg(long)]
    dry_run: bool,
}

impl RotateKeys {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        tokio::task::spawn_blocking(move || self.rotate()).await??;
        Ok(ExitCode::SUCCESS)
    }

    fn rotate(self) -> anyhow::Result<()> {
        let config = self.config.load()?;
        let dir = config.data_dir.join("secrets");
        let _alone = alone(&dir)?;
        let purposes = self.purposes();
        // Everything that can fail is looked at before anything is changed.
        for purpose in &purposes {
            rotation::ring(&dir, *purpose)?;
        }
        let mut work = Work {
            connection: connect(&config)?,
            dir,
            dry_run: self.dry_run,
        };
        if self.drop_old {
            work.may_drop(&purposes, self.now)?;
        }
        for purpose in purposes {
            if self.drop_old {
                work.drop_old(purpose)?;
            } else {
                work.new_key(purpose)?;
            }
        }
        Ok(())
    }

    fn purposes(&self) -> Vec<Purpose> {
        let named = [self.jwt, self.url, self.master];
        let all = !named.contains(&true);
        let wanted = Purpose::ALL.into_iter().zip(named);
        wanted
            .filter(|(_, named)| all || *named)
            .map(|(purpose, _)| purpose)
            .collect()
    }
}

/// Keeps a second rotation away until it is dropped.
fn alone(dir: &Path) -> anyhow::Result<File> {
    let folder = File::open(dir).with_context(|| {
        format!(
            "cannot open {}: the server makes it at its first start",
            dir.display()
        )
    })?;
    rustix::fs::flock(&folder, FlockOperation::NonBlockingLockExclusive)
        .with_context(|| format!("{} is in use: another rotation is at work", dir.display()))?;
    Ok(folder)
}

struct Work {
    connection: Connection,
    dir: PathBuf,
    dry_run: bool,
}

impl Work {
    fn new_key(&mut self, purpose: Purpose) -> anyhow::Result<()> {
        let name = purpose.name();
        if self.dry_run {
            let former = rotation::ring(&self.dir, purpose)?.all().count();
            tell(&format!(
                "{name}: would make a new key; {former} would stay beside it"
            ));
            return Ok(());
        }
        let dir = self.dir.clone();
        let ring = self.noted("keys.rotate", purpose, || rotation::rotate(&dir, purpose))?;
        tell(&format!(
            "{name}: a new key is in use; {} stay beside it",
            ring.former.len()
        ));
        self.reseal(purpose, &ring)
    }

    /// Refuses to end what somebody may still use, before anything is dropped.
    fn may_drop(&self, purposes: &[Purpose], at_once: bool) -> anyhow::Result<()> {
        for purpose in purposes {
            let former = rotation::ring(&self.dir, *purpose)?.former.len();
            let left = rotation::still_needed(&self.dir, *purpose, SystemTime::now())?;
            if let Some(left) = left
                && former > 0
                && !at_once
                && *purpose != Purpose::Master
            {
                bail!(
                    "{}: what the former keys signed works for another {} min; wait, or end it with --now",
                    purpose.name(),
                    left.as_secs().div_ceil(60)
                );
            }
        }
        Ok(())
    }

    fn drop_old(&mut self, purpose: Purpose) -> anyhow::Result<()> {
        let name = purpose.name();
        let ring = rotation::ring(&self.dir, purpose)?;
        if ring.former.is_empty() {
            tell(&format!("{name}: there is no former key"));
            return Ok(());
        }
        if self.dry_run {
            tell(&format!("{name}: would forget {} former keys", ring.former.len()));
            return Ok(());
        }
        // A server that has not noticed the present key yet would encrypt under one that is forgotten.
        if purpose == Purpose::Master
            && let Some(left) = rotation::still_needed(&self.dir, purpose, SystemTime::now())?
        {
            tell(&format!(
                "{name}: waiting for running servers to take the present key"
            ));
            std::thread::sleep(left);
        }
        self.reseal(purpose, &ring)?;
        let dir = self.dir.clone();
        let dropped = self.noted("keys.drop_old", purpose, || rotation::drop_former(&dir, purpose))?;
        tell(&format!("{name}: forgot {dropped} former keys"));
        Ok(())
    }

    /// Changes a key file with its entry in the audit log of the platform's organization: both or, where
    /// the file cannot be written, neither.
    fn noted<T>(
        &mut self,
        action: &str,
        purpose: Purpose,
        change: impl FnOnce() -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let changed = transaction(&mut self.connection, |c| {
            console::note_keys(c, action, purpose.name(), now())?;
            change().map_err(Error::Internal)
        });
        changed.map_err(|error| match error {
            Error::Internal(source) => source,
            other => other.into(),
        })
    }

    fn reseal(&mut self, purpose: Purpose, ring: &Ring) -> anyhow::Result<()> {
        if purpose != Purpose::Master {
            return Ok(());
        }
        let Resealed { values, moved } = transaction(&mut self.connection, |c| rotation::reseal(c, ring))
            .context("nothing was encrypted again; the former keys stay: mend it, then run this again")?;
        tell(&format!(
            "master: encrypted {moved} of {values} values under the new key"
        ));
        Ok(())
    }
}
