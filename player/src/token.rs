//! The access token, in memory only, and whether this browser has a session worth going on with.
//!
//! It does no HTTP. The browser's storage keeps no secret, only the word that there is a cookie.

use std::cell::RefCell;

use wire::api::Session;

/// A token is replaced this long before it expires, so that no request meets an expired one.
const MARGIN_MS: f64 = 60_000.0;
/// Key of the mark in the browser's storage.
const MARK: &str = "cloudcam-session";

struct Token {
    text: String,
    stale_at_ms: f64,
}

thread_local! {
    static TOKEN: RefCell<Option<Token>> = const { RefCell::new(None) };
}

/// Keeps the token of a session.
pub(crate) fn keep(session: &Session) {
    let lifetime_ms = f64::from(session.expires_in_s) * 1000.0;
    let stale_at_ms = js_sys::Date::now() + (lifetime_ms - MARGIN_MS).max(lifetime_ms / 2.0);
    TOKEN.set(Some(Token {
        text: session.access_token.clone(),
        stale_at_ms,
    }));
    if let Some(storage) = storage() {
        // A full or forbidden storage costs a needless question at the next start.
        let _ = storage.set_item(MARK, "1");
    }
}

/// Forgets the token and that there was a session.
pub(crate) fn forget() {
    TOKEN.set(None);
    if let Some(storage) = storage() {
        let _ = storage.remove_item(MARK);
    }
}

/// The token, if there is one.
pub(crate) fn current() -> Option<String> {
    TOKEN.with_borrow(|token| token.as_ref().map(|token| token.text.clone()))
}

/// Whether there is a token that is about to expire.
pub(crate) fn is_stale() -> bool {
    TOKEN.with_borrow(|token| {
        token
            .as_ref()
            .is_some_and(|token| js_sys::Date::now() > token.stale_at_ms)
    })
}

/// Whether somebody signed in here and did not sign out; true when the browser cannot remember.
pub(crate) fn is_remembered() -> bool {
    storage().is_none_or(|storage| !matches!(storage.get_item(MARK), Ok(None)))
}

fn storage() -> Option<web_sys::Storage> {
    web_sys::window()?.local_storage().ok()?
}
