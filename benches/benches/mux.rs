//! Writing chunks and reading an object back: the first is done for every picture, the second for every file
//! that a power cut left open.
#![expect(missing_docs, reason = "criterion_group! makes a public function")]

use std::hint::black_box;
use std::io::Cursor;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use media_core::Parts;
use media_core::fmp4::scan::scan;
use media_core::fmp4::{FragmentBuilder, Sample, VideoTrack, init};

/// 1280×720, baseline, as an encoder writes it (ITU-T H.264 §7.3.2.1).
const SPS: &[u8] = &[
    0x67, 0x42, 0xc0, 0x1f, 0xd9, 0x00, 0x50, 0x05, 0xbb, 0x01, 0x6a, 0x02, 0x02, 0x02, 0x80, 0x00, 0x00,
    0x03, 0x00, 0x80, 0x00, 0x00, 0x0f, 0x07, 0x8c, 0x18, 0xcb,
];
const PPS: &[u8] = &[0x68, 0xcb, 0x83, 0xcb, 0x20];
/// 2026-01-31T08:00:00Z.
const START_NS: i64 = 1_769_846_400_000_000_000;
const FRAME_NS: i64 = 1_000_000_000 / 15;

/// Picture `index` of 15 a second at 2 Mbit/s, a keyframe every two seconds.
fn picture(index: i64) -> Sample {
    let random_access = index % 30 == 0;
    let length: usize = if random_access { 60_000 } else { 15_000 };
    let mut data = vec![0x5a; length];
    data[..4].copy_from_slice(&(length as u32 - 4).to_be_bytes());
    data[4] = if random_access { 0x65 } else { 0x41 };
    let time_ns = START_NS + index * FRAME_NS;
    Sample {
        data: data.into(),
        dts_ns: time_ns,
        pts_ns: time_ns,
        random_access,
    }
}

fn write(builder: &mut FragmentBuilder, pictures: &[Sample]) -> Option<Parts> {
    for picture in pictures {
        builder.push_video(picture.clone());
    }
    let last = pictures.last()?;
    builder
        .finish(Some(last.dts_ns + FRAME_NS), false)
        .map(|fragment| fragment.bytes)
}

fn mux(criterion: &mut Criterion) {
    let minute: Vec<Sample> = (0..900).map(picture).collect();
    let bytes: usize = minute.iter().map(|picture| picture.data.len()).sum();
    let mut group = criterion.benchmark_group("minute of footage");
    group.sample_size(20).throughput(Throughput::Bytes(bytes as u64));
    group.bench_function("write chunks of 13 pictures", |bencher| {
        bencher.iter(|| {
            let mut builder = FragmentBuilder::new(None);
            black_box(&minute)
                .chunks(13)
                .filter_map(|pictures| write(&mut builder, pictures))
                .map(|b| b.len())
                .sum::<usize>()
        });
    });
    // A stream whose parameters cannot be read is no reason to lose the bench above.
    if let Ok(track) = VideoTrack::h264(SPS, PPS) {
        let mut file = init(&track, None).to_vec();
        let mut builder = FragmentBuilder::new(None);
        for pictures in minute.chunks(13) {
            file.extend(write(&mut builder, pictures).unwrap_or_default().to_vec());
        }
        group.bench_function("scan the file", |bencher| {
            bencher.iter(|| scan(&mut Cursor::new(black_box(&file))));
        });
    }
    group.finish();
}

criterion_group!(benches, mux);
criterion_main!(benches);
