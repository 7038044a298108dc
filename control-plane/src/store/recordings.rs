//! Sessions of recording, as nodes tell them.

use diesel::prelude::*;
use wire::api::RecordingState;
use wire::event::RecordingSession;
use wire::{CameraId, JobId, NodeId, OrganizationId, RecordingId, TimeRange, UnixMs, UserId};

use super::schema::{assignment, camera, recording, recording_override, recording_window};
use super::types::{EndReasonSql, Id, StreamSql};
use super::{Connection, StoreError, access};
use crate::domain::page::Part;

/// `recording_override.kind` of a pause.
const PAUSE: i16 = 1;

/// A session of recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordingRow {
    /// Whose it is.
    pub organization: OrganizationId,
    /// The job that asked for it.
    pub job: Option<JobId>,
    /// What its node said last; the reason of its end as the control plane knows it.
    pub session: RecordingSession,
    /// When that was taken.
    pub updated: UnixMs,
}

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = recording, treat_none_as_null = true)]
struct Raw {
    id: Id,
    organization: Id,
    camera: Id,
    stream: StreamSql,
    node: Id,
    epoch: i64,
    job: Option<Id>,
    window_start: i64,
    window_end: Option<i64>,
    started: Option<i64>,
    ended: Option<i64>,
    end_reason: Option<EndReasonSql>,
    bytes: i64,
    frames: i64,
    gaps: i64,
    gap_ms: i64,
    attempts: i64,
    alerted: bool,
    detail: String,
    updated: i64,
    revision: i64,
}

impl From<Raw> for RecordingRow {
    fn from(raw: Raw) -> Self {
        Self {
            organization: raw.organization.into(),
            job: raw.job.map(Into::into),
            session: RecordingSession {
                id: raw.id.into(),
                camera: raw.camera.into(),
                stream: raw.stream.into(),
                node: raw.node.into(),
                epoch: raw.epoch.cast_unsigned(),
                window_start: UnixMs(raw.window_start),
                window_end: raw.window_end.map(UnixMs),
                started: raw.started.map(UnixMs),
                ended: raw.ended.map(UnixMs),
                end_reason: raw.end_reason.map(Into::into),
                bytes: raw.bytes.cast_unsigned(),
                frames: raw.frames.cast_unsigned(),
                gaps: raw.gaps.cast_unsigned(),
                gap_ms: raw.gap_ms.cast_unsigned(),
                attempts: raw.attempts.cast_unsigned(),
                failing: raw.alerted,
                detail: raw.detail,
                revision: raw.revision.cast_unsigned(),
            },
            updated: UnixMs(raw.updated),
        }
    }
}

impl From<&RecordingRow> for Raw {
    fn from(row: &RecordingRow) -> Self {
        let session = &row.session;
        Self {
            id: session.id.into(),
            organization: row.organization.into(),
            camera: session.camera.into(),
            stream: session.stream.into(),
            node: session.node.into(),
            epoch: session.epoch.cast_signed(),
            job: row.job.map(Into::into),
            window_start: session.window_start.0,
            window_end: session.window_end.map(|at| at.0),
            started: session.started.map(|at| at.0),
            ended: session.ended.map(|at| at.0),
            end_reason: session.end_reason.map(EndReasonSql),
            bytes: session.bytes.cast_signed(),
            frames: session.frames.cast_signed(),
            gaps: session.gaps.cast_signed(),
            gap_ms: session.gap_ms.cast_signed(),
            attempts: session.attempts.cast_signed(),
            alerted: session.failing,
            detail: session.detail.clone(),
            updated: row.updated.0,
            revision: session.revision.cast_signed(),
        }
    }
}

/// A session, whoever's it is; for the index only.
///
/// # Errors
/// Those of the database.
pub fn any(connection: &mut Connection, id: RecordingId) -> Result<Option<RecordingRow>, StoreError> {
    Ok(recording::table
        .find(Id::from(id))
        .select(Raw::as_select())
        .first(connection)
        .optional()?
        .map(Into::into))
}

/// Keeps a session: a new one, or what is said of a known one now.
///
/// # Errors
/// Those of the database.
pub fn put(connection: &mut Connection, row: &RecordingRow) -> Result<(), StoreError> {
    let known = diesel::update(recording::table.find(Id::from(row.session.id)))
        .set(Raw::from(row))
        .execute(connection)?;
    if known == 0 {
        diesel::insert_into(recording::table)
            .values(Raw::from(row))
            .execute(connection)?;
    }
    Ok(())
}

/// A node's sessions that have no end.
///
/// # Errors
/// Those of the database.
pub fn open_of(connection: &mut Connection, node: NodeId) -> Result<Vec<RecordingRow>, StoreError> {
    let rows: Vec<Raw> = recording::table
        .filter(recording::node.eq(Id::from(node)))
        .filter(recording::ended.is_null())
        .select(Raw::as_select())
        .load(connection)?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// The sessions of an assignment that have no end.
///
/// # Errors
/// Those of the database.
pub fn open_under(
    connection: &mut Connection,
    camera: CameraId,
    epoch: u64,
) -> Result<Vec<RecordingRow>, StoreError> {
    let rows: Vec<Raw> = recording::table
        .filter(recording::camera.eq(Id::from(camera)))
        .filter(recording::epoch.eq(epoch.cast_signed()))
        .filter(recording::ended.is_null())
        .select(Raw::as_select())
        .load(connection)?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// The sessions that have no end although their assignment had one before `before`, with their nodes.
///
/// # Errors
/// Those of the database.
pub fn left_open(
    connection: &mut Connection,
    before: UnixMs,
) -> Result<Vec<(RecordingId, NodeId)>, StoreError> {
    let of = assignment::camera
        .eq(recording::camera)
        .and(assignment::epoch.eq(recording::epoch));
    let rows: Vec<(Id, Id)> = recording::table
        .inner_join(assignment::table.on(of))
        .filter(recording::ended.is_null())
        .filter(assignment::ended.lt(before.0))
        .select((recording::id, recording::node))
        .load(connection)?;
    Ok(rows
        .into_iter()
        .map(|(id, node)| (id.into(), node.into()))
        .collect())
}

/// The revisions of a node's sessions among `ids`.
///
/// # Errors
/// Those of the database.
pub fn revisions(
    connection: &mut Connection,
    node: NodeId,
    ids: &[RecordingId],
) -> Result<Vec<(RecordingId, u64)>, StoreError> {
    let ids: Vec<Id> = ids.iter().copied().map(Into::into).collect();
    let found: Vec<(Id, i64)> = recording::table
        .filter(recording::id.eq_any(ids))
        .filter(recording::node.eq(Id::from(node)))
        .select((recording::id, recording::revision))
        .load(connection)?;
    Ok(found
        .into_iter()
        .map(|(id, revision)| (id.into(), revision.cast_unsigned()))
        .collect())
}

/// An organization's session.
///
/// # Errors
/// Those of the database.
pub fn get(
    connection: &mut Connection,
    organization: OrganizationId,
    id: RecordingId,
) -> Result<Option<RecordingRow>, StoreError> {
    Ok(any(connection, id)?.filter(|row| row.organization == organization))
}

/// Which sessions are meant: those that fit every part given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Of this camera.
    pub camera: Option<CameraId>,
    /// Not over before this time.
    pub from: Option<UnixMs>,
    /// Whose window begins before this time.
    pub to: Option<UnixMs>,
    /// How they go, and which nodes report: who does not has lost sessions.
    pub state: Option<(RecordingState, Vec<NodeId>)>,
}

/// An organization's sessions, the newest windows first; only those of cameras on which `granted_to` has a
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
) -> Result<Vec<RecordingRow>, StoreError> {
    let mut query = recording::table
        .filter(recording::organization.eq(Id::from(organization)))
        .order((recording::window_start.desc(), recording::id.desc()))
        .limit(part.fetch())
        .select(Raw::as_select())
        .into_boxed();
    if let Some(user) = granted_to {
        let cameras = granted(connection, organization, user)?;
        query = query.filter(recording::camera.eq_any(cameras));
    }
    if let Some(camera) = filter.camera {
        query = query.filter(recording::camera.eq(Id::from(camera)));
    }
    if let Some(from) = filter.from {
        let over = recording::ended.assume_not_null();
        query = query.filter(recording::ended.is_null().or(over.gt(from.0)));
    }
    if let Some(to) = filter.to {
        query = query.filter(recording::window_start.lt(to.0));
    }
    if let Some((state, online)) = &filter.state {
        let online: Vec<Id> = online.iter().copied().map(Into::into).collect();
        query = match state {
            RecordingState::Ended => query.filter(recording::ended.is_not_null()),
            RecordingState::Lost => query
                .filter(recording::ended.is_null())
                .filter(recording::node.ne_all(online)),
            other => {
                query = query
                    .filter(recording::ended.is_null())
                    .filter(recording::node.eq_any(online))
                    .filter(recording::alerted.eq(*other == RecordingState::Failing));
                match other {
                    RecordingState::Starting => query.filter(recording::started.is_null()),
                    RecordingState::Recording => query.filter(recording::started.is_not_null()),
                    _ => query,
                }
            }
        };
    }
    if let Some(after) = part.after {
        let id = Id(after.id);
        query = query.filter(
            recording::window_start
                .lt(after.at)
                .or(recording::window_start.eq(after.at).and(recording::id.lt(id))),
        );
    }
    let rows: Vec<Raw> = query.load(connection)?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// The cameras, deleted ones included, on which a user has a grant.
pub(super) fn granted(
    connection: &mut Connection,
    organization: OrganizationId,
    user: UserId,
) -> Result<Vec<Id>, StoreError> {
    let (single, groups) = access::granted_to(connection, organization, user)?;
    Ok(camera::table
        .filter(camera::organization.eq(Id::from(organization)))
        .filter(
            camera::id
                .eq_any(single)
                .or(camera::camera_group.assume_not_null().eq_any(groups)),
        )
        .select(camera::id)
        .load(connection)?)
}

/// The job for which a stream was to be recorded at `at`, if it was one.
///
/// # Errors
/// Those of the database.
pub fn job_at(
    connection: &mut Connection,
    session: &RecordingSession,
    at: UnixMs,
) -> Result<Option<JobId>, StoreError> {
    let job: Option<Option<Id>> = recording_window::table
        .filter(recording_window::camera.eq(Id::from(session.camera)))
        .filter(recording_window::stream.eq(StreamSql(session.stream)))
        .filter(recording_window::start_ms.le(at.0))
        .order(recording_window::start_ms.desc())
        .select(recording_window::job)
        .first(connection)
        .optional()?;
    Ok(job.flatten().map(Into::into))
}

/// Whether a person's pause of a camera, or the withdrawal of an order to record it, touches `range`.
///
/// # Errors
/// Those of the database.
pub fn stopped_in(
    connection: &mut Connection,
    camera: CameraId,
    range: TimeRange,
) -> Result<bool, StoreError> {
    type Raw = (i16, i64, Option<i64>, Option<i64>);
    let rows: Vec<Raw> = recording_override::table
        .filter(recording_override::camera.eq(Id::from(camera)))
        .filter(recording_override::start_ms.lt(range.end().0))
        .select((
            recording_override::kind,
            recording_override::start_ms,
            recording_override::end_ms,
            recording_override::cancelled,
        ))
        .load(connection)?;
    Ok(rows.into_iter().any(|(kind, _, end, cancelled)| {
        if kind == PAUSE {
            let until = cancelled.into_iter().chain(end).min();
            until.is_none_or(|until| until > range.start().0)
        } else {
            cancelled.is_some_and(|at| at > range.start().0 && at < range.end().0)
        }
    }))
}
