//! The end of an organization: every row of every table that is about it.
//!
//! Footage goes in batches, because there may be millions of rows and one transaction writes at a time;
//! the rest goes at once. The audit log lets its rows go only when their organization is gone, so they
//! are last, in batches again; those that a crash left behind are found by what is missing.

use diesel::prelude::*;
use wire::{CameraId, ObjectId, OrganizationId, UnixMs};

use super::schema::{
    access_grant, assignment, audit, camera, camera_day, camera_group, completeness, enrolment_token,
    erasure, erasure_node, event, gap, idempotency, licence, licence_excess, login_failure, node, object,
    one_time_token, organization, plan, recording, recording_hold, recording_job, recording_override,
    recording_window, recovery_code, refresh_token, refused, service_key, session, user,
};
use super::types::Id;
use super::{Connection, StoreError, doomed, erased_nodes, objects};

/// Takes one batch of footage out of the index and dooms its objects; whether there was any.
///
/// # Errors
/// Those of the database.
pub fn footage(
    connection: &mut Connection,
    id: OrganizationId,
    limit: u32,
    now: UnixMs,
) -> Result<bool, StoreError> {
    for one in cameras(connection, id)? {
        let rows = objects::some_of(connection, id, one, limit)?;
        if !rows.is_empty() {
            doom(connection, rows, now)?;
            return Ok(true);
        }
    }
    Ok(false)
}

fn doom(connection: &mut Connection, rows: Vec<(ObjectId, String)>, now: UnixMs) -> Result<(), StoreError> {
    let mut ids: Vec<Id> = Vec::with_capacity(rows.len());
    for (id, key) in rows {
        doomed::doom(connection, &key, now)?;
        ids.push(id.into());
    }
    diesel::delete(object::table)
        .filter(object::id.eq_any(ids))
        .execute(connection)?;
    Ok(())
}

/// An organization's cameras, deleted ones included.
///
/// # Errors
/// Those of the database.
pub fn cameras(connection: &mut Connection, id: OrganizationId) -> Result<Vec<CameraId>, StoreError> {
    let ids: Vec<Id> = camera::table
        .filter(camera::organization.eq(Id::from(id)))
        .order(camera::id)
        .select(camera::id)
        .load(connection)?;
    Ok(ids.into_iter().map(Into::into).collect())
}

/// Erases everything but the audit log; the caller has seen to it that no footage is left. Of nodes that had
/// keys stays that these work no more.
///
/// # Errors
/// Those of the database.
pub fn rest(connection: &mut Connection, id: OrganizationId, now: UnixMs) -> Result<(), StoreError> {
    let whose = Id::from(id);
    let erasures: Vec<Id> = erasure::table
        .filter(erasure::organization.eq(whose))
        .select(erasure::id)
        .load(connection)?;
    for one in erasures {
        diesel::delete(erasure_node::table.filter(erasure_node::erasure.eq(one))).execute(connection)?;
    }
    diesel::delete(erasure::table.filter(erasure::organization.eq(whose))).execute(connection)?;
    diesel::delete(recording_job::table.filter(recording_job::organization.eq(whose))).execute(connection)?;
    scheduling(connection, whose)?;
    diesel::delete(recording_hold::table.filter(recording_hold::organization.eq(whose)))
        .execute(connection)?;
    diesel::delete(recording_window::table.filter(recording_window::organization.eq(whose)))
        .execute(connection)?;
    diesel::delete(licence::table.filter(licence::organization.eq(whose))).execute(connection)?;
    diesel::delete(licence_excess::table.filter(licence_excess::organization.eq(whose)))
        .execute(connection)?;
    diesel::delete(access_grant::table.filter(access_grant::organization.eq(whose))).execute(connection)?;
    for one in cameras(connection, id)? {
        of_camera(connection, one.into())?;
    }
    diesel::delete(camera::table.filter(camera::organization.eq(whose))).execute(connection)?;
    diesel::delete(camera_group::table.filter(camera_group::organization.eq(whose))).execute(connection)?;
    nodes(connection, whose, now)?;
    people(connection, whose)?;
    diesel::delete(organization::table.find(whose)).execute(connection)?;
    Ok(())
}

fn scheduling(connection: &mut Connection, whose: Id) -> Result<(), StoreError> {
    diesel::delete(recording::table.filter(recording::organization.eq(whose))).execute(connection)?;
    diesel::delete(completeness::table.filter(completeness::organization.eq(whose))).execute(connection)?;
    diesel::delete(recording_override::table.filter(recording_override::organization.eq(whose)))
        .execute(connection)?;
    diesel::delete(enrolment_token::table.filter(enrolment_token::organization.eq(whose)))
        .execute(connection)?;
    diesel::delete(event::table.filter(event::organization.eq(whose))).execute(connection)?;
    Ok(())
}

fn of_camera(connection: &mut Connection, one: Id) -> Result<(), StoreError> {
    diesel::delete(gap::table.filter(gap::camera.eq(one))).execute(connection)?;
    diesel::delete(camera_day::table.filter(camera_day::camera.eq(one))).execute(connection)?;
    diesel::delete(assignment::table.filter(assignment::camera.eq(one))).execute(connection)?;
    Ok(())
}

fn nodes(connection: &mut Connection, whose: Id, now: UnixMs) -> Result<(), StoreError> {
    let rows: Vec<(Id, Option<String>, Option<i64>)> = node::table
        .filter(node::organization.eq(whose))
        .select((node::id, node::public_key, node::removed))
        .load(connection)?;
    for (one, key, removed) in rows {
        if let Some(key) = key {
            let since = removed.map_or(now, UnixMs);
            erased_nodes::insert(connection, one.into(), &key, since)?;
        }
        diesel::delete(refused::table.filter(refused::node.eq(one))).execute(connection)?;
        diesel::delete(plan::table.find(one)).execute(connection)?;
        diesel::delete(node::table.find(one)).execute(connection)?;
    }
    Ok(())
}

fn people(connection: &mut Connection, whose: Id) -> Result<(), StoreError> {
    let keys: Vec<Id> = service_key::table
        .filter(service_key::organization.eq(whose))
        .select(service_key::id)
        .load(connection)?;
    for one in keys {
        diesel::delete(idempotency::table.filter(idempotency::actor.eq(one))).execute(connection)?;
        diesel::delete(service_key::table.find(one)).execute(connection)?;
    }
    let users: Vec<(Id, String)> = user::table
        .filter(user::organization.eq(whose))
        .select((user::id, user::login))
        .load(connection)?;
    for (one, login) in users {
        diesel::delete(idempotency::table.filter(idempotency::actor.eq(one))).execute(connection)?;
        diesel::delete(recovery_code::table.filter(recovery_code::user.eq(one))).execute(connection)?;
        diesel::delete(refresh_token::table.filter(refresh_token::user.eq(one))).execute(connection)?;
        diesel::delete(session::table.filter(session::user.eq(one))).execute(connection)?;
        diesel::delete(one_time_token::table.filter(one_time_token::user.eq(one))).execute(connection)?;
        diesel::delete(access_grant::table.filter(access_grant::user.eq(one))).execute(connection)?;
        diesel::delete(login_failure::table.find(login)).execute(connection)?;
        diesel::delete(user::table.find(one)).execute(connection)?;
    }
    Ok(())
}

/// An organization that is gone and has audit entries left.
///
/// # Errors
/// Those of the database.
pub fn orphan(connection: &mut Connection) -> Result<Option<OrganizationId>, StoreError> {
    // From one organization to the next through the index: a look at every entry would take long.
    let mut last: Option<Id> = None;
    loop {
        let mut query = audit::table
            .order(audit::organization)
            .select(audit::organization)
            .limit(1)
            .into_boxed();
        if let Some(last) = last {
            query = query.filter(audit::organization.gt(last));
        }
        let next: Option<Id> = query.first(connection).optional()?;
        let Some(next) = next else {
            return Ok(None);
        };
        if !super::organizations::exists(connection, next.into())? {
            return Ok(Some(next.into()));
        }
        last = Some(next);
    }
}

/// Erases one batch of the audit log of an organization that is gone; whether there was any.
///
/// # Errors
/// [`StoreError::Broken`] when the organization is still there, and those of the database.
pub fn log(connection: &mut Connection, id: OrganizationId, limit: u32) -> Result<bool, StoreError> {
    let ids: Vec<Id> = audit::table
        .filter(audit::organization.eq(Id::from(id)))
        .limit(i64::from(limit))
        .select(audit::id)
        .load(connection)?;
    diesel::delete(audit::table.filter(audit::id.eq_any(&ids))).execute(connection)?;
    Ok(!ids.is_empty())
}
