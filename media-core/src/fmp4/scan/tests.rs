//! Files cut anywhere, damaged anywhere, and files that were never ours.

use std::io::Cursor;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use proptest::prelude::*;

use super::*;
use crate::fmp4::{AudioTrack, FragmentBuilder, Sample, VideoTrack, init};

const START_NS: i64 = 1_769_846_400_000_000_000;

/// A recording with this many chunks of three pictures, and where its init and each chunk end.
fn recording(chunks: usize) -> (Vec<u8>, Vec<u64>) {
    let set = |text| BASE64_STANDARD.decode(text).unwrap();
    let video = VideoTrack::h264(&set("Z00AH5WoFAFuQA=="), &set("aO48gA==")).unwrap();
    let sound = AudioTrack::aac(&[0x11, 0x90]).unwrap();
    let mut builder = FragmentBuilder::new(Some(48_000));
    let mut file = init(&video, Some(&sound)).to_vec();
    let mut ends = vec![file.len() as u64];
    for chunk in 0..chunks as i64 {
        for picture in 0..3 {
            let dts_ns = START_NS + (chunk * 3 + picture) * 40_000_000;
            let data = [&[0, 0, 0, 2, 9, 0xf0, 0, 0, 0, 40][..], &[0x65; 40]]
                .concat()
                .into();
            builder.push_video(Sample {
                data,
                dts_ns,
                pts_ns: dts_ns,
                random_access: picture == 0,
            });
            let data = vec![0x21; 9].into();
            builder.push_audio(Sample {
                data,
                dts_ns,
                pts_ns: dts_ns,
                random_access: true,
            });
        }
        file.extend(
            builder
                .finish(Some(START_NS + (chunk + 1) * 120_000_000), false)
                .unwrap()
                .bytes
                .to_vec(),
        );
        ends.push(file.len() as u64);
    }
    (file, ends)
}

fn scan_bytes(bytes: &[u8]) -> Result<Scan, ScanError> {
    scan(&mut Cursor::new(bytes))
}

#[test]
fn a_file_cut_at_any_byte_gives_the_whole_chunks_before() {
    let (file, ends) = recording(4);
    for length in 0..=file.len() {
        let whole = ends.iter().skip(1).filter(|end| **end <= length as u64).count();
        match scan_bytes(&file[..length]) {
            Ok(found) => {
                assert_eq!(
                    (found.chunks.len(), found.end, found.init_len),
                    (whole, ends[whole], ends[0])
                );
                assert_eq!(found.file_len, length as u64);
            }
            Err(ScanError::NoWholeChunk) => assert!(whole == 0 && length as u64 >= ends[0], "{length}"),
            Err(ScanError::NotARecording(_)) => assert!((length as u64) < ends[0], "{length}"),
            Err(ScanError::Io(error)) => panic!("{length}: {error}"),
        }
    }
}

#[test]
fn tells_what_is_inside() {
    let found = scan_bytes(&recording(3).0).unwrap();
    assert_eq!(found.tracks.len(), 2);
    let second = found.chunks[1];
    assert_eq!(
        (second.start_ms, second.end_ms),
        (START_NS / 1_000_000 + 120, START_NS / 1_000_000 + 240)
    );
    assert_eq!((second.frames, second.random_access), (3, true));
    assert_eq!(
        found.chunks[0].offset + u64::from(found.chunks[0].length),
        second.offset
    );
}

#[test]
fn zeros_where_pictures_should_be_end_the_scan() {
    let (mut file, ends) = recording(3);
    let tail = file.len() - 150;
    file[tail..].fill(0);
    assert_eq!(scan_bytes(&file).unwrap().end, ends[2]);
    let (mut file, ends) = recording(3);
    file.extend([0; 100_000]);
    assert_eq!(scan_bytes(&file).unwrap().end, ends[3]);
}

#[test]
fn foreign_files_are_refused() {
    let jpeg = [0xff, 0xd8, 0xff, 0xe0, 0, 16, b'J', b'F', b'I', b'F'];
    let plain = b"\0\0\0\x10ftypisom\0\0\x02\0\0\0\0\x08mdat";
    let huge = b"\xff\xff\xff\xffftypisom";
    for foreign in [
        &[][..],
        b"x",
        &[0; 5000],
        &jpeg,
        plain,
        huge,
        b"\0\0\0\x08ftyp\0\0\0\x08moov",
    ] {
        assert!(
            matches!(scan_bytes(foreign), Err(ScanError::NotARecording(_))),
            "{foreign:x?}"
        );
    }
}

proptest! {
    #[test]
    fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..3000)) {
        let _ = scan_bytes(&bytes);
    }

    #[test]
    fn damage_never_panics_and_never_moves_what_comes_before(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8))
    {
        let (mut file, ends) = recording(4);
        let length = file.len();
        let places: Vec<_> = damage.iter().map(|(at, byte)| (at.index(length), *byte)).collect();
        places.iter().for_each(|(at, byte)| file[*at] = *byte);
        let first = places.iter().map(|(at, _)| *at).min().unwrap() as u64;
        let whole = ends.iter().skip(1).filter(|end| **end <= first).count();
        if let Ok(found) = scan_bytes(&file) {
            prop_assert!(found.chunks.len() >= whole);
            prop_assert!(found.end <= length as u64);
            prop_assert!(found.chunks.windows(2).all(|pair| pair[0].end_ms <= pair[1].start_ms));
        } else {
            prop_assert_eq!(whole, 0);
        }
    }

    #[test]
    fn an_init_with_garbage_behind_never_panics(tail in prop::collection::vec(any::<u8>(), 0..2000)) {
        let (file, ends) = recording(1);
        let bytes = [&file[..ends[0] as usize], b"\0\0\x01\0moof", &tail].concat();
        let _ = scan_bytes(&bytes);
    }
}
