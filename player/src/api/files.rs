//! Files: sent as they are, and saved as the server names them.

use gloo_net::http::Method;
use serde::de::DeserializeOwned;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, HtmlAnchorElement, Url};

use super::{ApiError, Result, answered, decode, prepared, renewing};

/// Sends a file's bytes, as a buffer of the browser, takes an answer back.
///
/// # Errors
/// As [`ApiError`] says.
pub async fn upload<T: DeserializeOwned>(path: &str, content_type: &str, bytes: &JsValue) -> Result<T> {
    let headers = [("Content-Type", content_type.to_owned())];
    let ask = async || answered(prepared(Method::POST, path, &headers, None).body(bytes.clone())).await;
    decode(renewing(ask).await?).await
}

/// Fetches a file and gives it to the person under a name: a link could not say who asks.
///
/// # Errors
/// As [`ApiError`] says.
pub async fn save(path: &str, name: &str) -> Result<()> {
    let ask = async || answered(prepared(Method::GET, path, &[], None).build()).await;
    let response = web_sys::Response::from(renewing(ask).await?);
    let blob = response.blob().map_err(|_| ApiError::Unreadable)?;
    let blob = JsFuture::from(blob).await.map_err(|_| ApiError::Unreadable)?;
    offer(blob.unchecked_ref(), name).ok_or(ApiError::Unreadable)
}

fn offer(blob: &Blob, name: &str) -> Option<()> {
    let address = Url::create_object_url_with_blob(blob).ok()?;
    let document = web_sys::window()?.document()?;
    let link: HtmlAnchorElement = document.create_element("a").ok()?.dyn_into().ok()?;
    link.set_href(&address);
    link.set_download(name);
    link.click();
    // The browser holds on to what it saves.
    let _ = Url::revoke_object_url(&address);
    Some(())
}
