//! Verdicts on footage: complete, in order, on time, evenly cut, playable.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};

use super::{Footage, ffmpeg, sound};
use crate::world::camera::Sent;

/// Most that a time may be off, in milliseconds.
pub const TIME_TOLERANCE_MS: f64 = 100.0;
/// Pictures that may be on their way out of order.
const REORDERED: u64 = 4;
/// Most that sound and pictures may be apart, in milliseconds.
pub const LIP_SYNC_MS: f64 = 50.0;

/// Without one missing, each frame once, from the first one sent to at least the one captured at
/// `until_us`.
///
/// # Errors
/// With what is missing.
pub fn complete(footage: &Footage, sent: &Sent, until_us: u64) -> Result<()> {
    let mut runs = footage.runs()?;
    // The stop may fall between a picture and the B-frames that are shown before it but sent after it.
    if let [(_, end), (start, _)] = runs[..]
        && start - end <= REORDERED
        && footage
            .frames()
            .last()
            .is_some_and(|last| last.frame < start + REORDERED)
    {
        runs.pop();
    }
    ensure!(
        runs.len() == 1,
        "frames are missing: the footage has {runs:?}, the camera sent {:?}",
        sent.runs
    );
    let first_sent = sent
        .runs
        .iter()
        .map(|run| run.first)
        .min()
        .context("the camera sent nothing")?;
    ensure!(
        runs[0].0 == first_sent,
        "it starts at frame {}, the camera at {first_sent}",
        runs[0].0
    );
    let frames = footage.frames();
    let last = frames.last().context("a frame")?;
    ensure!(
        last.capture_us >= until_us,
        "it ends {} ms early, with frame {}",
        (until_us - last.capture_us) / 1000,
        last.frame
    );
    Ok(())
}

/// Each segment's `PROGRAM-DATE-TIME` and each picture's time against the camera's clock. Answers with the
/// mean lateness of the pictures in milliseconds.
///
/// # Errors
/// With the worst one.
pub fn on_time(footage: &Footage) -> Result<f64> {
    for segment in footage.segments.iter().filter(|segment| !segment.entry.gap) {
        let start = segment
            .entry
            .start
            .context("a segment without PROGRAM-DATE-TIME")? as f64;
        let capture = segment
            .frames
            .first()
            .context("a segment without frames")?
            .capture_us as f64
            / 1000.0;
        let late = start - capture;
        ensure!(
            late.abs() <= TIME_TOLERANCE_MS,
            "PROGRAM-DATE-TIME is {late:.0} ms off: {:?}",
            segment.entry
        );
    }
    let mut lateness = Vec::new();
    for object in &footage.objects {
        let times = ffmpeg::packet_times(&object.file, "v")?;
        let mut captures: Vec<u64> = footage
            .segments
            .iter()
            .filter(|segment| segment.entry.uri == object.uri)
            .flat_map(|segment| segment.frames.iter().map(|stamp| stamp.capture_us))
            .collect();
        captures.sort_unstable();
        // The playlist's range may begin or end inside an object.
        let Some(at) = times
            .iter()
            .position(|time| *time * 1e6 > captures[0] as f64 - 20_000.0)
        else {
            anyhow::bail!("{} ends before the playlist's first picture of it", object.uri);
        };
        for (time, capture) in times[at..].iter().zip(&captures) {
            lateness.push(time * 1e3 - *capture as f64 / 1e3);
        }
    }
    let worst = lateness
        .iter()
        .copied()
        .max_by(|a, b| a.abs().total_cmp(&b.abs()))
        .context("a picture")?;
    ensure!(worst.abs() <= TIME_TOLERANCE_MS, "a picture is {worst:.0} ms off");
    Ok(lateness.iter().sum::<f64>() / lateness.len() as f64)
}

/// Segments of 6 s and objects of 60 s: a segment ends with the GOP in which it reaches its target, an
/// object with the segment. The first object may be shorter, so that cameras spread; the last ends with
/// the recording.
///
/// # Errors
/// With the first one that is not.
pub fn evenly_cut(footage: &Footage, gop_ms: i64) -> Result<()> {
    let segments = &footage.segments;
    for (index, segment) in segments.iter().enumerate().take(segments.len().saturating_sub(1)) {
        let ms = segment.entry.duration_ms();
        let last_of_first = segments
            .get(index + 1)
            .is_some_and(|next| next.entry.uri != segment.entry.uri)
            && footage
                .objects
                .first()
                .is_some_and(|first| first.uri == segment.entry.uri);
        let allowed = 6_000 - gop_ms..=6_000 + gop_ms;
        ensure!(
            allowed.contains(&ms) || last_of_first,
            "segment {index} of {} lasts {ms} ms",
            segments.len()
        );
    }
    let objects = &footage.objects;
    let whole = 60_000 - 6_000 - gop_ms..=60_000 + 6_000 + gop_ms;
    for object in objects.iter().skip(1).take(objects.len().saturating_sub(2)) {
        ensure!(
            whole.contains(&object.duration_ms),
            "{} lasts {} ms",
            object.uri,
            object.duration_ms
        );
    }
    let first = objects.first().context("an object")?;
    ensure!(
        first.duration_ms <= *whole.end(),
        "the first object lasts {} ms",
        first.duration_ms
    );
    Ok(())
}

/// Plays the playlist and each object alone; the numbers drawn into the pictures are those of the frames.
///
/// # Errors
/// When FFmpeg warns, or a picture is not the one that it should be.
pub fn playable(footage: &Footage, width: usize, loop_length: u32) -> Result<()> {
    ffmpeg::play(&footage.url)?;
    for object in &footage.objects {
        ffmpeg::play(&object.file.to_string_lossy())?;
    }
    let shown = ffmpeg::bar_codes(&footage.url, width)?;
    let frames = footage.frames();
    ensure!(
        shown.len() == frames.len(),
        "{} pictures shown, {} recorded",
        shown.len(),
        frames.len()
    );
    let mut wrong = BTreeMap::new();
    for (code, stamp) in shown.iter().zip(&frames) {
        let expected = (stamp.frame % u64::from(loop_length)) as u32;
        if *code != Some(expected) {
            wrong.insert(stamp.frame, *code);
        }
    }
    ensure!(
        wrong.is_empty(),
        "{} pictures are not what they should be: {wrong:?}",
        wrong.len()
    );
    Ok(())
}

/// Beeps at full seconds of capture time, as the pictures have it.
///
/// # Errors
/// When a beep and the pictures are apart.
pub fn in_sync(footage: &Footage, picture_lateness_ms: f64) -> Result<()> {
    let mut beeps = 0;
    for object in &footage.objects {
        for late in sound::beep_lateness(&object.file)? {
            let apart = late * 1e3 - picture_lateness_ms;
            ensure!(
                apart.abs() <= LIP_SYNC_MS,
                "sound is {apart:.0} ms later than the picture in {}",
                object.uri
            );
            beeps += 1;
        }
    }
    let seconds: i64 = footage
        .objects
        .iter()
        .map(|object| object.duration_ms)
        .sum::<i64>()
        / 1000;
    let least = seconds - 2 * footage.objects.len() as i64;
    ensure!(beeps >= least, "only {beeps} beeps in {seconds} s");
    Ok(())
}
