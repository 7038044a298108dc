//! The keys of the bus: made once by `init`, kept in `<data_dir>/secrets/bus`, each in a file of its own.
//!
//! | file | is | needed while serving |
//! |---|---|---|
//! | `operator` | whom the bus trusts | no: keep it elsewhere if you like |
//! | `operator-signing` | signs what accounts are | yes |
//! | `account` | everything that CloudCam says | no |
//! | `account-signing` | signs what nodes may do | yes |
//! | `system` | the bus' own account | yes |
//! | `control-user`, `system-user` | the control plane's users | yes |
//! | `routes` | what servers of a cluster say to each other | no |
//! | `*.jwt` | tokens of operator and accounts; no secrets | yes |

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use anyhow::{Context, bail};
use nkeys::{KeyPair, KeyPairType};
use wire::{NodeId, UnixMs};

use crate::domain::bus_access;
use crate::domain::nats_config::Trust;
use crate::domain::nats_jwt::{self, Claims, Revocations};
use crate::secrets::{private_dir, random, write_private};

const OPERATOR: &str = "operator";
const OPERATOR_SIGNING: &str = "operator-signing";
const ACCOUNT: &str = "account";
const ACCOUNT_SIGNING: &str = "account-signing";
const SYSTEM: &str = "system";
const CONTROL_USER: &str = "control-user";
const SYSTEM_USER: &str = "system-user";
const ROUTES: &str = "routes";
const OPERATOR_TOKEN: &str = "operator.jwt";
const ACCOUNT_TOKEN: &str = "account.jwt";
const SYSTEM_TOKEN: &str = "system.jwt";

const SEEDS: [(&str, KeyPairType); 7] = [
    (OPERATOR, KeyPairType::Operator),
    (OPERATOR_SIGNING, KeyPairType::Operator),
    (ACCOUNT, KeyPairType::Account),
    (ACCOUNT_SIGNING, KeyPairType::Account),
    (SYSTEM, KeyPairType::Account),
    (CONTROL_USER, KeyPairType::User),
    (SYSTEM_USER, KeyPairType::User),
];

/// Makes what is not there yet; whether anything was made.
///
/// # Errors
/// When the folder cannot be written, or a file in it is damaged.
pub fn init(dir: &Path, now: UnixMs) -> anyhow::Result<bool> {
    private_dir(dir)?;
    let mut made = false;
    // Tokens are made last: with them, everything is there.
    if [OPERATOR_TOKEN, ACCOUNT_TOKEN, SYSTEM_TOKEN]
        .iter()
        .all(|name| dir.join(name).is_file())
    {
        return Ok(false);
    }
    for (name, kind) in SEEDS {
        let key = KeyPair::new_from_raw(kind, random::<32>()?).map_err(|error| failed(&error))?;
        made |= ensure(&dir.join(name), &key.seed().map_err(|error| failed(&error))?)?;
    }
    made |= ensure(&dir.join(ROUTES), &hex::encode(random::<32>()?))?;
    let key = |name| seed(&dir.join(name));
    let (operator, signing, system) = (key(OPERATOR)?, key(OPERATOR_SIGNING)?, key(SYSTEM)?);
    let of = |subject, name| Claims {
        subject,
        name,
        issued: now,
        expires: None,
    };
    let (operator_id, system_id) = (operator.public_key(), system.public_key());
    let token = nats_jwt::operator(
        &of(&operator_id, "CloudCam"),
        &signing.public_key(),
        &system_id,
        &operator,
    )?;
    made |= ensure(&dir.join(OPERATOR_TOKEN), &token)?;
    let token = nats_jwt::account(&of(&system_id, "system"), false, &[], &Vec::new(), &signing)?;
    made |= ensure(&dir.join(SYSTEM_TOKEN), &token)?;
    let account = key(ACCOUNT)?.public_key();
    let signers = [key(ACCOUNT_SIGNING)?.public_key()];
    let token = nats_jwt::account(&of(&account, "CloudCam"), true, &signers, &Vec::new(), &signing)?;
    made |= ensure(&dir.join(ACCOUNT_TOKEN), &token)?;
    Ok(made)
}

/// What nats-server has to know.
///
/// # Errors
/// When a file is missing or damaged.
pub fn trust(dir: &Path) -> anyhow::Result<Trust> {
    let (system, account) = (token(dir, SYSTEM_TOKEN)?, token(dir, ACCOUNT_TOKEN)?);
    Ok(Trust {
        operator: token(dir, OPERATOR_TOKEN)?,
        accounts: vec![(named(&system)?, system), (named(&account)?, account)],
        routes_password: text(&dir.join(ROUTES))?,
    })
}

/// The keys that serving needs.
pub struct Keys {
    operator_signing: KeyPair,
    account: String,
    account_signing: KeyPair,
    system: KeyPair,
    control_user: KeyPair,
    system_user: KeyPair,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys(…)")
    }
}

impl Keys {
    /// Reads them.
    ///
    /// # Errors
    /// When a file is missing or damaged; says which, never what stands in it.
    pub fn load(dir: &Path) -> anyhow::Result<Self> {
        let key = |name| seed(&dir.join(name));
        Ok(Self {
            operator_signing: key(OPERATOR_SIGNING)?,
            account: named(&token(dir, ACCOUNT_TOKEN)?)?,
            account_signing: key(ACCOUNT_SIGNING)?,
            system: key(SYSTEM)?,
            control_user: key(CONTROL_USER)?,
            system_user: key(SYSTEM_USER)?,
        })
    }

    /// Answers the bus' challenge as the control plane: token and signature.
    ///
    /// # Errors
    /// When a key cannot sign.
    pub fn control(&self, nonce: &[u8], now: UnixMs) -> anyhow::Result<(String, Vec<u8>)> {
        let subject = self.control_user.public_key();
        let claims = Claims {
            subject: &subject,
            name: "control plane",
            issued: now,
            // Made anew for each connection, and known to nobody else.
            expires: None,
        };
        let permissions = bus_access::control();
        let token = nats_jwt::user(&claims, &self.account, &permissions, &self.account_signing)?;
        let signature = self.control_user.sign(nonce).map_err(|error| failed(&error))?;
        Ok((token, signature))
    }

    /// The same as the one who tells the bus what accounts are.
    ///
    /// # Errors
    /// When a key cannot sign.
    pub fn system(&self, nonce: &[u8], now: UnixMs) -> anyhow::Result<(String, Vec<u8>)> {
        let (subject, account) = (self.system_user.public_key(), self.system.public_key());
        let claims = Claims {
            subject: &subject,
            name: "control plane",
            issued: now,
            expires: None,
        };
        let token = nats_jwt::user(&claims, &account, &bus_access::system(), &self.system)?;
        let signature = self.system_user.sign(nonce).map_err(|error| failed(&error))?;
        Ok((token, signature))
    }

    /// A node's token.
    ///
    /// # Errors
    /// When the key cannot sign.
    pub fn node(
        &self,
        node: NodeId,
        public_key: &str,
        (issued, expires): (UnixMs, UnixMs),
    ) -> anyhow::Result<String> {
        let claims = Claims {
            subject: public_key,
            name: &node.to_string(),
            issued,
            expires: Some(expires),
        };
        let permissions = bus_access::node(node);
        Ok(nats_jwt::user(
            &claims,
            &self.account,
            &permissions,
            &self.account_signing,
        )?)
    }

    /// The application's account with these users revoked.
    ///
    /// # Errors
    /// When the key cannot sign.
    pub fn account(&self, revocations: &Revocations, now: UnixMs) -> anyhow::Result<String> {
        let claims = Claims {
            subject: &self.account,
            name: "CloudCam",
            issued: now,
            expires: None,
        };
        let signers = [self.account_signing.public_key()];
        Ok(nats_jwt::account(
            &claims,
            true,
            &signers,
            revocations,
            &self.operator_signing,
        )?)
    }
}

/// The keys of the running server, read when they are first needed: they may be made after its start.
#[derive(Debug)]
pub struct Keyring {
    dir: PathBuf,
    keys: RwLock<Option<Arc<Keys>>>,
}

impl Keyring {
    /// Of a data folder.
    #[must_use]
    pub fn new(data_dir: &Path) -> Self {
        Self {
            dir: folder(data_dir),
            keys: RwLock::default(),
        }
    }

    /// The keys.
    ///
    /// # Errors
    /// When they were not made yet, or a file is damaged.
    pub fn keys(&self) -> anyhow::Result<Arc<Keys>> {
        let known = self.keys.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(keys) = known {
            return Ok(keys);
        }
        if !self.dir.join(ACCOUNT_TOKEN).is_file() {
            bail!("the keys of the bus are not made yet: run `control-plane init`");
        }
        let keys = Arc::new(Keys::load(&self.dir)?);
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&keys));
        Ok(keys)
    }
}

/// Where the keys are.
#[must_use]
pub fn folder(data_dir: &Path) -> PathBuf {
    data_dir.join("secrets").join("bus")
}

fn ensure(path: &Path, text: &str) -> anyhow::Result<bool> {
    match write_private(path, &format!("{text}\n")) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error).with_context(|| format!("cannot write {}", path.display())),
    }
}

fn text(path: &Path) -> anyhow::Result<String> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(text.trim().to_owned())
}

fn token(dir: &Path, name: &str) -> anyhow::Result<String> {
    let path = dir.join(name);
    let token = text(&path)?;
    nats_jwt::subject(&token).with_context(|| format!("{} is damaged", path.display()))?;
    Ok(token)
}

fn named(token: &str) -> anyhow::Result<String> {
    nats_jwt::subject(token).context("a token names nobody")
}

fn seed(path: &Path) -> anyhow::Result<KeyPair> {
    // What nkeys says of a bad seed could repeat parts of it.
    KeyPair::from_seed(&text(path)?)
        .ok()
        .with_context(|| format!("{} is damaged: expected a NATS seed", path.display()))
}

fn failed(error: &nkeys::error::Error) -> anyhow::Error {
    anyhow::anyhow!("a key of the bus: {error}")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_second_run_changes_nothing_and_everything_is_private() {
        let dir = tempfile::tempdir().unwrap();
        let bus = folder(dir.path());
        assert!(init(&bus, UnixMs(1_000)).unwrap());
        let read = || {
            let mut files: Vec<_> = fs::read_dir(&bus)
                .unwrap()
                .map(|entry| entry.unwrap().path())
                .map(|path| (path.clone(), fs::read(path).unwrap()))
                .collect();
            files.sort();
            files
        };
        let first = read();
        assert_eq!(first.len(), SEEDS.len() + 4);
        for (path, _) in &first {
            assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert!(!init(&bus, UnixMs(9_000)).unwrap());
        assert_eq!(read(), first);
        // What serving does not need may be elsewhere.
        fs::remove_file(bus.join(OPERATOR)).unwrap();
        fs::remove_file(bus.join(ACCOUNT)).unwrap();
        Keys::load(&bus).unwrap();
        trust(&bus).unwrap();
        assert!(!init(&bus, UnixMs(9_000)).unwrap());
    }

    #[test]
    fn an_interrupted_run_is_finished_by_the_next() {
        let dir = tempfile::tempdir().unwrap();
        let bus = folder(dir.path());
        init(&bus, UnixMs(1_000)).unwrap();
        let operator = fs::read(bus.join(OPERATOR)).unwrap();
        for name in [ACCOUNT_SIGNING, ROUTES, ACCOUNT_TOKEN] {
            fs::remove_file(bus.join(name)).unwrap();
        }
        assert!(init(&bus, UnixMs(9_000)).unwrap());
        Keys::load(&bus).unwrap();
        assert_eq!(fs::read(bus.join(OPERATOR)).unwrap(), operator);
    }

    #[test]
    fn damage_is_said_without_the_seed() {
        let dir = tempfile::tempdir().unwrap();
        let bus = folder(dir.path());
        let ring = Keyring::new(dir.path());
        assert!(
            ring.keys()
                .unwrap_err()
                .to_string()
                .contains("control-plane init")
        );
        init(&bus, UnixMs(1_000)).unwrap();
        fs::write(bus.join(SYSTEM), "SANOTASEED").unwrap();
        let error = format!("{:#}", ring.keys().unwrap_err());
        assert!(
            error.contains("system is damaged") && !error.contains("SANOTASEED"),
            "{error}"
        );
    }
}
