//! Fills a migrated database by SQL, the same on both: organizations with an administrator each, cameras,
//! audit rows.

use std::fs;
use std::time::Instant;

use anyhow::{Context, Result};
use benches::database::{Database, Kind};
use control_plane::app::vault;
use control_plane::secrets::Secrets;
use wire::CameraId;
use wire::source::Credentials;

use crate::args::Args;

/// 2026-01-01, so that runs can be compared.
const NOW: i64 = 1_767_225_600_000;

/// Who administers organization `number`, counted from 1. The first one has the cameras that are listed.
pub(crate) fn login(number: usize) -> String {
    format!("admin{number}@example.org")
}

/// The id that [`fill`] gives to the camera with this number, counted from 1.
pub(crate) fn camera(number: u32) -> Result<CameraId> {
    let text = format!("c{number:015}");
    let bytes = text.as_bytes().try_into().context("an id has 16 bytes")?;
    Ok(CameraId::from_bytes(bytes))
}

/// Fills the database of a control plane that has started once and is stopped.
pub(crate) fn fill(database: &Database, args: &Args) -> Result<()> {
    let (organizations, cameras, page, audit) = args.amounts();
    let steps = [
        ("organizations", organizations, organization_sql(database.kind)),
        ("administrators", organizations, user_sql(database.kind)),
        ("cameras", cameras, camera_sql(database.kind, page, organizations)),
        ("recording windows", cameras, WINDOW_SQL.to_owned()),
        ("audit rows", audit, audit_sql(database.kind, organizations)),
    ];
    for (what, count, sql) in steps {
        let begun = Instant::now();
        database.run(&sql.replace("{n}", &count.to_string()))?;
        eprintln!("    {count} {what}: {:.1} s", begun.elapsed().as_secs_f64());
    }
    database.run(&credentials_sql(database, page)?)?;
    if database.kind == Kind::Postgres {
        // What its autovacuum does within a minute, so that it does not fall into a measurement.
        database.run("VACUUM ANALYZE")?;
        database.run("CHECKPOINT")?;
    }
    Ok(())
}

/// 1 to n, as `n.i`.
const NUMBERS: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {n})";

const WINDOW_SQL: &str = "INSERT INTO recording_window (camera, stream, start_ms, end_ms, organization) \
     SELECT id, 0, created, NULL, organization FROM camera";

fn organization_sql(kind: Kind) -> String {
    let id = kind.id('o', "i");
    format!(
        "INSERT INTO organization (id, name, created) {NUMBERS} \
         SELECT {id}, 'Organization ' || i, {NOW} + i FROM n"
    )
}

/// All have the password of the first administrator: hashing is what the server is to be measured at.
fn user_sql(kind: Kind) -> String {
    let (user, organization) = (kind.id('u', "i"), kind.id('o', "i"));
    format!(
        "INSERT INTO \"user\" (id, organization, login, password_hash, created, name, role, state) {NUMBERS} \
         SELECT {user}, {organization}, 'admin' || i || '@example.org', \
             (SELECT password_hash FROM \"user\" WHERE login = 'admin'), {NOW} + i, 'Admin ' || i, 1, 0 FROM n"
    )
}

/// The first organization has a page of cameras, the others share the rest.
fn camera_sql(kind: Kind, page: u32, organizations: u32) -> String {
    let camera = kind.id('c', "i");
    let first = kind.id('o', "1");
    let other = kind.id('o', &format!("2 + i % {}", organizations - 1));
    format!(
        "INSERT INTO camera (id, organization, name, url, credentials_revision, transport, reader, audio, \
             recording, epoch, created, site, tags, notes, search, address_key) {NUMBERS} \
         SELECT {camera}, CASE WHEN i <= {page} THEN {first} ELSE {other} END, 'Camera ' || i, \
             'rtsp://192.0.2.' || (i % 250) || '/stream/' || i, 1, 0, 0, FALSE, TRUE, 0, {NOW} + i, \
             'Hall ' || (i % 20), '|indoor|hall-' || (i % 20) || '|', 'Second pillar from the left.', \
             'camera ' || i, '192.0.2.' || (i % 250) || ':554/stream/' || i FROM n"
    )
}

fn audit_sql(kind: Kind, organizations: u32) -> String {
    let number = format!("1 + i % {organizations}");
    let (entry, organization) = (kind.id('a', "i"), kind.id('o', &number));
    let user = kind.id('u', &number);
    format!(
        "INSERT INTO audit (id, organization, \"user\", action, subject, happened, actor_kind, actor_name, \
             address, old_value, new_value) {NUMBERS} \
         SELECT {entry}, {organization}, {user}, 'camera.change', 'camera ' || (i % 10000), {NOW} + i, 0, \
             'Admin', '198.51.100.7', '{{\"name\":\"Door\",\"recording\":false}}', \
             '{{\"name\":\"Door\",\"recording\":true}}' FROM n"
    )
}

/// The cameras that are listed have user names, which each list decrypts.
fn credentials_sql(database: &Database, page: u32) -> Result<String> {
    let secrets = Secrets::open(&database.folder.join("data/secrets")).context("the control plane's keys")?;
    let mut sql = String::from("BEGIN;");
    for number in 1..=page {
        let credentials = Credentials {
            username: "viewer".to_owned(),
            password: format!("secret {number}"),
        };
        let camera = camera(number)?;
        let sealed =
            vault::seal(&secrets, camera, &credentials).map_err(|error| anyhow::anyhow!("{error}"))?;
        let (sealed, id) = (hex(&sealed), hex(camera.as_bytes()));
        sql += &match database.kind {
            Kind::Sqlite => format!("UPDATE camera SET credentials = X'{sealed}' WHERE id = X'{id}';"),
            Kind::Postgres => format!("UPDATE camera SET credentials = '\\x{sealed}' WHERE id = '\\x{id}';"),
        };
    }
    sql += "COMMIT";
    Ok(sql)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The password of every administrator.
pub(crate) fn password(database: &Database) -> Result<String> {
    let file = database.folder.join("data/admin-password");
    let text = fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
    Ok(text.trim().to_owned())
}
