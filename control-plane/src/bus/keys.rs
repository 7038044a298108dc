//! The keys of the bus: made once by `init`, kept in `<data_dir>/secrets/bus`, each in a file of its own.
//!
//! | file | is | needed while serving |
//! |---|---|---|
//! | `operator` | whom the bus trusts | no: keep it elsewhere if you like |
//! | `operator-signing` | signs what accounts are | yes |
//! | `control` | the control plane's account, with the streams: signs its users | yes |
//! | `nodes` | the nodes' account | no |
//! | `nodes-signing` | signs what nodes may do | yes |
//! | `system` | the bus' own account: signs its users | yes |
//! | `routes` | what servers of a cluster say to each other | no |
//! | `*.jwt` | tokens of operator and accounts; no secrets | yes |
//!
//! Users have no files: each control plane makes keys of its own at its start, which nobody else ever has.
//! What an older version left as `control-user` and `system-user` is not read.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use anyhow::{Context, bail};
use nkeys::{KeyPair, KeyPairType};
use wire::{NodeId, UnixMs};

use crate::domain::bus_access;
use crate::domain::nats_config::Trust;
use crate::domain::nats_jwt::{self, Account, Claims, Revocations};
use crate::secrets::{private_dir, random, write_private};

const OPERATOR: &str = "operator";
const OPERATOR_SIGNING: &str = "operator-signing";
const CONTROL: &str = "control";
const NODES: &str = "nodes";
const NODES_SIGNING: &str = "nodes-signing";
const SYSTEM: &str = "system";
const ROUTES: &str = "routes";
const OPERATOR_TOKEN: &str = "operator.jwt";
const CONTROL_TOKEN: &str = "control.jwt";
const NODES_TOKEN: &str = "nodes.jwt";
const SYSTEM_TOKEN: &str = "system.jwt";
const TOKENS: [&str; 4] = [OPERATOR_TOKEN, CONTROL_TOKEN, NODES_TOKEN, SYSTEM_TOKEN];

const SEEDS: [(&str, KeyPairType); 6] = [
    (OPERATOR, KeyPairType::Operator),
    (OPERATOR_SIGNING, KeyPairType::Operator),
    (CONTROL, KeyPairType::Account),
    (NODES, KeyPairType::Account),
    (NODES_SIGNING, KeyPairType::Account),
    (SYSTEM, KeyPairType::Account),
];

/// Makes what is not there yet; whether anything was made.
///
/// # Errors
/// When the folder cannot be written, or a file in it is damaged.
pub fn init(dir: &Path, now: UnixMs) -> anyhow::Result<bool> {
    private_dir(dir)?;
    let mut made = false;
    // Tokens are made last: with them, everything is there.
    if TOKENS.iter().all(|name| dir.join(name).is_file()) {
        return Ok(false);
    }
    for (name, kind) in SEEDS {
        let key = made_new(kind)?;
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
    let (control, nodes) = (key(CONTROL)?.public_key(), key(NODES)?.public_key());
    let signer = key(NODES_SIGNING)?.public_key();
    let accounts = [
        (SYSTEM_TOKEN, &system_id, "system", Account::default()),
        (CONTROL_TOKEN, &control, "control plane", control_account(&nodes)),
        (NODES_TOKEN, &nodes, "nodes", node_account(&control, signer)),
    ];
    for (file, id, name, account) in accounts {
        let token = nats_jwt::account(&of(id, name), &account, &signing)?;
        made |= ensure(&dir.join(file), &token)?;
    }
    Ok(made)
}

fn control_account(nodes: &str) -> Account {
    Account {
        has_jetstream: true,
        sharing: bus_access::control_shares(nodes),
        ..Account::default()
    }
}

fn node_account(control: &str, signer: String) -> Account {
    Account {
        signing_keys: vec![signer],
        sharing: bus_access::nodes_share(control),
        ..Account::default()
    }
}

/// What nats-server has to know.
///
/// # Errors
/// When a file is missing or damaged.
pub fn trust(dir: &Path) -> anyhow::Result<Trust> {
    let mut accounts = Vec::new();
    for name in [SYSTEM_TOKEN, CONTROL_TOKEN, NODES_TOKEN] {
        let token = token(dir, name)?;
        accounts.push((named(&token)?, token));
    }
    Ok(Trust {
        operator: token(dir, OPERATOR_TOKEN)?,
        accounts,
        routes_password: text(&dir.join(ROUTES))?,
    })
}

/// The keys that serving needs, and those that this process made for itself.
pub struct Keys {
    operator_signing: KeyPair,
    control: KeyPair,
    nodes: String,
    nodes_signing: KeyPair,
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
    /// Reads them, and makes the users'.
    ///
    /// # Errors
    /// When a file is missing or damaged; says which, never what stands in it.
    pub fn load(dir: &Path) -> anyhow::Result<Self> {
        let key = |name| seed(&dir.join(name));
        Ok(Self {
            operator_signing: key(OPERATOR_SIGNING)?,
            control: key(CONTROL)?,
            nodes: named(&token(dir, NODES_TOKEN)?)?,
            nodes_signing: key(NODES_SIGNING)?,
            system: key(SYSTEM)?,
            control_user: made_new(KeyPairType::User)?,
            system_user: made_new(KeyPairType::User)?,
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
        let account = self.control.public_key();
        let token = nats_jwt::user(&claims, &account, &bus_access::control(), &self.control)?;
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
            &self.nodes,
            &permissions,
            &self.nodes_signing,
        )?)
    }

    /// What the accounts are now: the control plane's, and the nodes' with these keys revoked.
    ///
    /// # Errors
    /// When the key cannot sign.
    pub fn accounts(&self, revocations: Revocations, now: UnixMs) -> anyhow::Result<[String; 2]> {
        let control = self.control.public_key();
        let nodes = Account {
            revocations,
            ..node_account(&control, self.nodes_signing.public_key())
        };
        let token = |subject: &str, name, account: &Account| {
            let claims = Claims {
                subject,
                name,
                issued: now,
                expires: None,
            };
            nats_jwt::account(&claims, account, &self.operator_signing)
        };
        Ok([
            token(&control, "control plane", &control_account(&self.nodes))?,
            token(&self.nodes, "nodes", &nodes)?,
        ])
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
        if !self.dir.join(NODES_TOKEN).is_file() {
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

fn made_new(kind: KeyPairType) -> anyhow::Result<KeyPair> {
    KeyPair::new_from_raw(kind, random::<32>()?).map_err(|error| failed(&error))
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
        assert_eq!(first.len(), SEEDS.len() + 1 + TOKENS.len());
        for (path, _) in &first {
            assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert!(!init(&bus, UnixMs(9_000)).unwrap());
        assert_eq!(read(), first);
        // What serving does not need may be elsewhere.
        fs::remove_file(bus.join(OPERATOR)).unwrap();
        fs::remove_file(bus.join(NODES)).unwrap();
        Keys::load(&bus).unwrap();
        trust(&bus).unwrap();
        assert!(!init(&bus, UnixMs(9_000)).unwrap());
    }

    #[test]
    fn each_process_has_users_of_its_own_beside_what_an_older_version_left() {
        let dir = tempfile::tempdir().unwrap();
        let bus = folder(dir.path());
        init(&bus, UnixMs(1_000)).unwrap();
        let left = KeyPair::new_user();
        for name in ["control-user", "system-user"] {
            fs::write(bus.join(name), left.seed().unwrap()).unwrap();
        }
        assert!(!init(&bus, UnixMs(9_000)).unwrap());
        let users = |keys: &Keys| {
            let subject = |(token, _): (String, Vec<u8>)| nats_jwt::subject(&token).unwrap();
            [
                subject(keys.control(b"nonce", UnixMs(9_000)).unwrap()),
                subject(keys.system(b"nonce", UnixMs(9_000)).unwrap()),
            ]
        };
        let one = Keys::load(&bus).unwrap();
        let mut all = [users(&one), users(&Keys::load(&bus).unwrap())].concat();
        assert_eq!(users(&one), all[..2], "the same for as long as it runs");
        all.push(left.public_key());
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 5);
    }

    #[test]
    fn an_interrupted_run_is_finished_by_the_next() {
        let dir = tempfile::tempdir().unwrap();
        let bus = folder(dir.path());
        init(&bus, UnixMs(1_000)).unwrap();
        let operator = fs::read(bus.join(OPERATOR)).unwrap();
        for name in [NODES_SIGNING, ROUTES, NODES_TOKEN] {
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
