//! Signed addresses: what a player follows, and what a thief makes of two of them.

use crate::support::World;

use super::tenant::Tenant;

/// What was asked for, and what came back.
pub(super) struct Seen {
    pub(super) path: String,
    pub(super) status: u16,
    pub(super) text: String,
}

/// The lines of a playlist that are addresses.
fn addresses(list: &str) -> impl Iterator<Item = &str> {
    list.lines().filter(|line| line.starts_with('/'))
}

async fn get(world: &World, path: &str) -> Seen {
    let answer = world.http.get(world.url(path)).send().await.unwrap();
    Seen {
        path: path.to_owned(),
        status: answer.status().as_u16(),
        text: String::from_utf8_lossy(&answer.bytes().await.unwrap()).into_owned(),
    }
}

/// What a player is shown that starts at a playback's answer: playlists, and every object in them.
pub(super) async fn watch(world: &World, playback: &str) -> Vec<Seen> {
    let playback: serde_json::Value = serde_json::from_str(playback).unwrap();
    let mut all = vec![get(world, playback["url"].as_str().unwrap()).await];
    let mut at = 0;
    while at < all.len() {
        for next in addresses(&all[at].text.clone()) {
            if all.iter().all(|seen| seen.path != next) {
                all.push(get(world, next).await);
            }
        }
        at += 1;
    }
    all
}

/// The addresses of one's stored footage: playlists, object, object in the store.
pub(super) async fn own(world: &World, tenant: &Tenant) -> Vec<String> {
    let (from, to) = tenant.footage;
    let path = format!(
        "/player-api/cameras/{}/playback?from={from}&to={to}",
        tenant.site.camera
    );
    let (status, playback) = world.call("GET", &path, &tenant.callers[0], None).await;
    assert_eq!(status, 200, "{playback}");
    let mut all: Vec<String> = Vec::new();
    for seen in watch(world, &playback.to_string()).await {
        assert_eq!(seen.status, 200, "{}: {}", seen.path, seen.text);
        if seen.path.starts_with("/footage/") {
            assert!(
                seen.text.as_bytes() == tenant.bytes,
                "the bytes of {}",
                tenant.mark
            );
        }
        all.push(seen.path);
    }
    let stored = get(world, &tenant.object).await;
    assert!(stored.status == 200 && stored.text.as_bytes() == tenant.bytes);
    all.push(stored.path);
    assert_eq!(all.len(), 4, "{all:?}");
    all
}

/// Every address that takes some of its parts from one and the others from the other.
pub(super) fn forged(mine: &str, theirs: &str) -> Vec<String> {
    let parts = |text: &str| -> Vec<String> {
        text.split_inclusive(['/', '?', '&', '='])
            .map(str::to_owned)
            .collect()
    };
    let (mine, theirs) = (parts(mine), parts(theirs));
    assert_eq!(mine.len(), theirs.len());
    let differing: Vec<usize> = (0..mine.len()).filter(|&at| mine[at] != theirs[at]).collect();
    assert!(differing.len() > 1, "{mine:?} {theirs:?}");
    let all = (1 << differing.len()) - 1;
    let mixed = (1..all).map(|set: usize| {
        let mut mixed = mine.clone();
        for (bit, at) in differing.iter().enumerate() {
            if set & (1 << bit) != 0 {
                mixed[*at].clone_from(&theirs[*at]);
            }
        }
        mixed.concat()
    });
    mixed.collect()
}

/// What the addresses that mix both show.
pub(super) async fn forge(world: &World, mine: &Tenant, theirs: &Tenant) -> Vec<Seen> {
    let (mine, theirs) = (own(world, mine).await, own(world, theirs).await);
    let mut all = Vec::new();
    for (mine, theirs) in mine.iter().zip(&theirs) {
        for path in forged(mine, theirs) {
            all.push(get(world, &path).await);
        }
    }
    all
}
