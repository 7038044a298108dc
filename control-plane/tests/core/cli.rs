//! The commands beside `serve`.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::nats::give_keys;
use crate::support::{Nats, World, database, free_port};

struct Ran {
    code: i32,
    out: String,
    err: String,
}

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_control-plane"))
}

fn run(arguments: &[&str]) -> Ran {
    let output = program().args(arguments).output().unwrap();
    Ran {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A configuration in `dir`; its path.
fn configured(dir: &Path, rest: &str) -> String {
    let path = dir.join("control.toml");
    let data = dir.join("data");
    std::fs::write(&path, format!("data_dir = {data:?}\n{rest}")).unwrap();
    path.to_str().unwrap().to_owned()
}

fn on(dir: &Path, bus: &str, database: &str) -> String {
    let port = free_port();
    configured(
        dir,
        &format!(
            "[http]\nbind = \"127.0.0.1:{port}\"\n[bus]\nurl = \"{bus}\"\n[database]\nurl = \"{database}\"\n"
        ),
    )
}

#[test]
fn every_command_has_help_with_an_example() {
    let overview = run(&["--help"]).out;
    let listed = overview
        .split("Commands:")
        .nth(1)
        .unwrap()
        .split("Options:")
        .next()
        .unwrap();
    let listed: Vec<&str> = listed
        .lines()
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next())
        .filter(|name| !name.is_empty() && *name != "help")
        .collect();
    assert_eq!(listed.len(), 12, "{listed:?}");
    for command in listed {
        let command: Vec<&str> = match command {
            "database" => vec!["database", "copy"],
            other => vec![other],
        };
        let Ran { code, out, .. } = run(&[command.as_slice(), &["--help"]].concat());
        assert_eq!(code, 0, "{command:?}");
        assert!(out.contains("Example"), "{command:?}: {out}");
        assert!(out.contains("Usage:"), "{command:?}: {out}");
    }
    assert_eq!(run(&["nonsense"]).code, 2);
}

#[tokio::test]
async fn openapi_is_what_the_server_serves() {
    let world = World::without_bus().await;
    let served = world
        .http
        .get(world.url("/api/v1/openapi.json"))
        .send()
        .await
        .unwrap();
    let served: Value = served.json().await.unwrap();
    let version = served["openapi"].as_str().unwrap();
    assert!(version.starts_with("3.1."), "{version}");
    let printed = run(&["openapi"]);
    assert_eq!(serde_json::from_str::<Value>(&printed.out).unwrap(), served);
    let file = world.dir.path().join("api.json");
    assert_eq!(run(&["openapi", "--output", file.to_str().unwrap()]).out, "");
    let written = std::fs::read_to_string(file).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), served);
}

#[test]
fn migrating_lists_applies_and_is_done() {
    for postgres in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("x.sqlite");
        let url = if postgres {
            database::postgres_without_tables()
        } else {
            format!("sqlite:{}", file.display())
        };
        let config = on(dir.path(), "nats://x", &url);
        let listed = run(&["migrate", "--config", &config, "--dry-run"]);
        assert_eq!(listed.code, 0, "{}", listed.err);
        assert!(listed.out.lines().count() > 2 && listed.out.starts_with("would apply "));
        assert!(!file.exists());
        // Several at once: each migration is applied once.
        let children: Vec<_> = (0..4)
            .map(|_| {
                let mut command = program();
                command
                    .args(["migrate", "--config", &config])
                    .stdout(Stdio::piped());
                command.spawn().unwrap()
            })
            .collect();
        let mut applied = Vec::new();
        for child in children {
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success());
            let text = String::from_utf8(output.stdout).unwrap();
            applied.extend(
                text.lines()
                    .filter(|line| line.starts_with("applied "))
                    .map(str::to_owned),
            );
        }
        assert_eq!(applied.len(), listed.out.lines().count(), "{applied:?}");
        let again = run(&["migrate", "--config", &config]);
        assert!(again.out.ends_with("is up to date\n"), "{}", again.out);
    }
}

#[test]
fn check_names_every_wrong_key_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let text = "colour = 1\n[http]\nbind = \"here\"\nport = 5\n[bus]\npublic_url = 77001\n\
                [objects]\nkind = \"tape\"\n[database]\nurl = \"mysql://x\"\n";
    let path = dir.path().join("control.toml");
    std::fs::write(&path, text).unwrap();
    let checked = run(&["check", "--config", path.to_str().unwrap()]);
    assert_eq!(checked.code, 2);
    for told in [
        "the key data_dir is missing",
        "unknown key colour (set in TOML file); known are data_dir",
        "http.bind: ",
        "unknown key http.port (set in TOML file)",
        "the key bus.url is missing",
        "bus.public_url must be text",
        "objects.kind: ",
        "database.url must be sqlite:",
    ] {
        let lines = checked.out.lines().filter(|line| line.contains(told)).count();
        assert_eq!(lines, 1, "{told}: {}", checked.out);
    }
    assert!(!checked.out.contains("77001"), "{}", checked.out);
    std::fs::write(&path, "data_dir = [\n").unwrap();
    assert_eq!(run(&["check", "--config", path.to_str().unwrap()]).code, 2);
    assert_eq!(run(&["check", "--config", "/nowhere/x.toml"]).code, 2);
}

#[tokio::test]
async fn check_judges_postgres_before_anything_starts() {
    let nats = Nats::start();
    nats.client().await;
    let dir = tempfile::tempdir().unwrap();
    give_keys(&nats.url(), &dir.path().join("data"));
    let line = |url: &str| {
        let checked = run(&["check", "--config", &on(dir.path(), &nats.url(), url)]);
        let line = checked.out.lines().find(|line| line.contains("  database: "));
        (checked.code, line.unwrap_or_default().to_owned())
    };
    let bare = database::postgres_without_tables();
    let (code, fine) = line(&bare);
    assert_eq!(code, 0, "{fine}");
    assert!(fine.starts_with("ok") && fine.contains("PostgreSQL") && fine.contains("migrations to apply"));
    assert!(line(&database::postgres()).1.ends_with("up to date"));
    let (code, gone) = line(&format!("postgres://u:hunter2@127.0.0.1:{}/x", free_port()));
    assert_eq!(code, 1);
    assert!(
        gone.contains("start PostgreSQL") && !gone.contains("hunter2"),
        "{gone}"
    );
    let name = bare.rsplit('/').next().unwrap();
    database::execute(
        &bare,
        &format!("ALTER DATABASE {name} SET default_transaction_read_only = on"),
    );
    let (code, standby) = line(&bare);
    assert_eq!(code, 1);
    assert!(standby.contains("takes no changes"), "{standby}");
    let made = std::fs::read_dir(dir.path().join("data")).unwrap().count();
    assert_eq!(made, 1, "nothing was made beside the keys that were there");
}

#[tokio::test]
async fn check_judges_keys_addresses_and_files() {
    let nats = Nats::start();
    nats.client().await;
    let world = World::with_bus(&nats.url()).await;
    let (dir, url) = (world.dir.path(), database::url_of(world.dir.path()));
    let check = |config: &str| run(&["check", "--config", config]);
    let config = on(dir, &nats.url(), &url);
    let fine = check(&config);
    assert_eq!(fine.code, 0, "{}", fine.out);

    let master = dir.join("data/secrets/master");
    std::fs::set_permissions(&master, std::fs::Permissions::from_mode(0o644)).unwrap();
    let open = check(&config);
    assert_eq!(open.code, 1);
    assert!(
        open.out.contains("master can be read by others: chmod 600"),
        "{}",
        open.out
    );
    std::fs::rename(dir.join("data/secrets"), dir.join("lost")).unwrap();
    let lost = check(&config);
    assert_eq!(lost.code, 1);
    assert!(lost.out.contains("restore it from the backup"), "{}", lost.out);

    let port = free_port();
    let everywhere = configured(
        dir,
        &format!(
            "[http]\nbind = \"0.0.0.0:{port}\"\n[bus]\nurl = \"{}\"\n",
            nats.url()
        ),
    );
    let nowhere = check(&everywhere);
    assert_eq!(nowhere.code, 1);
    assert!(nowhere.out.contains("set http.public_url"), "{}", nowhere.out);
    let text = format!(
        "[http]\nbind = \"0.0.0.0:{port}\"\npublic_url = \"http://cameras.example.org\"\n\
         [bus]\nurl = \"{}\"\n[database]\nurl = \"postgres://u:hunter2@127.0.0.1:1/x\"\n",
        nats.url()
    );
    let path = configured(dir, &text);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let doubtful = check(&path);
    for told in ["doubt   public address: ", "doubt   configuration: "] {
        assert!(doubtful.out.contains(told), "{}", doubtful.out);
    }
    assert!(!doubtful.out.contains("hunter2"));
}
