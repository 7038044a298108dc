//! Playlists as players read them.

use proptest::prelude::*;
use wire::media::Init;
use wire::{ObjectId, Segment, SegmentTable, StreamKind, TimeRange, Track, UnixMs};

use super::*;

const T0: i64 = 1_769_846_400_000;

struct Urls;

impl MediaUrls for Urls {
    fn object(&self, id: ObjectId) -> String {
        format!("/o/{}", id.as_bytes()[15])
    }

    fn gap(&self) -> String {
        "/gap".to_owned()
    }
}

/// An object from `start_s` on with segments of these lengths in milliseconds.
fn object(id: u8, epoch: u64, start_ms: i64, init: &str, durations_ms: &[u32]) -> Footage {
    let (mut offset, mut start) = (800, UnixMs(T0 + start_ms));
    let segments = durations_ms.iter().map(|&duration_ms| {
        let segment = Segment {
            offset,
            length: duration_ms * 10,
            start,
            duration_ms,
        };
        (offset, start) = (segment.end_offset(), segment.end());
        segment
    });
    Footage {
        id: ObjectId::from_bytes([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, id]),
        epoch,
        previous: None,
        segments: SegmentTable(segments.collect()),
        init: Init {
            length: 800,
            digest: init.to_owned(),
        },
        tracks: vec![
            Track::Audio {
                codec: "mp4a.40.2".to_owned(),
                sample_rate_hz: 8_000,
                channels: 1,
            },
            Track::Video {
                codec: "avc1.64001f".to_owned(),
                width: 1280,
                height: 720,
                fps: 15.0,
            },
        ],
    }
}

fn range(start_ms: i64, end_ms: i64) -> TimeRange {
    TimeRange::new(UnixMs(T0 + start_ms), UnixMs(T0 + end_ms)).unwrap()
}

#[test]
fn two_objects_share_one_init_and_a_gap_shows() {
    let footage = [
        object(1, 1, 0, "a", &[6_000, 6_400]),
        object(2, 1, 12_400, "a", &[6_000]),
        object(3, 1, 28_400, "a", &[6_000]),
    ];
    let text = media(&select(&footage, range(0, 60_000)), Ending::Vod, &Urls);
    insta::assert_snapshot!(text);
}

#[test]
fn another_init_is_a_discontinuity() {
    let footage = [object(1, 1, 0, "a", &[6_000]), object(2, 1, 6_010, "b", &[4_000])];
    let text = media(&select(&footage, range(0, 60_000)), Ending::Growing, &Urls);
    insta::assert_snapshot!(text);
}

#[test]
fn variants_say_what_playing_takes() {
    let footage = [object(1, 1, 0, "a", &[6_000, 6_400])];
    let variant = variant(StreamKind::Main, &select(&footage, range(0, 60_000))).unwrap();
    let text = multivariant(&[variant], |stream| format!("{}.m3u8?sig=x", stream.as_str()));
    insta::assert_snapshot!(text);
}

#[test]
fn a_codec_cannot_end_its_quotes() {
    let mut footage = object(1, 1, 0, "a", &[6_000]);
    footage.tracks = vec![Track::Video {
        codec: "avc1\",URI=\"x\n#EXT".to_owned(),
        width: 0,
        height: 0,
        fps: f32::NAN,
    }];
    let footage = [footage];
    let variant = variant(StreamKind::Sub, &select(&footage, range(0, 60_000))).unwrap();
    let text = multivariant(&[variant], |_| "x".to_owned());
    assert!(
        text.contains("#EXT-X-STREAM-INF:BANDWIDTH=80000,AVERAGE-BANDWIDTH=80000\nx\n"),
        "{text}"
    );
}

#[test]
fn the_higher_epoch_wins_where_two_nodes_recorded() {
    let footage = [
        object(1, 1, 0, "a", &[6_000, 6_000, 6_000]),
        object(2, 2, 8_000, "a", &[6_000, 6_000]),
        object(2, 2, 8_000, "a", &[1]),
    ];
    let chosen = select(&footage, range(0, 60_000));
    let told: Vec<_> = chosen
        .iter()
        .map(|e| (e.object.epoch, e.segment.start.0 - T0))
        .collect();
    assert_eq!(told, [(1, 0), (2, 8_000), (2, 14_000)]);
}

#[test]
fn rounding_loses_no_segment() {
    let mut footage = [
        object(1, 1, 0, "a", &[6_000, 6_000]),
        object(2, 1, 11_999, "a", &[6_000]),
    ];
    footage[0].segments.0[1].start = UnixMs(T0 + 5_998);
    assert_eq!(select(&footage, range(0, 60_000)).len(), 3);
}

#[test]
fn a_list_ends_when_nothing_more_can_come() {
    let footage = [object(1, 1, 0, "a", &[6_000])];
    let whole = range(0, 60_000);
    let entries = select(&footage, whole);
    let at = |ms| UnixMs(T0 + ms);
    assert_eq!(ending(&entries, whole, at(30_000), true), Ending::Growing);
    assert_eq!(ending(&entries, whole, at(61_000), true), Ending::Growing);
    assert_eq!(ending(&entries, whole, at(81_000), true), Ending::Vod);
    assert_eq!(ending(&entries, whole, at(30_000), false), Ending::Vod);
    assert_eq!(ending(&entries, range(0, 6_000), at(6_100), true), Ending::Vod);
}

/// A segment read back from a playlist.
#[derive(Debug, Default, Clone, PartialEq)]
struct Read {
    start_ms: i64,
    duration_ms: i64,
    bytes: (u64, u64),
    url: String,
    map: String,
    gap: bool,
    discontinuity: bool,
}

fn read(text: &str) -> Vec<Read> {
    let (mut out, mut next) = (Vec::new(), Read::default());
    for line in text.lines() {
        let (tag, value) = line.split_once(':').unwrap_or((line, ""));
        match tag {
            "#EXT-X-PROGRAM-DATE-TIME" => next.start_ms = value.parse::<UnixMs>().unwrap().0,
            "#EXTINF" => next.duration_ms = value.trim_end_matches(',').replace('.', "").parse().unwrap(),
            "#EXT-X-BYTERANGE" => {
                let (length, offset) = value.split_once('@').unwrap();
                next.bytes = (offset.parse().unwrap(), length.parse().unwrap());
            }
            "#EXT-X-MAP" => next.map = value.to_owned(),
            "#EXT-X-GAP" => next.gap = true,
            "#EXT-X-DISCONTINUITY" => next.discontinuity = true,
            _ if line.starts_with('#') => {}
            _ => {
                next.url = line.to_owned();
                let map = next.map.clone();
                out.push(std::mem::take(&mut next));
                next.map = map;
            }
        }
    }
    out
}

prop_compose! {
    /// Objects with pauses between them, of two epochs and two inits.
    fn stream()(objects in proptest::collection::vec(
        (proptest::collection::vec(200..9_000_u32, 1..6), 0..30_000_i64, 1..3_u64, 0..2_u8), 1..12),
        overlap in 0..8_000_i64,
    ) -> Vec<Footage> {
        let mut at = 0;
        let mut out = Vec::new();
        for (index, (durations, pause, epoch, init)) in objects.into_iter().enumerate() {
            let length: u32 = durations.iter().sum();
            // Short pauses are none; every other object reaches back into the one before.
            let start = at + if pause < 10_000 { 0 } else { pause } - if index % 2 == 1 { overlap } else { 0 };
            let id = u8::try_from(index).unwrap();
            out.push(object(id, epoch, start, if init == 0 { "a" } else { "b" }, &durations));
            at = start + i64::from(length);
        }
        out
    }
}

proptest! {
    #[test]
    fn a_playlist_reads_back_as_what_was_chosen(
        footage in stream(), from in 0..100_000_i64, length in 1..200_000_i64,
    ) {
        let chosen = select(&footage, range(from, from + length));
        let text = media(&chosen, Ending::Vod, &Urls);
        let all = read(&text);
        let real: Vec<&Read> = all.iter().filter(|one| !one.gap).collect();
        prop_assert_eq!(real.len(), chosen.len());
        for (one, entry) in real.iter().zip(&chosen) {
            prop_assert_eq!(one.start_ms, entry.segment.start.0);
            prop_assert_eq!(one.bytes, (entry.segment.offset, u64::from(entry.segment.length)));
            prop_assert_eq!(&one.url, &Urls.object(entry.object.id));
        }
        // Time never goes back, nothing overlaps, and durations add up to the time that passed.
        let target: i64 = text.lines()
            .find_map(|line| line.strip_prefix("#EXT-X-TARGETDURATION:")).unwrap().parse().unwrap();
        for pair in all.windows(2) {
            prop_assert!(pair[0].start_ms < pair[1].start_ms);
            let jump = pair[1].start_ms - pair[0].start_ms - pair[0].duration_ms;
            prop_assert!((-OVERLAP_MS..=TOUCH_MS).contains(&jump), "{} ms", jump);
            prop_assert_eq!(pair[1].discontinuity,
                !pair[1].gap && (pair[0].gap || pair[0].map != pair[1].map));
        }
        for one in &all {
            prop_assert!(one.duration_ms > 0 && one.duration_ms <= target * 1000);
            prop_assert!(!one.map.is_empty());
        }
        prop_assert_eq!(text.contains("#EXT-X-VERSION:8"), text.contains("#EXT-X-GAP"));
    }

    /// Two nodes record one camera, one of them dies and comes back under a higher epoch: whichever object is known
    /// first, each instant plays once, and what a switch leaves out is shorter than two segments.
    #[test]
    fn two_nodes_play_as_one(
        shift in 0..6_000_i64, dies in 20_000..100_000_i64, away in 1..60_000_i64, order in any::<bool>(),
    ) {
        let run = |id: u8, epoch: u64, from: i64, to: i64| {
            let count = usize::try_from((to - from) / 6_000).unwrap();
            object(id, epoch, from, "a", &vec![6_000; count])
        };
        let mut footage = vec![
            run(1, 1, shift, 240_000),
            run(2, 2, 0, dies),
            run(3, 3, dies + away, 240_000),
        ];
        if order {
            footage.reverse();
        }
        let chosen = select(&footage, range(0, 240_000));
        for pair in chosen.windows(2) {
            let pause = pair[1].segment.start.since(pair[0].segment.end());
            prop_assert!((-OVERLAP_MS..12_000).contains(&pause), "{pause} ms");
        }
        let alone = chosen.iter().filter(|entry| entry.object.epoch == 1);
        let rest = (dies.rem_euclid(6_000) + away - 12_000) / 6_000 - 1;
        prop_assert!(alone.count() as i64 >= rest.max(0));
    }

    #[test]
    fn choosing_loses_nothing_that_does_not_overlap(footage in stream()) {
        let whole = range(-100_000, 10_000_000);
        let chosen = select(&footage, whole);
        for pair in chosen.windows(2) {
            prop_assert!(pair[0].segment.end().0 - pair[1].segment.start.0 <= OVERLAP_MS);
        }
        for object in &footage {
            for segment in &object.segments.0 {
                let there = chosen.iter().any(|e| e.object.id == object.id && e.segment == *segment);
                let rival = chosen.iter().any(|e| e.object.epoch >= object.epoch
                    && e.segment.start < segment.end() && segment.start < e.segment.end()
                    && (e.object.id, e.segment) != (object.id, *segment));
                prop_assert!(there || rival);
            }
        }
    }

    #[test]
    fn a_growing_list_only_grows_at_its_end(
        durations in proptest::collection::vec((200..9_000_u32, 0..12_000_i64), 2..20), cut in 1..20_usize,
    ) {
        let mut at = 0;
        let footage: Vec<Footage> = durations.iter().enumerate().map(|(index, (duration, pause))| {
            let start = at + if *pause < 6_000 { 0 } else { *pause };
            at = start + i64::from(*duration);
            object(u8::try_from(index).unwrap(), 1, start, "a", &[*duration])
        }).collect();
        let list = |count: usize| {
            let chosen = select(&footage[..count], range(0, 10_000_000));
            read(&media(&chosen, Ending::Growing, &Urls))
        };
        let (early, late) = (list(cut.min(footage.len())), list(footage.len()));
        prop_assert_eq!(&late[..early.len()], &early[..]);
    }
}
