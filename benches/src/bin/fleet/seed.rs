//! Fills a migrated database by SQL: organizations, enrolled nodes, cameras that are assigned to them.

use anyhow::{Context, Result};
use benches::database::{Database, Kind};
use wire::{CameraId, NodeId, OrganizationId};

/// Nodes of an organization.
pub(crate) const NODES: u32 = 100;
/// 1 to n, as `n.i`.
const NUMBERS: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {n})";
/// 2026-01-01, so that runs can be compared.
const NOW: i64 = 1_767_225_600_000;

fn bytes(letter: char, number: u32) -> Result<[u8; 16]> {
    let text = format!("{letter}{number:015}");
    text.as_bytes().try_into().context("an id has 16 bytes")
}

/// The organization of the node with this number, counted from 1.
pub(crate) fn organization_of(node: u32) -> Result<OrganizationId> {
    Ok(OrganizationId::from_bytes(bytes('o', 1 + (node - 1) / NODES)?))
}

/// The node with this number, counted from 1.
pub(crate) fn node(number: u32) -> Result<NodeId> {
    Ok(NodeId::from_bytes(bytes('n', number)?))
}

/// A node's camera; both are counted from 1.
pub(crate) fn camera(node: u32, number: u32, cameras: u32) -> Result<CameraId> {
    Ok(CameraId::from_bytes(bytes('c', (node - 1) * cameras + number)?))
}

/// Fills the database of a control plane that has started once and is stopped.
pub(crate) fn fill(database: &Database, nodes: u32, cameras: u32) -> Result<()> {
    let kind = database.kind;
    let steps = [
        (nodes.div_ceil(NODES), organization_sql(kind)),
        (nodes, node_sql(kind)),
        (nodes * cameras, camera_sql(kind, cameras)),
        (nodes * cameras, ASSIGNMENT_SQL.to_owned()),
    ];
    for (count, sql) in steps {
        database.run(&sql.replace("{n}", &count.to_string()))?;
    }
    if kind == Kind::Postgres {
        // What its autovacuum does within a minute, so that it does not fall into a measurement.
        database.run("VACUUM ANALYZE")?;
        database.run("CHECKPOINT")?;
    }
    Ok(())
}

fn organization_sql(kind: Kind) -> String {
    let id = kind.id('o', "i");
    format!(
        "INSERT INTO organization (id, name, created) {NUMBERS} \
         SELECT {id}, 'Organization ' || i, {NOW} + i FROM n"
    )
}

fn node_sql(kind: Kind) -> String {
    let (id, organization) = (kind.id('n', "i"), kind.id('o', &format!("1 + (i - 1) / {NODES}")));
    format!(
        "INSERT INTO node (id, organization, name, first_seen, enrolled, public_key) {NUMBERS} \
         SELECT {id}, {organization}, 'Node ' || i, {NOW} + i, {NOW} + i, 'bench ' || i FROM n"
    )
}

fn camera_sql(kind: Kind, cameras: u32) -> String {
    let id = kind.id('c', "i");
    let (node, organization) = (
        kind.id('n', &format!("1 + (i - 1) / {cameras}")),
        kind.id('o', &format!("1 + (i - 1) / {}", NODES * cameras)),
    );
    format!(
        "INSERT INTO camera (id, organization, name, url, credentials_revision, transport, reader, audio, \
             recording, node, epoch, created, site, tags, notes, search, address_key) {NUMBERS} \
         SELECT {id}, {organization}, 'Camera ' || i, 'rtsp://192.0.2.' || (i % 250) || '/stream/' || i, \
             1, 0, 0, FALSE, TRUE, {node}, 1, {NOW} + i, '', '', '', 'camera ' || i, \
             '192.0.2.' || (i % 250) || ':554/stream/' || i FROM n"
    )
}

const ASSIGNMENT_SQL: &str = "INSERT INTO assignment (camera, epoch, node, since) \
     SELECT id, 1, node, created FROM camera WHERE node IS NOT NULL";
