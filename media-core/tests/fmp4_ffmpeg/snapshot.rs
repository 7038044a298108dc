//! Snapshots of keyframes, judged by FFmpeg.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use media_core::fmp4::VideoTrack;
use media_core::snapshot::{Snapshot, SnapshotError, SnapshotLimits};
use media_core::{AccessUnit, CodecParams, Engine, EngineConfig};

use crate::START_NS;
use crate::tools::{encode, find_box, packets, tool};

const LIMITS: SnapshotLimits = SnapshotLimits {
    max_width: 1920,
    max_bytes: 512 * 1024,
    time: Duration::from_secs(20),
};

fn keyframe(file: &Path, kind: &[u8; 4]) -> AccessUnit {
    let configuration = find_box(file, kind);
    let track = match kind {
        b"avcC" => VideoTrack::from_avcc(&configuration),
        _ => VideoTrack::from_hvcc(&configuration),
    };
    let packet = packets(file, "v", 1_000).into_iter().next().unwrap();
    assert!(packet.keyframe);
    AccessUnit {
        pts_ns: START_NS,
        dts_ns: START_NS,
        uncertainty_ns: 0,
        keyframe: true,
        discontinuity: false,
        lost_packets: 0,
        bytes: packet.data,
        params: Arc::new(CodecParams::Video(track.unwrap())),
    }
}

fn snapshot(unit: &AccessUnit, limits: SnapshotLimits) -> Result<Snapshot, SnapshotError> {
    let engine = Engine::new(EngineConfig::default()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.unwrap().block_on(engine.snapshot(unit.clone(), limits))
}

/// What ffprobe says of it: codec, width, height, mean luma.
fn judge(folder: &Path, snapshot: &Snapshot) -> (String, f64) {
    let file = folder.join("snapshot.jpg");
    std::fs::write(&file, &snapshot.jpeg).unwrap();
    // A warning would not do: FFmpeg 5.1 has one for small plain pictures of every JPEG encoder.
    let entries = [
        "-v",
        "error",
        "-show_entries",
        "stream=codec_name,width,height",
        "-of",
        "csv=p=0",
    ];
    let said = tool("ffprobe", &entries, &file);
    let stats = "signalstats,metadata=print:key=lavfi.signalstats.YAVG:file=-";
    let input = file.to_string_lossy();
    let arguments = ["-v", "error", "-i", &*input, "-vf", stats, "-f", "null"];
    let luma = tool("ffmpeg", &arguments, Path::new("-"));
    let luma = luma.trim().rsplit('=').next().unwrap().parse().unwrap();
    (said.trim().to_owned(), luma)
}

#[test]
fn a_keyframe_of_either_codec_becomes_a_jpeg_of_the_asked_size() {
    for (codec, kind) in [("libx264", b"avcC"), ("libx265", b"hvcC")] {
        let folder = tempfile::tempdir().unwrap();
        let white = [
            "-vf",
            "drawbox=color=white:t=fill",
            "-c:v",
            codec,
            "-x265-params",
            "log-level=error",
        ];
        let quiet = if codec == "libx265" {
            &white[..]
        } else {
            &white[..4]
        };
        let unit = keyframe(&encode(folder.path(), quiet, false), kind);
        let whole = snapshot(&unit, LIMITS).unwrap();
        assert_eq!(whole.captured_ms, START_NS / 1_000_000);
        let (said, luma) = judge(folder.path(), &whole);
        assert_eq!(said, "mjpeg,320,180", "never wider than it was sent");
        assert!(luma > 250.0, "white is {luma}: the range of the video was kept");
        let small = snapshot(
            &unit,
            SnapshotLimits {
                max_width: 161,
                ..LIMITS
            },
        )
        .unwrap();
        assert_eq!((small.width, small.height), (160, 90));
        assert_eq!(judge(folder.path(), &small).0, "mjpeg,160,90");
    }
}

#[test]
fn a_picture_gives_way_until_it_fits_or_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let unit = keyframe(&encode(folder.path(), &["-c:v", "libx264"], false), b"avcC");
    let whole = snapshot(&unit, LIMITS).unwrap().jpeg.len();
    let tight = SnapshotLimits {
        max_bytes: whole / 3,
        ..LIMITS
    };
    let fitted = snapshot(&unit, tight).unwrap();
    assert!(fitted.jpeg.len() <= whole / 3);
    assert_eq!(
        judge(folder.path(), &fitted).0,
        format!("mjpeg,{},{}", fitted.width, fitted.height)
    );
    let hopeless = SnapshotLimits {
        max_bytes: 100,
        ..LIMITS
    };
    assert_eq!(snapshot(&unit, hopeless).unwrap_err(), SnapshotError::TooLarge);
    let late = SnapshotLimits {
        time: Duration::ZERO,
        ..LIMITS
    };
    assert_eq!(snapshot(&unit, late).unwrap_err(), SnapshotError::Busy);
}

#[test]
fn garbage_is_no_picture_and_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    let unit = keyframe(&encode(folder.path(), &["-c:v", "libx264"], false), b"avcC");
    for bytes in [
        Vec::new(),
        vec![0; 5_000],
        vec![0, 0, 0, 40, 0x65, 1, 2, 3],
        (0..200).collect(),
    ] {
        let bad = AccessUnit {
            bytes: bytes.into(),
            ..unit.clone()
        };
        let error = snapshot(&bad, LIMITS).unwrap_err();
        assert!(matches!(error, SnapshotError::Undecodable(_)), "{error}");
    }
}
