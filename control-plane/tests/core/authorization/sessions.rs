//! One's own sessions can be ended, and nobody else's, by whom ever and wherever.

use super::actors::{Actor, Actors};
use crate::support::World;

#[tokio::test]
async fn nobody_ends_a_session_of_somebody_else() {
    let world = World::without_bus().await;
    let actors = Actors::seed(&world).await;
    let mut tried = 0;
    for owner in Actor::ALL {
        let Some((id, token)) = actors.session(&world, owner).await else {
            continue;
        };
        let path = format!("/api/v1/me/sessions/{id}");
        for other in Actor::ALL
            .into_iter()
            .filter(|other| !actors.are_one(owner, *other))
        {
            let token = actors.token(other).map_or("", String::as_str);
            let (status, _) = world.call("DELETE", &path, token, None).await;
            let expected = match other {
                Actor::Nobody => 401,
                Actor::Key | Actor::BareKey | Actor::StrangerKey => 403,
                _ => 404,
            };
            assert_eq!(status, expected, "{other:?} ends a session of {owner:?}");
            tried += 1;
        }
        assert_eq!(
            world.call("GET", "/api/v1/me", &token, None).await.0,
            200,
            "{owner:?}"
        );
        let own = actors.token(owner).unwrap();
        assert_eq!(world.call("DELETE", &path, own, None).await.0, 204, "{owner:?}");
        assert_eq!(
            world.call("GET", "/api/v1/me", &token, None).await.0,
            401,
            "{owner:?}"
        );
        assert_eq!(
            world.call("GET", "/api/v1/me", own, None).await.0,
            200,
            "{owner:?}"
        );
    }
    assert!(tried > 150, "{tried}");
}
