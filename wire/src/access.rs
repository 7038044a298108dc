//! Who may do what: roles of people, rights of roles and service keys, permissions on cameras.
//!
//! Names and sets only; the server decides.

use serde::{Deserialize, Serialize};

/// What a person is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Runs the platform: every organization's settings, but not their footage.
    SuperAdmin,
    /// Runs an organization.
    OrgAdmin,
    /// Does with cameras what was granted.
    OrgUser,
}

/// One thing that a role or a service key may do in its organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Right {
    /// See every camera's live picture.
    #[serde(rename = "cameras:view_live")]
    ViewLive,
    /// Watch every camera's footage.
    #[serde(rename = "cameras:view_footage")]
    ViewFootage,
    /// Export every camera's footage.
    #[serde(rename = "cameras:export")]
    Export,
    /// Add, change and delete cameras, groups and recording jobs.
    #[serde(rename = "cameras:manage")]
    ManageCameras,
    /// Erase footage.
    #[serde(rename = "footage:erase")]
    EraseFootage,
    /// See the recorder nodes.
    #[serde(rename = "nodes:read")]
    ReadNodes,
    /// Let recorder nodes join, change and remove them.
    #[serde(rename = "nodes:manage")]
    ManageNodes,
    /// Invite, change and erase users, and grant them cameras.
    #[serde(rename = "users:manage")]
    ManageUsers,
    /// Make and revoke service keys.
    #[serde(rename = "keys:manage")]
    ManageKeys,
    /// See licences and their usage, and assign them to cameras.
    #[serde(rename = "licences:assign")]
    AssignLicences,
    /// Read and export the audit log.
    #[serde(rename = "audit:read")]
    ReadAudit,
    /// Rename the own organization, see its quotas and usage.
    #[serde(rename = "organization:manage")]
    ManageOrganization,
    /// Issue, renew, change and suspend licences.
    #[serde(rename = "licences:issue")]
    IssueLicences,
    /// Create, suspend, limit and delete organizations, and act inside any of them.
    #[serde(rename = "organizations:manage")]
    ManageOrganizations,
}

impl Right {
    /// Every right, those of the platform last.
    pub const ALL: [Self; 14] = [
        Self::ViewLive,
        Self::ViewFootage,
        Self::Export,
        Self::ManageCameras,
        Self::EraseFootage,
        Self::ReadNodes,
        Self::ManageNodes,
        Self::ManageUsers,
        Self::ManageKeys,
        Self::AssignLicences,
        Self::ReadAudit,
        Self::ManageOrganization,
        Self::IssueLicences,
        Self::ManageOrganizations,
    ];

    /// Whether only the platform's owner has it.
    #[must_use]
    pub const fn is_platform(self) -> bool {
        matches!(self, Self::IssueLicences | Self::ManageOrganizations)
    }
}

/// A set of rights; on the wire a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(from = "Vec<Right>", into = "Vec<Right>")]
pub struct Rights(u16);

impl Rights {
    /// No right.
    pub const NONE: Self = Self(0);

    /// The rights of a role in its own organization.
    #[must_use]
    pub fn of(role: Role) -> Self {
        Right::ALL
            .into_iter()
            .filter(|right| match role {
                Role::SuperAdmin => true,
                Role::OrgAdmin => !right.is_platform(),
                Role::OrgUser => false,
            })
            .collect()
    }

    /// Whether the right is among them.
    #[must_use]
    pub const fn has(self, right: Right) -> bool {
        self.0 & (1 << right as u16) != 0
    }

    /// Whether every one of `others` is among them.
    #[must_use]
    pub const fn covers(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }

    /// These without one of them.
    #[must_use]
    pub const fn without(self, right: Right) -> Self {
        Self(self.0 & !(1 << right as u16))
    }

    /// Those in it.
    pub fn iter(self) -> impl Iterator<Item = Right> {
        Right::ALL.into_iter().filter(move |right| self.has(*right))
    }
}

impl FromIterator<Right> for Rights {
    fn from_iter<I: IntoIterator<Item = Right>>(rights: I) -> Self {
        Self(rights.into_iter().fold(0, |set, right| set | 1 << right as u16))
    }
}

impl From<Vec<Right>> for Rights {
    fn from(rights: Vec<Right>) -> Self {
        rights.into_iter().collect()
    }
}

impl From<Rights> for Vec<Right> {
    fn from(rights: Rights) -> Self {
        rights.iter().collect()
    }
}

/// What may be done with one camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// See its live picture.
    ViewLive,
    /// Watch its footage.
    ViewFootage,
    /// Export its footage.
    Export,
    /// Change it and its recording jobs.
    Manage,
}

impl Permission {
    /// Every permission.
    pub const ALL: [Self; 4] = [Self::ViewLive, Self::ViewFootage, Self::Export, Self::Manage];

    /// The right that gives it on every camera.
    #[must_use]
    pub const fn right(self) -> Right {
        match self {
            Self::ViewLive => Right::ViewLive,
            Self::ViewFootage => Right::ViewFootage,
            Self::Export => Right::Export,
            Self::Manage => Right::ManageCameras,
        }
    }
}

/// A set of permissions; on the wire a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(from = "Vec<Permission>", into = "Vec<Permission>")]
pub struct Permissions(u8);

impl Permissions {
    /// No permission.
    pub const NONE: Self = Self(0);

    /// Whether the permission is among them.
    #[must_use]
    pub const fn has(self, permission: Permission) -> bool {
        self.0 & (1 << permission as u8) != 0
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0 == 0
    }

    /// These and those.
    #[must_use]
    pub const fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// As a column holds them: bit 0 is `view_live`, bit 3 `manage`.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Those of a column; unknown bits are ignored.
    #[must_use]
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits & 0b1111)
    }

    /// Those in it.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL
            .into_iter()
            .filter(move |permission| self.has(*permission))
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        Self(permissions.into_iter().fold(0, |set, one| set | 1 << one as u8))
    }
}

impl From<Vec<Permission>> for Permissions {
    fn from(permissions: Vec<Permission>) -> Self {
        permissions.into_iter().collect()
    }
}

impl From<Permissions> for Vec<Permission> {
    fn from(permissions: Permissions) -> Self {
        permissions.iter().collect()
    }
}

#[cfg(feature = "schema")]
mod schema {
    use utoipa::openapi::schema::{ArrayBuilder, Schema};
    use utoipa::openapi::{Ref, RefOr};
    use utoipa::{PartialSchema, ToSchema};

    use super::{Permission, Permissions, Right, Rights};

    macro_rules! list_of {
        ($set:ty, $item:ty) => {
            impl PartialSchema for $set {
                fn schema() -> RefOr<Schema> {
                    ArrayBuilder::new()
                        .items(Ref::from_schema_name(<$item>::name()))
                        .into()
                }
            }
            impl ToSchema for $set {
                fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
                    schemas.push((<$item>::name().into_owned(), <$item>::schema()));
                }
            }
        };
    }

    list_of!(Rights, Right);
    list_of!(Permissions, Permission);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_stand_above_each_other() {
        let (owner, admin, user) = (
            Rights::of(Role::SuperAdmin),
            Rights::of(Role::OrgAdmin),
            Rights::of(Role::OrgUser),
        );
        assert!(owner.covers(admin) && admin.covers(user));
        assert!(!admin.covers(owner) && user == Rights::NONE);
        assert!(!admin.has(Right::IssueLicences) && !admin.has(Right::ManageOrganizations));
    }

    #[test]
    fn sets_are_lists_on_the_wire() {
        let rights: Rights = serde_json::from_str(r#"["audit:read","cameras:manage","audit:read"]"#).unwrap();
        assert_eq!(
            serde_json::to_string(&rights).unwrap(),
            r#"["cameras:manage","audit:read"]"#
        );
        assert!(serde_json::from_str::<Rights>(r#"["everything"]"#).is_err());
        let permissions: Permissions = serde_json::from_str(r#"["manage","view_live"]"#).unwrap();
        assert_eq!(permissions.bits(), 0b1001);
        assert_eq!(Permissions::from_bits(0b1001), permissions);
        assert_eq!(
            serde_json::to_string(&permissions).unwrap(),
            r#"["view_live","manage"]"#
        );
    }
}
