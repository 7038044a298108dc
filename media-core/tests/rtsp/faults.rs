//! What goes wrong with cameras, and what the failure is called.

use std::time::{Duration, Instant};

use media_core::Engine;
use media_core::facts::{AttemptEnd, CloseReason, Failure, Reader, RecordSettings, SourceSpec};

use crate::camera::{Auth, Camera, PASSWORD};
use crate::proxy::{self, Mode, Proxy};
use crate::recording::{Recording, credentials, quick, spec};
use crate::{AAC, H264, engine, stream, tools};

fn camera(folder: &std::path::Path, auth: Auth) -> Camera {
    let codecs = ["-an", "-c:v", "libx264", "-bf", "0", "-preset", "ultrafast"];
    Camera::start(
        &stream(&tools::encode(folder, "in.mp4", &codecs), H264, None),
        auth,
    )
}

/// The end of an attempt that is not stopped.
fn end(engine: &Engine, spec: SourceSpec, limit_s: u64) -> AttemptEnd {
    let recording = Recording::new();
    let attempt = engine.attempt(spec, quick(), recording.clone());
    let end = recording.end(limit_s);
    drop(attempt);
    end
}

fn failure(engine: &Engine, spec: SourceSpec, limit_s: u64) -> Failure {
    match end(engine, spec, limit_s) {
        AttemptEnd::Failed(failure) => failure,
        other => panic!("it ended with {other:?}"),
    }
}

#[test]
fn credentials_and_paths() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine();
    for auth in [Auth::Basic, Auth::Digest] {
        let camera = camera(folder.path(), auth);
        for reader in [Reader::Auto, Reader::Rtspsrc] {
            let with = |password| SourceSpec {
                credentials: password,
                reader,
                ..spec(&camera.url())
            };
            assert_eq!(
                failure(&engine, with(None), 10),
                Failure::Unauthorized,
                "{auth:?} {reader:?}"
            );
            assert_eq!(
                failure(&engine, with(credentials("wrong")), 10),
                Failure::Unauthorized,
                "{auth:?} {reader:?}"
            );
            let recording = Recording::new();
            let attempt = engine.attempt(with(credentials(PASSWORD)), quick(), recording.clone());
            recording.wait(15, "a chunk", |said| (said.frames() > 0).then_some(()));
            attempt.stop();
            assert_eq!(recording.end(5), AttemptEnd::Stopped);
        }
    }
    let camera = camera(folder.path(), Auth::None);
    for reader in [Reader::Auto, Reader::Rtspsrc] {
        let wrong = SourceSpec {
            reader,
            ..spec(&camera.url().replace("/cam", "/none"))
        };
        assert_eq!(failure(&engine, wrong, 10), Failure::NotFound, "{reader:?}");
        let nobody = SourceSpec {
            reader,
            ..spec(&proxy::nobody())
        };
        let failure = failure(&engine, nobody, 10);
        assert!(
            matches!(failure, Failure::Unreachable(_)),
            "{reader:?} {failure:?}"
        );
    }
}

#[test]
fn no_server_of_rtsp() {
    let engine = engine();
    let before = Instant::now();
    let silent = failure(&engine, spec(&proxy::answer(b"")), 12);
    assert!(matches!(silent, Failure::Unreachable(_)), "{silent:?}");
    assert!(before.elapsed() < Duration::from_secs(12));
    for noise in [
        &b"HTTP/1.1 200 OK\r\n\r\n"[..],
        b"\x00\xff\x80garbage\r\n\r\n",
        b"$$$$$$$$$$",
        b"RTSP/1.0 200 OK\r\n\r\n",
    ] {
        let garbage = failure(&engine, spec(&proxy::answer(noise)), 25);
        assert!(
            matches!(
                garbage,
                Failure::Invalid(_) | Failure::Unreachable(_) | Failure::Lost(_)
            ),
            "{:?}: {garbage:?}",
            String::from_utf8_lossy(noise)
        );
    }
    for bad in [
        "http://127.0.0.1/",
        "file:///etc/passwd",
        "rtsp:///cam",
        "rtsp://user:secret@127.0.0.1:1/cam",
    ] {
        let Ok(url) = bad.parse() else { continue };
        let refused = failure(
            &engine,
            SourceSpec {
                url,
                ..spec("rtsp://x/")
            },
            10,
        );
        assert!(!format!("{refused:?}").contains("secret"), "{refused:?}");
    }
}

#[test]
fn a_bad_network_hurts_one_camera_alone() {
    let folder = tempfile::tempdir().unwrap();
    let camera = camera(folder.path(), Auth::None);
    let engine = engine();
    let healthy = Recording::new();
    let other = engine.attempt(spec(&camera.url()), quick(), healthy.clone());
    for (mode, reader) in [
        (Mode::Cut, Reader::Auto),
        (Mode::Stall, Reader::Auto),
        (Mode::Trickle, Reader::Auto),
        (Mode::Garbage, Reader::Retina),
        (Mode::Cut, Reader::Rtspsrc),
    ] {
        let proxy = Proxy::start(camera.port);
        let recording = Recording::new();
        let attempt = engine.attempt(
            SourceSpec {
                reader,
                ..spec(&proxy.url())
            },
            quick(),
            recording.clone(),
        );
        recording.wait(15, "a chunk", |said| (said.frames() > 0).then_some(()));
        proxy.set(mode);
        let failure = recording.end(10);
        let right = matches!(
            (&failure, mode),
            (AttemptEnd::Failed(Failure::Lost(_)), Mode::Cut)
                | (
                    AttemptEnd::Failed(Failure::Silent(_)),
                    Mode::Stall | Mode::Trickle | Mode::Garbage
                )
                | (AttemptEnd::Failed(Failure::Invalid(_)), Mode::Garbage)
        );
        assert!(right, "{mode:?} {reader:?}: {failure:?}");
        // What came before the fault is whole.
        recording.look(|said| {
            let file = folder.path().join("cut.mp4");
            said.objects[0].write(&file);
            assert_eq!(tools::decode(&file), said.objects[0].frames());
        });
        drop(attempt);
    }
    // 25 pictures a second without a hole, whatever happened beside it; the file ends after twenty seconds.
    healthy.wait(30, "a whole recording", |said| {
        (said.frames() >= 440 || said.end.is_some()).then_some(())
    });
    drop(other);
    healthy.end(5);
    healthy.look(|said| {
        let span = said.objects.last().unwrap().chunks.last().unwrap().end_ms - said.objects[0].start_ms;
        let expected = span * 25 / 1000;
        assert!(
            (i64::from(said.frames()) - expected).abs() <= 2,
            "{} pictures in {span} ms",
            said.frames()
        );
    });
}

/// One keyframe and no other: reported, and the object ends all the same.
#[test]
fn no_keyframes() {
    let folder = tempfile::tempdir().unwrap();
    let codecs = [
        "-an",
        "-c:v",
        "libx264",
        "-bf",
        "0",
        "-preset",
        "ultrafast",
        "-g",
        "1000",
    ];
    let file = tools::encode(folder.path(), "in.mp4", &codecs);
    let camera = Camera::start(&stream(&file, H264, None), Auth::None);
    let settings = RecordSettings {
        keyframe_limit: Duration::from_secs(2),
        ..quick()
    };
    let recording = Recording::new();
    let attempt = engine().attempt(spec(&camera.url()), settings, recording.clone());
    let reason = recording.wait(15, "closed object", |said| {
        said.objects.first().and_then(|object| object.closed)
    });
    assert_eq!(reason, CloseReason::NoKeyframe);
    recording.look(|said| {
        assert!(matches!(&said.degraded[..], [Some(_)]), "{:?}", said.degraded);
        assert!(said.frames() > 90, "what depends on the keyframe is kept");
    });
    assert!(attempt.stats().keyframe_age.unwrap() > Duration::from_secs(3));
    attempt.stop();
    assert_eq!(recording.end(5), AttemptEnd::Stopped);
}

/// A camera whose pictures end while its sound goes on is silent: footage is pictures.
#[test]
fn sound_alone_is_silence() {
    let folder = tempfile::tempdir().unwrap();
    let codecs = [
        "-c:v",
        "libx264",
        "-bf",
        "0",
        "-preset",
        "ultrafast",
        "-c:a",
        "aac",
        "-frames:v",
        "75",
    ];
    let file = tools::encode(folder.path(), "in.mp4", &codecs);
    let camera = Camera::start(&stream(&file, H264, Some(AAC)), Auth::None);
    assert_eq!(
        failure(&engine(), spec(&camera.url()), 15),
        Failure::Silent(quick().silence_limit)
    );
}
