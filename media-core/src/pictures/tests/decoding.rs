//! A decoder fed unit by unit: rates, sizes, changes, and what is no footage.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::watch;

use super::super::backlog::Next;
use super::super::chain::Chain;
use super::super::line::{Decoder, Newest};
use super::footage::{GOP, RATE, captured_ms, footage, jpeg_size, reordered};
use super::{Picture, PictureError, PictureFormat, Rate, SMALL, THUMBNAIL};
use crate::fanout::AccessUnit;
use crate::fmp4::{VideoCodec, nal};

/// A decoder and who looks at it.
struct Seen {
    decoder: Decoder,
    newest: watch::Receiver<Newest>,
}

impl Seen {
    fn new(format: PictureFormat) -> Self {
        let (sender, newest) = watch::channel(None);
        Self {
            decoder: Decoder::new(format, sender),
            newest,
        }
    }

    /// What comes of a unit.
    fn take(&mut self, unit: &AccessUnit, behind: bool) -> Newest {
        self.decoder.take(Next {
            unit: unit.clone(),
            behind,
            jumped: false,
        });
        while self.decoder.step() {}
        let news = self.newest.has_changed().unwrap();
        news.then(|| self.newest.borrow_and_update().clone()).flatten()
    }

    /// What comes of these units, in turn.
    fn all(&mut self, units: &[AccessUnit]) -> Vec<Result<Arc<Picture>, PictureError>> {
        units.iter().filter_map(|unit| self.take(unit, false)).collect()
    }
}

fn times(pictures: &[Result<Arc<Picture>, PictureError>]) -> Vec<i64> {
    let all = pictures
        .iter()
        .map(|picture| picture.as_ref().unwrap().captured_ms);
    all.collect()
}

fn garbage(unit: &AccessUnit, bytes: &[u8]) -> AccessUnit {
    AccessUnit {
        bytes: Bytes::copy_from_slice(bytes),
        ..unit.clone()
    }
}

#[test]
fn both_codecs_give_a_picture_a_unit_in_the_size_that_fits() {
    for codec in [VideoCodec::H264, VideoCodec::H265] {
        let units = footage(codec, (320, 180), 2 * GOP);
        let mut seen = Seen::new(PictureFormat {
            height: 1000,
            ..SMALL
        });
        let pictures = seen.all(&units);
        let wanted: Vec<_> = (0..2 * GOP).map(captured_ms).collect();
        assert_eq!(times(&pictures), wanted);
        for picture in pictures.into_iter().flatten() {
            assert_eq!((picture.width, picture.height), (160, 90));
            assert_eq!(jpeg_size(&picture.jpeg), (160, 90));
        }
        let keyframes: Vec<_> = units.iter().filter(|unit| unit.keyframe).cloned().collect();
        let thumbnails = times(&Seen::new(THUMBNAIL).all(&keyframes));
        assert_eq!(thumbnails, [captured_ms(0), captured_ms(GOP)]);
    }
}

#[test]
fn the_rate_is_obeyed_with_and_without_reordering() {
    for units in [footage(VideoCodec::H264, (320, 180), 60), reordered(60)] {
        let rate = Rate::PerSecond(5);
        let shown = times(&Seen::new(PictureFormat { rate, ..SMALL }).all(&units));
        assert!((19..=21).contains(&shown.len()), "{shown:?}");
        let least = 1_000 / RATE;
        assert!(
            shown.windows(2).all(|pair| pair[1] - pair[0] > least),
            "{shown:?}"
        );
    }
}

#[test]
fn pictures_that_nothing_needs_are_known() {
    let units = reordered(30);
    let disposable = |unit: &&AccessUnit| nal::is_disposable(VideoCodec::H264, &unit.bytes);
    let count = units.iter().filter(disposable).count();
    assert!((14..=20).contains(&count), "{count} of 30");
    let plain = footage(VideoCodec::H264, (320, 180), 30);
    assert_eq!(plain.iter().filter(disposable).count(), 0);
}

#[test]
fn a_decoder_that_is_behind_shows_the_first_picture_and_then_the_newest() {
    let units = footage(VideoCodec::H264, (320, 180), GOP);
    let mut seen = Seen::new(SMALL);
    assert!(seen.take(&units[0], true).is_some());
    assert!(units[1..14].iter().all(|unit| seen.take(unit, true).is_none()));
    assert_eq!(times(&seen.all(&units[14..])), [captured_ms(14)]);
}

#[test]
fn what_no_picture_needs_is_not_decoded() {
    let units = footage(VideoCodec::H264, (320, 180), 4 * GOP);
    // One a second is a keyframe's picture each time, and whatever lies between may be anything.
    let mut broken = units.clone();
    broken
        .iter_mut()
        .filter(|unit| !unit.keyframe)
        .for_each(|unit| *unit = garbage(unit, &[]));
    let rate = Rate::PerSecond(1);
    let shown = times(&Seen::new(PictureFormat { rate, ..SMALL }).all(&broken));
    assert_eq!(shown, [0, 1, 2, 3].map(|second| captured_ms(second * GOP)));
    // Others need what lies before them.
    let shown = times(
        &Seen::new(PictureFormat {
            rate: Rate::PerSecond(3),
            ..SMALL
        })
        .all(&units),
    );
    assert!((11..=13).contains(&shown.len()), "{shown:?}");
}

#[test]
fn much_smaller_pictures_are_halved_first() {
    for codec in [VideoCodec::H264, VideoCodec::H265] {
        let unit = footage(codec, (320, 192), 1).remove(0);
        let chain = Chain::start(codec, None).unwrap();
        // Of the same keyframe, as for a snapshot that must become smaller.
        let sizes = [
            ((320, 192), (320, 192)),
            ((160, 96), (160, 96)),
            ((90, 54), (160, 96)),
            ((40, 24), (40, 24)),
        ];
        for (wanted, halved) in sizes {
            chain.form((320, 192), wanted, 85);
            chain.push(&unit, true).unwrap();
            chain.drain();
            assert_eq!(jpeg_size(&chain.coded().pop().unwrap().jpeg), wanted);
            assert_eq!(chain.halved(), Some(halved));
        }
    }
}

#[test]
fn the_picture_changes_with_the_stream() {
    let format = PictureFormat {
        width: 200,
        height: 200,
        ..SMALL
    };
    let mut seen = Seen::new(format);
    let shapes = [
        (VideoCodec::H264, (320, 180), (200, 112)),
        (VideoCodec::H264, (128, 256), (100, 200)),
        (VideoCodec::H265, (128, 160), (128, 160)),
        (VideoCodec::H264, (320, 180), (200, 112)),
    ];
    for (number, (codec, sent, wanted)) in shapes.into_iter().enumerate() {
        let mut units = footage(codec, sent, 4);
        for unit in &mut units {
            unit.pts_ns += number as i64 * 1_000_000_000;
        }
        let pictures = seen.all(&units);
        assert_eq!(pictures.len(), 4);
        for picture in pictures.into_iter().flatten() {
            assert_eq!((picture.width, picture.height), wanted);
            assert_eq!(jpeg_size(&picture.jpeg), wanted);
        }
    }
}

#[test]
fn what_is_no_footage_is_told_and_footage_after_it_is_shown() {
    for codec in [VideoCodec::H264, VideoCodec::H265] {
        for format in [SMALL, THUMBNAIL] {
            let units = footage(codec, (320, 180), 1);
            let mut seen = Seen::new(format);
            for bytes in [&[][..], &[0; 5_000], &[0, 0, 0, 40, 0x65, 1, 2, 3], &[0xff; 300]] {
                let bad = garbage(&units[0], bytes);
                let told = seen.all(&vec![bad; 50]);
                let undecodable = |said: &Result<_, _>| matches!(said, Err(PictureError::Undecodable(_)));
                assert!(
                    !told.is_empty() && told.iter().all(undecodable),
                    "{codec:?} {told:?}"
                );
            }
            assert_eq!(
                seen.all(&units).last().unwrap().as_ref().unwrap().captured_ms,
                captured_ms(0)
            );
        }
    }
}

#[test]
fn damage_in_mid_stream_is_over_with_the_next_keyframe() {
    for codec in [VideoCodec::H264, VideoCodec::H265] {
        let mut units = footage(codec, (320, 180), 8 * GOP);
        for unit in &mut units[GOP + 3..5 * GOP] {
            *unit = garbage(unit, &[0, 0, 0, 3, 0x41, 0xff, 0x13]);
        }
        let mut seen = Seen::new(SMALL);
        let pictures = seen.all(&units);
        assert!(pictures.iter().take(GOP + 3).all(Result::is_ok));
        let last: Vec<_> = (6 * GOP..8 * GOP).map(captured_ms).collect();
        let shown = times(&pictures[pictures.len() - 2 * GOP..]);
        assert_eq!(shown, last);
    }
}
