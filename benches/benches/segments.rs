//! Packing and unpacking of segment tables: done for every object sealed, and for each one in a playlist.
#![expect(missing_docs, reason = "criterion_group! makes a public function")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use wire::{Segment, SegmentTable, UnixMs};

/// One object: ten segments of six seconds at 2 Mbit/s.
fn object(index: u64) -> SegmentTable {
    let start = 1_769_846_400_000 + index as i64 * 60_000;
    let segment = |part: u64| Segment {
        offset: 800 + part * 1_500_000,
        length: 1_500_000 + (part as u32 * 7919) % 4000,
        start: UnixMs(start + part as i64 * 6_000),
        duration_ms: 6_000,
    };
    SegmentTable((0..10).map(segment).collect())
}

fn segments(criterion: &mut Criterion) {
    let table = object(0);
    let packed = table.pack();
    let mut group = criterion.benchmark_group("segment table");
    group.throughput(Throughput::Elements(10));
    group.bench_function("pack", |bencher| bencher.iter(|| black_box(&table).pack()));
    group.bench_function("unpack", |bencher| {
        bencher.iter(|| SegmentTable::unpack(black_box(&packed)));
    });
    group.finish();

    // What a playlist of a whole day reads: 1,440 objects.
    let day: Vec<Vec<u8>> = (0..1440).map(|index| object(index).pack()).collect();
    let mut group = criterion.benchmark_group("camera day");
    group.throughput(Throughput::Elements(14_400));
    group.bench_function("unpack", |bencher| {
        bencher.iter(|| {
            let tables = day.iter().filter_map(|packed| SegmentTable::unpack(packed).ok());
            tables.map(|table| table.0.len()).sum::<usize>()
        });
    });
    group.finish();
}

criterion_group!(benches, segments);
criterion_main!(benches);
