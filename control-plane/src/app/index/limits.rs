//! Footage against licences: what is beyond a plan's resolution or bitrate is recorded all the same, and told
//! once a day, not with each object.

use std::collections::{BTreeSet, HashMap};

use serde_json::json;
use wire::{CameraId, OrganizationId, TimeRange, UnixMs};

use crate::domain::licence::Excess;
use crate::store::facts::{self, FactKind};
use crate::store::{Connection, ObjectRow, StoreError, excess};

/// Tells what of new objects is beyond the licences of their cameras.
pub(super) fn watch(connection: &mut Connection, new: &[ObjectRow], now: UnixMs) -> Result<(), StoreError> {
    let cameras: BTreeSet<CameraId> = new.iter().map(|row| row.camera).collect();
    let cameras: Vec<CameraId> = cameras.into_iter().collect();
    let limits = excess::limits(connection, &cameras)?;
    let beyond = |row: &ObjectRow| {
        let range = TimeRange::new(row.start, row.end).ok()?;
        Excess::of(limits.get(&row.camera)?, &row.tracks, row.bytes, range)
    };
    let found: Vec<(&ObjectRow, Excess)> = new.iter().filter_map(|row| Some((row, beyond(row)?))).collect();
    let organizations: BTreeSet<OrganizationId> = found.iter().map(|(row, _)| row.organization).collect();
    let mut told = HashMap::new();
    for organization in organizations {
        told.extend(excess::told(connection, organization, Some(&cameras))?);
    }
    for (row, excess) in found {
        let stream = (row.camera, row.stream);
        let news = match told.get(&stream) {
            Some(before) if !excess.is_news(before) => continue,
            Some(before) => excess.with(before),
            None => excess,
        };
        told.insert(stream, news);
        excess::put(connection, row.organization, stream, &news)?;
        let Some(limits) = limits.get(&row.camera) else {
            continue;
        };
        let body = json!({
            "stream": row.stream, "object": row.id, "width": excess.width, "height": excess.height,
            "bitrate_bps": excess.bitrate_bps, "max_width": limits.width, "max_height": limits.height,
            "max_bitrate_bps": limits.bitrate_bps,
        });
        let (kind, camera) = (FactKind::LicenceExceeded, Some(row.camera));
        facts::add(
            connection,
            row.organization,
            kind,
            camera,
            Some(row.node),
            &body,
            now,
        )?;
    }
    Ok(())
}
