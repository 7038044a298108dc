//! Licences: whose they are, which camera has which.

use player::api::{all, change, get, post, seen};
use wire::CameraId;
use wire::api::{
    AssignLicence, IssuedLicences, Licence, LicencePatch, LicenceUsage, NewLicences, RenewLicence,
    TransferLicence,
};

use super::{NOTHING, Result};

/// Where they are listed.
pub(crate) const LICENCES: &str = "/api/v1/licences";

fn address(licence: &Licence, what: &str) -> String {
    format!("{LICENCES}/{}{what}", licence.id)
}

/// The licences of the organization in numbers.
pub(crate) async fn licence_usage() -> Result<LicenceUsage> {
    get("/api/v1/licences/usage").await
}

/// The licence of a camera, if it has one.
pub(crate) async fn licence_of(camera: CameraId) -> Result<Option<Licence>> {
    let found: Vec<Licence> = all(&format!("{LICENCES}?camera={camera}")).await?;
    Ok(found.into_iter().next())
}

/// Licences without a camera.
pub(crate) async fn free_licences() -> Result<Vec<Licence>> {
    all(&format!("{LICENCES}?assigned=false")).await
}

/// Licences with a camera.
pub(crate) async fn assigned_licences() -> Result<Vec<Licence>> {
    all(&format!("{LICENCES}?assigned=true")).await
}

/// Issues one or several alike.
pub(crate) async fn issue_licences(new: &NewLicences) -> Result<IssuedLicences> {
    post(LICENCES, new).await
}

/// Changes name, plan or days of grace of a licence as it was seen.
pub(crate) async fn change_licence(licence: &Licence, patch: &LicencePatch) -> Result<Licence> {
    change(&address(licence, ""), patch, licence.revision).await
}

/// Assigns a licence to a camera that has none.
pub(crate) async fn assign_licence(licence: &Licence, camera: CameraId) -> Result<Licence> {
    let body = AssignLicence { camera };
    seen("PUT", &address(licence, "/camera"), Some(&body), licence.revision).await
}

/// Takes a licence from its camera.
pub(crate) async fn take_licence(licence: &Licence) -> Result<Licence> {
    seen("DELETE", &address(licence, "/camera"), NOTHING, licence.revision).await
}

/// Moves a licence from one camera to another.
pub(crate) async fn transfer_licence(licence: &Licence, from: CameraId, to: CameraId) -> Result<Licence> {
    post(&address(licence, "/transfer"), &TransferLicence { from, to }).await
}

/// Gives a licence another end.
pub(crate) async fn renew_licence(licence: &Licence, renewal: &RenewLicence) -> Result<Licence> {
    post(&address(licence, "/renew"), renewal).await
}

/// Takes a licence back for now, or gives it again.
pub(crate) async fn suspend_licence(licence: &Licence, is_suspended: bool) -> Result<Licence> {
    let what = if is_suspended { "/suspend" } else { "/resume" };
    post(&address(licence, what), &()).await
}
