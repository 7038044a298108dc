//! Records cameras that we did not write, and has FFmpeg judge the result.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod camera;
mod faults;
mod pictures;
mod proxy;
mod recording;
mod sound;
mod tools;
mod windows;

use std::path::Path;

use camera::{Auth, Camera};
use std::time::{Duration, Instant, SystemTime};

use gstreamer::prelude::*;
use media_core::facts::{AttemptEnd, CloseReason, SourceSpec, Track, Transport};
use media_core::{Engine, EngineConfig};
use recording::{Recording, quick, spec};

/// A description that streams a file.
fn stream(file: &Path, video: &str, audio: Option<&str>) -> String {
    let file = file.display();
    let mut launch = format!("filesrc location={file} ! qtdemux name=d d.video_0 ! queue ! {video}");
    if let Some(audio) = audio {
        launch.push_str(&format!(" d.audio_0 ! queue ! {audio}"));
    }
    launch
}

const H264: &str = "h264parse ! rtph264pay name=pay0 pt=96 config-interval=-1";
const AAC: &str = "aacparse ! rtpmp4gpay name=pay1 pt=97";
const H265: &str = "h265parse ! rtph265pay name=pay0 pt=96 config-interval=-1";

fn engine() -> Engine {
    Engine::new(EngineConfig::default()).unwrap()
}

/// Records about nine seconds and stops.
fn record(engine: &Engine, spec: SourceSpec) -> std::sync::Arc<Recording> {
    record_frames(engine, spec, 220)
}

fn record_frames(engine: &Engine, spec: SourceSpec, frames: u32) -> std::sync::Arc<Recording> {
    let recording = Recording::new();
    let attempt = engine.attempt(spec, quick(), recording.clone());
    recording.wait(40, "two objects", |said| {
        (said.objects.len() > 2 && said.frames() > frames).then_some(())
    });
    attempt.stop();
    assert_eq!(recording.end(5), AttemptEnd::Stopped);
    recording
}

/// What holds of every recording.
fn check(recording: &Recording, folder: &Path) {
    recording.look(|said| {
        let mut end_ms = 0;
        for (number, object) in said.objects.iter().enumerate() {
            let last = number + 1 == said.objects.len();
            assert_eq!(
                object.closed,
                Some(if last {
                    CloseReason::Session
                } else {
                    CloseReason::Target
                })
            );
            assert_eq!(object.continues, number > 0);
            assert_eq!(object.start_ms, object.chunks[0].start_ms);
            assert!(object.chunks[0].starts_segment);
            for chunk in &object.chunks {
                assert!(chunk.start_ms >= end_ms && chunk.end_ms > chunk.start_ms);
                assert!(chunk.end_ms - chunk.start_ms <= 1_000, "{chunk:?}");
                end_ms = chunk.end_ms;
            }
            let file = folder.join(format!("{number}.mp4"));
            object.write(&file);
            assert_eq!(tools::decode(&file), object.frames());
        }
        let all = said.write_all(&folder.join("all.mp4"));
        assert_eq!(tools::decode(&all), said.frames());
    });
}

#[test]
fn h264_by_tcp() {
    let folder = tempfile::tempdir().unwrap();
    let file = tools::encode(
        folder.path(),
        "in.mp4",
        &["-an", "-c:v", "libx264", "-bf", "0", "-preset", "veryfast"],
    );
    let camera = Camera::start(&stream(&file, H264, None), Auth::None);
    let recording = record(&engine(), spec(&camera.url()));
    check(&recording, folder.path());
    recording.look(|said| {
        assert_eq!(said.reader, Some("retina"));
        let Track::Video {
            codec, width, height, ..
        } = &said.objects[0].tracks[0]
        else {
            panic!("no video")
        };
        assert!(codec.starts_with("avc1.") && (*width, *height) == (320, 180));
    });
}

#[test]
fn h264_by_udp() {
    let folder = tempfile::tempdir().unwrap();
    let file = tools::encode(
        folder.path(),
        "in.mp4",
        &["-an", "-c:v", "libx264", "-bf", "0", "-preset", "veryfast"],
    );
    let camera = Camera::start(&stream(&file, H264, None), Auth::None);
    let recording = record(
        &engine(),
        SourceSpec {
            transport: Transport::Udp,
            ..spec(&camera.url())
        },
    );
    check(&recording, folder.path());
}

/// H.265 with pictures out of order and open GOPs, whose keyframes are CRA pictures.
#[test]
fn h265_with_open_gops() {
    let folder = tempfile::tempdir().unwrap();
    let params = "keyint=25:min-keyint=25:open-gop=1:bframes=2:scenecut=0:log-level=error";
    let codecs = [
        "-an",
        "-c:v",
        "libx265",
        "-preset",
        "ultrafast",
        "-x265-params",
        params,
        "-tag:v",
        "hvc1",
    ];
    let file = tools::encode(folder.path(), "in.mp4", &codecs);
    let camera = Camera::start(&stream(&file, H265, None), Auth::None);
    let recording = record(&engine(), spec(&camera.url()));
    recording.look(|said| {
        let all = said.write_all(&folder.path().join("all.mp4"));
        assert_eq!(tools::decode(&all), said.frames());
        assert!(said.objects.len() > 2, "cut at CRA pictures");
        let Track::Video { codec, .. } = &said.objects[0].tracks[0] else {
            panic!("no video")
        };
        assert!(codec.starts_with("hvc1."), "{codec}");
    });
}

/// The camera changes to another resolution in mid-stream.
#[test]
fn new_parameters_open_a_new_object() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("in.h264");
    let mut bytes = Vec::new();
    for size in ["320x180", "640x360"] {
        let part = folder.path().join("part.h264").display().to_string();
        let input = format!("testsrc2=size={size}:rate=25:duration=5");
        let encode = [
            "-v", "error", "-y", "-f", "lavfi", "-i", &input, "-pix_fmt", "yuv420p", "-g", "25",
        ];
        let codec = ["-c:v", "libx264", "-bf", "0", "-preset", "veryfast", &part];
        tools::quiet("ffmpeg", &[&encode[..], &codec[..]].concat());
        bytes.extend(std::fs::read(&part).unwrap());
    }
    std::fs::write(&file, bytes).unwrap();
    let launch = format!("filesrc location={} ! {H264}", file.display());
    let camera = Camera::start(&launch, Auth::None);
    let recording = Recording::new();
    let attempt = engine().attempt(spec(&camera.url()), quick(), recording.clone());
    recording.wait(30, "the other resolution", |said| {
        let wide = |track: &Track| matches!(track, Track::Video { width: 640, .. });
        said.objects
            .iter()
            .any(|object| object.tracks.iter().any(wide) && object.frames() > 50)
            .then_some(())
    });
    attempt.stop();
    recording.end(5);
    recording.look(|said| {
        let at = said
            .objects
            .iter()
            .position(|object| object.closed == Some(CloseReason::Parameters))
            .unwrap();
        let (before, after) = (&said.objects[at], &said.objects[at + 1]);
        assert!(after.continues && before.init != after.init);
        assert_eq!(
            before.chunks.last().unwrap().end_ms,
            after.start_ms,
            "nothing is lost between"
        );
        for object in &said.objects {
            let file = folder.path().join("out.mp4");
            object.write(&file);
            assert_eq!(tools::decode(&file), object.frames());
        }
        let before: u32 = said.objects[..=at].iter().map(|object| object.frames()).sum();
        assert_eq!(before, 125, "every picture of the first resolution");
    });
}

#[test]
fn rtsps_with_a_certificate_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let (key, pem) = (folder.path().join("key.pem"), folder.path().join("all.pem"));
    let (key_name, pem_name) = (key.display().to_string(), pem.display().to_string());
    let request = [
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        "/CN=elsewhere",
        "-days",
        "1",
    ];
    let mut openssl = std::process::Command::new("openssl");
    let made = openssl
        .args(request)
        .args(["-keyout", &key_name, "-out", &pem_name])
        .output();
    assert!(made.unwrap().status.success());
    let both = [std::fs::read(&key).unwrap(), std::fs::read(&pem).unwrap()].concat();
    std::fs::write(&pem, both).unwrap();
    let file = tools::encode(
        folder.path(),
        "in.mp4",
        &["-an", "-c:v", "libx264", "-bf", "0", "-preset", "veryfast"],
    );
    let camera = Camera::start_with(&stream(&file, H264, None), Auth::None, Some(&pem));
    let recording = record(&engine(), spec(&camera.url().replace("rtsp:", "rtsps:")));
    check(&recording, folder.path());
    recording.look(|said| assert_eq!(said.reader, Some("rtspsrc")));
}

/// The capture time, the fan-out, the figures and the probe.
#[test]
fn times_figures_and_probe() {
    let folder = tempfile::tempdir().unwrap();
    let file = tools::encode(
        folder.path(),
        "in.mp4",
        &["-c:v", "libx264", "-bf", "0", "-c:a", "aac"],
    );
    let camera = Camera::start(&stream(&file, H264, Some(AAC)), Auth::None);
    let engine = engine();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let report = runtime
        .block_on(engine.probe(spec(&camera.url()), Duration::from_secs(10)))
        .unwrap();
    assert_eq!(report.tracks.len(), 2, "{report:?}");
    let Track::Video { fps, .. } = report.tracks[0] else {
        panic!("no video")
    };
    assert!((24.0..26.0).contains(&fps), "{fps}");
    assert!(
        report.clock_offset_ms.is_some_and(|ms| ms.abs() < 100),
        "{report:?}"
    );
    let interval = report.keyframe_interval.unwrap();
    assert!((900..1100).contains(&interval.as_millis()), "{interval:?}");

    let recording = Recording::new();
    let attempt = engine.attempt(spec(&camera.url()), quick(), recording.clone());
    let mut units = attempt.subscribe();
    let first = runtime.block_on(units.recv()).unwrap();
    assert!(first.keyframe);
    let mut last = first.dts_ns;
    for _ in 0..150 {
        let unit = runtime.block_on(units.recv()).unwrap();
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap()
            .as_nanos() as i64;
        if unit.params.is_video() {
            let late_ms = (now - unit.pts_ns) / 1_000_000;
            assert!((-100..1_000).contains(&late_ms), "captured {late_ms} ms ago");
            assert!(unit.dts_ns > last);
            last = unit.dts_ns;
        }
    }
    let gop = attempt.last_gop().unwrap();
    assert!(gop.units[0].keyframe && gop.units.len() < 100);
    // The camera's clock is known with its first report, which may take some seconds.
    let deadline = Instant::now() + Duration::from_secs(30);
    while attempt.stats().clock_offset_ms.is_none() && Instant::now() < deadline {
        runtime.block_on(units.recv()).unwrap();
    }
    let stats = attempt.stats();
    assert!(
        stats.frames > 50 && stats.packet_age.unwrap() < Duration::from_secs(1),
        "{stats:?}"
    );
    assert!(
        stats.clock_offset_ms.is_some_and(|ms| ms.abs() < 100),
        "{stats:?}"
    );
    drop(attempt);
    assert_eq!(recording.end(5), AttemptEnd::Stopped);
    while runtime.block_on(units.recv()).is_some() {}
}

/// The muxer is an element like others.
#[test]
fn muxes_in_any_pipeline() {
    media_core::init().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = tools::encode(folder.path(), "in.mp4", &["-an", "-c:v", "libx264", "-bf", "2"]);
    let out = folder.path().join("out.mp4");
    let launch = format!(
        "filesrc location={} ! qtdemux name=d d.video_0 ! queue ! h264parse ! ccfmp4mux object-target=600000000000 ! \
         filesink location={}",
        file.display(),
        out.display()
    );
    let pipeline = gstreamer::parse::launch(&launch).unwrap();
    pipeline.set_state(gstreamer::State::Playing).unwrap();
    let wanted = [gstreamer::MessageType::Eos, gstreamer::MessageType::Error];
    let message = pipeline
        .bus()
        .unwrap()
        .timed_pop_filtered(gstreamer::ClockTime::from_seconds(20), &wanted);
    assert!(matches!(message.unwrap().view(), gstreamer::MessageView::Eos(_)));
    pipeline.set_state(gstreamer::State::Null).unwrap();
    assert_eq!(tools::decode(&out), 500);
}
