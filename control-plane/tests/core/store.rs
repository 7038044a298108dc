//! The database file.

use control_plane::store::{Store, down_and_up_again, users};

#[tokio::test]
async fn migrations_go_down_and_up_again() {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", dir.path().join("x.sqlite").display());
    let store = Store::open(&url).unwrap();
    store.read(down_and_up_again).await.unwrap();
    assert!(!store.read(users::any).await.unwrap());
    drop(store);
    Store::open(&url).unwrap();
}

#[test]
fn only_sqlite_yet() {
    for url in ["", "sqlite:", "postgres://x", "mysql://x"] {
        assert!(Store::open(url).is_err(), "{url}");
    }
}
