//! Whether a node can record a camera, and if not, why.

use std::fmt;
use std::net::IpAddr;

use wire::CameraId;

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

/// Why a node that has `load` cameras cannot take one more.
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
    full.map(Obstacle::Full)
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
