//! HTTP: extracts, authorizes, calls a use case, encodes. Nothing here decides or knows SQL.

pub mod account;
pub mod assets;
pub mod audit;
pub mod auth;
pub mod camera_import;
mod camera_query;
pub mod cameras;
pub mod completeness;
pub mod csv;
pub mod enrolment;
pub mod erasures;
pub mod events;
pub mod footage;
pub mod groups;
pub mod health;
pub mod invitations;
pub mod jobs;
pub mod licences;
pub mod long_json;
pub mod nodes;
pub mod objects;
pub mod observe;
pub mod openapi;
pub mod organizations;
pub mod overrides;
pub mod person;
pub mod player_api;
pub mod playlist;
pub mod problem;
pub mod ranges;
pub mod recordings;
pub mod request;
pub mod routes;
pub mod service_keys;
pub mod session;
pub mod snapshot;
pub mod stored;
pub mod user_access;
pub mod users;

use std::str::FromStr;

use actix_web::web::{self, JsonConfig, PathConfig, QueryConfig, ServiceConfig};

use utoipa::OpenApi;

use crate::Error;

/// Longest JSON body.
const BODY_MAX: usize = 64 * 1024;

/// Every route.
pub fn routes(config: &mut ServiceConfig) {
    config
        .app_data(json_config())
        .app_data(PathConfig::default().error_handler(|_, _| Error::not_found("page").into()))
        .app_data(
            QueryConfig::default()
                .error_handler(|error, _| Error::invalid("invalid_query", error.to_string()).into()),
        );
    config.app_data(web::Data::new(openapi::DocsConfig::default()));
    health::routes(config);
    openapi::routes(config);
    session::routes(config);
    account::routes(config);
    user_access::routes(config);
    // Before the cameras, whose ids would take its path.
    camera_import::routes(config);
    cameras::routes(config);
    erasures::routes(config);
    snapshot::routes(config);
    licences::routes(config);
    jobs::routes(config);
    overrides::routes(config);
    organizations::routes(config);
    groups::routes(config);
    audit::routes(config);
    users::routes(config);
    person::routes(config);
    invitations::routes(config);
    service_keys::routes(config);
    nodes::routes(config);
    enrolment::routes(config);
    events::routes(config);
    recordings::routes(config);
    completeness::routes(config);
    player_api::routes(config);
    playlist::routes(config);
    footage::routes(config);
    objects::routes(config);
    config.default_service(web::to(assets::serve));
}

/// What each module of the API says of its routes.
fn documents() -> Vec<utoipa::openapi::OpenApi> {
    vec![
        session::Document::openapi(),
        account::Document::openapi(),
        user_access::Document::openapi(),
        camera_import::Document::openapi(),
        cameras::Document::openapi(),
        erasures::Document::openapi(),
        snapshot::Document::openapi(),
        licences::Document::openapi(),
        jobs::Document::openapi(),
        overrides::Document::openapi(),
        organizations::Document::openapi(),
        groups::Document::openapi(),
        audit::Document::openapi(),
        users::Document::openapi(),
        person::Document::openapi(),
        invitations::Document::openapi(),
        service_keys::Document::openapi(),
        nodes::Document::openapi(),
        enrolment::Document::openapi(),
        events::Document::openapi(),
        recordings::Document::openapi(),
        completeness::Document::openapi(),
        player_api::Document::openapi(),
    ]
}

/// The routes of each module of the API.
fn listed() -> Vec<&'static [routes::Route]> {
    vec![
        session::ROUTES,
        account::ROUTES,
        user_access::ROUTES,
        camera_import::ROUTES,
        cameras::ROUTES,
        erasures::ROUTES,
        snapshot::ROUTES,
        licences::ROUTES,
        jobs::ROUTES,
        overrides::ROUTES,
        organizations::ROUTES,
        groups::ROUTES,
        audit::ROUTES,
        users::ROUTES,
        person::ROUTES,
        invitations::ROUTES,
        service_keys::ROUTES,
        nodes::ROUTES,
        enrolment::ROUTES,
        events::ROUTES,
        recordings::ROUTES,
        completeness::ROUTES,
        player_api::ROUTES,
    ]
}

fn json_config() -> JsonConfig {
    JsonConfig::default()
        .limit(BODY_MAX)
        .error_handler(|error, _| problem::from_json(&error).into())
}

/// An id from a path. What is no id is nobody's either.
///
/// # Errors
/// [`Error::NotFound`].
pub fn id<T: FromStr>(text: &str, what: &'static str) -> Result<T, Error> {
    text.parse().map_err(|_| Error::not_found(what))
}
