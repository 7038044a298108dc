//! The file store: what it holds, and what it refuses.

use sha2::{Digest, Sha256};
use url::Url;
use wire::UnixMs;

use super::*;

const KEY: &str = "o/c/main/2026/01/31/x.mp4";

fn store(dir: &std::path::Path) -> FileStore {
    let base = Url::parse("http://127.0.0.1:1/").unwrap();
    FileStore::open(dir.join("objects"), base, Arc::new(Secrets::ephemeral().unwrap())).unwrap()
}

async fn put(store: &FileStore, key: &str, body: &[u8], promised: &[u8]) -> Result<(), PutError> {
    let sha256 = Sha256::digest(promised).into();
    let mut incoming = store.begin(key, promised.len() as u64, sha256).await?;
    for chunk in body.chunks(7) {
        incoming.write(chunk).await?;
    }
    incoming.commit().await
}

fn files(dir: &std::path::Path) -> usize {
    std::fs::read_dir(dir.join("objects/.incoming")).unwrap().count()
}

#[tokio::test]
async fn holds_what_was_promised_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    let body = b"forty bytes of footage, more or less ...";
    assert!(matches!(
        put(&store, KEY, b"forty", body).await,
        Err(PutError::Length)
    ));
    assert!(matches!(
        put(&store, KEY, &[&body[..], b"!"].concat(), body).await,
        Err(PutError::Length)
    ));
    assert!(matches!(
        put(&store, KEY, &[b'x'; 40], body).await,
        Err(PutError::Digest)
    ));
    assert_eq!((store.head(KEY).await.unwrap(), files(dir.path())), (None, 0));

    put(&store, KEY, body, body).await.unwrap();
    let held = HeldObject {
        bytes: 40,
        sha256: Sha256::digest(body).into(),
    };
    assert_eq!(store.head(KEY).await.unwrap(), Some(held));
    assert!(matches!(
        put(&store, KEY, b"other", b"other").await,
        Err(PutError::Exists)
    ));
    assert_eq!(store.head(KEY).await.unwrap(), Some(held));
    assert_eq!(files(dir.path()), 0);
}

#[tokio::test]
async fn the_slower_of_two_puts_loses() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    let sha256 = Sha256::digest(b"a").into();
    let mut first = store.begin(KEY, 1, sha256).await.unwrap();
    let mut second = store.begin(KEY, 1, sha256).await.unwrap();
    first.write(b"a").await.unwrap();
    second.write(b"a").await.unwrap();
    first.commit().await.unwrap();
    assert!(matches!(second.commit().await, Err(PutError::Exists)));
}

#[tokio::test]
async fn lists_in_order_and_deletes() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    for key in ["b/2", "a/x/1", "a/1", "a-b/1", "a/x/2"] {
        put(&store, key, b"x", b"x").await.unwrap();
    }
    let list =
        async |prefix: &str, after: Option<&str>, limit| store.list(prefix, after, limit).await.unwrap();
    assert_eq!(
        list("", None, 10).await,
        ["a-b/1", "a/1", "a/x/1", "a/x/2", "b/2"]
    );
    assert_eq!(list("a/", None, 2).await, ["a/1", "a/x/1"]);
    assert_eq!(list("a/", Some("a/x/1"), 2).await, ["a/x/2"]);
    assert!(store.delete("a/1").await.unwrap());
    assert!(!store.delete("a/1").await.unwrap());
    assert_eq!(list("a/x", None, 10).await, ["a/x/1", "a/x/2"]);
    assert!(store.delete("a/x/1").await.unwrap());
    assert!(dir.path().join("objects/a/x").is_dir(), "not empty yet");
    assert!(store.delete("a/x/2").await.unwrap());
    assert!(!dir.path().join("objects/a").exists(), "empty folders go");
    assert!(dir.path().join("objects/b/2").is_file());
    put(&store, "a/x/1", b"x", b"x").await.unwrap();
}

#[tokio::test]
async fn closed_for_maintenance_is_not_empty() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    put(&store, KEY, b"x", b"x").await.unwrap();
    let flag = dir.path().join("objects/maintenance");
    std::fs::write(&flag, "").unwrap();
    assert!(store.head(KEY).await.is_err());
    assert!(matches!(
        put(&store, "a/b", b"x", b"x").await,
        Err(PutError::Failed(_))
    ));
    std::fs::remove_file(flag).unwrap();
    assert!(store.head(KEY).await.unwrap().is_some());
}

#[tokio::test]
async fn half_written_bodies_go_at_start() {
    let dir = tempfile::tempdir().unwrap();
    drop(store(dir.path()));
    std::fs::write(dir.path().join("objects/.incoming/left"), "x").unwrap();
    let store = store(dir.path());
    assert_eq!(files(dir.path()), 0);
    assert_eq!(store.list("", None, 9).await.unwrap(), Vec::<String>::new());
}

#[test]
fn addresses_are_stable_for_a_while_and_secret_in_debug() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    let signed = |now| store.sign_put(KEY, 9, &[2; 32], UnixMs(now)).unwrap();
    assert_eq!(signed(60_001), signed(120_000));
    assert_ne!(signed(60_000), signed(60_001));
    assert!(!format!("{:?} {store:?}", signed(1)).contains("sig="));
}
