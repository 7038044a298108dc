//! What was recorded beyond licences, as people were told of it.

use std::collections::HashMap;

use diesel::prelude::*;
use wire::api::Licensing;
use wire::{CameraId, OrganizationId, StreamKind};

use super::schema::{licence, licence_excess, organization};
use super::types::{Id, LicensingSql, StreamSql};
use super::{Connection, StoreError};
use crate::domain::licence::{Excess, Limits};

/// The limits of cameras whose organizations need licences.
///
/// # Errors
/// Those of the database.
pub fn limits(
    connection: &mut Connection,
    cameras: &[CameraId],
) -> Result<HashMap<CameraId, Limits>, StoreError> {
    let cameras: Vec<Id> = cameras.iter().copied().map(Into::into).collect();
    let rows: Vec<(Id, i32, i32, i64)> = licence::table
        .inner_join(organization::table.on(organization::id.eq(licence::organization)))
        .filter(organization::licensing.eq(LicensingSql(Licensing::Required)))
        .filter(licence::camera.is_not_null())
        .filter(licence::camera.assume_not_null().eq_any(cameras))
        .select((
            licence::camera.assume_not_null(),
            licence::max_width,
            licence::max_height,
            licence::max_bitrate_bps,
        ))
        .load(connection)?;
    let limits = |(camera, width, height, bitrate): (Id, i32, i32, i64)| {
        let limits = Limits {
            width: width.unsigned_abs(),
            height: height.unsigned_abs(),
            bitrate_bps: bitrate.unsigned_abs(),
        };
        (camera.into(), limits)
    };
    Ok(rows.into_iter().map(limits).collect())
}

/// What people were told last of an organization's streams; of `cameras` only, when given.
///
/// # Errors
/// Those of the database.
pub fn told(
    connection: &mut Connection,
    organization: OrganizationId,
    cameras: Option<&[CameraId]>,
) -> Result<HashMap<(CameraId, StreamKind), Excess>, StoreError> {
    let mut query = licence_excess::table
        .filter(licence_excess::organization.eq(Id::from(organization)))
        .order(licence_excess::day)
        .select((
            licence_excess::camera,
            licence_excess::stream,
            licence_excess::day,
            licence_excess::width,
            licence_excess::height,
            licence_excess::bitrate_bps,
        ))
        .into_boxed();
    if let Some(cameras) = cameras {
        let cameras: Vec<Id> = cameras.iter().copied().map(Into::into).collect();
        query = query.filter(licence_excess::camera.eq_any(cameras));
    }
    let rows: Vec<(Id, StreamSql, i32, i32, i32, i64)> = query.load(connection)?;
    let told = |(camera, stream, day, width, height, bitrate): (Id, StreamSql, i32, i32, i32, i64)| {
        let excess = Excess {
            day,
            width: width.unsigned_abs(),
            height: height.unsigned_abs(),
            bitrate_bps: bitrate.unsigned_abs(),
        };
        ((camera.into(), stream.into()), excess)
    };
    Ok(rows.into_iter().map(told).collect())
}

/// Remembers what people are told of a stream, in the place of what they were told before.
///
/// # Errors
/// Those of the database.
pub fn put(
    connection: &mut Connection,
    organization: OrganizationId,
    (camera, stream): (CameraId, StreamKind),
    excess: &Excess,
) -> Result<(), StoreError> {
    let small = |pixels: u32| i32::try_from(pixels).unwrap_or(i32::MAX);
    diesel::delete(licence_excess::table)
        .filter(licence_excess::camera.eq(Id::from(camera)))
        .filter(licence_excess::stream.eq(StreamSql(stream)))
        .execute(connection)?;
    diesel::insert_into(licence_excess::table)
        .values((
            licence_excess::camera.eq(Id::from(camera)),
            licence_excess::stream.eq(StreamSql(stream)),
            licence_excess::day.eq(excess.day),
            licence_excess::organization.eq(Id::from(organization)),
            licence_excess::width.eq(small(excess.width)),
            licence_excess::height.eq(small(excess.height)),
            licence_excess::bitrate_bps.eq(i64::try_from(excess.bitrate_bps).unwrap_or(i64::MAX)),
        ))
        .execute(connection)?;
    Ok(())
}
