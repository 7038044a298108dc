//! Organizations: the tenants.

use player::api::{self as shared, change, get, post, seen};
use wire::OrganizationId;
use wire::api::{NewOrganization, Organization, OrganizationPatch};

use super::{NOTHING, Result};

/// Where they are listed.
pub(crate) const ORGANIZATIONS: &str = "/api/v1/organizations";
/// So many are offered to choose from; the page of the organizations leads to all.
const OFFERED: usize = 1000;

/// The first organizations.
pub(crate) async fn first_organizations() -> Result<Vec<Organization>> {
    Ok(shared::some(ORGANIZATIONS, OFFERED).await?.items)
}

/// One organization.
pub(crate) async fn organization(id: OrganizationId) -> Result<Organization> {
    get(&format!("{ORGANIZATIONS}/{id}")).await
}

/// Adds an organization.
pub(crate) async fn add_organization(new: &NewOrganization) -> Result<Organization> {
    post(ORGANIZATIONS, new).await
}

/// Changes an organization as it was seen.
pub(crate) async fn change_organization(
    organization: &Organization,
    patch: &OrganizationPatch,
) -> Result<Organization> {
    let path = format!("{ORGANIZATIONS}/{}", organization.id);
    change(&path, patch, organization.revision).await
}

/// Something that an organization goes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Suspend,
    Resume,
    Restore,
}

/// Suspends an organization, lets it go on, or takes its deletion back.
pub(crate) async fn step_organization(id: OrganizationId, step: Step) -> Result<Organization> {
    let what = match step {
        Step::Suspend => "suspend",
        Step::Resume => "resume",
        Step::Restore => "restore",
    };
    post(&format!("{ORGANIZATIONS}/{id}/{what}"), &()).await
}

/// Deletes an organization, as it was seen, after some days of grace; `confirm` is its name.
pub(crate) async fn delete_organization(
    organization: &Organization,
    grace_days: &str,
    confirm: &str,
) -> Result<Organization> {
    let (days, name) = (shared::escaped(grace_days), shared::escaped(confirm));
    let path = format!(
        "{ORGANIZATIONS}/{}?grace_days={days}&confirm={name}",
        organization.id
    );
    seen("DELETE", &path, NOTHING, organization.revision).await
}
