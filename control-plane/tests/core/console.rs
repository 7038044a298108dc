//! Accounts made and mended at the server's console.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use wire::access::Role;

use crate::people::{organization, organization_of, person};
use crate::support::World;

const PASSWORD: &str = "a long enough secret";

/// Runs the program with something on its standard input; exit code and everything it says.
async fn run(world: &World, options: &[&str], input: &str) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_control-plane"));
    command
        .arg(options[0])
        .arg("--config")
        .arg(world.dir.path().join("control.toml"))
        .args(&options[1..])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let input = input.to_owned();
    let run = move || {
        let mut child = command.spawn().unwrap();
        // Who does not read is gone before it is written.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    };
    let Output {
        status,
        stdout,
        stderr,
    } = tokio::task::spawn_blocking(run).await.unwrap();
    let text = String::from_utf8([stdout, stderr].concat()).unwrap();
    (status.code().unwrap(), text)
}

async fn sign_in(world: &World, login: &str, password: &str) -> (u16, Value) {
    let body = json!({"login": login, "password": password});
    let request = world.http.post(world.url("/api/v1/session")).json(&body);
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

fn path(world: &World, name: &str) -> (PathBuf, String) {
    let path = world.dir.path().join(name);
    let text = path.to_str().unwrap().to_owned();
    (path, text)
}

#[tokio::test]
async fn administrators_are_made_for_the_platform_and_for_an_organization() {
    let world = World::without_bus().await;
    organization(&world, "Blue Shop").await;
    let (code, text) = run(
        &world,
        &["create-admin", "--login", "Ann@Example.org"],
        "a long secret\n",
    )
    .await;
    assert_eq!(code, 0, "{text}");
    let (status, session) = sign_in(&world, "ann@example.org", "a long secret").await;
    assert_eq!((status, &session["user"]["role"]), (200, &json!("super_admin")));

    let (file, name) = path(&world, "bob");
    let options = [
        "create-admin",
        "--login",
        "bob",
        "--organization",
        "Blue Shop",
        "--password-file",
        &name,
    ];
    let (code, text) = run(&world, &options, "").await;
    assert_eq!(code, 0, "{text}");
    let password = std::fs::read_to_string(&file).unwrap();
    assert!(!text.contains(password.trim()));
    assert_eq!(
        std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let (status, session) = sign_in(&world, "bob", password.trim()).await;
    let user = &session["user"];
    assert_eq!(
        (status, &user["role"], &user["organization_name"]),
        (200, &json!("org_admin"), &json!("Blue Shop"))
    );

    let (unused, name) = path(&world, "unused");
    for (options, input, says) in [
        (vec!["--login", "bob", "--password-file", &name], "", "already"),
        (
            vec!["--login", "eve", "--password-file", file.to_str().unwrap()],
            "",
            "cannot write",
        ),
        (vec!["--login", "eve"], "short\n", "10 to 1024"),
        (vec!["--login", "eve"], "", "no password"),
        (vec!["--login", "e v e"], "a long secret\n", "blanks"),
        (
            vec!["--login", "eve", "--organization", "Nowhere"],
            "a long secret\n",
            "organization",
        ),
    ] {
        let (code, text) = run(&world, &[vec!["create-admin"], options.clone()].concat(), input).await;
        assert!(code == 1 && text.contains(says), "{options:?}: {text}");
    }
    assert!(!unused.exists(), "a password that is not in force stays nowhere");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), password);
    assert_eq!(run(&world, &["create-admin"], "").await.0, 2);
    assert_eq!(
        run(&world, &["create-admin", "--login", "x", "--password", "y"], "")
            .await
            .0,
        2
    );
}

#[tokio::test]
async fn a_new_password_ends_sessions_and_lock_outs() {
    let world = World::without_bus().await;
    let home = organization_of(&world, &world.sign_in().await).await;
    let (_, token) = person(&world, home, "ann", Role::OrgUser).await;
    let begin = json!({"password": PASSWORD});
    let (_, made) = world.call("POST", "/api/v1/me/totp", &token, Some(begin)).await;
    let secret = totp_rs::Secret::try_from_base32(made["secret"].as_str().unwrap()).unwrap();
    let now = control_plane::state::now();
    let code = json!({"code": control_plane::domain::totp::code_at(secret.as_bytes(), now).unwrap()});
    let (status, _) = world
        .call("POST", "/api/v1/me/totp/confirm", &token, Some(code))
        .await;
    assert_eq!(status, 200);
    let store = &world.server.state.store;
    for _ in 0..10 {
        let add = move |c: &mut _| control_plane::store::failures::add(c, "ann", now);
        store.write(add).await.unwrap();
    }
    assert_eq!(sign_in(&world, "ann", PASSWORD).await.1["code"], "account_locked");

    let (code, text) = run(
        &world,
        &["reset-password", "--login", "ANN"],
        "another long secret\n",
    )
    .await;
    assert!(code == 0 && text.contains("second factor"), "{text}");
    assert_eq!(world.call("GET", "/api/v1/me", &token, None).await.0, 401);
    assert_eq!(
        sign_in(&world, "ann", PASSWORD).await.1["code"],
        "wrong_credentials"
    );
    assert_eq!(
        sign_in(&world, "ann", "another long secret").await.1["code"],
        "totp_required"
    );
    let options = ["reset-password", "--login", "ann", "--remove-totp"];
    assert_eq!(run(&world, &options, "another long secret").await.0, 0);
    assert_eq!(sign_in(&world, "ann", "another long secret").await.0, 200);
    let (code, text) = run(
        &world,
        &["reset-password", "--login", "nobody"],
        "a long secret\n",
    )
    .await;
    assert!(code == 1 && text.contains("no such user"), "{text}");
}

#[tokio::test]
async fn users_of_another_system_come_all_or_not_at_all() {
    let world = World::without_bus().await;
    let token = world.sign_in().await;
    let hash = bcrypt::hash("pass", 4).unwrap().replace("$2b$", "$2a$");
    let (file, name) = path(&world, "users.csv");
    let count = async || {
        let (_, page) = world.call("GET", "/api/v1/users", &token, None).await;
        page["items"].as_array().unwrap().len()
    };
    let bad = format!(
        "login,name,role,password_hash\nann,Ann,org_user,{hash}\nbob,Bob,king,{hash}\n\
         ANN,Ann,org_user,{hash}\nadmin,Admin,org_admin,{hash}\neve,Eve,org_user,$2a$x\n"
    );
    std::fs::write(&file, bad).unwrap();
    let (code, text) = run(&world, &["import-users", "--organization", "Home", &name], "").await;
    assert_eq!(code, 1, "{text}");
    for says in [
        ":3: a role",
        ":4: ann stands in line 2",
        ":5: there is a user admin",
        ":6: no BCrypt",
        "4 of 5",
    ] {
        assert!(text.contains(says), "{says}: {text}");
    }
    assert!(!text.contains(&hash[7..]), "{text}");
    assert_eq!(count().await, 1);

    let good = format!("role,login,name,password_hash\norg_user,ann,Ann,{hash}\norg_admin,bob,,{hash}\n");
    std::fs::write(&file, good).unwrap();
    let options = ["import-users", "--organization", "Home", &name, "--dry-run"];
    let (code, text) = run(&world, &options, "").await;
    assert!(code == 0 && text.contains("would take over 2 users"), "{text}");
    assert_eq!(count().await, 1);
    assert_eq!(run(&world, &options[..4], "").await.0, 0);
    assert_eq!(count().await, 3);
    let (status, session) = sign_in(&world, "bob", "pass").await;
    assert_eq!((status, &session["user"]["role"]), (200, &json!("org_admin")));
    let (code, text) = run(&world, &options[..4], "").await;
    assert!(code == 1 && text.contains("2 of 2 rows are bad"), "{text}");
}
