//! The database.

use control_plane::store::{Store, StoreError, down_and_up_again, users};

use crate::support::database;

#[tokio::test]
async fn migrations_go_down_and_up_again() {
    let dir = tempfile::tempdir().unwrap();
    for url in [
        format!("sqlite:{}", dir.path().join("x.sqlite").display()),
        database::postgres(),
    ] {
        let store = Store::open(&url).unwrap();
        store.read(down_and_up_again).await.unwrap();
        assert!(!store.read(users::any).await.unwrap());
        drop(store);
        Store::open(&url).unwrap();
    }
}

#[test]
fn addresses_that_name_no_database() {
    for url in ["", "sqlite:", "postgres://", "mysql://x"] {
        assert!(matches!(Store::open(url), Err(StoreError::Broken(_))), "{url}");
    }
    let secret = "postgres://cloudcam:hunter2@127.0.0.1:1/x";
    let Err(StoreError::Unavailable(text)) = Store::open(secret) else {
        panic!("nobody listens there");
    };
    assert!(!text.contains("hunter2"), "{text}");
}
