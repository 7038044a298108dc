//! Pure rules: no clock, no database, no bus, no HTTP.

pub mod assign;
pub mod bus_access;
pub mod camera;
pub mod completeness;
pub mod coverage;
pub mod erasure;
pub mod event;
pub mod forwarded;
pub mod hold;
pub mod import;
pub mod licence;
pub mod lockout;
pub mod nats_config;
pub mod nats_jwt;
pub mod node;
pub mod organization;
pub mod page;
pub mod password;
pub mod plan;
pub mod playlist;
pub mod schedule;
pub mod signing;
pub mod tenure;
pub mod text;
pub mod totp;
pub mod user;
