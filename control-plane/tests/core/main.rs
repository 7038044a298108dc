//! The server through its public doors: HTTP, the bus, the configuration file.

#[cfg(test)]
#[path = "../support/mod.rs"]
mod support;

#[cfg(test)]
#[expect(dead_code, reason = "shared with the tests of footage")]
#[path = "../footage/fixture.rs"]
mod footage;

#[cfg(test)]
mod account;
#[cfg(test)]
mod at_once;
#[cfg(test)]
mod audit;
#[cfg(test)]
mod authorization;
#[cfg(test)]
mod binary;
#[cfg(test)]
mod bus;
#[cfg(test)]
mod bus_cluster;
#[cfg(test)]
mod bus_tls;
#[cfg(test)]
mod camera_fields;
#[cfg(test)]
mod cameras;
#[cfg(test)]
mod claims;
#[cfg(test)]
mod cli;
#[cfg(test)]
mod completeness;
#[cfg(test)]
mod conditional;
#[cfg(test)]
mod configuration;
#[cfg(test)]
mod console;
#[cfg(test)]
mod debug;
#[cfg(test)]
mod ends;
#[cfg(test)]
mod enrolment;
#[cfg(test)]
mod erase;
#[cfg(test)]
mod erased_nodes;
#[cfg(test)]
mod erasures;
#[cfg(test)]
mod events;
#[cfg(test)]
mod facts;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod filler;
#[cfg(test)]
mod grants;
#[cfg(test)]
mod groups;
#[cfg(test)]
mod import;
#[cfg(test)]
mod invited;
#[cfg(test)]
mod jobs;
#[cfg(test)]
mod licences;
#[cfg(test)]
mod limited;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod links;
#[cfg(test)]
mod lockout;
#[cfg(test)]
mod logged;
#[cfg(test)]
mod migrations;
#[cfg(test)]
mod node;
#[cfg(test)]
mod nodes;
#[cfg(test)]
mod organizations;
#[cfg(test)]
mod overrides;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod people;
#[cfg(test)]
mod person;
#[cfg(test)]
mod placement;
#[cfg(test)]
mod plans;
#[cfg(test)]
mod planted;
#[cfg(test)]
mod proxies;
#[cfg(test)]
mod raw;
#[cfg(test)]
mod recordings;
#[cfg(test)]
mod replays;
#[cfg(test)]
mod replicas;
#[cfg(test)]
mod rotation;
#[cfg(test)]
mod service_keys;
#[cfg(test)]
mod session;
#[cfg(test)]
mod sign_ins;
#[cfg(test)]
mod snapshot;
#[cfg(test)]
mod stolen;
#[cfg(test)]
mod stolen_asks;
#[cfg(test)]
mod store;
#[cfg(test)]
mod tenants;
#[cfg(test)]
mod totp;
#[cfg(test)]
mod unlicensed;
#[cfg(test)]
mod upload;
#[cfg(test)]
mod users;
#[cfg(test)]
mod walls;
