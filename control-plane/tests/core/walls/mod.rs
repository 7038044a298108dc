//! What two organizations may try, in any order: neither is ever shown a byte of the other.
//!
//! Every text that an organization writes carries its mark, and so does each byte of its footage. Whatever
//! is answered to one, told to its followers or played to it holds neither another's mark, nor an id, a
//! token or a signature that the other was shown, apart from what was asked for by name.

mod addresses;
mod follower;
mod operations;
mod stage;
mod tenant;

use std::cell::Cell;
use std::sync::Arc;

use control_plane::http::openapi;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use crate::support::World;
use operations::{LEFT_OUT, OPERATIONS, REFUSED_AT_HOME};
use stage::{SECRET, Stage, Step, plain};

const CASES: u32 = 16;
const STEPS: usize = 60;

/// How many steps did something with one's own things, and how many failed on the other's.
#[derive(Default)]
struct Counted {
    taken: Cell<u32>,
    refused: Cell<u32>,
}

#[test]
fn every_route_is_tried_or_left_out_for_a_reason() {
    let tried = |method: &str, path: &str| {
        let parts = |text: &str| text.split('/').map(str::to_owned).collect::<Vec<_>>();
        OPERATIONS.iter().any(|(verb, tried, _)| {
            let tried = parts(tried.split('?').next().unwrap());
            let path = parts(path);
            verb.eq_ignore_ascii_case(method)
                && tried.len() == path.len()
                && tried
                    .iter()
                    .zip(&path)
                    .all(|(one, two)| one == two || (one.starts_with('<') && two.starts_with('{')))
        })
    };
    let mut left_out: Vec<&str> = LEFT_OUT.iter().flat_map(|(_, routes)| *routes).copied().collect();
    for route in openapi::routes_listed() {
        let name = format!("{} {}", route.method.to_uppercase(), route.path);
        let is_left_out = left_out.contains(&name.as_str());
        left_out.retain(|one| *one != name);
        assert!(
            tried(route.method, route.path) != is_left_out,
            "{name} is either among the operations or left out"
        );
    }
    assert!(left_out.is_empty(), "no such routes: {left_out:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_step_is_taken_at_home_and_refused_abroad() {
    let world = Arc::new(World::without_bus().await);
    let owner = world.sign_in().await;
    let mut stage = Stage::new(&world, &owner, 0).await;
    for (operation, (method, path, body)) in OPERATIONS.iter().enumerate() {
        let all = format!("{path}{body}");
        let count = all.matches('<').count() - all.matches(&format!("<{SECRET}>")).count();
        for who in [0, 1] {
            for foreign in 1..(1_u8 << count) {
                let step = Step {
                    foreign,
                    ..plain(who, operation)
                };
                stage.take(step).await.unwrap();
            }
        }
        for who in [0, 1] {
            stage.take(plain(who, operation)).await.unwrap();
            let mut refusals = REFUSED_AT_HOME.iter();
            let is_refused = refusals.any(|one| one.0 == *method && one.1 == *path && body.contains(one.2));
            let refused = stage.status >= 400 && *method != "FORGE";
            assert_eq!(refused, is_refused, "{}", stage.last);
        }
    }
    for heard in stage.told().await.unwrap() {
        for kind in [
            "camera.created",
            "camera.changed",
            "camera.deleted",
            "job.created",
            "override.created",
            "footage.erased",
            "gap.opened",
            "licence.changed",
            "node.changed",
            "node.enrolled",
            "node.removed",
            "organization.changed",
        ] {
            assert!(
                heard.contains(&format!("event: {kind}\n")),
                "{kind} is told: {heard}"
            );
        }
    }
    stage.sweep().await.unwrap();
}

#[test]
fn two_organizations_never_see_a_byte_of_each_other() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (world, owner) = runtime.block_on(async {
        let world = Arc::new(World::without_bus().await);
        let owner = world.sign_in().await;
        (world, owner)
    });
    let mut runner = TestRunner::new(Config {
        cases: CASES,
        // A case takes seconds.
        max_shrink_iters: 24,
        failure_persistence: None,
        ..Config::default()
    });
    let foreign = prop_oneof![Just(0), any::<u8>()];
    let step = (
        0..2_usize,
        0..3_usize,
        0..OPERATIONS.len(),
        foreign,
        0..1_usize << 16,
    )
        .prop_map(|(who, caller, operation, foreign, which)| Step {
            who,
            // Mostly who may do everything.
            caller: if which % 2 == 0 { 0 } else { caller },
            operation,
            foreign,
            which,
        });
    let case = Cell::new(0);
    let counted = Counted::default();
    runner
        .run(&prop::collection::vec(step, STEPS), |steps| {
            case.set(case.get() + 1);
            runtime.block_on(play(&world, &owner, case.get(), &steps, &counted))
        })
        .unwrap();
    // A test in which everything is refused, or nothing is tried, would show nothing.
    let (taken, refused) = (counted.taken.get(), counted.refused.get());
    assert!(taken > 200 && refused > 100, "{taken} taken, {refused} refused");
}

async fn play(
    world: &Arc<World>,
    owner: &str,
    case: u32,
    steps: &[Step],
    counted: &Counted,
) -> Result<(), TestCaseError> {
    let mut stage = Stage::new(world, owner, case).await;
    for step in steps {
        let is_foreign = stage.take(*step).await?;
        if stage.status < 300 {
            counted.taken.set(counted.taken.get() + 1);
        }
        if is_foreign {
            counted.refused.set(counted.refused.get() + 1);
        }
    }
    stage.told().await?;
    stage.sweep().await
}
