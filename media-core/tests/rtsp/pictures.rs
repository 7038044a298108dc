//! Live pictures of a camera while it is recorded.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use media_core::facts::AttemptEnd;
use media_core::pictures::{Picture, PictureError, PictureFormat, Pictures, Rate};
use media_core::{Attempt, Engine, EngineConfig};

use crate::camera::{Auth, Camera};
use crate::recording::{Recording, quick, spec};
use crate::{H264, stream, tools};

const FORMAT: PictureFormat = PictureFormat {
    width: 160,
    height: 160,
    rate: Rate::PerSecond(10),
    quality: 85,
};

fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let limited = async { tokio::time::timeout(Duration::from_secs(20), work).await };
    runtime.unwrap().block_on(limited).unwrap()
}

fn next(pictures: &mut Pictures) -> Result<Arc<Picture>, PictureError> {
    run(pictures.next())
}

fn gone(attempt: &Attempt) {
    let limit = Instant::now() + Duration::from_secs(10);
    while attempt.picture_formats() > 0 {
        assert!(Instant::now() < limit, "the decoder outlives its last consumer");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn live_pictures_are_shared_and_leave_the_recording_alone() {
    let folder = tempfile::tempdir().unwrap();
    let codecs = ["-an", "-c:v", "libx264", "-bf", "0", "-preset", "veryfast"];
    let file = tools::encode(folder.path(), "in.mp4", &codecs);
    let camera = Camera::start(&stream(&file, H264, None), Auth::None);
    let engine = Engine::new(EngineConfig {
        pictures_linger: Duration::from_millis(100),
        ..EngineConfig::default()
    })
    .unwrap();
    let recording = Recording::new();
    let attempt = engine.attempt(spec(&camera.url()), quick(), recording.clone());
    recording.wait(20, "footage", |said| (said.frames() > 30).then_some(()));

    let mut consumers: Vec<Pictures> = (0..10).map(|_| attempt.pictures(FORMAT).unwrap()).collect();
    assert_eq!(attempt.picture_formats(), 1);
    let times: Vec<i64> = (0..15)
        .map(|_| next(&mut consumers[0]).unwrap().captured_ms)
        .collect();
    let start_ms = recording.look(|said| said.objects[0].start_ms);
    assert!(times[0] >= start_ms, "capture time is the recording's");
    // A camera with 25 pictures a second: 80 or 120 ms apart. The first may be older.
    assert!(
        times[1..].windows(2).all(|pair| pair[1] - pair[0] > 60),
        "{times:?}"
    );
    for consumer in &mut consumers[1..] {
        let picture = next(consumer).unwrap();
        assert!(picture.captured_ms >= times[14], "who was slow sees the newest");
        assert_eq!((picture.width, picture.height), (160, 90));
    }
    drop(consumers);
    gone(&attempt);

    let mut last = attempt.pictures(FORMAT).unwrap();
    next(&mut last).unwrap();
    attempt.stop();
    let error = std::iter::from_fn(|| Some(next(&mut last))).find_map(Result::err);
    assert_eq!(error, Some(PictureError::Ended));
    assert_eq!(recording.end(5), AttemptEnd::Stopped);
    recording.look(|said| {
        let all = said.write_all(&folder.path().join("all.mp4"));
        assert_eq!(tools::decode(&all), said.frames());
    });
}
