//! The organization that requests are about, when it is not the caller's own: who runs the platform works in
//! any. It lasts as long as the tab, so that a reload does not lead elsewhere unseen.

use std::cell::RefCell;

use wire::OrganizationId;

/// Key of the choice in the tab's storage.
const CHOICE: &str = "cloudcam-organization";
/// What is always about the caller's own account, or about nobody's.
const OWN: [&str; 3] = ["/api/v1/me", "/api/v1/session", "/api/v1/invitations"];

thread_local! {
    static ACTING: RefCell<Option<OrganizationId>> = const { RefCell::new(None) };
}

/// Makes requests be about an organization; about the caller's own with none.
pub fn act_in(organization: Option<OrganizationId>) {
    ACTING.set(organization);
    let Some(storage) = storage() else { return };
    // Where nothing can be stored, a reload leads back to the own organization.
    let _ = match organization {
        Some(id) => storage.set_item(CHOICE, &id.to_string()),
        None => storage.remove_item(CHOICE),
    };
}

/// The organization that was chosen in this tab, before a reload too.
#[must_use]
pub fn acted_in() -> Option<OrganizationId> {
    storage()?.get_item(CHOICE).ok()??.parse().ok()
}

/// The address of a request, with the organization that it is about.
pub(super) fn addressed(path: &str) -> String {
    ACTING.with_borrow(|acting| about(path, acting.as_ref()))
}

fn about(path: &str, organization: Option<&OrganizationId>) -> String {
    match organization {
        Some(id) if !OWN.iter().any(|own| path.starts_with(own)) => {
            let separator = if path.contains('?') { '&' } else { '?' };
            format!("{path}{separator}organization={id}")
        }
        _ => path.to_owned(),
    }
}

fn storage() -> Option<web_sys::Storage> {
    web_sys::window()?.session_storage().ok()?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_name_the_organization_unless_they_are_about_oneself() {
        let id: OrganizationId = "018f0000-0000-7000-8000-000000000001".parse().unwrap();
        let said = |path| about(path, Some(&id)).replace(&id.to_string(), "X");
        assert_eq!(said("/api/v1/cameras"), "/api/v1/cameras?organization=X");
        assert_eq!(
            said("/api/v1/users?limit=1"),
            "/api/v1/users?limit=1&organization=X"
        );
        assert_eq!(said("/api/v1/me/sessions?limit=1"), "/api/v1/me/sessions?limit=1");
        assert_eq!(said("/api/v1/session/refresh"), "/api/v1/session/refresh");
        assert_eq!(about("/api/v1/cameras", None), "/api/v1/cameras");
    }
}
