//! Lists of cameras: one query, whatever the filter.

use diesel::prelude::*;
use wire::{GroupId, NodeId, OrganizationId, UserId};

use super::super::like::has;
use super::super::schema::camera;
use super::super::types::Id;
use super::super::{Connection, StoreError, access};
use super::row::{CameraRow, Raw};
use crate::domain::page::Part;

/// Which cameras are meant: those that fit every part given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// A part of name, site or notes, whatever the case.
    pub q: Option<String>,
    /// The site, spelled as it is.
    pub site: Option<String>,
    /// A tag, as it is kept.
    pub tag: Option<String>,
    /// The group.
    pub group: Option<GroupId>,
    /// The node that it is assigned to.
    pub node: Option<NodeId>,
    /// Whether it is to be recorded.
    pub recording: Option<bool>,
}

/// An organization's cameras that are not deleted, oldest first; only those on which `granted_to` has a
/// grant, when given. One more than asked for, when there are more.
///
/// # Errors
/// Those of the database.
pub fn list(
    connection: &mut Connection,
    organization: OrganizationId,
    granted_to: Option<UserId>,
    filter: &Filter,
    part: &Part,
) -> Result<Vec<CameraRow>, StoreError> {
    let mut query = camera::table
        .filter(camera::organization.eq(Id::from(organization)))
        .filter(camera::deleted.is_null())
        .order((camera::created, camera::id))
        .limit(part.fetch())
        .select(Raw::as_select())
        .into_boxed();
    if let Some(user) = granted_to {
        let (single, groups) = access::granted_to(connection, organization, user)?;
        query = query.filter(
            camera::id
                .eq_any(single)
                .or(camera::camera_group.assume_not_null().eq_any(groups)),
        );
    }
    if let Some(q) = &filter.q {
        query = query.filter(camera::search.like(has(q)).escape('\\'));
    }
    if let Some(site) = &filter.site {
        query = query.filter(camera::site.eq(site));
    }
    if let Some(tag) = &filter.tag {
        query = query.filter(camera::tags.like(has(&format!("|{tag}|"))).escape('\\'));
    }
    if let Some(group) = filter.group {
        query = query.filter(camera::camera_group.eq(Id::from(group)));
    }
    if let Some(node) = filter.node {
        query = query.filter(camera::node.eq(Id::from(node)));
    }
    if let Some(recording) = filter.recording {
        query = query.filter(camera::recording.eq(recording));
    }
    if let Some(after) = part.after {
        let id = Id(after.id);
        query = query.filter(
            camera::created
                .gt(after.at)
                .or(camera::created.eq(after.at).and(camera::id.gt(id))),
        );
    }
    let rows: Vec<Raw> = query.load(connection)?;
    Ok(rows.into_iter().map(Into::into).collect())
}
