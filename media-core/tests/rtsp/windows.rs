//! Windows: opened with what memory holds, closed before their end, without another connection.

use std::time::{SystemTime, UNIX_EPOCH};

use media_core::facts::{Adjustment, AttemptEnd, CloseReason, RecordSettings, Span, Spans};

use crate::camera::{Auth, Camera};
use crate::recording::{Recording, quick, spec};
use crate::{AAC, H264, engine, stream, tools};

/// The camera's pictures are a second apart from keyframe to keyframe, 40 ms from one to the next.
const GOP_MS: i64 = 1_000;
const PICTURE_MS: i64 = 40;

fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64
}

fn span(start: i64, length: i64) -> Span {
    Span {
        keep_ms: start - 2_000,
        start_ms: start,
        end_ms: Some(start + length),
    }
}

#[test]
fn two_windows_of_one_connection_with_sound() {
    let folder = tempfile::tempdir().unwrap();
    for (name, sound, [codec, rate]) in [
        ("aac.mp4", AAC, ["aac", "48000"]),
        ("alaw.mov", "rtppcmapay name=pay1 pt=8", ["pcm_alaw", "8000"]),
    ] {
        let codecs = [
            "-c:v", "libx264", "-bf", "0", "-preset", "veryfast", "-c:a", codec, "-ac", "1", "-ar", rate,
        ];
        let file = tools::encode(folder.path(), name, &codecs);
        let camera = Camera::start(&stream(&file, H264, Some(sound)), Auth::None);
        let engine = engine();
        let recording = Recording::new();
        let first = span(now_ms() + 5_000, 3_000);
        let settings = RecordSettings {
            spans: Spans::new([first]),
            ..quick()
        };
        let attempt = engine.attempt(spec(&camera.url()), settings, recording.clone());
        let over = |count: usize| {
            move |said: &crate::recording::Said| {
                let closed = said
                    .objects
                    .iter()
                    .filter(|object| object.closed == Some(CloseReason::Window));
                (closed.count() == count).then_some(())
            }
        };
        recording.wait(20, "the end of the first window", over(1));
        // The plan learns of another one while the camera is read on.
        let second = span(now_ms() + 4_000, 3_000);
        attempt.adjust(Adjustment {
            spans: Spans::new([second]),
            ..Adjustment::from(&settings)
        });
        recording.wait(20, "the end of the second window", over(2));
        attempt.stop();
        assert_eq!(recording.end(5), AttemptEnd::Stopped);
        recording.look(|said| {
            let mut objects = said.objects.iter().enumerate();
            for window in [first, second] {
                let (number, begins) = objects.next().unwrap();
                let mut last = (number, begins);
                assert!(!begins.continues);
                while last.1.closed != Some(CloseReason::Window) {
                    last = objects.next().unwrap();
                    assert!(last.1.continues);
                }
                let early = window.keep_ms - begins.start_ms;
                assert!(
                    (0..GOP_MS + 100).contains(&early),
                    "begins {early} ms before its pre-roll"
                );
                let end = last.1.chunks.last().unwrap().end_ms;
                let late = end - window.end_ms.unwrap();
                assert!(
                    (0..=PICTURE_MS + 5).contains(&late),
                    "covered until {late} ms after its end"
                );
                assert_eq!(begins.tracks.len(), 2, "sound from the first object on");
            }
            assert!(objects.next().is_none());
            for (number, object) in said.objects.iter().enumerate() {
                let path = folder.path().join(format!("{number}-{name}.mp4"));
                object.write(&path);
                assert_eq!(tools::decode(&path), object.frames());
                let (flashes, beeps) = (tools::flashes(&path), tools::beeps(&path));
                // A flash or a beep may be cut off at the borders.
                let inside = beeps
                    .iter()
                    .filter(|beep| flashes[0] < **beep + 0.2 && **beep < flashes[flashes.len() - 1] + 0.2);
                for beep in inside {
                    let near = flashes.iter().any(|flash| (beep - flash).abs() < 0.1);
                    assert!(near, "{beep} of {flashes:?} in {number}");
                }
            }
        });
    }
}
