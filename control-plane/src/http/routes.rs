//! The list of routes: what is served, what the OpenAPI document tells, and what the tests walk are one.

/// One route of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// `get`, `post`, `put`, `patch` or `delete`.
    pub method: &'static str,
    /// Such as `/api/v1/cameras/{id}`.
    pub path: &'static str,
}

/// Makes `routes` (serves them), `Document` (describes them) and `ROUTES` (lists them) of a module.
macro_rules! routes {
    ($($path:literal { $($method:ident $handler:ident),+ $(,)? })+) => {
        /// Serves the routes of this module.
        pub fn routes(config: &mut actix_web::web::ServiceConfig) {
            $(config.service(
                actix_web::web::resource($path)$(.route(actix_web::web::$method().to($handler)))+,
            );)+
        }

        /// Describes the routes of this module.
        #[derive(utoipa::OpenApi)]
        #[openapi(paths($($($handler),+),+))]
        pub(super) struct Document;

        /// The routes of this module.
        pub(super) const ROUTES: &[crate::http::routes::Route] = &[$($(
            crate::http::routes::Route { method: stringify!($method), path: $path },
        )+)+];
    };
}

pub(super) use routes;
