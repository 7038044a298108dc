//! Who calls: the bearer token of a request, and the organization it is about.

use std::net::{IpAddr, Ipv4Addr};

use actix_web::http::Method;
use actix_web::http::header::{AUTHORIZATION, X_FORWARDED_FOR};
use actix_web::{FromRequest, HttpMessage, HttpRequest, dev::Payload, web::Data};
use futures::future::LocalBoxFuture;
use wire::OrganizationId;

use super::observe::RequestId;
use crate::app::events::Credentials;
use crate::app::{Caller, Intent, Origin};
use crate::domain::forwarded;
use crate::state::now;
use crate::{AppState, Error};

// Taking a caller as an argument makes a handler refuse everybody else.
impl FromRequest for Caller {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { caller(&request).await })
    }
}

async fn caller(request: &HttpRequest) -> Result<Caller, Error> {
    let state = request
        .app_data::<Data<AppState>>()
        .ok_or_else(|| Error::Internal(anyhow::anyhow!("no state")))?;
    let bearer = bearer(request)?;
    let caller = Caller::authenticate(
        state,
        bearer,
        organization(request)?,
        intent(request),
        origin(request),
        now(),
    )
    .await;
    match caller {
        Ok(caller) => {
            state.limiter.request(caller.actor_id())?;
            Ok(caller)
        }
        Err(error @ Error::Unauthorized { .. }) => {
            state.limiter.stranger(address(request))?;
            Err(error)
        }
        Err(error) => Err(error),
    }
}

fn bearer(request: &HttpRequest) -> Result<&str, Error> {
    request
        .headers()
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "))
        .ok_or(Error::Unauthorized {
            code: "unauthorized",
            title: "sign in first",
        })
}

/// As whom a request came, for answers that go on for long.
///
/// # Errors
/// [`Error::Unauthorized`] without a token.
pub fn credentials(request: &HttpRequest) -> Result<Credentials, Error> {
    Ok(Credentials {
        bearer: bearer(request)?.to_owned(),
        organization: organization(request)?,
        origin: origin(request),
    })
}

/// The organization that the query names; who runs the platform acts in any.
fn organization(request: &HttpRequest) -> Result<Option<OrganizationId>, Error> {
    let pairs = url::form_urlencoded::parse(request.query_string().as_bytes());
    let mut named = pairs.filter(|(name, _)| name == "organization");
    match (named.next(), named.next()) {
        (None, _) => Ok(None),
        (Some((_, id)), None) => super::id(&id, "organization").map(Some),
        _ => Err(Error::field(
            "organization",
            "one request is about one organization",
        )),
    }
}

fn intent(request: &HttpRequest) -> Intent {
    let own = ["/api/v1/me", "/api/v1/session"];
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        Intent::Read
    } else if own.iter().any(|path| request.path().starts_with(path)) {
        Intent::Own
    } else {
        Intent::Change
    }
}

/// Who asks: the peer, or whom a trusted proxy names.
#[must_use]
pub fn address(request: &HttpRequest) -> IpAddr {
    let peer = request
        .peer_addr()
        .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
    let state = request.app_data::<Data<AppState>>();
    let trusted = state.map_or(&[][..], |state| &state.config.http.trusted_proxies);
    let hops: Vec<&str> = request
        .headers()
        .get_all(X_FORWARDED_FOR)
        .flat_map(|line| line.to_str().unwrap_or_default().split(','))
        .collect();
    forwarded::client(peer, &hops, trusted)
}

/// Where a request came from, and its name.
#[must_use]
pub fn origin(request: &HttpRequest) -> Origin {
    Origin {
        address: address(request),
        request_id: request_id(request),
    }
}

fn request_id(request: &HttpRequest) -> String {
    let id = request.extensions().get::<RequestId>().cloned();
    id.map_or_else(String::new, |id| id.0)
}
