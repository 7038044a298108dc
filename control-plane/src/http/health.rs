//! `/healthz`: the process runs. `/readyz`: and has what it needs.

use actix_web::HttpResponse;
use actix_web::web::{Data, ServiceConfig, get, resource};
use serde::Serialize;

use crate::AppState;
use crate::store::users;

#[derive(Serialize)]
struct Readiness {
    ready: bool,
    /// `ok`, or what is missing.
    database: String,
    bus: String,
}

/// Routes.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(resource("/healthz").route(get().to(healthz)))
        .service(resource("/readyz").route(get().to(readyz)));
}

async fn healthz() -> &'static str {
    "ok\n"
}

async fn readyz(state: Data<AppState>) -> HttpResponse {
    let database = state.store.read(users::any).await.map(drop);
    let bus = state.bus.client().map(drop);
    let ready = database.is_ok() && bus.is_ok();
    let said = |problem: Option<String>| problem.unwrap_or_else(|| "ok".to_owned());
    let readiness = Readiness {
        ready,
        database: said(database.err().map(|_| "the database does not answer".to_owned())),
        bus: said(bus.err().map(|error| error.to_string())),
    };
    let mut answer = if ready {
        HttpResponse::Ok()
    } else {
        HttpResponse::ServiceUnavailable()
    };
    answer
        .insert_header(("Cache-Control", "no-store"))
        .json(readiness)
}
