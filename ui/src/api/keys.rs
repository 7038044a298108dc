//! Service keys: how machines call.

use player::api::{all, change, delete_seen, post};
use wire::api::{MadeServiceKey, NewServiceKey, ServiceKey, ServiceKeyPatch};

use super::Result;

/// Where they are listed.
pub(crate) const KEYS: &str = "/api/v1/service-keys";

/// All keys.
pub(crate) async fn keys() -> Result<Vec<ServiceKey>> {
    all(KEYS).await
}

/// Makes a key; its secret is shown this once.
pub(crate) async fn make_key(new: &NewServiceKey) -> Result<MadeServiceKey> {
    post(KEYS, new).await
}

/// Changes name or end of a key as it was seen.
pub(crate) async fn change_key(key: &ServiceKey, patch: &ServiceKeyPatch) -> Result<ServiceKey> {
    change(&format!("{KEYS}/{}", key.id), patch, key.revision).await
}

/// Makes a key work no more.
pub(crate) async fn revoke_key(key: &ServiceKey) -> Result<()> {
    delete_seen(&format!("{KEYS}/{}", key.id), key.revision).await
}
