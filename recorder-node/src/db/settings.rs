//! Identity, the last plan, and the cameras' credentials.

use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use wire::plan::Plan;
use wire::source::Credentials;
use wire::{CameraId, NodeId};

use super::schema::{credentials, setting};
use super::{DbError, DbResult, node_id};

const NODE: &str = "node";
const PLAN: &str = "plan";

fn get(c: &mut SqliteConnection, name: &str) -> DbResult<Option<Vec<u8>>> {
    Ok(setting::table
        .find(name)
        .select(setting::value)
        .first(c)
        .optional()?)
}

fn put(c: &mut SqliteConnection, name: &str, value: &[u8]) -> DbResult<()> {
    diesel::replace_into(setting::table)
        .values((setting::name.eq(name), setting::value.eq(value)))
        .execute(c)?;
    Ok(())
}

/// The node whose database this is; none before its first start.
///
/// # Errors
/// Those of the database.
pub fn known_node(c: &mut SqliteConnection) -> DbResult<Option<NodeId>> {
    get(c, NODE)?.map(|blob| node_id(&blob)).transpose()
}

/// Makes this the database of `node`.
///
/// # Errors
/// [`DbError::Damaged`] when it is another node's, and those of the database.
pub fn be(c: &mut SqliteConnection, node: NodeId) -> DbResult<()> {
    match known_node(c)? {
        Some(known) if known == node => Ok(()),
        Some(_) => Err(DbError::Damaged(
            "it is another node's: its footage is not this node's",
        )),
        None => put(c, NODE, node.as_bytes()),
    }
}

/// The last plan; none before the first, or when an older version wrote one that cannot be read.
///
/// # Errors
/// Those of the database.
pub fn plan(c: &mut SqliteConnection) -> DbResult<Option<Plan>> {
    Ok(get(c, PLAN)?.and_then(|json| serde_json::from_slice(&json).ok()))
}

/// Keeps the plan for a start without the bus.
///
/// # Errors
/// Those of the database.
pub fn put_plan(c: &mut SqliteConnection, plan: &Plan) -> DbResult<()> {
    let json =
        serde_json::to_vec(plan).map_err(|_| DbError::Damaged("the plan cannot be written as JSON"))?;
    put(c, PLAN, &json)
}

/// A camera's credentials and their revision, when they were fetched before.
///
/// # Errors
/// Those of the database.
pub fn cached_credentials(
    c: &mut SqliteConnection,
    camera: CameraId,
) -> DbResult<Option<(u64, Option<Credentials>)>> {
    let row: Option<(i64, Option<String>, Option<String>)> = credentials::table
        .find(camera.as_bytes().as_slice())
        .select((
            credentials::revision,
            credentials::username,
            credentials::password,
        ))
        .first(c)
        .optional()?;
    Ok(row.map(|(revision, username, password)| {
        let both = username.zip(password);
        (
            revision.cast_unsigned(),
            both.map(|(username, password)| Credentials { username, password }),
        )
    }))
}

/// Keeps a camera's credentials.
///
/// # Errors
/// Those of the database.
pub fn put_credentials(
    c: &mut SqliteConnection,
    camera: CameraId,
    revision: u64,
    value: Option<&Credentials>,
) -> DbResult<()> {
    diesel::replace_into(credentials::table)
        .values((
            credentials::camera.eq(camera.as_bytes().as_slice()),
            credentials::revision.eq(revision.cast_signed()),
            credentials::username.eq(value.map(|v| v.username.as_str())),
            credentials::password.eq(value.map(|v| v.password.as_str())),
        ))
        .execute(c)?;
    Ok(())
}

/// Forgets the credentials of cameras that are no longer planned here.
///
/// # Errors
/// Those of the database.
pub fn keep_credentials_of(c: &mut SqliteConnection, cameras: &[CameraId]) -> DbResult<()> {
    let known: Vec<Vec<u8>> = credentials::table.select(credentials::camera).load(c)?;
    for blob in known {
        if !cameras.iter().any(|camera| camera.as_bytes().as_slice() == blob) {
            diesel::delete(credentials::table.find(blob)).execute(c)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::Db;

    #[test]
    fn identity_and_credentials_survive_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let camera = CameraId::generate();
        let secret = Credentials {
            username: "u".into(),
            password: "p".into(),
        };
        let first = {
            let db = Db::open(dir.path()).unwrap();
            db.transaction(|c| put_credentials(c, camera, 3, Some(&secret)))
                .unwrap();
            let node = NodeId::generate();
            assert_eq!(db.transaction(known_node).unwrap(), None);
            db.transaction(|c| be(c, node)).unwrap();
            node
        };
        let db = Db::open(dir.path()).unwrap();
        assert_eq!(db.transaction(known_node).unwrap(), Some(first));
        db.transaction(|c| be(c, first)).unwrap();
        assert!(db.transaction(|c| be(c, NodeId::generate())).is_err());
        let cached = db.transaction(|c| cached_credentials(c, camera)).unwrap();
        assert_eq!(cached, Some((3, Some(secret))));
        db.transaction(|c| keep_credentials_of(c, &[])).unwrap();
        assert_eq!(db.transaction(|c| cached_credentials(c, camera)).unwrap(), None);
    }
}
