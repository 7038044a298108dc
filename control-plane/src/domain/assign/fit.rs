//! Whether a node can record a camera, and if not, why.

use std::fmt;
use std::net::IpAddr;

use wire::CameraId;
use wire::status::NodeStatus;

use super::{Node, NodeState, Place, Presence};

/// Why a node does not record a camera.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// It was removed.
    Removed,
    /// It has not reported for long.
    Lost,
    /// It serves other sites only.
    Site(String),
    /// The camera's address is in none of its networks.
    Network(IpAddr),
    /// It lacks labels.
    Labels(Vec<String>),
    /// It hands its cameras over.
    Draining,
    /// It takes no new cameras.
    Cordoned,
    /// It has not reported just now.
    Away,
    /// It has as many cameras as it may.
    Full(u64),
    /// Its disk is almost full. A camera that fits nowhere else is better recorded there than nowhere.
    Tight(Tight),
}

/// A disk on which little is left for footage: so many hundredths of it. What is stored elsewhere may go, and
/// counts as free; what is still to be uploaded may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tight(u8);

/// Hundredths of a disk below which it takes no new camera.
const TIGHT_PERCENT: u64 = 5;

impl Tight {
    /// Whether a node's disk is so, by what it reports. One that does not tell the size of its disk, or has
    /// uploaded everything, has room.
    #[must_use]
    pub fn of(status: &NodeStatus) -> Option<Self> {
        let size = status.hardware.disk_bytes;
        if size == 0 || status.upload_backlog == 0 {
            return None;
        }
        let stored = status.spool_bytes.saturating_sub(status.upload_backlog_bytes);
        let room = u128::from(status.disk_free_bytes) + u128::from(stored);
        let percent = u64::try_from(room * 100 / u128::from(size)).unwrap_or(u64::MAX);
        let percent = u8::try_from(percent).ok()?;
        (u64::from(percent) < TIGHT_PERCENT).then_some(Self(percent))
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Removed => f.write_str("it was removed"),
            Self::Lost => f.write_str("it is lost: it does not report"),
            Self::Site(site) if site.is_empty() => {
                f.write_str("it serves some sites only, and the camera has none")
            }
            Self::Site(site) => write!(f, "it does not serve the site {site}"),
            Self::Network(address) => write!(f, "none of its networks contains {address}"),
            Self::Labels(labels) => write!(f, "it lacks the labels {}", labels.join(", ")),
            Self::Draining => f.write_str("it is draining: it hands its cameras over"),
            Self::Cordoned => f.write_str("it is cordoned: it takes no new cameras"),
            Self::Away => f.write_str("it has not reported just now"),
            Self::Full(most) => write!(f, "it is full: it takes {most} cameras at most"),
            Self::Tight(Tight(percent)) => write!(
                f,
                "its disk is almost full: {percent} % are left beside what it has not uploaded yet"
            ),
        }
    }
}

/// Why a node that records a camera should not go on.
#[must_use]
pub fn unfit(place: &Place, node: &Node) -> Option<Obstacle> {
    if node.is_removed {
        return Some(Obstacle::Removed);
    }
    if node.presence == Presence::Lost {
        return Some(Obstacle::Lost);
    }
    if !node.sites.is_empty() && !node.sites.contains(&place.site) {
        return Some(Obstacle::Site(place.site.clone()));
    }
    if let Some(address) = place.address
        && !node.networks.is_empty()
        && !node.networks.iter().any(|network| network.contains(address))
    {
        return Some(Obstacle::Network(address));
    }
    let lacking = place.labels.iter().filter(|label| !node.labels.contains(label));
    let lacking: Vec<String> = lacking.cloned().collect();
    if !lacking.is_empty() {
        return Some(Obstacle::Labels(lacking));
    }
    (node.state == NodeState::Draining).then_some(Obstacle::Draining)
}

/// Why a node that has `load` cameras cannot take one more; [`Obstacle::Tight`] when it could, if need be.
#[must_use]
pub fn obstacle(place: &Place, node: &Node, load: usize) -> Option<Obstacle> {
    if let Some(unfit) = unfit(place, node) {
        return Some(unfit);
    }
    if node.state == NodeState::Cordoned {
        return Some(Obstacle::Cordoned);
    }
    if node.presence == Presence::Away {
        return Some(Obstacle::Away);
    }
    let full = node.max_cameras.filter(|most| load as u64 >= *most);
    full.map(Obstacle::Full).or(node.tight.map(Obstacle::Tight))
}

/// The cameras that are too many for a node: those with the highest ids.
pub(super) fn too_many(node: &Node, own: &[CameraId]) -> Vec<CameraId> {
    let most = node
        .max_cameras
        .map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(usize::MAX));
    let mut own = own.to_vec();
    own.sort_unstable();
    own.split_off(most.min(own.len()))
}

#[cfg(test)]
mod tests {
    use wire::status::Hardware;
    use wire::{NodeId, UnixMs};

    use super::*;

    /// A disk of 1000 bytes.
    fn status(free: u64, spool: u64, backlog_bytes: u64, backlog: u64) -> NodeStatus {
        NodeStatus {
            node: NodeId::from_bytes([1; 16]),
            name: String::new(),
            version: String::new(),
            at: UnixMs(0),
            started: UnixMs(0),
            plan_revision: None,
            memory_bytes: 0,
            disk_free_bytes: free,
            spool_bytes: spool,
            upload_backlog: backlog,
            outbox_backlog: 0,
            streams: Vec::new(),
            erased: Vec::new(),
            hardware: Hardware {
                disk_bytes: 1_000,
                ..Hardware::default()
            },
            cpu_permille: 0,
            upload_bytes_per_s: 0,
            upload_backlog_bytes: backlog_bytes,
        }
    }

    #[test]
    fn a_disk_is_tight_when_nothing_on_it_may_go() {
        assert_eq!(Tight::of(&status(49, 900, 900, 9)), Some(Tight(4)));
        assert_eq!(Tight::of(&status(50, 900, 900, 9)), None);
        // Full of what may go: as every disk is in time.
        assert_eq!(Tight::of(&status(1, 900, 300, 3)), None);
        assert_eq!(Tight::of(&status(1, 900, 0, 0)), None);
        // Other things than footage fill it.
        assert_eq!(Tight::of(&status(0, 20, 10, 1)), Some(Tight(1)));
        assert_eq!(Tight::of(&status(0, 10, u64::MAX, 1)), Some(Tight(0)));
        let mut untold = status(0, 900, 900, 9);
        untold.hardware.disk_bytes = 0;
        assert_eq!(Tight::of(&untold), None);
    }
}
