//! Addresses of the panel's pages, in the fragment: what a server logs names none of them.

use wire::access::Right;
use wire::{CameraId, UserId};
use yew_router::prelude::*;

/// A page.
#[derive(Debug, Clone, PartialEq, Routable)]
pub(crate) enum Route {
    #[at("/")]
    Cameras,
    #[at("/import")]
    Import,
    #[at("/cameras/:id")]
    Camera { id: CameraId },
    #[at("/groups")]
    Groups,
    #[at("/ledger")]
    Ledger,
    #[at("/nodes")]
    Nodes,
    #[at("/licences")]
    Licences,
    #[at("/users")]
    Users,
    #[at("/users/:id")]
    User { id: UserId },
    #[at("/keys")]
    Keys,
    #[at("/audit")]
    Audit,
    #[at("/organizations")]
    Organizations,
    #[at("/account")]
    Account,
    #[at("/invite/:token")]
    Invite { token: String },
    #[at("/reset/:token")]
    Reset { token: String },
    #[not_found]
    #[at("/404")]
    NotFound,
}

impl Route {
    /// The page of the navigation that it belongs to.
    pub(crate) fn section(&self) -> Self {
        match self {
            Self::Camera { .. } | Self::Import => Self::Cameras,
            Self::User { .. } => Self::Users,
            other => other.clone(),
        }
    }

    /// The right without which it shows nothing.
    pub(crate) const fn needs(&self) -> Option<Right> {
        match self {
            Self::Groups | Self::Import => Some(Right::ManageCameras),
            Self::Nodes => Some(Right::ReadNodes),
            Self::Licences => Some(Right::AssignLicences),
            Self::Users | Self::User { .. } => Some(Right::ManageUsers),
            Self::Keys => Some(Right::ManageKeys),
            Self::Audit => Some(Right::ReadAudit),
            Self::Organizations => Some(Right::ManageOrganization),
            _ => None,
        }
    }
}
