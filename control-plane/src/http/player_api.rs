//! Placeholder.

use actix_web::web::ServiceConfig;

/// Routes.
pub fn routes(_config: &mut ServiceConfig) {}
