//! Every route × every kind of caller × own, foreign, granted (which permission, or through a group) and not
//! granted: the answers are the reviewed table `authorization.txt`. A route without a row fails, and so does a row without a route.
//!
//! Each cell asks for a resource of its own, so that no cell depends on another.

mod actors;
mod addresses;
mod audited;
mod repeated;
mod resources;
mod sessions;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use control_plane::http::openapi;
use reqwest::Client;
use serde_json::Value;

use crate::support::World;
use actors::{Actor, Actors};

const TABLE: &str = include_str!("authorization.txt");

#[tokio::test]
async fn every_answer_is_the_reviewed_one() {
    let expected = table();
    let world = World::without_bus().await;
    let actors = Actors::seed(&world).await;
    let clients = Actor::ALL.map(|actor| (actor, Actors::client(actor)));
    let mut actual = BTreeMap::new();
    for route in openapi::routes_listed() {
        let mut row = Vec::new();
        for (actor, client) in &clients {
            row.push(ask((&world, client), &actors, *actor, route.method, route.path).await);
        }
        actual.insert((route.path.to_owned(), route.method.to_uppercase()), row);
    }
    if expected == actual {
        return;
    }
    let mut report = String::new();
    for key in actual
        .keys()
        .chain(expected.keys().filter(|key| !actual.contains_key(*key)))
    {
        let (is, wanted) = (actual.get(key), expected.get(key));
        if is != wanted {
            let _ = writeln!(
                report,
                "{} {}\n  reviewed {wanted:?}\n  answered {is:?}",
                key.1, key.0
            );
        }
    }
    if let Ok(path) = std::env::var("CLOUDCAM_AUTHORIZATION_TABLE") {
        std::fs::write(path, written(&actual)).unwrap();
    }
    panic!(
        "answers that nobody reviewed (columns: {:?}); CLOUDCAM_AUTHORIZATION_TABLE=<file> writes the table \
         as it is, to be read line by line before it replaces authorization.txt:\n{report}",
        Actor::ALL
    );
}

type Table = BTreeMap<(String, String), Vec<u16>>;

fn table() -> Table {
    let lines = TABLE
        .lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    lines
        .map(|line| {
            let mut words = line.split_whitespace();
            let (method, path) = (words.next().unwrap(), words.next().unwrap());
            let row = words.map(|word| word.parse().unwrap()).collect();
            ((path.to_owned(), method.to_owned()), row)
        })
        .collect()
}

fn written(table: &Table) -> String {
    let mut text = String::new();
    for ((path, method), row) in table {
        let row: Vec<String> = row.iter().map(u16::to_string).collect();
        let _ = writeln!(text, "{method:6} {path:56} {}", row.join("  "));
    }
    text
}

async fn ask(
    (world, client): (&World, &Client),
    actors: &Actors,
    actor: Actor,
    method: &str,
    path: &str,
) -> u16 {
    let target = actors.target(actor);
    let asked = resources::asked(world, actors, target, actor, (method, path)).await;
    let path = match actor {
        Actor::OwnerElsewhere => {
            let separator = if asked.path.contains('?') { '&' } else { '?' };
            format!("{}{separator}organization={}", asked.path, target.organization)
        }
        _ => asked.path,
    };
    let mut request = client.request(method.to_uppercase().parse().unwrap(), world.url(&path));
    if let Some(token) = actors.token(actor) {
        request = request.bearer_auth(token);
    }
    request = match asked.body {
        Some(resources::Body::Json(body)) => request.json::<Value>(&body),
        Some(resources::Body::Csv(text)) => request.header("content-type", "text/csv").body(text),
        None => request,
    };
    request.send().await.unwrap().status().as_u16()
}
