//! Real streams through clock, cut and writer, judged by FFmpeg: no warning, every picture, the right times.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests"
)]

mod snapshot;
mod tools;

use std::fs::{self, File};
use std::path::Path;

use bytes::Bytes;
use media_core::clock::{Arrival, ClockSettings, SenderReport, Timed, Timeline, TrackSpec};
use media_core::cut::{Cutter, UnitFacts};
use media_core::facts::{CloseReason, RecordSettings};
use media_core::fmp4::scan::{ScannedChunk, scan};
use media_core::fmp4::{AudioTrack, Fragment, FragmentBuilder, Sample, VideoTrack, init};
use tools::{Packet, encode, find_box, packets, tool};

const START_NS: i64 = 1_769_846_400_250_000_000;
/// AAC-LC, 48 kHz, stereo: what the source is encoded with.
const AAC_CONFIG: [u8; 2] = [0x11, 0x90];

struct Recorded {
    objects: Vec<Vec<u8>>,
    fragments: Vec<Vec<Fragment>>,
}

/// Records a source as a camera would send it: RTP timestamps in decode order, a sender report first.
fn record(video: &VideoTrack, pictures: &[Packet], sounds: &[Packet]) -> Recorded {
    let audio = (!sounds.is_empty()).then(|| AudioTrack::aac(&AAC_CONFIG).unwrap());
    let mut timeline = Timeline::new(ClockSettings::default());
    let spec = TrackSpec {
        clock_rate_hz: 90_000,
        video: true,
        reorder_depth: video.reorder_depth(),
        nominal_ns: 0,
    };
    let video_id = timeline.add_track(spec);
    let audio_id = timeline.add_track(TrackSpec {
        clock_rate_hz: 48_000,
        video: false,
        ..spec
    });
    let first = Arrival {
        mono_ns: 0,
        utc_ns: START_NS,
    };
    let seconds = (START_NS / 1_000_000_000 + 2_208_988_800) as u64;
    let ntp = seconds << 32 | 1 << 30;
    let start = pictures[0].pts;
    timeline.sender_report(
        video_id,
        SenderReport {
            ntp,
            rtp: start as u32,
        },
        first,
    );
    timeline.sender_report(audio_id, SenderReport { ntp, rtp: 0 }, first);
    let mut units: Vec<_> = pictures
        .iter()
        .enumerate()
        .map(|(index, packet)| (index as i64 * 40_000_000, video_id, packet))
        .chain(
            sounds
                .iter()
                .map(|packet| (packet.pts * 1_000_000_000 / 48_000, audio_id, packet)),
        )
        .collect();
    units.sort_by_key(|unit| unit.0);
    let mut timed = Vec::new();
    for (at, track, packet) in units {
        let arrival = Arrival {
            mono_ns: at,
            utc_ns: START_NS + at,
        };
        timeline.push(
            track,
            packet.pts as u32,
            arrival,
            packet.keyframe,
            packet.data.clone(),
        );
        timed.extend(std::iter::from_fn(|| timeline.pop()));
    }
    let rate = audio.as_ref().map(AudioTrack::sample_rate_hz);
    let mut recorded = Recorded {
        objects: Vec::new(),
        fragments: Vec::new(),
    };
    let settings = RecordSettings {
        object_target: std::time::Duration::from_secs(12),
        ..RecordSettings::default()
    };
    let (mut cutter, mut builder) = (Cutter::new(&settings), FragmentBuilder::new(rate));
    for unit in timed {
        let is_video = unit.track == video_id;
        let decision = cutter.step(facts(&unit, is_video));
        if decision.end_chunk {
            recorded.add(builder.finish(decision.next_dts_ns, decision.close.is_some()));
        }
        if decision.open.is_some() {
            builder.begin_object(rate);
            recorded.objects.push(init(video, audio.as_ref()).to_vec());
            recorded.fragments.push(Vec::new());
        }
        let sample = Sample {
            dts_ns: unit.dts_ns,
            pts_ns: unit.pts_ns,
            random_access: unit.random_access,
            data: unit.unit,
        };
        match (decision.record, is_video) {
            (true, true) => {
                assert_eq!(video.is_random_access(&sample.data), sample.random_access);
                builder.push_video(sample);
            }
            (true, false) => builder.push_audio(sample),
            (false, _) => {}
        }
    }
    assert_eq!(cutter.finish(), Some(CloseReason::Session));
    recorded.add(builder.finish(None, true));
    recorded
}

fn facts(unit: &Timed<Bytes>, video: bool) -> UnitFacts {
    UnitFacts {
        video,
        dts_ns: unit.dts_ns,
        random_access: unit.random_access,
        bytes: unit.unit.len(),
        new_parameters: false,
        discontinuity: unit.discontinuity.is_some(),
    }
}

impl Recorded {
    fn add(&mut self, fragment: Option<Fragment>) {
        let fragment = fragment.expect("a chunk");
        self.objects.last_mut().unwrap().extend(fragment.bytes.to_vec());
        self.fragments.last_mut().unwrap().push(fragment);
    }
}

/// Encodes, records, and has everything checked.
fn check(encoder: &[&str], configuration: &[u8; 4], sound: bool) {
    let folder = tempfile::tempdir().unwrap();
    let source = encode(folder.path(), encoder, sound);
    let content = find_box(&source, configuration);
    let from_box = if configuration == b"avcC" {
        VideoTrack::from_avcc
    } else {
        VideoTrack::from_hvcc
    };
    let video = from_box(&content).unwrap();
    assert_eq!(video.dimensions(), (320, 180));
    let pictures = packets(&source, "v:0", 90_000);
    assert_eq!(pictures.len(), 500);
    let sounds = if sound {
        packets(&source, "a:0", 48_000)
    } else {
        Vec::new()
    };
    let recorded = record(&video, &pictures, &sounds);
    assert!(recorded.objects.len() >= 2 && recorded.objects[0][..16] == recorded.objects[1][..16]);

    let (mut found, mut end_ms) = (Vec::new(), START_NS / 1_000_000);
    for (index, (object, fragments)) in recorded.objects.iter().zip(&recorded.fragments).enumerate() {
        let file = folder.path().join(format!("{index}.mp4"));
        fs::write(&file, object).unwrap();
        tool(
            "ffmpeg",
            &["-v", "warning", "-xerror", "-f", "null", "-", "-i"],
            &file,
        );
        found.extend(packets(&file, "v:0", 90_000));
        let scanned = scan(&mut File::open(&file).unwrap()).unwrap();
        assert_eq!(
            (scanned.end, scanned.file_len),
            (object.len() as u64, object.len() as u64)
        );
        assert_eq!(scanned.tracks.len(), 1 + usize::from(sound));
        assert_eq!(scanned.tracks[0], video.fact(0.0));
        same_chunks(&scanned.chunks, fragments);
        assert_eq!(
            fragments[0].start_ms, end_ms,
            "objects follow each other without a break"
        );
        end_ms = fragments.last().unwrap().end_ms;
    }
    assert_eq!(end_ms - START_NS / 1_000_000, 20_000);
    for (found, sent) in found.iter().zip(&pictures) {
        assert_eq!((found.keyframe, &found.data), (sent.keyframe, &sent.data));
        let expected = START_NS / 100_000 * 9 + sent.pts - pictures[0].pts;
        assert!(
            (found.pts - expected).abs() <= 2,
            "{} instead of {expected}",
            found.pts
        );
    }
    assert_eq!(found.len(), pictures.len());
    one_playlist(folder.path(), &recorded, &pictures);
}

fn same_chunks(scanned: &[ScannedChunk], fragments: &[Fragment]) {
    let facts = |chunk: &ScannedChunk| {
        (
            chunk.length as usize,
            chunk.start_ms,
            chunk.end_ms,
            chunk.frames,
            chunk.random_access,
        )
    };
    let scanned: Vec<_> = scanned.iter().map(facts).collect();
    let written = fragments
        .iter()
        .map(|f| (f.bytes.len(), f.start_ms, f.end_ms, f.frames, f.random_access));
    assert_eq!(scanned, written.collect::<Vec<_>>());
    assert!(
        fragments
            .iter()
            .all(|fragment| fragment.end_ms - fragment.start_ms <= 900)
    );
}

/// All objects as one HLS playlist with one `EXT-X-MAP`: decodes without a warning, every picture once.
fn one_playlist(folder: &Path, recorded: &Recorded, pictures: &[Packet]) {
    let first = scan(&mut File::open(folder.join("0.mp4")).unwrap()).unwrap();
    let mut playlist =
        String::from("#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:20\n#EXT-X-PLAYLIST-TYPE:VOD\n");
    playlist += &format!("#EXT-X-MAP:URI=\"0.mp4\",BYTERANGE=\"{}@0\"\n", first.init_len);
    for (index, object) in recorded.objects.iter().enumerate() {
        let length = object.len() as u64 - first.init_len;
        playlist += &format!(
            "#EXTINF:12,\n#EXT-X-BYTERANGE:{length}@{}\n{index}.mp4\n",
            first.init_len
        );
    }
    playlist += "#EXT-X-ENDLIST\n";
    let file = folder.join("all.m3u8");
    fs::write(&file, playlist).unwrap();
    tool(
        "ffmpeg",
        &["-v", "warning", "-xerror", "-f", "null", "-", "-i"],
        &file,
    );
    let counted = tool(
        "ffprobe",
        &[
            "-v",
            "warning",
            "-count_frames",
            "-select_streams",
            "v:0",
            "-show_entries",
            "stream=nb_read_frames",
            "-of",
            "csv=p=0",
        ],
        &file,
    );
    let counts: Vec<_> = counted.lines().filter(|line| !line.is_empty()).collect();
    assert!(
        counts
            .iter()
            .all(|count| count.trim_end_matches(',') == pictures.len().to_string()),
        "{counts:?}"
    );
}

#[test]
fn h264_without_b_frames() {
    check(
        &["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency"],
        b"avcC",
        false,
    );
}

#[test]
fn h264_with_b_frames_and_sound() {
    check(
        &[
            "-c:v",
            "libx264",
            "-preset",
            "veryfast",
            "-bf",
            "3",
            "-x264-params",
            "scenecut=0",
        ],
        b"avcC",
        true,
    );
}

#[test]
fn h265_without_b_frames_and_sound() {
    check(
        &[
            "-c:v",
            "libx265",
            "-preset",
            "ultrafast",
            "-x265-params",
            "bframes=0:log-level=none",
            "-tag:v",
            "hvc1",
        ],
        b"hvcC",
        true,
    );
}

#[test]
fn h265_with_b_frames() {
    check(
        &[
            "-c:v",
            "libx265",
            "-preset",
            "ultrafast",
            "-x265-params",
            "bframes=3:open-gop=0:keyint=50:scenecut=0:log-level=none",
            "-tag:v",
            "hvc1",
        ],
        b"hvcC",
        false,
    );
}

#[test]
fn h265_with_open_groups() {
    check(
        &[
            "-c:v",
            "libx265",
            "-preset",
            "ultrafast",
            "-x265-params",
            "bframes=3:open-gop=1:keyint=50:min-keyint=50:scenecut=0:log-level=none",
            "-tag:v",
            "hvc1",
        ],
        b"hvcC",
        false,
    );
}
