//! Records cameras that we did not write, and has FFmpeg judge the result.

mod camera;
mod recording;
mod tools;

use std::path::Path;

use camera::{Auth, Camera};
use media_core::facts::{AttemptEnd, CloseReason, SourceSpec, Track};
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
const H265: &str = "h265parse ! rtph265pay name=pay0 pt=96 config-interval=-1";

fn engine() -> Engine {
    Engine::new(EngineConfig::default()).unwrap()
}

/// Records about nine seconds and stops.
fn record(engine: &Engine, spec: SourceSpec) -> std::sync::Arc<Recording> {
    let recording = Recording::new();
    let attempt = engine.attempt(spec, quick(), recording.clone());
    recording.wait(40, "two objects", |said| (said.objects.len() > 2 && said.frames() > 220).then_some(()));
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
            assert_eq!(object.closed, Some(if last { CloseReason::Session } else { CloseReason::Target }));
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
    let file = tools::encode(folder.path(), "in.mp4", &["-an", "-c:v", "libx264", "-bf", "0", "-preset", "veryfast"]);
    let camera = Camera::start(&stream(&file, H264, None), Auth::None);
    let recording = record(&engine(), spec(&camera.url()));
    check(&recording, folder.path());
    recording.look(|said| {
        assert_eq!(said.reader, Some("retina"));
        let Track::Video { codec, width, height, .. } = &said.objects[0].tracks[0] else { panic!("no video") };
        assert!(codec.starts_with("avc1.") && (*width, *height) == (320, 180));
    });
}
