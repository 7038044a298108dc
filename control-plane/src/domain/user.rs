//! What a user may be called, who may make whom what, and what a list of grants may be.

use std::collections::HashSet;

use icu_normalizer::ComposingNormalizerBorrowed;
use wire::access::{Rights, Role};
use wire::api::{Grant, UserState};

use super::text::{is_invisible, line};

/// Longest login, in bytes: the longest e-mail address (RFC 5321 §4.5.3.1.3).
pub const LOGIN_MAX: usize = 254;
/// Longest name of a person, in characters.
const NAME_MAX: usize = 100;
/// Most grants of one user.
pub const GRANTS_MAX: usize = 1000;

/// A field that does not do, and a sentence that says why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{title}")]
pub struct InvalidUser {
    /// Which field.
    pub field: &'static str,
    /// A sentence for its author.
    pub title: &'static str,
}

/// The one spelling of a login: no blanks around it, lower case, NFKC (UAX #15). Every look-up by login
/// goes through this.
///
/// # Errors
/// A sentence for field `login`.
pub fn login(text: &str) -> Result<String, InvalidUser> {
    let bad = |title| InvalidUser {
        field: "login",
        title,
    };
    if text.len() > LOGIN_MAX {
        return Err(bad("a login has at most 254 bytes"));
    }
    let text = text.trim();
    let nfkc = ComposingNormalizerBorrowed::new_nfkc();
    // Lower case can undo the composition: U+0130 becomes two characters.
    let login = nfkc.normalize(&nfkc.normalize(text).to_lowercase()).into_owned();
    if login.is_empty() || login.len() > LOGIN_MAX {
        return Err(bad("a login has 1 to 254 bytes"));
    }
    if login.chars().any(|c| c.is_whitespace() || is_invisible(c)) {
        return Err(bad("a login has no blanks and no invisible characters"));
    }
    if let Some((before, after)) = login.split_once('@')
        && (before.is_empty() || after.is_empty() || after.contains('@'))
    {
        return Err(bad("an e-mail address has one @ with something on both sides"));
    }
    Ok(login)
}

/// Name of a person without the blanks around it: up to 100 characters, none of them invisible.
///
/// # Errors
/// A sentence for field `name`.
pub fn name(text: &str) -> Result<String, InvalidUser> {
    line(text, 0, NAME_MAX).ok_or(InvalidUser {
        field: "name",
        title: "a name has at most 100 characters, none of them invisible",
    })
}

/// Whether who has a role (none for a machine) and rights may make, change or erase users of `role`:
/// never above oneself.
#[must_use]
pub fn may_manage(own: Option<Role>, rights: Rights, role: Role) -> bool {
    match own {
        // Roles are ordered from the top down.
        Some(own) => own <= role,
        None => rights.covers(Rights::of(role)),
    }
}

/// Whether somebody can run an organization now.
#[must_use]
pub fn administers(role: Role, state: UserState) -> bool {
    state == UserState::Active && role != Role::OrgUser
}

/// Checks a list of grants by itself; whether the cameras are there is for the database.
///
/// # Errors
/// A sentence for field `items`.
pub fn grants(items: &[Grant]) -> Result<(), InvalidUser> {
    let bad = |title| InvalidUser {
        field: "items",
        title,
    };
    if items.len() > GRANTS_MAX {
        return Err(bad("a user has at most 1000 grants: grant groups of cameras"));
    }
    if items
        .iter()
        .any(|grant| grant.camera.is_some() == grant.group.is_some())
    {
        return Err(bad("a grant names either a camera or a group"));
    }
    if items.iter().any(|grant| grant.permissions.is_empty()) {
        return Err(bad("a grant has at least one permission"));
    }
    let mut seen = HashSet::new();
    if !items.iter().all(|grant| seen.insert((grant.camera, grant.group))) {
        return Err(bad("there is one grant at most for each camera and group"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use wire::access::{Permission, Permissions, Right};
    use wire::{CameraId, GroupId};

    use super::*;

    #[test]
    fn logins_have_one_spelling() {
        for (text, expected) in [
            ("Ann", "ann"),
            ("  ANN@Example.ORG ", "ann@example.org"),
            ("\u{ff21}\u{ff4e}n", "ann"),
            ("e\u{301}va", "\u{e9}va"),
            ("\u{130}", "i\u{307}"),
            ("STRASSE", "strasse"),
        ] {
            assert_eq!(login(text).as_deref(), Ok(expected), "{text}");
        }
        let long = "x".repeat(255);
        for bad in [
            "",
            "  ",
            "a b",
            "a\0b",
            "a\u{200b}b",
            "a\u{202e}b",
            "@",
            "a@",
            "@b",
            "a@b@c",
            "a\u{3000}b",
            &long,
            // Three bytes each become 33.
            &"\u{fdfa}".repeat(80),
        ] {
            assert_eq!(login(bad).unwrap_err().field, "login", "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn the_one_spelling_is_its_own(text in "\\PC{1,40}") {
            if let Ok(once) = login(&text) {
                prop_assert_eq!(login(&once), Ok(once.clone()));
            }
        }
    }

    #[test]
    fn nobody_manages_who_is_above() {
        use Role::{OrgAdmin, OrgUser, SuperAdmin};
        for (own, role, expected) in [
            (SuperAdmin, SuperAdmin, true),
            (OrgAdmin, SuperAdmin, false),
            (OrgAdmin, OrgAdmin, true),
            (OrgAdmin, OrgUser, true),
        ] {
            assert_eq!(
                may_manage(Some(own), Rights::of(own), role),
                expected,
                "{own:?} {role:?}"
            );
        }
        let rights: Rights = [Right::ManageUsers].into_iter().collect();
        assert!(may_manage(None, rights, OrgUser) && !may_manage(None, rights, OrgAdmin));
        assert!(may_manage(None, Rights::of(OrgAdmin), OrgAdmin));
    }

    #[test]
    fn grants_name_one_thing_once() {
        let view: Permissions = [Permission::ViewLive].into_iter().collect();
        let (camera, group) = (CameraId::generate(), GroupId::generate());
        let grant = |camera, group, permissions| Grant {
            camera,
            group,
            permissions,
        };
        let good = [grant(Some(camera), None, view), grant(None, Some(group), view)];
        assert_eq!(grants(&good), Ok(()));
        for bad in [
            vec![grant(None, None, view)],
            vec![grant(Some(camera), Some(group), view)],
            vec![grant(Some(camera), None, Permissions::NONE)],
            vec![good[0], good[0]],
            (0..1001)
                .map(|_| grant(Some(CameraId::generate()), None, view))
                .collect(),
        ] {
            assert_eq!(grants(&bad).unwrap_err().field, "items");
        }
    }
}
