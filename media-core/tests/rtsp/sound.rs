//! Sound: untouched or transcoded, and in step with the pictures.

use std::path::Path;

use media_core::facts::{Reader, SourceSpec, Track};

use crate::camera::{Auth, Camera};
use crate::recording::{Recording, spec};
use crate::{AAC, H264, check, engine, record, record_frames, stream, tools};

/// Where picture and sound of the same instant stand on the recording's timeline, from so many seconds on.
fn check_sync(recording: &Recording, folder: &Path, from_s: f64) {
    recording.look(|said| {
        let with_sound: Vec<_> = said
            .objects
            .iter()
            .filter(|object| object.tracks.len() == 2)
            .cloned()
            .collect();
        assert!(
            with_sound.len() > 1,
            "{} objects, {} with sound",
            said.objects.len(),
            with_sound.len()
        );
        let file = folder.join("sync.mp4");
        let mut all = with_sound[0].clone();
        with_sound[1..]
            .iter()
            .for_each(|object| all.chunks.extend(object.chunks.iter().cloned()));
        all.write(&file);
        assert_eq!(tools::decode(&file), all.frames());
        let (flashes, beeps) = (tools::flashes(&file), tools::beeps(&file));
        assert!(flashes.len() > 3 && beeps.len() > 3, "{flashes:?} {beeps:?}");
        let mut late = Vec::new();
        for flash in &flashes {
            let nearest = beeps
                .iter()
                .map(|beep| beep - flash)
                .min_by(|a, b| a.abs().total_cmp(&b.abs()))
                .unwrap();
            if nearest.abs() < 0.5 && flash - flashes[0] > from_s - 0.5 {
                // A file's sound is sent when it begins, a camera's when it has been heard: a packet's length, which
                // the first sender report mends.
                let limit = if flash - flashes[0] < 4.0 { 0.08 } else { 0.05 };
                late.push(nearest);
                assert!(
                    nearest.abs() < limit,
                    "sound is {nearest} s late: {flashes:?} {beeps:?}"
                );
            }
        }
        println!("sound minus picture: {late:.4?} s");
        assert!(late.len() > 2);
    });
}

#[test]
fn aac_is_in_sync_from_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let codecs = [
        "-c:v", "libx264", "-bf", "0", "-preset", "veryfast", "-c:a", "aac", "-ac", "2",
    ];
    let file = tools::encode(folder.path(), "in.mp4", &codecs);
    let camera = Camera::start(&stream(&file, H264, Some(AAC)), Auth::None);
    for reader in [Reader::Retina, Reader::Rtspsrc] {
        let recording = record(
            &engine(),
            SourceSpec {
                reader,
                ..spec(&camera.url())
            },
        );
        check(&recording, folder.path());
        check_sync(&recording, folder.path(), 0.0);
        recording.look(|said| assert_eq!(said.degraded, Vec::<Option<String>>::new()));
    }
}

/// A file with B-frames is sent by decode time, so pictures come before their capture time, which no camera
/// can do and arrival times cannot show. From the first sender report on, all is right.
#[test]
fn pictures_out_of_order_with_aac() {
    let folder = tempfile::tempdir().unwrap();
    let codecs = [
        "-c:v", "libx264", "-bf", "2", "-preset", "veryfast", "-c:a", "aac", "-ac", "2",
    ];
    let file = tools::encode(folder.path(), "in.mp4", &codecs);
    let camera = Camera::start(&stream(&file, H264, Some(AAC)), Auth::None);
    for reader in [Reader::Retina, Reader::Rtspsrc] {
        let recording = record_frames(
            &engine(),
            SourceSpec {
                reader,
                ..spec(&camera.url())
            },
            340,
        );
        check_sync(&recording, folder.path(), 9.0);
    }
}

#[test]
fn g711_becomes_aac() {
    let folder = tempfile::tempdir().unwrap();
    for (codec, pay) in [
        ("pcm_alaw", "rtppcmapay name=pay1 pt=8"),
        ("pcm_mulaw", "rtppcmupay name=pay1 pt=0"),
    ] {
        let codecs = [
            "-c:v", "libx264", "-bf", "0", "-preset", "veryfast", "-c:a", codec, "-ac", "1", "-ar", "8000",
        ];
        let file = tools::encode(folder.path(), "in.mov", &codecs);
        let camera = Camera::start(&stream(&file, H264, Some(pay)), Auth::None);
        let recording = record(&engine(), spec(&camera.url()));
        check_sync(&recording, folder.path(), 0.0);
        recording.look(|said| {
            let sound = &said.objects.last().unwrap().tracks[1];
            assert_eq!(
                *sound,
                Track::Audio {
                    codec: "mp4a.40.2".into(),
                    sample_rate_hz: 8_000,
                    channels: 1
                }
            );
        });
        let silent = record(
            &engine(),
            SourceSpec {
                audio: false,
                ..spec(&camera.url())
            },
        );
        silent.look(|said| assert!(said.objects.iter().all(|object| object.tracks.len() == 1)));
    }
}
