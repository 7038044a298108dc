//! What a user is granted, while it is being changed. It touches no page.

use wire::access::{Permission, Permissions};
use wire::api::{Grant, Grants};
use wire::{CameraId, GroupId};

/// What something is granted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum On {
    Camera(CameraId),
    Group(GroupId),
}

impl On {
    pub(super) fn of(grant: &Grant) -> Option<Self> {
        match (grant.camera, grant.group) {
            (Some(camera), _) => Some(Self::Camera(camera)),
            (None, Some(group)) => Some(Self::Group(group)),
            (None, None) => None,
        }
    }

    /// As the value of a choice.
    pub(super) fn value(self) -> String {
        match self {
            Self::Camera(id) => format!("camera:{id}"),
            Self::Group(id) => format!("group:{id}"),
        }
    }

    pub(super) fn of_value(value: &str) -> Option<Self> {
        match value.split_once(':')? {
            ("camera", id) => id.parse().ok().map(Self::Camera),
            ("group", id) => id.parse().ok().map(Self::Group),
            _ => None,
        }
    }
}

/// What is to be granted, in the order in which it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Draft(pub(super) Vec<(On, Permissions)>);

impl Draft {
    pub(super) fn of(grants: &Grants) -> Self {
        let each = grants.items.iter();
        Self(
            each.filter_map(|grant| Some((On::of(grant)?, grant.permissions)))
                .collect(),
        )
    }

    /// With something to begin with: who is granted a camera wants to see it.
    pub(super) fn with(mut self, on: On) -> Self {
        if !self.has(on) {
            let first = [Permission::ViewLive, Permission::ViewFootage];
            self.0.push((on, first.into_iter().collect()));
        }
        self
    }

    pub(super) fn without(mut self, on: On) -> Self {
        self.0.retain(|(other, _)| *other != on);
        self
    }

    pub(super) fn set(mut self, on: On, permission: Permission, is_granted: bool) -> Self {
        for (_, permissions) in self.0.iter_mut().filter(|(other, _)| *other == on) {
            let others = permissions.iter().filter(|other| *other != permission);
            *permissions = others.chain(is_granted.then_some(permission)).collect();
        }
        self
    }

    pub(super) fn has(&self, on: On) -> bool {
        self.0.iter().any(|(other, _)| *other == on)
    }

    /// As it is sent: what permits nothing is no grant.
    pub(super) fn grants(&self) -> Grants {
        let granted = self.0.iter().filter(|(_, permissions)| !permissions.is_empty());
        let items = granted.map(|(on, permissions)| Grant {
            camera: match on {
                On::Camera(id) => Some(*id),
                On::Group(_) => None,
            },
            group: match on {
                On::Camera(_) => None,
                On::Group(id) => Some(*id),
            },
            permissions: *permissions,
        });
        Grants {
            items: items.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(n: u8) -> On {
        On::Camera(format!("018f0000-0000-7000-8000-00000000000{n}").parse().unwrap())
    }

    #[test]
    fn a_draft_begins_with_seeing_and_ends_without_what_permits_nothing() {
        let draft = Draft::default().with(on(1)).with(on(2)).with(on(1));
        let draft = draft
            .set(on(1), Permission::ViewLive, false)
            .set(on(1), Permission::ViewFootage, false)
            .set(on(2), Permission::Export, true)
            .set(on(2), Permission::ViewLive, false);
        assert_eq!(draft.0.len(), 2);
        let grants = draft.grants();
        let permissions: Vec<Vec<Permission>> = grants
            .items
            .iter()
            .map(|grant| grant.permissions.iter().collect())
            .collect();
        assert_eq!(permissions, [[Permission::ViewFootage, Permission::Export]]);
        assert_eq!(Draft::of(&grants).without(on(2)), Draft::default());
    }

    #[test]
    fn choices_lead_back_to_what_they_mean() {
        let group = On::Group("018f0000-0000-7000-8000-000000000009".parse().unwrap());
        for one in [on(1), group] {
            assert_eq!(On::of_value(&one.value()), Some(one));
        }
        assert_eq!(On::of_value(""), None);
    }
}
