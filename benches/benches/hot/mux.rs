//! Writing chunks and reading an object back: the first is done for every picture, the second for every file
//! that a power cut left open.

use std::hint::black_box;
use std::io::Cursor;

use anyhow::Result;
use criterion::Throughput;
use media_core::fmp4::scan::scan;
use media_core::fmp4::{FragmentBuilder, Sample, init};

use crate::footage::{self, Camera, SAMPLE_RATE_HZ};
use crate::work::Work;

pub(crate) fn minute() -> Result<Work> {
    let pictures = Camera::new().pictures(60);
    write(pictures, Vec::new(), None)
}

pub(crate) fn minute_with_sound() -> Result<Work> {
    let camera = Camera::new();
    write(camera.pictures(60), camera.sounds(60), Some(SAMPLE_RATE_HZ))
}

fn write(pictures: Vec<Sample>, sounds: Vec<Sample>, audio_rate_hz: Option<u32>) -> Result<Work> {
    let bytes: usize = pictures
        .iter()
        .chain(&sounds)
        .map(|sample| sample.data.len())
        .sum();
    Work::new(Throughput::Bytes(bytes as u64), move || {
        let mut builder = FragmentBuilder::new(audio_rate_hz);
        let mut written = 0;
        footage::chunks(&mut builder, black_box(&pictures), &sounds, |chunk| {
            written += chunk.bytes.len() as u64;
        });
        written
    })
}

pub(crate) fn init_of_both() -> Result<Work> {
    let (video, audio) = footage::tracks()?;
    Work::new(Throughput::Elements(1), move || {
        init(black_box(&video), Some(&audio)).len() as u64
    })
}

pub(crate) fn scan_minute() -> Result<Work> {
    let (init, chunks) = footage::minute()?;
    let mut file = init.to_vec();
    chunks.iter().for_each(|chunk| file.extend(chunk.bytes.to_vec()));
    Work::new(Throughput::Bytes(file.len() as u64), move || {
        scan(&mut Cursor::new(black_box(&file))).map_or(0, |scan| scan.chunks.len() as u64)
    })
}
