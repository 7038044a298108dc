//! Use cases: each one checks, decides through `domain`, and changes through `store` and `bus`.
//!
//! Nothing here knows HTTP or SQL.

pub mod cameras;
pub mod first_start;
pub mod footage;
pub mod index;
pub mod ledger;
pub mod nodes;
pub mod password;
pub mod playback;
pub mod probe;
pub mod requests;
pub mod session;
pub mod token;
pub mod vault;

use wire::{OrganizationId, UserId};

/// A signed-in user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// The user.
    pub user: UserId,
    /// The user's organization: the first argument of every query.
    pub organization: OrganizationId,
}
