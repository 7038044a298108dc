//! Parameter sets of real cameras, and what the init and the chunks say.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::*;

fn set(text: &str) -> Vec<u8> {
    BASE64_STANDARD.decode(text).unwrap()
}

/// Make, SPS and PPS as cameras announce them in SDP, codec, dimensions, reordering.
type H264Case = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    (u32, u32),
    Option<u8>,
);

const H264: &[H264Case] = &[
    (
        "Dahua",
        "Z2QAHqwsaoLA9puCgIKgAAADACAAAAMD0IAA",
        "aO4xshsA",
        "avc1.64001e",
        (704, 480),
        None,
    ),
    (
        "Hikvision",
        "Z00AKZpkA8ARPyzUBAQFAAADA+gAAOpgBA==",
        "aO48gA==",
        "avc1.4d0029",
        (1920, 1080),
        None,
    ),
    (
        "Reolink",
        "Z2QAM6zoAoALWQ==",
        "aO48MA==",
        "avc1.640033",
        (2560, 1440),
        None,
    ),
    (
        "Foscam",
        "Z00AH5WoFAFuQA==",
        "aO48gA==",
        "avc1.4d001f",
        (1280, 720),
        Some(0),
    ),
    (
        "VStarcam",
        "Z00AKp2oHgCJ+WbgICAoAAADAAgAAAMAfCA=",
        "aO48gA==",
        "avc1.4d002a",
        (1920, 1080),
        Some(0),
    ),
    (
        "a server",
        "Z0LAHtkDxWhAAAADAEAAAAwDxYuS",
        "aMuMsg==",
        "avc1.42c01e",
        (240, 160),
        Some(0),
    ),
    (
        "a DVR",
        "Z0IAKZY1QPAET8s3AQEBQAAAAwBAAAAHoQ==",
        "aM4xsg==",
        "avc1.420029",
        (1920, 1080),
        Some(0),
    ),
];

type H265Case = (&'static str, [&'static str; 3], &'static str, (u32, u32));

const H265: &[H265Case] = &[
    (
        "Dahua",
        [
            "QAEMAf//AWAAAAMAsAAAAwAAAwBarAwAAAMABAAAAwAyqA==",
            "QgEBAWAAAAMAsAAAAwAAAwBaoAWCAeFja5JFL83BQYFBAAADAAEAAAMADKE=",
            "RAHA8saNA7NA",
        ],
        "hvc1.1.6.L90.B0",
        (704, 480),
    ),
    (
        "TP-Link",
        [
            "QAEMAf//AWAAAAMAAAMAAAMAAAMAlqwJ",
            "QgEBAWAAAAMAAAMAAAMAAAMAlqABQCAFof4qtO6JLuaAgA27oADN/mAE",
            "RAHAcvAbJA==",
        ],
        "hvc1.1.6.L150",
        (2560, 1440),
    ),
];

#[test]
fn reads_h264_of_real_cameras() {
    for (make, sps, pps, codec, dimensions, depth) in H264 {
        let track = VideoTrack::h264(&set(sps), &set(pps)).unwrap_or_else(|error| panic!("{make}: {error}"));
        assert_eq!(
            (track.rfc6381(), track.dimensions()),
            (*codec, *dimensions),
            "{make}"
        );
        assert_eq!(track.reorder_depth(), *depth, "{make}");
        assert_eq!(VideoTrack::from_avcc(track.configuration()), Ok(track), "{make}");
    }
}

#[test]
fn reads_h265_of_real_cameras() {
    for (make, [vps, sps, pps], codec, dimensions) in H265 {
        let track = VideoTrack::h265(&set(vps), &set(sps), &set(pps))
            .unwrap_or_else(|error| panic!("{make}: {error}"));
        assert_eq!(
            (track.rfc6381(), track.dimensions()),
            (*codec, *dimensions),
            "{make}"
        );
        assert_eq!(track.reorder_depth(), Some(0), "{make}");
        assert_eq!(VideoTrack::from_hvcc(track.configuration()), Ok(track), "{make}");
    }
}

#[test]
fn damaged_parameters_are_errors() {
    for (_, sps, pps, ..) in H264 {
        let (sps, pps) = (set(sps), set(pps));
        for length in 0..sps.len() {
            let _ = VideoTrack::h264(&sps[..length], &pps);
        }
        assert!(VideoTrack::h264(&[], &pps).is_err() && VideoTrack::h264(&sps[..5], &pps).is_err());
        assert!(VideoTrack::h264(&sps, &sps).is_err() && VideoTrack::h264(&pps, &pps).is_err());
        assert!(VideoTrack::from_avcc(&sps).is_err());
    }
    for (_, [vps, sps, pps], ..) in H265 {
        let (vps, sps, pps) = (set(vps), set(sps), set(pps));
        for length in 0..15 {
            assert!(VideoTrack::h265(&vps, &sps[..length], &pps).is_err());
        }
        assert!(VideoTrack::h265(&sps, &sps, &pps).is_err() && VideoTrack::from_hvcc(&sps).is_err());
    }
}

#[test]
fn tells_random_access_points() {
    let unit = |nal: &[u8]| [&(nal.len() as u32).to_be_bytes(), nal].concat();
    let h264 = |kind: u8| {
        nal::is_random_access(
            VideoCodec::H264,
            &[unit(&[9, 0xf0]), unit(&[0x60 | kind, 1])].concat(),
        )
    };
    assert!(h264(5));
    assert!(![1, 6, 7, 8].into_iter().any(h264));
    let h265 = |kind: u8| nal::is_random_access(VideoCodec::H265, &unit(&[kind << 1, 1, 2]));
    for kind in 0..64 {
        assert_eq!(h265(kind), (16..=23).contains(&kind), "NAL type {kind}");
    }
    for broken in [
        &[][..],
        &[0, 0, 0],
        &[0, 0, 0, 0],
        &[0, 0, 0, 9, 0x65],
        &[0xff; 9],
    ] {
        assert!(!nal::is_random_access(VideoCodec::H264, broken), "{broken:x?}");
    }
}

#[test]
fn the_same_parameters_give_the_same_init() {
    let track = || VideoTrack::h264(&set(H264[0].1), &set(H264[0].2)).unwrap();
    let sound = AudioTrack::aac(&[0x11, 0x90]).unwrap();
    assert_eq!(init(&track(), Some(&sound)), init(&track(), Some(&sound)));
    assert_ne!(init(&track(), Some(&sound)), init(&track(), None));
}

#[test]
fn ticks_do_not_drift() {
    let year = 365 * 86_400 * 1_000_000_000;
    assert_eq!(ticks(year, VIDEO_TIMESCALE), 365 * 86_400 * 90_000);
    assert_eq!(
        (ticks(-1, 90_000), ticks_to_ms(-1, 90_000), ticks_to_ms(5, 0)),
        (-1, -1, 0)
    );
}

/// Sound and pictures at times that breathe: in the file they follow each other without gap or overlap.
#[test]
fn chunks_follow_each_other_exactly() {
    let mut builder = FragmentBuilder::new(Some(48_000));
    let start = 1_769_846_400_000_000_000_i64;
    let sample = |at: i64, bytes: usize| Sample {
        data: vec![1; bytes].into(),
        dts_ns: start + at,
        pts_ns: start + at,
        random_access: at == 0,
    };
    let mut ends = [None; 2];
    for chunk in 0..50_i64 {
        if chunk % 10 == 0 {
            builder.begin_object(Some(48_000));
        }
        for picture in 0..20 {
            let at = (chunk * 20 + picture) * 40_000_000 + picture * 12_345;
            builder.push_video(sample(at, 100));
            builder.push_audio(sample(at + 3, 10));
            builder.push_audio(sample(at + 20_999_999, 10));
        }
        let last = chunk % 10 == 9;
        let fragment = builder
            .finish(Some(start + (chunk + 1) * 800_000_000), last)
            .unwrap();
        let times = track_times(&fragment.bytes.to_vec());
        assert_eq!(times.len(), 2);
        for (end, (begins, lasts)) in ends.iter_mut().zip(times) {
            // At an object's end the last sound has its nominal length, so the next one starts no earlier.
            assert!(
                end.is_none_or(|end| end == begins || (chunk % 10 == 0 && end < begins)),
                "chunk {chunk}"
            );
            *end = Some(begins + lasts);
        }
        assert_eq!(fragment.end_ms - fragment.start_ms, 800);
    }
    assert!(builder.finish(None, true).is_none());
}

/// Start and duration of each `traf`.
fn track_times(bytes: &[u8]) -> Vec<(u64, u64)> {
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    let places = (0..bytes.len() - 4).filter(|at| &bytes[*at..at + 4] == b"tfdt");
    places
        .map(|at| {
            let start = u64::from(number(at + 8)) << 32 | u64::from(number(at + 12));
            let trun = at + 20;
            assert_eq!(&bytes[trun..trun + 4], b"trun");
            let samples = 0..number(trun + 8) as usize;
            (
                start,
                samples
                    .map(|index| u64::from(number(trun + 16 + 16 * index)))
                    .sum(),
            )
        })
        .collect()
}
