//! Addresses that work without a session: unsigned, signed, tampered, expired, signed for something else.
//! The answers are the reviewed table `addresses.txt`; its rows are the routes that no list of routes has.

use std::fmt::Write as _;
use std::sync::Arc;

use control_plane::domain::signing::Grant;
use control_plane::objects::key_of;
use control_plane::state::now;
use sha2::{Digest, Sha256};
use wire::event::SealedObject;
use wire::{OrganizationId, StreamKind, UnixMs};

use crate::footage::{Site, hour_ago};
use crate::people::organization_of;
use crate::support::World;

const TABLE: &str = include_str!("addresses.txt");
const HOW: [&str; 6] = ["bare", "token", "signed", "tampered", "expired", "other"];
const BODY: &[u8] = b"some bytes";

struct Signed {
    site: Site,
    organization: OrganizationId,
    /// Two objects: the one that is asked for, and another.
    objects: [SealedObject; 2],
    /// A camera without footage.
    other: Site,
}

impl Signed {
    async fn new() -> Self {
        let world = Arc::new(World::without_bus().await);
        let token = world.sign_in().await;
        let organization = organization_of(&world, &token).await;
        let site = Site::of(world.clone(), token.clone(), "Door").await;
        let other = Site::of(world, token, "Gate").await;
        let (first, bytes) = site.object(hour_ago(), 1);
        site.store(&first, bytes).await;
        let (second, bytes) = site.object(hour_ago().plus(60_000), 1);
        site.store(&second, bytes).await;
        Self {
            site,
            organization,
            objects: [first, second],
            other,
        }
    }

    /// Path, query and signature of an address, rightly signed for one object or the other.
    fn address(&self, method: &str, path: &str, which: usize, expires: UnixMs) -> (String, String, String) {
        let signer = self.site.world.server.state.secrets.keys().signer();
        let (organization, object) = (self.organization, &self.objects[which]);
        let camera = if which == 0 {
            self.site.camera
        } else {
            self.other.camera
        };
        let exp = expires.0;
        if let Some(file) = path.strip_prefix("/playlist/{camera}/") {
            let path = format!("/playlist/{camera}/{file}");
            let (from, to) = (self.objects[0].start, Some(self.objects[0].end));
            let grant = Grant::Playlist {
                organization,
                camera,
                from,
                to,
            };
            let query = format!(
                "org={organization}&from={}&to={}&exp={exp}",
                from.0, self.objects[0].end.0
            );
            let sig = signer.sign(&grant, &path, expires);
            return (path, query, sig);
        }
        if path.starts_with("/footage/") {
            let (camera, object) = (self.site.camera, object.id);
            let path = format!("/footage/{object}.mp4");
            let sig = signer.sign(&Grant::Footage { camera, object }, &path, expires);
            return (path, format!("camera={camera}&exp={exp}"), sig);
        }
        if path.starts_with("/objects/") {
            return self.stored(method, which, expires);
        }
        (path.to_owned(), format!("exp={exp}"), "x".repeat(24))
    }

    fn stored(&self, method: &str, which: usize, expires: UnixMs) -> (String, String, String) {
        let signer = self.site.world.server.state.secrets.keys().signer();
        let object = &self.objects[which];
        let main = StreamKind::Main;
        let key = key_of(self.organization, self.site.camera, main, object.start, object.id);
        if method != "PUT" {
            let path = format!("/objects/{key}");
            let sig = signer.sign(&Grant::Get { key: &key }, &path, expires);
            return (path, format!("exp={}", expires.0), sig);
        }
        let (key, sha256) = (format!("{key}.new"), Sha256::digest(BODY).into());
        let grant = Grant::Put {
            key: &key,
            bytes: BODY.len() as u64,
            sha256: &sha256,
        };
        let path = format!("/objects/{key}");
        let sig = signer.sign(&grant, &path, expires);
        let query = format!(
            "length={}&sha256={}&exp={}",
            BODY.len(),
            hex::encode(sha256),
            expires.0
        );
        (path, query, sig)
    }

    async fn ask(&self, method: &str, row: &str, how: &str) -> u16 {
        let later = now().plus(3_600_000);
        let expires = if how == "expired" {
            now().plus(-1_000)
        } else {
            later
        };
        let (path, query, sig) = self.address(method, row, 0, expires);
        let sig = match how {
            "tampered" => {
                let last = if sig.ends_with('A') { 'B' } else { 'A' };
                format!("{}{last}", &sig[..sig.len() - 1])
            }
            "other" => self.address(method, row, 1, expires).2,
            _ => sig,
        };
        let address = match how {
            "bare" | "token" => path,
            _ => format!("{path}?{query}&sig={sig}"),
        };
        let world = &self.site.world;
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        let mut request = http.request(method.parse().unwrap(), world.url(&address));
        if how == "token" {
            request = request.bearer_auth(&self.site.token);
        }
        if method == "PUT" {
            request = request.body(BODY);
        }
        request.send().await.unwrap().status().as_u16()
    }
}

#[tokio::test]
async fn addresses_answer_as_reviewed_without_a_session() {
    let signed = Signed::new().await;
    let mut report = String::new();
    let lines = TABLE
        .lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    for line in lines {
        let mut words = line.split_whitespace();
        let (method, path) = (words.next().unwrap(), words.next().unwrap());
        let reviewed: Vec<u16> = words.map(|word| word.parse().unwrap()).collect();
        let mut answered = Vec::new();
        for how in HOW {
            answered.push(signed.ask(method, path, how).await);
        }
        if answered != reviewed {
            let _ = writeln!(
                report,
                "{method} {path}\n  reviewed {reviewed:?}\n  answered {answered:?}"
            );
        }
    }
    assert!(
        report.is_empty(),
        "answers that nobody reviewed ({HOW:?}):\n{report}"
    );
}
