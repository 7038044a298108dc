//! Configuration: a TOML file, overridden by `CLOUDCAM_NODE__…` variables (double underscore nests).
//!
//! Unknown keys are refused and missing ones named; nothing falls back silently. Nothing is opened here.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use figment::Figment;
use figment::providers::{Env, Format, Toml};
use serde::Deserialize;

/// Prefix of the environment variables that override the file.
pub const ENV_PREFIX: &str = "CLOUDCAM_NODE__";

/// Everything an operator sets.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Spool, database and identity live here.
    pub data_dir: PathBuf,
    /// How the panel names the node; the host's name unless given.
    pub name: Option<String>,
    /// The message bus; enrolment says where it is.
    #[serde(default)]
    pub bus: Bus,
    /// HTTPS towards the control plane and the object store.
    #[serde(default)]
    pub https: Https,
    /// The spool on disk.
    #[serde(default)]
    pub spool: Spool,
    /// Upload to the object store.
    #[serde(default)]
    pub upload: Upload,
    /// How footage is cut.
    #[serde(default)]
    pub record: Record,
}

/// The message bus, when it is elsewhere than enrolment says. Who the node is is no setting: it is in the data
/// folder.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Bus {
    /// `nats://host:port` or `tls://host:port`; several with commas between.
    pub url: Option<String>,
    /// Certificates (PEM) that the bus' own must descend from.
    pub ca_file: Option<PathBuf>,
}

/// HTTPS towards the control plane and the object store.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Https {
    /// Certificates (PEM) that are trusted beside the system's own.
    pub ca_file: Option<PathBuf>,
}

/// The spool on disk.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Spool {
    /// Stored footage goes, oldest first, when the spool is larger; unlimited unless given.
    pub max_bytes: Option<u64>,
    /// Footage goes, oldest first, when less than this is free on the disk.
    pub min_free_bytes: u64,
}

impl Default for Spool {
    fn default() -> Self {
        Self {
            max_bytes: None,
            min_free_bytes: 512 * 1024 * 1024,
        }
    }
}

/// Upload to the object store.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Upload {
    /// Objects on their way at the same time.
    pub concurrency: usize,
}

impl Default for Upload {
    fn default() -> Self {
        Self { concurrency: 2 }
    }
}

/// How footage is cut.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Record {
    /// Seconds after which a segment ends at the next keyframe.
    pub segment_s: f64,
    /// Seconds after which an object ends at the next segment's end.
    pub object_s: f64,
}

impl Default for Record {
    fn default() -> Self {
        Self {
            segment_s: 6.0,
            object_s: 60.0,
        }
    }
}

impl Record {
    /// Target of a segment.
    #[must_use]
    pub fn segment(&self) -> Duration {
        Duration::from_secs_f64(self.segment_s)
    }

    /// Target of an object.
    #[must_use]
    pub fn object(&self) -> Duration {
        Duration::from_secs_f64(self.object_s)
    }
}

impl Config {
    /// Reads the file and the environment.
    ///
    /// # Errors
    /// When the file is not there, and one sentence for each unknown, missing or wrong key.
    pub fn load(path: &Path) -> anyhow::Result<Self> {
        if !path.is_file() {
            bail!("there is no configuration file {}", path.display());
        }
        let figment = Figment::new()
            .merge(Toml::file_exact(path))
            .merge(Env::prefixed(ENV_PREFIX).split("__"));
        Self::extract(&figment).with_context(|| format!("configuration {}", path.display()))
    }

    fn extract(figment: &Figment) -> anyhow::Result<Self> {
        let config: Self = figment.extract().map_err(|errors| {
            let sentences: Vec<String> = errors.into_iter().map(|error| sentence(&error)).collect();
            anyhow::anyhow!(sentences.join("; "))
        })?;
        config.validate()?;
        Ok(config)
    }

    fn validate(&self) -> anyhow::Result<()> {
        if self.data_dir.as_os_str().is_empty() {
            bail!("`data_dir` is empty: name the folder for spool and database");
        }
        for address in self.bus.url.iter().flat_map(|list| list.split(',')) {
            let url = url::Url::parse(address.trim())
                .map_err(|_| anyhow::anyhow!("`bus.url` is not an address: expected nats://host:4222"))?;
            if !matches!(url.scheme(), "nats" | "tls") || url.host_str().is_none_or(str::is_empty) {
                bail!("`bus.url` must be nats://host:port or tls://host:port");
            }
            if !url.username().is_empty() || url.password().is_some() {
                bail!("`bus.url` must not carry credentials: `recorder-node enrol` gives the node its own");
            }
        }
        if !(1..=64).contains(&self.upload.concurrency) {
            bail!("`upload.concurrency` must be between 1 and 64");
        }
        if !(1.0..=60.0).contains(&self.record.segment_s) {
            bail!("`record.segment_s` must be between 1 and 60 seconds");
        }
        if !(self.record.segment_s..=600.0).contains(&self.record.object_s) {
            bail!("`record.object_s` must be between `record.segment_s` and 600 seconds");
        }
        if self.spool.max_bytes.is_some_and(|max| max < 64 * 1024 * 1024) {
            bail!("`spool.max_bytes` must be at least 67108864 (64 MiB)");
        }
        Ok(())
    }

    /// The name given by the operator, or the host's.
    #[must_use]
    pub fn node_name(&self) -> String {
        self.name
            .clone()
            .unwrap_or_else(|| rustix::system::uname().nodename().to_string_lossy().into_owned())
    }
}

fn sentence(error: &figment::Error) -> String {
    use figment::error::Kind;
    let key = |name: &str| {
        let mut path: Vec<&str> = error.path.iter().map(String::as_str).collect();
        if path.last() != Some(&name) && !name.is_empty() {
            path.push(name);
        }
        path.join(".")
    };
    match &error.kind {
        Kind::MissingField(name) => format!("the key `{}` is missing", key(name)),
        Kind::UnknownField(name, known) => {
            format!("unknown key `{}`; known here: {}", key(name), known.join(", "))
        }
        Kind::InvalidType(_, expected) => format!("the key `{}` is wrong: expected {expected}", key("")),
        _ if error.path.is_empty() => error.kind.to_string(),
        // The value itself may be a secret.
        Kind::InvalidValue(_, expected) => format!("the key `{}` is wrong: expected {expected}", key("")),
        kind => format!("the key `{}` is wrong: {kind}", key("")),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const GOOD: &str = "data_dir = \"/d\"\n[bus]\nurl = \"nats://localhost:4222\"\n";

    fn load(toml: &str) -> Result<Config, String> {
        Config::extract(&Figment::from(Toml::string(toml))).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn defaults_are_those_of_the_documentation() {
        let config = load(GOOD).unwrap();
        assert_eq!(config.record.segment(), Duration::from_secs(6));
        assert_eq!(config.record.object(), Duration::from_secs(60));
        assert_eq!(config.upload.concurrency, 2);
        assert!(!config.node_name().is_empty());
    }

    #[rstest]
    #[case("", "`data_dir` is missing")]
    #[case("data_dir = \"\"\n[bus]\nurl = \"nats://h\"", "`data_dir` is empty")]
    #[case("data_dir = \"/d\"\n[bus]\nurl = \"http://h\"", "nats://host:port")]
    #[case(
        "data_dir = \"/d\"\n[bus]\nurl = \"nats://a:b@h\"",
        "must not carry credentials"
    )]
    #[case(
        "data_dir = \"/d\"\n[bus]\nurl = \"nats://h\"\nusername = \"a\"",
        "unknown key `bus.username`"
    )]
    #[case("data_dir = \"/d\"\n[bus]\nurl = 7", "`bus.url` is wrong")]
    #[case(
        "data_dir = \"/d\"\n[bus]\nurl = \"nats://h\"\ntoken = \"x\"",
        "unknown key `bus.token`"
    )]
    #[case("dta_dir = \"/d\"\n[bus]\nurl = \"nats://h\"", "dta_dir")]
    #[case("[upload]\nconcurrency = 0", "upload.concurrency")]
    #[case("[record]\nsegment_s = 0.1", "record.segment_s")]
    #[case("[record]\nobject_s = 3", "record.object_s")]
    #[case("[spool]\nmax_bytes = 5", "spool.max_bytes")]
    #[case("[spool]\nmax_bytes = -5", "spool.max_bytes")]
    fn a_wrong_file_gets_a_sentence_that_names_the_key(#[case] toml: &str, #[case] part: &str) {
        let text = if toml.starts_with('[') {
            format!("{GOOD}{toml}")
        } else {
            toml.to_owned()
        };
        let error = load(&text).unwrap_err();
        assert!(error.contains(part), "{error}");
    }
}
