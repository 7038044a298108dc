//! Who this node is: its id, its private key, and with what it gets on the bus. A file that only its owner
//! reads, replaced whole.
//!
//! Nothing here talks to anybody.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use wire::NodeId;
use wire::bus::BusAccess;

const FILE: &str = "identity.json";
const CA_FILE: &str = "bus-ca.pem";

/// What enrolment gave. Its `Debug` shows no secret.
#[derive(Clone, Serialize, Deserialize)]
pub struct Identity {
    /// The node's id.
    pub node: NodeId,
    /// The control plane that it joined: `https://host/`.
    pub server: String,
    /// The private key, as a NATS seed.
    pub seed: String,
    /// The last token for the bus, and where that is.
    pub access: BusAccess,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity")
            .field("node", &self.node)
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

impl Identity {
    /// The identity in a data folder; none before enrolment.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn find(data_dir: &Path) -> anyhow::Result<Option<Self>> {
        let path = data_dir.join(FILE);
        let json = match fs::read(&path) {
            Ok(json) => json,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        };
        // What serde says could repeat the seed.
        serde_json::from_slice(&json)
            .ok()
            .with_context(|| {
                format!(
                    "{} is damaged: restore it from a backup, or enrol anew",
                    path.display()
                )
            })
            .map(Some)
    }

    /// The identity in a data folder.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub fn load(data_dir: &Path) -> anyhow::Result<Self> {
        let Some(identity) = Self::find(data_dir)? else {
            bail!(
                "this node has not joined yet: make an enrolment token in the panel, then run `recorder-node enrol \
                 --config … --server … --token …`"
            );
        };
        Ok(identity)
    }

    /// Writes it, durably, in the place of the one before.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn save(&self, data_dir: &Path) -> anyhow::Result<()> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(data_dir)
            .with_context(|| format!("cannot make {}", data_dir.display()))?;
        let json = serde_json::to_vec_pretty(self).context("the identity cannot be written")?;
        replace(data_dir, FILE, &json)?;
        if let Some(ca) = &self.access.ca {
            replace(data_dir, CA_FILE, ca.as_bytes())?;
        }
        Ok(())
    }

    /// Where the certificates are that the bus' own must descend from, when there are some.
    #[must_use]
    pub fn ca_file(&self, data_dir: &Path) -> Option<PathBuf> {
        self.access.ca.as_ref().map(|_| data_dir.join(CA_FILE))
    }
}

fn replace(dir: &Path, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
    let (path, new) = (dir.join(name), dir.join(format!("{name}.new")));
    let write = || {
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&new, &path)?;
        fs::File::open(dir)?.sync_all()
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
pub(crate) mod tests {
    use std::os::unix::fs::PermissionsExt;

    use wire::UnixMs;

    use super::*;

    /// A node that nobody knows, for a bus that asks nobody.
    pub(crate) fn stranger(url: &str) -> Identity {
        Identity {
            node: NodeId::generate(),
            server: "http://127.0.0.1:1/".to_owned(),
            seed: nkeys::KeyPair::new_user().seed().unwrap(),
            access: BusAccess {
                jwt: "a.b.c".to_owned(),
                issued: crate::spool::now(),
                expires: crate::spool::now().plus(86_400_000),
                urls: vec![url.to_owned()],
                ca: None,
            },
        }
    }

    #[test]
    fn it_is_private_comes_back_and_is_not_shown() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        assert!(Identity::find(&data).unwrap().is_none());
        assert!(
            Identity::load(&data)
                .unwrap_err()
                .to_string()
                .contains("recorder-node enrol")
        );
        let mut identity = stranger("nats://h");
        identity.save(&data).unwrap();
        assert_eq!(identity.ca_file(&data), None);
        identity.access.ca = Some("pem".to_owned());
        identity.access.expires = UnixMs(7);
        identity.save(&data).unwrap();
        let found = Identity::load(&data).unwrap();
        assert_eq!((found.node, &found.access), (identity.node, &identity.access));
        assert_eq!(fs::read(found.ca_file(&data).unwrap()).unwrap(), b"pem");
        let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(data.clone()), mode(data.join(FILE))), (0o700, 0o600));
        assert!(!format!("{identity:?}").contains(&identity.seed));
        fs::write(data.join(FILE), format!("{{\"seed\": \"{}\"", identity.seed)).unwrap();
        let error = format!("{:#}", Identity::load(&data).unwrap_err());
        assert!(
            error.contains("damaged") && !error.contains(&identity.seed),
            "{error}"
        );
    }
}
