//! What people may set of a node: names, places, limits.

use std::net::IpAddr;

use wire::api::{NodePatch, NodeState};

use super::camera::{site, tag};
use super::text::line;

const NAME_MAX: usize = 100;
const LABELS_MAX: usize = 20;
const PLACES_MAX: usize = 100;
const CAMERAS_MAX: u32 = 100_000;
const UPLINK_BPS: std::ops::RangeInclusive<u64> = 10_000..=1_000_000_000_000;

/// A value that does not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{title}")]
pub struct InvalidNode {
    /// The offending field.
    pub field: &'static str,
    /// A sentence for the caller.
    pub title: &'static str,
}

const fn invalid(field: &'static str, title: &'static str) -> InvalidNode {
    InvalidNode { field, title }
}

/// What people set of a node.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Settings {
    /// Its name.
    pub name: String,
    /// What it is there for.
    pub state: NodeState,
    /// Labels in lower case.
    pub labels: Vec<String>,
    /// Sites whose cameras it may record; none means every site.
    pub sites: Vec<String>,
    /// Networks that it reaches; none means every network.
    pub networks: Vec<String>,
    /// Most cameras that it is given.
    pub max_cameras: Option<u32>,
    /// Bits a second that its uploads may take.
    pub uplink_bps: Option<u64>,
}

impl Settings {
    /// These with the fields given changed.
    ///
    /// # Errors
    /// [`InvalidNode`] with the field.
    pub fn changed(mut self, patch: NodePatch) -> Result<Self, InvalidNode> {
        if let Some(name) = patch.name {
            let title = "a name has 1 to 100 characters, none of them invisible";
            self.name = line(&name, 1, NAME_MAX).ok_or(invalid("name", title))?;
        }
        self.state = patch.state.unwrap_or(self.state);
        if let Some(labels) = patch.labels {
            let title = "at most 20 labels of 1 to 40 letters, digits, hyphens, dots and colons";
            self.labels = list(&labels, LABELS_MAX, invalid("labels", title), tag)?;
        }
        if let Some(sites) = patch.sites {
            let title = "at most 100 names of sites, each of 1 to 100 characters";
            let named = |text: &str| site(text).ok().filter(|site| !site.is_empty());
            self.sites = list(&sites, PLACES_MAX, invalid("sites", title), named)?;
        }
        if let Some(networks) = patch.networks {
            let title = "at most 100 networks such as 10.1.0.0/16 or fd00::/8";
            self.networks = list(&networks, PLACES_MAX, invalid("networks", title), network)?;
        }
        if let Some(most) = patch.max_cameras {
            if most > CAMERAS_MAX {
                return Err(invalid("max_cameras", "0 for no limit, up to 100000 cameras"));
            }
            self.max_cameras = (most > 0).then_some(most);
        }
        if let Some(most) = patch.uplink_bps {
            if most != 0 && !UPLINK_BPS.contains(&most) {
                let title = "0 for no limit, or 10000 to 1000000000000 bits a second";
                return Err(invalid("uplink_bps", title));
            }
            self.uplink_bps = (most > 0).then_some(most);
        }
        Ok(self)
    }
}

/// Each once, as it is kept.
fn list(
    given: &[String],
    most: usize,
    wrong: InvalidNode,
    kept: impl Fn(&str) -> Option<String>,
) -> Result<Vec<String>, InvalidNode> {
    let mut all = Vec::new();
    for text in given {
        let one = kept(text).ok_or(wrong)?;
        if !all.contains(&one) {
            all.push(one);
        }
    }
    if all.len() > most { Err(wrong) } else { Ok(all) }
}

/// A network as it is kept: its first address and the length of its prefix (RFC 4632 §3.1).
fn network(text: &str) -> Option<String> {
    let (address, length) = text.trim().split_once('/')?;
    let length: u32 = Some(length)
        .filter(|length| length.len() <= 3 && length.bytes().all(|b| b.is_ascii_digit()))?
        .parse()
        .ok()?;
    let first: IpAddr = match address.parse().ok()? {
        IpAddr::V4(address) => {
            let host = u32::MAX.checked_shr(length).unwrap_or(0);
            (length <= 32).then(|| IpAddr::V4((u32::from(address) & !host).into()))?
        }
        IpAddr::V6(address) => {
            let host = u128::MAX.checked_shr(length).unwrap_or(0);
            (length <= 128).then(|| IpAddr::V6((u128::from(address) & !host).into()))?
        }
    };
    Some(format!("{first}/{length}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_kept_by_their_first_address() {
        for (text, kept) in [
            ("10.1.2.3/16", Some("10.1.0.0/16")),
            (" 192.0.2.1/32", Some("192.0.2.1/32")),
            ("0.0.0.0/0", Some("0.0.0.0/0")),
            ("FD00::1/8", Some("fd00::/8")),
            ("::1/128", Some("::1/128")),
            ("10.0.0.0", None),
            ("10.0.0.0/33", None),
            ("::/129", None),
            ("10.0.0/8", None),
            ("10.0.0.0/+8", None),
            ("10.0.0.0/", None),
            ("x/8", None),
        ] {
            assert_eq!(network(text).as_deref(), kept, "{text}");
        }
    }

    #[test]
    fn only_what_is_given_changes_and_zero_takes_a_limit_away() {
        let before = Settings {
            name: "Gate".to_owned(),
            max_cameras: Some(8),
            uplink_bps: Some(1_000_000),
            ..Settings::default()
        };
        assert_eq!(before.clone().changed(NodePatch::default()), Ok(before.clone()));
        let patch = NodePatch {
            labels: Some(vec!["GPU".to_owned(), "gpu".to_owned()]),
            max_cameras: Some(0),
            state: Some(NodeState::Draining),
            ..NodePatch::default()
        };
        let after = before.clone().changed(patch).unwrap();
        assert_eq!(
            (after.labels, after.max_cameras, after.uplink_bps, after.state),
            (vec!["gpu".to_owned()], None, Some(1_000_000), NodeState::Draining)
        );
        for (field, patch) in [
            (
                "name",
                NodePatch {
                    name: Some("a\0".to_owned()),
                    ..NodePatch::default()
                },
            ),
            (
                "labels",
                NodePatch {
                    labels: Some(vec!["a|b".to_owned()]),
                    ..NodePatch::default()
                },
            ),
            (
                "sites",
                NodePatch {
                    sites: Some(vec![" ".to_owned()]),
                    ..NodePatch::default()
                },
            ),
            (
                "networks",
                NodePatch {
                    networks: Some(vec!["1".to_owned()]),
                    ..NodePatch::default()
                },
            ),
            (
                "max_cameras",
                NodePatch {
                    max_cameras: Some(u32::MAX),
                    ..NodePatch::default()
                },
            ),
            (
                "uplink_bps",
                NodePatch {
                    uplink_bps: Some(9),
                    ..NodePatch::default()
                },
            ),
        ] {
            assert_eq!(before.clone().changed(patch).unwrap_err().field, field);
        }
    }
}
