//! FFmpeg as a player of what the server serves: real footage, a gap, not one warning.

use std::path::Path;

use sha2::{Digest, Sha256};
use tokio::process::Command;
use wire::media::Init;
use wire::{Segment, SegmentTable, UnixMs};

use crate::fixture::{Site, hour_ago};
use crate::support::World;

const FRAGMENT_MS: i64 = 2_000;

/// 12 s of fragmented MP4, a fragment each 2 s.
async fn footage(dir: &Path) -> Vec<u8> {
    let path = dir.join("x.mp4");
    let output = Command::new("ffmpeg")
        .args([
            "-v",
            "error",
            "-f",
            "lavfi",
            "-i",
            "testsrc=s=320x240:r=15:d=12",
            "-c:v",
            "libx264",
        ])
        .args([
            "-g",
            "30",
            "-sc_threshold",
            "0",
            "-bf",
            "0",
            "-pix_fmt",
            "yuv420p",
            "-use_editlist",
            "0",
        ])
        .args(["-movflags", "+frag_keyframe+empty_moov+default_base_moof"])
        .arg(&path)
        .output()
        .await
        .expect("ffmpeg must be installed");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    std::fs::read(path).unwrap()
}

/// Kind, start and end of the boxes in `bytes[start..end]`.
fn boxes(bytes: &[u8], mut start: usize, end: usize) -> Vec<(&[u8], usize, usize)> {
    let mut out = Vec::new();
    while start < end {
        let length = u32::from_be_bytes(bytes[start..start + 4].try_into().unwrap()) as usize;
        out.push((&bytes[start + 4..start + 8], start, start + length));
        start += length;
    }
    out
}

fn inside(bytes: &[u8], outer: (usize, usize), kind: &[u8]) -> (usize, usize) {
    let found = boxes(bytes, outer.0 + 8, outer.1);
    let (_, start, end) = found.iter().find(|(one, ..)| *one == kind).unwrap();
    (*start, *end)
}

/// Moves the media timeline to `start`, as recordings have it; where the init ends, and the fragments.
fn move_to(bytes: &mut Vec<u8>, start: UnixMs) -> (usize, Vec<(usize, usize)>) {
    let top: Vec<(Vec<u8>, usize, usize)> = boxes(bytes, 0, bytes.len())
        .into_iter()
        .map(|(kind, start, end)| (kind.to_vec(), start, end))
        .collect();
    let find = |kind: &[u8]| {
        top.iter()
            .filter(|one| one.0 == kind)
            .map(|one| (one.1, one.2))
            .collect::<Vec<_>>()
    };
    let (moov, moofs, mdats) = (find(b"moov")[0], find(b"moof"), find(b"mdat"));
    let media = inside(bytes, inside(bytes, moov, b"trak"), b"mdia");
    let header = inside(bytes, media, b"mdhd").0;
    let timescale = u32::from_be_bytes(bytes[header + 20..header + 24].try_into().unwrap());
    for moof in &moofs {
        let tfdt = inside(bytes, inside(bytes, *moof, b"traf"), b"tfdt").0;
        assert_eq!(bytes[tfdt + 8], 1, "64 bits");
        let time: &mut [u8] = &mut bytes[tfdt + 12..tfdt + 20];
        let moved =
            u64::from_be_bytes((&*time).try_into().unwrap()) + start.0 as u64 * u64::from(timescale) / 1000;
        time.copy_from_slice(&moved.to_be_bytes());
    }
    let fragments: Vec<_> = moofs
        .iter()
        .zip(mdats)
        .map(|(moof, mdat)| (moof.0, mdat.1))
        .collect();
    bytes.truncate(fragments.last().unwrap().1);
    (moov.1, fragments)
}

/// Indexes and stores the footage as one object from `start` on, with a segment for three fragments.
async fn record(site: &Site, mut bytes: Vec<u8>, start: UnixMs) {
    let (init, fragments) = move_to(&mut bytes, start);
    let segments = fragments.chunks(3).enumerate().map(|(index, run)| Segment {
        offset: run[0].0 as u64,
        length: u32::try_from(run.last().unwrap().1 - run[0].0).unwrap(),
        start: start.plus(index as i64 * 3 * FRAGMENT_MS),
        duration_ms: u32::try_from(run.len() as i64 * FRAGMENT_MS).unwrap(),
    });
    let (mut object, _) = site.object(start, 1);
    object.segments = SegmentTable(segments.collect());
    object.end = start.plus(12_000);
    object.bytes = bytes.len() as u64;
    object.sha256 = hex::encode(Sha256::digest(&bytes));
    object.init = Init {
        length: u32::try_from(init).unwrap(),
        digest: hex::encode(&Sha256::digest(&bytes[..init])[..16]),
    };
    site.store(&object, bytes).await;
}

#[tokio::test]
async fn ffmpeg_plays_over_a_gap_without_a_warning() {
    let site = Site::new(World::without_bus().await).await;
    let bytes = footage(site.world.dir.path()).await;
    let start = hour_ago();
    for offset_ms in [0, 12_000, 40_000] {
        record(&site, bytes.clone(), start.plus(offset_ms)).await;
    }
    let path = site.api(&format!("playback?from={}&to={}", start.0, start.0 + 600_000));
    let (_, playback) = site.get(&path).await;
    let url = site.world.url(playback["url"].as_str().unwrap());
    let output = Command::new("ffmpeg")
        .args([
            "-hide_banner",
            "-nostats",
            "-v",
            "warning",
            "-i",
            &url,
            "-f",
            "framecrc",
            "-fps_mode",
            "passthrough",
            "-",
        ])
        .output()
        .await
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let frames = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        frames.lines().filter(|line| !line.starts_with('#')).count(),
        3 * 12 * 15
    );
}
