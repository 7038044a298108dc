//! Enrolment tokens: digests of one-time secrets with which nodes join.

use diesel::prelude::*;
use wire::{EnrolmentId, NodeId, OrganizationId, UnixMs, UserId};

use super::schema::enrolment_token;
use super::types::Id;
use super::{Connection, StoreError};
use crate::domain::page::Part;

/// A token, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrolmentRow {
    /// The token.
    pub id: EnrolmentId,
    /// Whose node it lets in.
    pub organization: OrganizationId,
    /// What it is for.
    pub name: String,
    /// When it was made.
    pub created: UnixMs,
    /// Who made it, if a person did.
    pub created_by: Option<UserId>,
    /// When it stops working.
    pub expires: UnixMs,
    /// When a node joined with it.
    pub used: Option<UnixMs>,
    /// That node.
    pub node: Option<NodeId>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = enrolment_token)]
struct Raw {
    id: Id,
    organization: Id,
    name: String,
    created: i64,
    created_by: Option<Id>,
    expires: i64,
    used: Option<i64>,
    node: Option<Id>,
}

fn row(raw: Raw) -> EnrolmentRow {
    EnrolmentRow {
        id: raw.id.into(),
        organization: raw.organization.into(),
        name: raw.name,
        created: UnixMs(raw.created),
        created_by: raw.created_by.map(Into::into),
        expires: UnixMs(raw.expires),
        used: raw.used.map(UnixMs),
        node: raw.node.map(Into::into),
    }
}

/// Adds a token; `hash` is the SHA-256 of its secret.
///
/// # Errors
/// Those of the database.
pub fn insert(connection: &mut Connection, new: &EnrolmentRow, hash: &[u8; 32]) -> Result<(), StoreError> {
    diesel::insert_into(enrolment_token::table)
        .values((
            enrolment_token::id.eq(Id::from(new.id)),
            enrolment_token::organization.eq(Id::from(new.organization)),
            enrolment_token::hash.eq(hash.to_vec()),
            enrolment_token::name.eq(&new.name),
            enrolment_token::created.eq(new.created.0),
            enrolment_token::created_by.eq(new.created_by.map(Id::from)),
            enrolment_token::expires.eq(new.expires.0),
        ))
        .execute(connection)?;
    Ok(())
}

/// An organization's tokens, used and expired ones included, oldest first. One more than asked for, when
/// there are more.
///
/// # Errors
/// Those of the database.
pub fn list(
    connection: &mut Connection,
    organization: OrganizationId,
    part: &Part,
) -> Result<Vec<EnrolmentRow>, StoreError> {
    let mut query = enrolment_token::table
        .filter(enrolment_token::organization.eq(Id::from(organization)))
        .select(Raw::as_select())
        .order((enrolment_token::created, enrolment_token::id))
        .limit(part.fetch())
        .into_boxed();
    if let Some(after) = part.after {
        query = query.filter(
            enrolment_token::created.gt(after.at).or(enrolment_token::created
                .eq(after.at)
                .and(enrolment_token::id.gt(Id(after.id)))),
        );
    }
    Ok(query.load(connection)?.into_iter().map(row).collect())
}

/// An organization's token.
///
/// # Errors
/// Those of the database.
pub fn get(
    connection: &mut Connection,
    organization: OrganizationId,
    id: EnrolmentId,
) -> Result<Option<EnrolmentRow>, StoreError> {
    let found = enrolment_token::table
        .filter(enrolment_token::organization.eq(Id::from(organization)))
        .filter(enrolment_token::id.eq(Id::from(id)))
        .select(Raw::as_select())
        .first(connection)
        .optional()?;
    Ok(found.map(row))
}

/// The token with this digest, for who has its secret: it names the organization.
///
/// # Errors
/// Those of the database.
pub fn by_hash(connection: &mut Connection, hash: &[u8; 32]) -> Result<Option<EnrolmentRow>, StoreError> {
    let found = enrolment_token::table
        .filter(enrolment_token::hash.eq(hash.to_vec()))
        .select(Raw::as_select())
        .first(connection)
        .optional()?;
    Ok(found.map(row))
}

/// Uses a token up; whether it was not used before.
///
/// # Errors
/// Those of the database.
pub fn take(
    connection: &mut Connection,
    id: EnrolmentId,
    node: NodeId,
    now: UnixMs,
) -> Result<bool, StoreError> {
    let free = enrolment_token::table
        .find(Id::from(id))
        .filter(enrolment_token::used.is_null());
    let taken = diesel::update(free)
        .set((
            enrolment_token::used.eq(now.0),
            enrolment_token::node.eq(Id::from(node)),
        ))
        .execute(connection)?;
    Ok(taken == 1)
}

/// Removes a token.
///
/// # Errors
/// Those of the database.
pub fn remove(
    connection: &mut Connection,
    organization: OrganizationId,
    id: EnrolmentId,
) -> Result<(), StoreError> {
    let own = enrolment_token::table
        .filter(enrolment_token::organization.eq(Id::from(organization)))
        .filter(enrolment_token::id.eq(Id::from(id)));
    diesel::delete(own).execute(connection)?;
    Ok(())
}
