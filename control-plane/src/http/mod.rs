//! HTTP: extracts, authorizes, calls a use case, encodes. Nothing here decides or knows SQL.

pub mod auth;
pub mod footage;
pub mod objects;
pub mod player_api;
pub mod playlist;
pub mod problem;

use actix_web::web::{JsonConfig, ServiceConfig};

use crate::Error;

/// Longest JSON body.
const BODY_MAX: usize = 64 * 1024;

/// Every route.
pub fn routes(config: &mut ServiceConfig) {
    config.app_data(json_config());
    player_api::routes(config);
    playlist::routes(config);
    footage::routes(config);
    objects::routes(config);
}

fn json_config() -> JsonConfig {
    JsonConfig::default()
        .limit(BODY_MAX)
        .error_handler(|error, _| problem::from_json(&error).into())
}
