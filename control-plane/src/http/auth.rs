//! Who calls: the bearer token of a request.

use std::future::{Ready, ready};

pub use crate::app::Caller;
use crate::{AppState, Error};
use actix_web::http::header::AUTHORIZATION;
use actix_web::{FromRequest, HttpRequest, dev::Payload, web::Data};

// Taking a caller as an argument makes a handler refuse everybody else.
impl FromRequest for Caller {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(caller(request))
    }
}

fn caller(request: &HttpRequest) -> Result<Caller, Error> {
    let unauthorized = || Error::Unauthorized {
        code: "unauthorized",
        title: "sign in first",
    };
    let state = request
        .app_data::<Data<AppState>>()
        .ok_or_else(|| Error::Internal(anyhow::anyhow!("no state")))?;
    let token = request
        .headers()
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "))
        .ok_or_else(unauthorized)?;
    crate::app::token::verify(&state.secrets, token).ok_or_else(unauthorized)
}
