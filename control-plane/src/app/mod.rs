//! Use cases: each one checks, decides through `domain`, and changes through `store` and `bus`.
//!
//! Nothing here knows HTTP or SQL.

pub mod account;
pub mod audit;
mod caller;
pub mod cameras;
pub mod completeness;
pub mod console;
mod create;
pub mod enrolment;
pub mod erasures;
pub mod events;
mod factor;
pub mod first_start;
pub mod footage;
pub mod grants;
pub mod groups;
pub mod import_users;
pub mod index;
pub mod invitations;
pub mod jobs;
pub mod ledger;
pub mod licences;
pub mod limits;
mod lockout;
pub mod moves;
pub mod node_token;
pub mod nodes;
pub mod open_heads;
pub mod organizations;
pub mod overrides;
pub mod password;
pub mod person;
pub mod placement;
pub mod playback;
pub mod presence;
pub mod probe;
mod reach;
pub mod recordings;
pub mod refusals;
pub mod requests;
pub mod rotation;
pub mod second_factor;
pub mod service_keys;
pub mod session;
pub mod sign_in;
pub mod snapshot;
pub mod token;
pub mod user_access;
pub mod users;
pub mod vault;
pub mod wishes;

pub use caller::{Actor, Caller, Intent, KEY_PREFIX, Origin};
pub use create::Once;
