//! Playlists over HTTP.

use control_plane::app::playback::signer;
use control_plane::domain::signing::Grant;
use control_plane::state::now;
use wire::StreamKind;
use wire::UnixMs;
use wire::event::{Head, NodeEvent};

use crate::fixture::{Site, growing, hour_ago};
use crate::support::World;

#[tokio::test]
async fn stored_footage_plays_byte_for_byte_and_gaps_show() {
    let site = Site::new(World::without_bus().await).await;
    let start = hour_ago();
    let (first, first_bytes) = site.object(start, 10);
    let (second, second_bytes) = site.object(start.plus(80_000), 10);
    site.store(&first, first_bytes.clone()).await;
    site.store(&second, second_bytes.clone()).await;

    let (master, media) = site.playlists(start, Some(start.plus(600_000))).await;
    assert!(
        master.contains("CODECS=\"avc1.64001f\",RESOLUTION=1280x720,FRAME-RATE=15.000"),
        "{master}"
    );
    assert!(media.ends_with("#EXT-X-ENDLIST\n"));
    assert_eq!(media.matches("#EXT-X-MAP").count(), 1);
    assert_eq!(media.matches("#EXT-X-GAP").count(), 4);
    let mut played = Vec::new();
    let lines: Vec<&str> = media.lines().collect();
    for pair in lines.windows(2) {
        let Some((length, offset)) = pair[0]
            .strip_prefix("#EXT-X-BYTERANGE:")
            .and_then(|r| r.split_once('@'))
        else {
            continue;
        };
        let (length, offset): (u64, u64) = (length.parse().unwrap(), offset.parse().unwrap());
        let range = format!("bytes={offset}-{}", offset + length - 1);
        let (status, bytes) = site.range(pair[1], &range).await;
        assert_eq!((status, bytes.len() as u64), (206, length));
        if pair[1].starts_with("/footage/") {
            played.extend(bytes);
        } else {
            assert_eq!(bytes, b"\0\0\0\x08free");
        }
    }
    assert!(played == [&first_bytes[800..], &second_bytes[800..]].concat());
}

#[tokio::test]
async fn a_list_that_reaches_the_present_goes_on() {
    let site = Site::new(World::without_bus().await).await;
    let start = now().plus(-30_000);
    let (object, _) = site.object(start, 5);
    let heads = &site.world.server.state.heads;
    let put = |count| {
        heads.put(Head {
            camera: site.camera,
            stream: StreamKind::Main,
            node: site.node,
            objects: vec![growing(&object, count)],
        });
    };
    put(3);
    let (_, early) = site.playlists(start, None).await;
    assert!(!early.contains("ENDLIST") && early.contains("EVENT"), "{early}");
    put(4);
    let (_, late) = site.playlists(start, None).await;
    assert_eq!(late.strip_prefix(&early).unwrap().matches("#EXTINF").count(), 1);
    // Indexed meanwhile, and not twice although the head still has it.
    site.index(NodeEvent::ObjectSealed(object.clone())).await;
    let (_, last) = site.playlists(start, None).await;
    assert_eq!(last.strip_prefix(&late).unwrap().matches("#EXTINF").count(), 1);

    let path = format!("/api/v1/cameras/{}", site.camera);
    let off = serde_json::json!({"recording": false});
    site.world.call("PATCH", &path, &site.token, Some(off)).await;
    assert!(site.playlists(start, None).await.1.contains("ENDLIST"));
}

#[tokio::test]
async fn addresses_open_only_what_they_say() {
    let site = Site::new(World::without_bus().await).await;
    let start = hour_ago();
    let (object, bytes) = site.object(start, 2);
    site.store(&object, bytes).await;
    let path = site.api(&format!("playback?from={}&to={}", start.0, start.0 + 60_000));
    let (_, playback) = site.get(&path).await;
    let master = playback["url"].as_str().unwrap();
    let (_, media) = site.playlists(start, Some(start.plus(60_000))).await;
    let footage = media.lines().find(|line| line.starts_with("/footage/")).unwrap();
    let other = wire::CameraId::generate().to_string();
    let camera = site.camera.to_string();
    let from = format!("from={}", start.0);
    for (what, url) in [
        ("range", master.replace(&from, &format!("from={}", start.0 - 1))),
        ("longer range", master.replace("&to=", "&to=1&to=")),
        ("no end", master.replace(&format!("&to={}", start.0 + 60_000), "")),
        ("camera", master.replace(&camera, &other)),
        ("file", master.replace("master", "main")),
        ("no signature", master.split("&sig").next().unwrap().to_owned()),
        ("expiry", master.replace("exp=1", "exp=2")),
        ("footage of another camera", footage.replace(&camera, &other)),
        ("another object", footage.replace(&object.id.to_string(), &other)),
        (
            "a playlist's for footage",
            format!("/footage/{other}.mp4?{}", master.split_once('?').unwrap().1),
        ),
        ("nothing", footage.split('?').next().unwrap().to_owned()),
    ] {
        let answer = site.world.http.get(site.world.url(&url)).send().await.unwrap();
        let status = answer.status().as_u16();
        assert!([400, 403].contains(&status), "{what}: {status}");
        let code = answer.json::<serde_json::Value>().await.unwrap()["code"].clone();
        assert!(
            code == "signature_invalid" || code == "invalid_query",
            "{what}: {code}"
        );
    }
    let put = site
        .world
        .http
        .put(site.world.url(footage))
        .body("x")
        .send()
        .await
        .unwrap();
    assert_eq!(put.status(), 405);
}

#[tokio::test]
async fn an_expired_address_says_so() {
    let site = Site::new(World::without_bus().await).await;
    let (object, bytes) = site.object(hour_ago(), 2);
    site.store(&object, bytes).await;
    let path = format!("/footage/{}.mp4", object.id);
    let expires = UnixMs(now().0 - 1);
    let grant = Grant::Footage {
        camera: site.camera,
        object: object.id,
    };
    let sig = signer(&site.world.server.state).sign(&grant, &path, expires);
    let (status, problem) = site
        .get(&format!(
            "{path}?camera={}&exp={}&sig={sig}",
            site.camera, expires.0
        ))
        .await;
    assert_eq!((status, problem["code"].as_str()), (403, Some("address_expired")));
}

#[tokio::test]
async fn parts_of_an_object() {
    let site = Site::new(World::without_bus().await).await;
    let (object, bytes) = site.object(hour_ago(), 2);
    site.store(&object, bytes.clone()).await;
    let (_, media) = site.playlists(object.start, Some(object.end)).await;
    let url = media.lines().find(|line| line.starts_with("/footage/")).unwrap();
    for (range, status, part) in [
        ("bytes=0-0", 206, &bytes[..1]),
        ("bytes=-7", 206, &bytes[bytes.len() - 7..]),
        ("bytes=200000-999999999", 206, &bytes[200_000..]),
        ("bytes=junk", 200, &bytes[..]),
    ] {
        assert!(site.range(url, range).await == (status, part.to_vec()), "{range}");
    }
    assert_eq!(site.range(url, &format!("bytes={}-", bytes.len())).await.0, 416);
    let head = site.world.http.head(site.world.url(url)).send().await.unwrap();
    assert_eq!(head.headers()["content-length"], bytes.len().to_string());
    assert_eq!(head.headers()["accept-ranges"], "bytes");
}
