//! Random sequences of what two organizations may try: neither is ever shown a byte of the other.
//!
//! Every text that an organization writes carries its mark. Whatever is answered to one must hold neither
//! the other's mark nor the id of anything of the other, apart from the id that was asked for.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::{Value, json};
use wire::access::Role;

use crate::support::World;

const CASES: u32 = 16;
const STEPS: usize = 40;

/// What a step asks for, of which `{}` is an id that may be anybody's.
const OPERATIONS: &[(&str, &str)] = &[
    ("POST", "/api/v1/cameras"),
    ("GET", "/api/v1/cameras"),
    ("GET", "/api/v1/cameras/{}"),
    ("PATCH", "/api/v1/cameras/{}"),
    ("DELETE", "/api/v1/cameras/{}"),
    ("POST", "/api/v1/cameras/{}/recording-jobs"),
    ("GET", "/api/v1/cameras/{}/recording-jobs"),
    ("GET", "/api/v1/recording-jobs/{}"),
    ("PATCH", "/api/v1/recording-jobs/{}"),
    ("POST", "/api/v1/groups"),
    ("GET", "/api/v1/groups"),
    ("GET", "/api/v1/groups/{}"),
    ("PATCH", "/api/v1/groups/{}"),
    ("POST", "/api/v1/users"),
    ("GET", "/api/v1/users"),
    ("GET", "/api/v1/users/{}"),
    ("PATCH", "/api/v1/users/{}"),
    ("GET", "/api/v1/users/{}/grants"),
    ("GET", "/api/v1/users/{}/export"),
    ("POST", "/api/v1/service-keys"),
    ("GET", "/api/v1/service-keys"),
    ("GET", "/api/v1/service-keys/{}"),
    ("GET", "/api/v1/licences"),
    ("GET", "/api/v1/licences/usage"),
    ("GET", "/api/v1/organizations"),
    ("GET", "/api/v1/organizations/{}"),
    ("GET", "/api/v1/audit"),
    ("GET", "/api/v1/audit.csv"),
    ("GET", "/api/v1/audit?subject={}"),
    ("GET", "/api/v1/me/export"),
    ("GET", "/api/v1/nodes"),
    (
        "GET",
        "/player-api/cameras/{}/coverage?from=2026-01-01T00:00:00Z&to=2026-01-01T01:00:00Z",
    ),
    ("GET", "/player-api/cameras/{}/days?from=2026-01-01&to=2026-02-01"),
    (
        "GET",
        "/player-api/cameras/{}/playback?from=2026-01-01T00:00:00Z&to=2026-01-01T01:00:00Z",
    ),
    ("GET", "/api/v1/cameras?organization={}"),
];

/// One step: whose, which operation, on whose thing, which one.
type Step = (bool, usize, bool, usize);

struct Tenant {
    token: String,
    mark: String,
    ids: Vec<String>,
}

#[test]
fn two_organizations_never_see_a_byte_of_each_other() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let world = runtime.block_on(World::without_bus());
    let mut runner = TestRunner::new(Config {
        cases: CASES,
        ..Config::default()
    });
    let steps = prop::collection::vec(
        (
            any::<bool>(),
            0..OPERATIONS.len(),
            any::<bool>(),
            any::<prop::sample::Index>(),
        ),
        STEPS,
    )
    .prop_map(|steps| {
        let plain = steps
            .into_iter()
            .map(|(who, what, whose, which)| (who, what, whose, which.index(1 << 16)));
        plain.collect::<Vec<Step>>()
    });
    let case = std::cell::Cell::new(0);
    let seen = Seen::default();
    runner
        .run(&steps, |steps| {
            case.set(case.get() + 1);
            runtime.block_on(play(&world, case.get(), &steps, &seen))
        })
        .unwrap();
    // A test in which everything is refused, or nothing is tried, would show nothing.
    let (taken, refused) = (seen.taken.get(), seen.refused.get());
    assert!(taken > 100 && refused > 100, "{taken} taken, {refused} refused");
}

/// How many steps did something with one's own things, and how many failed on the other's.
#[derive(Default)]
struct Seen {
    taken: std::cell::Cell<u32>,
    refused: std::cell::Cell<u32>,
}

async fn play(world: &World, case: u32, steps: &[Step], seen: &Seen) -> Result<(), TestCaseError> {
    let mut tenants = [
        tenant(world, case, "alpha").await,
        tenant(world, case, "bravo").await,
    ];
    for &(who, what, whose, which) in steps {
        let (mine, theirs) = (usize::from(who), usize::from(!who));
        let pool = &tenants[if whose { theirs } else { mine }].ids;
        let asked_for = pool[which % pool.len()].clone();
        let (method, path) = OPERATIONS[what];
        let path = path.replace("{}", &asked_for);
        let body = body(method, &path, &tenants[mine].mark, which);
        let mut request = world
            .http
            .request(method.parse().unwrap(), world.url(&path))
            .bearer_auth(&tenants[mine].token);
        if let Some(body) = &body {
            request = request.json(body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        let step = format!("{} {method} {path}: {status} {text}", tenants[mine].mark);
        prop_assert!(status < 500 || status == 503, "{step}");
        let other = &tenants[theirs];
        prop_assert!(!text.contains(&other.mark), "shows the other's mark: {step}");
        for id in &other.ids {
            prop_assert!(
                *id == asked_for || !text.contains(id.as_str()),
                "shows {id} of the other: {step}"
            );
        }
        if status < 300 {
            seen.taken.set(seen.taken.get() + 1);
        }
        if whose && path.contains(&asked_for) && !path.contains("subject=") {
            seen.refused.set(seen.refused.get() + 1);
            prop_assert!(status >= 400, "takes what is the other's: {step}");
        }
        if status == 201 {
            let made: Value = serde_json::from_str(&text).unwrap();
            let thing = ["user", "key"]
                .iter()
                .find_map(|noun| made.get(noun))
                .unwrap_or(&made);
            tenants[mine].ids.push(thing["id"].as_str().unwrap().to_owned());
        }
    }
    sweep(world, &tenants).await
}

/// Whatever was tried, each one's lists hold its own things, unchanged by the other.
async fn sweep(world: &World, tenants: &[Tenant; 2]) -> Result<(), TestCaseError> {
    for (mine, other) in [(&tenants[0], &tenants[1]), (&tenants[1], &tenants[0])] {
        for path in [
            "cameras",
            "groups",
            "users",
            "service-keys",
            "licences",
            "audit?limit=1000",
            "audit.csv",
        ] {
            let request = world
                .http
                .get(world.url(&format!("/api/v1/{path}")))
                .bearer_auth(&mine.token);
            let answer = request.send().await.unwrap();
            prop_assert_eq!(answer.status().as_u16(), 200, "{}", path);
            let text = answer.text().await.unwrap();
            prop_assert!(!text.contains(&other.mark), "{path} of {}: {text}", mine.mark);
        }
    }
    Ok(())
}

async fn tenant(world: &World, case: u32, name: &str) -> Tenant {
    let mark = format!("{name}{case}x7f3e");
    let organization = world.organization(&format!("{mark} organization")).await;
    let (user, token) = world
        .person(organization, &format!("{mark}-admin"), Role::OrgAdmin)
        .await;
    let mut ids = vec![organization.to_string(), user.to_string()];
    for path in ["/api/v1/cameras", "/api/v1/groups", "/api/v1/service-keys"] {
        let (status, made) = world
            .call("POST", path, &token, body("POST", path, &mark, 0))
            .await;
        assert_eq!(status, 201, "{path}: {made}");
        let thing = made.get("key").unwrap_or(&made);
        ids.push(thing["id"].as_str().unwrap().to_owned());
    }
    Tenant { token, mark, ids }
}

fn body(method: &str, path: &str, mark: &str, which: usize) -> Option<Value> {
    let path = path.split('?').next().unwrap_or(path);
    match (method, path.rsplit('/').next().unwrap_or_default()) {
        ("POST", "cameras") => Some(json!({
            "name": format!("{mark} camera"), "url": format!("rtsp://{mark}:{mark}@host{which}.example/{mark}"),
            "notes": format!("{mark} notes"), "site": mark, "allow_duplicate": true,
        })),
        ("POST", "recording-jobs") => {
            Some(json!({"name": format!("{mark} job"), "schedule": {"kind": "continuous"}}))
        }
        ("POST", "groups") => Some(json!({"name": format!("{mark} group {which}")})),
        ("POST", "users") => {
            Some(json!({"login": format!("{mark}-{which}"), "name": mark, "role": "org_user"}))
        }
        ("POST", "service-keys") => Some(json!({"name": format!("{mark} key"), "scopes": ["nodes:read"]})),
        ("PATCH", _) => Some(json!({"name": format!("{mark} renamed {which}")})),
        _ => None,
    }
}
