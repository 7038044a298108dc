//! What a row of `camera` holds.

use diesel::prelude::*;
use wire::source::{Reader, Transport};
use wire::{CameraId, GroupId, NodeId, OrganizationId, UnixMs};

use super::super::schema::camera;
use super::super::types::{Id, ReaderSql, TransportSql};

/// A camera.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CameraRow {
    /// The camera.
    pub id: CameraId,
    /// Whose it is.
    pub organization: OrganizationId,
    /// Its name.
    pub name: String,
    /// Address without credentials.
    pub url: String,
    /// Address of the sub stream, without credentials.
    pub sub_url: Option<String>,
    /// Where it is, in words.
    pub site: String,
    /// Its tags, in lower case.
    pub tags: Vec<String>,
    /// The group it is in.
    pub group: Option<GroupId>,
    /// IANA time zone.
    pub time_zone: String,
    /// Anything else worth knowing.
    pub notes: String,
    /// Seconds of a segment that are aimed at.
    pub segment_s: u32,
    /// Seconds of an object that are aimed at.
    pub object_s: u32,
    /// One spelling of `url`, by which duplicates are found.
    pub address_key: String,
    /// Credentials, encrypted under the master key.
    pub credentials: Option<Vec<u8>>,
    /// Grows with each change of the credentials.
    pub credentials_revision: u64,
    /// How RTP travels.
    pub transport: Transport,
    /// Which reader to use.
    pub reader: Reader,
    /// Whether sound is recorded.
    pub audio: bool,
    /// Whether it is to be recorded.
    pub recording: bool,
    /// How many nodes are to record it at once.
    pub copies: u8,
    /// The labels that its nodes must have, in lower case.
    pub node_labels: Vec<String>,
    /// The node of its newest assignment, while it has one.
    pub node: Option<NodeId>,
    /// The assignment's epoch; 0 before the first.
    pub epoch: u64,
    /// When it was created.
    pub created: UnixMs,
    /// When it was deleted; its footage stays.
    pub deleted: Option<UnixMs>,
    /// Grows with each change that people make.
    pub revision: u64,
}

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = camera, treat_none_as_null = true, treat_none_as_default_value = false)]
pub(super) struct Raw {
    id: Id,
    organization: Id,
    name: String,
    url: String,
    credentials: Option<Vec<u8>>,
    credentials_revision: i64,
    transport: TransportSql,
    reader: ReaderSql,
    audio: bool,
    recording: bool,
    node: Option<Id>,
    epoch: i64,
    created: i64,
    deleted: Option<i64>,
    site: String,
    tags: String,
    camera_group: Option<Id>,
    time_zone: String,
    sub_url: Option<String>,
    notes: String,
    search: String,
    segment_s: i32,
    object_s: i32,
    address_key: String,
    revision: i64,
    copies: i16,
    node_labels: String,
}

impl From<Raw> for CameraRow {
    fn from(raw: Raw) -> Self {
        Self {
            id: raw.id.into(),
            organization: raw.organization.into(),
            name: raw.name,
            url: raw.url,
            credentials: raw.credentials,
            credentials_revision: raw.credentials_revision.cast_unsigned(),
            transport: raw.transport.into(),
            reader: raw.reader.into(),
            audio: raw.audio,
            recording: raw.recording,
            copies: u8::try_from(raw.copies).unwrap_or(1),
            node_labels: split(&raw.node_labels),
            node: raw.node.map(Into::into),
            epoch: raw.epoch.cast_unsigned(),
            created: UnixMs(raw.created),
            deleted: raw.deleted.map(UnixMs),
            site: raw.site,
            tags: split(&raw.tags),
            group: raw.camera_group.map(Into::into),
            time_zone: raw.time_zone,
            sub_url: raw.sub_url,
            notes: raw.notes,
            segment_s: raw.segment_s.cast_unsigned(),
            object_s: raw.object_s.cast_unsigned(),
            address_key: raw.address_key,
            revision: raw.revision.cast_unsigned(),
        }
    }
}

impl From<&CameraRow> for Raw {
    fn from(row: &CameraRow) -> Self {
        Self {
            id: row.id.into(),
            organization: row.organization.into(),
            name: row.name.clone(),
            url: row.url.clone(),
            credentials: row.credentials.clone(),
            credentials_revision: row.credentials_revision.cast_signed(),
            transport: row.transport.into(),
            reader: row.reader.into(),
            audio: row.audio,
            recording: row.recording,
            copies: i16::from(row.copies),
            node_labels: joined(&row.node_labels),
            node: row.node.map(Into::into),
            epoch: row.epoch.cast_signed(),
            created: row.created.0,
            deleted: row.deleted.map(|at| at.0),
            site: row.site.clone(),
            tags: joined(&row.tags),
            camera_group: row.group.map(Into::into),
            time_zone: row.time_zone.clone(),
            sub_url: row.sub_url.clone(),
            notes: row.notes.clone(),
            search: searched(row),
            segment_s: row.segment_s.cast_signed(),
            object_s: row.object_s.cast_signed(),
            address_key: row.address_key.clone(),
            revision: row.revision.cast_signed(),
        }
    }
}

/// `|north|indoor|`; no tag contains a bar.
fn joined(tags: &[String]) -> String {
    if tags.is_empty() {
        String::new()
    } else {
        format!("|{}|", tags.join("|"))
    }
}

pub(in crate::store) fn split(column: &str) -> Vec<String> {
    column
        .split('|')
        .filter(|tag| !tag.is_empty())
        .map(str::to_owned)
        .collect()
}

/// What a search looks through.
pub(super) fn searched(row: &CameraRow) -> String {
    format!("{}\n{}\n{}", row.name, row.site, row.notes).to_lowercase()
}
