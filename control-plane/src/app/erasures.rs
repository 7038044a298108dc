//! Erasing footage by range: rows at once, bytes in the object store and on nodes as soon as they can be
//! reached, and until then nobody sees them.
//!
//! One transaction takes the index rows out, dooms the objects, corrects the calendar and the account,
//! explains the time in the ledger, and remembers which nodes may hold copies. From then on the index
//! refuses late footage of the range; plans carry it to the nodes until each has said that nothing is left.

use std::collections::{BTreeSet, HashMap};

use wire::access::Right;
use wire::api::{Erasure, ErasureNode, ErasurePreview, NewErasure, Page};
use wire::coverage::{Gap, GapCause};
use wire::{CameraId, ErasureId, NodeId, ObjectId, OrganizationId, StreamKind, TimeRange, UnixMs};

use super::caller::forbidden;
use super::{Caller, Once};
use crate::domain::erasure::{MAX_RANGE_MS, days as days_of, detail, reason, unexplained, widened};
use crate::domain::page::{Cursor, Part};
use crate::objects::key_of;
use crate::store::days::{self, DAY_MS};
use crate::store::erasures::{self, ErasureRow};
use crate::store::facts::FactKind;
use crate::store::objects::{self, Extent};
use crate::store::{
    CameraRow, Connection, StoreError, cameras, completeness, doomed, gaps, holds, organizations, windows,
};
use crate::{AppState, Error};

/// No node: the index itself says so.
const NOBODY: NodeId = NodeId::from_bytes([0; 16]);

/// What an erasure would take.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::NotFound`], [`Error::Invalid`] with the field.
pub async fn preview(
    state: &AppState,
    caller: &Caller,
    camera: CameraId,
    new: NewErasure,
    now: UnixMs,
) -> Result<ErasurePreview, Error> {
    let caller = caller.clone();
    state
        .store
        .look(move |c| {
            owned(c, &caller, camera)?;
            let (asked, _) = checked(&new, now)?;
            let found = objects::extents(c, caller.organization, camera, asked)?;
            let erased = widened(asked, found.iter().map(|one| one.range));
            Ok(ErasurePreview {
                erased_from: erased.start(),
                erased_to: erased.end(),
                objects: found.len() as u64,
                bytes: bytes(&found),
                nodes: erasures::nodes_ever(c, camera)?,
            })
        })
        .await
}

/// Erases a camera's footage, for good.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::NotFound`], [`Error::Invalid`] with the field.
pub async fn create(
    state: &AppState,
    caller: &Caller,
    once: Once,
    camera: CameraId,
    new: NewErasure,
    now: UnixMs,
) -> Result<Erasure, Error> {
    let caller = caller.clone();
    let made = state
        .store
        .patient()
        .transaction(move |c| {
            owned(c, &caller, camera)?;
            let (asked, reason) = checked(&new, now)?;
            if let Some(before) = once.made_before(c, &caller, now)? {
                let before = erasures::get(c, caller.organization, ErasureId::from_bytes(before))?;
                return one_shown(c, before.ok_or(Error::not_found("erasure"))?);
            }
            let row = erase(c, caller.organization, camera, asked, reason, now)?;
            let id = row.id;
            let shown = one_shown(c, row)?;
            caller.note(c, "footage.erase", camera, (None::<&Erasure>, Some(&shown)), now)?;
            let body = serde_json::json!({"erasure": id});
            caller.tell(c, FactKind::FootageErased, Some(camera), &body, now)?;
            once.made(c, &caller, *id.as_bytes(), now)?;
            Ok(shown)
        })
        .await?;
    state.erase.notify_one();
    state.replan.notify_one();
    Ok(made)
}

/// A camera's erasures, oldest first.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::NotFound`].
pub async fn list(
    state: &AppState,
    caller: &Caller,
    camera: CameraId,
    part: Part,
) -> Result<Page<Erasure>, Error> {
    let caller = caller.clone();
    state
        .store
        .look(move |c| {
            owned(c, &caller, camera)?;
            let mut rows = erasures::list(c, caller.organization, camera, &part)?;
            let next = part.cut(&mut rows, |row| Cursor {
                at: row.created.0,
                id: *row.id.as_bytes(),
            });
            let items = all_shown(c, rows)?;
            Ok(Page { items, next })
        })
        .await
}

/// Takes a node's word that nothing of some erasures is left there.
///
/// # Errors
/// Those of the database.
pub async fn reported(
    state: &AppState,
    node: NodeId,
    erased: &[ErasureId],
    now: UnixMs,
) -> Result<(), StoreError> {
    if erased.is_empty() {
        return Ok(());
    }
    let mut open = state
        .store
        .read(move |c| erasures::unfinished_of(c, node))
        .await?;
    open.retain(|id| erased.contains(id));
    if !open.is_empty() {
        state
            .store
            .write(move |c| erasures::finish(c, node, &open, now))
            .await?;
        state.replan.notify_one();
    }
    Ok(())
}

/// Explains erased time of a stream in the ledger, where nothing else explains it.
///
/// # Errors
/// Those of the database.
pub(super) fn entomb(
    c: &mut Connection,
    organization: OrganizationId,
    (camera, stream): (CameraId, StreamKind),
    gone: &[TimeRange],
    reason: &str,
    now: UnixMs,
) -> Result<(), StoreError> {
    let Some(span) = gone.iter().copied().reduce(|all, one| widened(all, [one])) else {
        return Ok(());
    };
    let known = gaps::in_range(c, organization, camera, stream, span)?;
    let mut explained: Vec<TimeRange> = known.into_iter().map(|gap| gap.range).collect();
    let holds = holds::in_range(c, organization, camera, span, now)?;
    explained.extend(holds.into_iter().map(|(range, _)| range));
    for range in unexplained(gone, &explained) {
        let gap = Gap {
            id: ObjectId::generate(),
            camera,
            stream,
            node: NOBODY,
            range,
            cause: GapCause::Operator,
            detail: detail(reason),
        };
        gaps::upsert(c, organization, &gap)?;
    }
    completeness::touched(c, camera, stream, span, now)
}

/// A camera of the caller's organization, deleted or not, for who may erase footage.
fn owned(c: &mut Connection, caller: &Caller, id: CameraId) -> Result<CameraRow, Error> {
    let row = cameras::get_even_deleted(c, caller.organization, id)?.ok_or(Error::not_found("camera"))?;
    if caller.rights.has(Right::EraseFootage) {
        Ok(row)
    } else if caller.permissions(c, id)?.is_empty() {
        Err(Error::not_found("camera"))
    } else {
        Err(forbidden())
    }
}

fn checked(new: &NewErasure, now: UnixMs) -> Result<(TimeRange, String), Error> {
    for (field, at) in [("from", new.from), ("to", new.to)] {
        at.checked()
            .map_err(|error| Error::field(field, error.to_string()))?;
    }
    if new.to > now {
        return Err(Error::field("to", "only what is past can be erased"));
    }
    let asked = super::playback::range(new.from, new.to, MAX_RANGE_MS)?;
    let reason = reason(&new.reason)
        .ok_or_else(|| Error::field("reason", "a reason has 3 to 500 characters on one line"))?;
    Ok((asked, reason))
}

fn bytes(found: &[Extent]) -> u64 {
    found.iter().map(|one| one.bytes).sum()
}

fn erase(
    c: &mut Connection,
    organization: OrganizationId,
    camera: CameraId,
    asked: TimeRange,
    reason: String,
    now: UnixMs,
) -> Result<ErasureRow, StoreError> {
    let found = objects::extents(c, organization, camera, asked)?;
    objects::take_out(c, organization, camera, asked)?;
    // Also what is not stored: it may be on its way.
    let key = |one: &Extent| key_of(organization, camera, one.stream, one.range.start(), one.id);
    doomed::doom_all(c, &found.iter().map(key).collect::<Vec<_>>(), now)?;
    let stored: u64 = found
        .iter()
        .filter(|one| one.is_stored)
        .map(|one| one.bytes)
        .sum();
    organizations::add_stored(c, organization, -stored.cast_signed())?;
    let due = windows::in_range(c, organization, camera, asked, now)?;
    let due = due.iter().filter_map(|window| window.intersection(&asked));
    let mut gone: HashMap<StreamKind, Vec<TimeRange>> = HashMap::from([(StreamKind::Main, due.collect())]);
    for one in &found {
        gone.entry(one.stream).or_default().push(one.range);
    }
    for (stream, ranges) in gone {
        entomb(c, organization, (camera, stream), &ranges, &reason, now)?;
    }
    let touched: BTreeSet<(StreamKind, i64)> = found
        .iter()
        .flat_map(|one| days_of(one.range, DAY_MS).map(|day| (one.stream, day)))
        .collect();
    for (stream, day) in touched {
        days::recompute(c, organization, camera, stream, day)?;
    }
    let row = ErasureRow {
        id: ErasureId::generate(),
        organization,
        camera,
        asked,
        erased: widened(asked, found.iter().map(|one| one.range)),
        reason,
        created: now,
        objects: found.len() as u64,
        bytes: bytes(&found),
    };
    let nodes = erasures::nodes_ever(c, camera)?;
    erasures::insert(c, &row, &nodes)?;
    Ok(row)
}

fn one_shown(c: &mut Connection, row: ErasureRow) -> Result<Erasure, Error> {
    let mut shown = all_shown(c, vec![row])?;
    shown.pop().ok_or(Error::not_found("erasure"))
}

fn all_shown(c: &mut Connection, rows: Vec<ErasureRow>) -> Result<Vec<Erasure>, StoreError> {
    let ids: Vec<ErasureId> = rows.iter().map(|row| row.id).collect();
    let mut nodes: HashMap<ErasureId, Vec<ErasureNode>> = HashMap::new();
    for (id, node, done) in erasures::nodes_of(c, &ids)? {
        nodes.entry(id).or_default().push(ErasureNode { node, done });
    }
    let shown = rows.into_iter().map(|row| Erasure {
        id: row.id,
        camera: row.camera,
        from: row.asked.start(),
        to: row.asked.end(),
        erased_from: row.erased.start(),
        erased_to: row.erased.end(),
        nodes: nodes.remove(&row.id).unwrap_or_default(),
        reason: row.reason,
        created: row.created,
        objects: row.objects,
        bytes: row.bytes,
    });
    Ok(shown.collect())
}
