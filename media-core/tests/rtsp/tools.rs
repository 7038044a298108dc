//! FFmpeg and ffprobe.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs a tool that must succeed without a warning; its standard output.
pub(crate) fn quiet(name: &str, arguments: &[&str]) -> Vec<u8> {
    let run = Command::new(name).args(arguments).output();
    let run = run.unwrap_or_else(|error| panic!("this test needs {name}: {error}"));
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(
        run.status.success() && said.is_empty(),
        "{name} {arguments:?}: {said}"
    );
    run.stdout
}

/// Encodes twenty seconds: a flash and a beep at every full second.
pub(crate) fn encode(folder: &Path, name: &str, codecs: &[&str]) -> PathBuf {
    let file = folder.join(name);
    let picture = "testsrc2=size=320x180:rate=25:duration=20,\
                   drawbox=color=black:t=fill:enable='gte(mod(t,1),0.1)',drawbox=color=white:t=fill:enable='lt(mod(t,1),0.1)'";
    let sound = "aevalsrc=exprs='if(lt(mod(t,1),0.1),0.8*sin(2*PI*800*t),0)':s=48000:d=20";
    let mut arguments = vec![
        "-v", "error", "-y", "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound,
    ];
    arguments.extend([
        "-pix_fmt",
        "yuv420p",
        "-g",
        "25",
        "-sc_threshold",
        "0",
        "-threads",
        "2",
    ]);
    arguments.extend(codecs);
    let path = file.to_string_lossy().into_owned();
    arguments.push(&path);
    quiet("ffmpeg", &arguments);
    file
}

/// Decodes everything; no warning may come. Returns the number of pictures.
pub(crate) fn decode(file: &Path) -> u32 {
    let path = file.to_string_lossy().into_owned();
    quiet(
        "ffmpeg",
        &[
            "-v",
            "warning",
            "-i",
            &path,
            "-fps_mode",
            "passthrough",
            "-enc_time_base",
            "-1",
            "-f",
            "null",
            "-",
        ],
    );
    let count = [
        "-v",
        "warning",
        "-select_streams",
        "v",
        "-count_frames",
        "-of",
        "csv=p=0",
    ];
    let entries = ["-show_entries", "stream=nb_read_frames", &path];
    let counted = String::from_utf8(quiet("ffprobe", &[&count[..], &entries[..]].concat())).unwrap();
    counted.trim().trim_end_matches(',').parse().unwrap()
}

/// Seconds at which pictures become white, on the file's own timeline.
pub(crate) fn flashes(file: &Path) -> Vec<f64> {
    let path = file.to_string_lossy().into_owned();
    let luma = format!("movie={path},signalstats");
    let arguments = ["-v", "error", "-f", "lavfi", "-i", &luma, "-of", "csv=p=0"];
    let entries = [
        "-show_entries",
        "frame=pts_time:frame_tags=lavfi.signalstats.YAVG",
    ];
    let listed = String::from_utf8(quiet("ffprobe", &[&arguments[..], &entries[..]].concat())).unwrap();
    let frames: Vec<(f64, bool)> = listed
        .lines()
        .filter_map(|line| {
            let (time, luma) = line.split_once(',')?;
            Some((
                time.parse().ok()?,
                luma.trim_end_matches(',').parse::<f64>().ok()? > 128.0,
            ))
        })
        .collect();
    frames
        .windows(2)
        .filter(|pair| !pair[0].1 && pair[1].1)
        .map(|pair| pair[1].0)
        .collect()
}

/// Seconds at which sound begins, on the file's own timeline.
pub(crate) fn beeps(file: &Path) -> Vec<f64> {
    const RATE: f64 = 48_000.0;
    let path = file.to_string_lossy().into_owned();
    let first = [
        "-v",
        "error",
        "-select_streams",
        "a",
        "-show_entries",
        "packet=pts_time",
        "-of",
        "csv=p=0",
        &path,
    ];
    let listed = String::from_utf8(quiet("ffprobe", &first)).unwrap();
    let start: f64 = listed
        .lines()
        .next()
        .unwrap()
        .trim_end_matches(',')
        .parse()
        .unwrap();
    // Stretched to the packets' own times, as a player does.
    let follow = "aresample=async=1000:min_comp=0.001:min_hard_comp=0.01";
    let arguments = [
        "-v", "error", "-i", &path, "-vn", "-af", follow, "-f", "s16le", "-ac", "1", "-ar", "48000", "-",
    ];
    let samples: Vec<i16> = quiet("ffmpeg", &arguments)
        .chunks_exact(2)
        .map(|two| i16::from_le_bytes([two[0], two[1]]))
        .collect();
    let mut found = Vec::new();
    let mut silent_since = 0;
    for (at, sample) in samples.iter().enumerate() {
        if sample.unsigned_abs() > 4_000 {
            if at - silent_since > 9_600 {
                found.push(start + at as f64 / RATE);
            }
            silent_since = at;
        }
    }
    found
}
