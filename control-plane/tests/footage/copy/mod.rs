//! Copying a database from SQLite to PostgreSQL.

mod tables;

use std::sync::Arc;

use control_plane::server::Server;
use control_plane::store::Target;
use control_plane::store::copy::{Copied, CopyError, copy, rehearse};
use serde_json::Value;
use tables::{dump, fill, names};

use crate::fixture::{Site, hour_ago};
use crate::support::database::execute;
use crate::support::{World, config, database, free_port};

/// A stopped server's folder, its SQLite database with something in every table, and its address.
struct Stopped {
    dir: tempfile::TempDir,
    url: String,
}

async fn on_sqlite() -> Site {
    let file = tempfile::tempdir().unwrap().keep().join("x.sqlite");
    let bus = format!("nats://127.0.0.1:{}", free_port());
    Site::new(World::on_database(&bus, &format!("sqlite:{}", file.display())).await).await
}

async fn stopped(site: Site) -> Stopped {
    let url = database::url_of(site.world.dir.path());
    let World { server, dir, .. } = Arc::into_inner(site.world).unwrap();
    server.stop().await.unwrap();
    Stopped { dir, url }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        let file = std::path::Path::new(self.url.trim_start_matches("sqlite:"));
        let _ = std::fs::remove_dir_all(file.parent().unwrap());
    }
}

async fn copied(from: &str, to: &str) -> Result<Vec<Copied>, CopyError> {
    let (from, to) = (Target::parse(from).unwrap(), Target::parse(to).unwrap());
    tokio::task::spawn_blocking(move || copy(&from, &to))
        .await
        .unwrap()
}

fn assert_empty(url: &str) {
    for table in names(url) {
        assert_eq!(database::count(url, &format!("\"{table}\"")), 0, "{table}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_has_every_row_and_serves() {
    let site = on_sqlite().await;
    let start = hour_ago();
    let (object, bytes) = site.object(start, 10);
    site.store(&object, bytes).await;
    site.gap(start.plus(60_000), start.plus(90_000)).await;
    let (camera, (_, before)) = (site.camera, site.playlists(start, Some(start.plus(90_000))).await);
    let source = stopped(site).await;
    fill(&source.url);
    let to = database::postgres_without_tables();
    let (from, target) = (Target::parse(&source.url).unwrap(), Target::parse(&to).unwrap());
    let rehearsed = tokio::task::spawn_blocking(move || rehearse(&from, &target))
        .await
        .unwrap();
    assert_eq!(names(&to), Vec::<String>::new(), "a rehearsal changes nothing");

    let copied = copied(&source.url, &to).await.unwrap();
    assert_eq!(rehearsed.unwrap(), copied);
    let mut tables: Vec<String> = copied.iter().map(|one| one.table.clone()).collect();
    tables.sort();
    assert_eq!(tables, names(&source.url));
    assert_eq!(tables, names(&to));
    for Copied { table, rows } in &copied {
        assert!(*rows > 0, "{table}");
        let (ours, theirs) = (dump(&source.url, table), dump(&to, table));
        assert_eq!(ours.len() as u64, *rows, "{table}");
        assert_eq!(ours, theirs, "{table}");
    }

    // Rows that were made up to have some in each table are not what the server writes and reads.
    for table in ["recording_job", "recording_override", "licence"] {
        execute(&to, &format!("DELETE FROM {table}"));
    }
    let bus = format!("nats://127.0.0.1:{}", free_port());
    database::choose(source.dir.path(), &to);
    let server = Server::start(config(source.dir.path(), &bus)).await.unwrap();
    let base = format!("http://{}", server.address);
    let (dir, http) = (tempfile::tempdir().unwrap(), reqwest::Client::new());
    std::os::unix::fs::symlink(source.dir.path().join("data"), dir.path().join("data")).unwrap();
    let world = World {
        server,
        dir,
        http,
        base,
    };
    let token = world.sign_in().await;
    let (_, list) = world.call("GET", "/api/v1/cameras", &token, None).await;
    let ids: Vec<&Value> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["id"])
        .collect();
    assert!(ids.contains(&&Value::from(camera.to_string())), "{list}");
    let node = object.node;
    let site = Site {
        world: Arc::new(world),
        token,
        camera,
        node,
    };
    let (_, after) = site.playlists(start, Some(start.plus(90_000))).await;
    let segments = |list: &str| list.matches("#EXTINF").count();
    assert_eq!(segments(&before), segments(&after));
    let address = after.lines().find(|line| line.starts_with("/footage/")).unwrap();
    assert_eq!(site.range(address, "bytes=800-899").await.0, 206);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_copied_leaves_the_target_empty() {
    let source = stopped(on_sqlite().await).await;
    let to = database::postgres();
    for (fault, mend, told) in [
        (
            "UPDATE camera SET notes = 'a' || char(0) || 'b'",
            "UPDATE camera SET notes = ''",
            "column notes holds the character NUL",
        ),
        (
            "UPDATE camera SET created = 'yesterday'",
            "UPDATE camera SET created = 0",
            "column created holds a value of another type",
        ),
        (
            "UPDATE camera SET segment_s = 3000000000",
            "UPDATE camera SET segment_s = 6",
            "out of range",
        ),
        (
            "PRAGMA foreign_keys = OFF; UPDATE camera SET node = x'00'",
            "UPDATE camera SET node = NULL",
            "violates foreign key",
        ),
    ] {
        execute(&source.url, fault);
        let error = copied(&source.url, &to).await.unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
        let names_row = !told.starts_with("column") || error.contains("table camera, the row with id ");
        assert!(names_row, "{error}");
        assert_empty(&to);
        execute(&source.url, mend);
    }
    copied(&source.url, &to).await.unwrap();
    let again = copied(&source.url, &to).await.unwrap_err().to_string();
    assert!(again.contains("of the target has rows already"), "{again}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_database_at_rest_goes_to_one_of_our_own() {
    let site = on_sqlite().await;
    let from = database::url_of(site.world.dir.path());
    let to = database::postgres();
    let refused = async |from: &str, to: &str| {
        let refused = copied(from, to).await.unwrap_err();
        assert!(matches!(refused, CopyError::Refused(_)), "{refused:?}");
        refused.to_string()
    };
    assert!(refused(&from, &to).await.contains("is in use: stop the server"));
    assert_eq!(site.get("/api/v1/cameras").await.0, 200, "the server goes on");
    let source = stopped(site).await;
    assert!(
        refused("sqlite:/nowhere/x.sqlite", &to)
            .await
            .contains("there is no database")
    );
    assert!(refused(&to, &to).await.contains("from SQLite only"));
    let other = source.url.replace("x.sqlite", "y.sqlite");
    assert!(refused(&source.url, &other).await.contains("to PostgreSQL only"));
    assert!(!std::path::Path::new(other.trim_start_matches("sqlite:")).exists());
    let foreign = database::postgres_without_tables();
    execute(&foreign, "CREATE TABLE invoices (id INTEGER)");
    assert!(
        refused(&source.url, &foreign)
            .await
            .contains("table invoices that is not ours")
    );
    assert_eq!(names(&foreign), ["invoices"]);
    execute(&source.url, "ALTER TABLE camera ADD COLUMN colour TEXT");
    assert!(
        refused(&source.url, &to)
            .await
            .contains("table camera is not the same")
    );
    assert_empty(&to);
    execute(
        &source.url,
        "DELETE FROM __diesel_schema_migrations WHERE version = (SELECT MAX(version) FROM __diesel_schema_migrations)",
    );
    assert!(refused(&source.url, &to).await.contains("lacks the migration"));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_rows_go_in_batches() {
    let source = stopped(on_sqlite().await).await;
    let before = database::count(&source.url, "audit");
    execute(
        &source.url,
        "INSERT INTO audit (id, organization, action, subject, happened, actor_kind, new_value) \
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500) \
         SELECT randomblob(16), (SELECT id FROM organization LIMIT 1), 'x', 'y', i, 2, hex(randomblob(4000)) \
         FROM n",
    );
    let to = database::postgres();
    let copied = copied(&source.url, &to).await.unwrap();
    let audit = copied.iter().find(|one| one.table == "audit").unwrap();
    assert_eq!(audit.rows, u64::try_from(before).unwrap() + 2_500);
    assert_eq!(dump(&source.url, "audit"), dump(&to, "audit"));
}
