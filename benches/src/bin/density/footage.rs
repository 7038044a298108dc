//! What was recorded: pictures counted by ffprobe, and those that are missing between the first and the last.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use tokio::process::Command;

/// The first seconds of a camera do not count: FFmpeg sets its clock by the first sender report, which leaves a
/// hole in its timeline, but no picture out.
const SETTLES_S: f64 = 5.0;

/// Pictures of all cameras.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Pictures {
    /// There.
    pub recorded: u64,
    /// Not there, although earlier and later ones of the camera are.
    pub lost: u64,
}

/// Counts what lies below `folder`: a camera's files are in a folder of their own.
pub(crate) async fn count(ffprobe: &Path, folder: &Path, fps: u32) -> Result<Pictures> {
    let mut all = Pictures::default();
    for files in cameras(folder)? {
        let mut times = Vec::new();
        for file in &files {
            times.extend(times_of(ffprobe, file).await?);
        }
        let one = missing(times, fps);
        all.recorded += one.recorded;
        all.lost += one.lost;
    }
    Ok(all)
}

/// Files with footage, by the folder that they are in.
fn cameras(folder: &Path) -> Result<Vec<Vec<PathBuf>>> {
    let mut found = Vec::new();
    let mut own = Vec::new();
    let entries = fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        let is_footage = |path: &Path| {
            let extension = path.extension().and_then(|extension| extension.to_str());
            matches!(extension, Some("mp4" | "ts" | "m4s" | "mkv"))
        };
        if path.is_dir() {
            found.extend(cameras(&path)?);
        } else if is_footage(&path) {
            own.push(path);
        }
    }
    if !own.is_empty() {
        found.push(own);
    }
    Ok(found)
}

/// Presentation times in seconds.
async fn times_of(ffprobe: &Path, file: &Path) -> Result<Vec<f64>> {
    let arguments = [
        "-v",
        "error",
        "-select_streams",
        "v:0",
        "-show_entries",
        "packet=pts_time",
        "-of",
        "csv=p=0",
    ];
    let output = Command::new(ffprobe).args(arguments).arg(file).output().await;
    let output = output.with_context(|| format!("starting {}", ffprobe.display()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("ffprobe cannot read {}: {}", file.display(), said.trim());
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let times = text
        .lines()
        .filter_map(|line| line.trim_matches([',', ' ']).parse().ok());
    Ok(times.collect())
}

fn missing(mut times: Vec<f64>, fps: u32) -> Pictures {
    times.sort_by(f64::total_cmp);
    let settled = times.first().map_or(0.0, |first| first + SETTLES_S);
    times.retain(|time| *time >= settled);
    let lost = |pair: &[f64]| {
        let apart = ((pair[1] - pair[0]) * f64::from(fps)).round();
        (apart as u64).saturating_sub(1)
    };
    Pictures {
        recorded: times.len() as u64,
        lost: times.windows(2).map(lost).sum(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_are_counted_in_pictures() {
        // Two that do not count, then five seconds later the first that does.
        let time = |number: &u32| 1e9 + f64::from(*number) / 15.0 + 0.004;
        let times = |numbers: &[u32]| [0, 9].iter().chain(numbers).map(time).collect();
        let pictures = |recorded, lost| Pictures { recorded, lost };
        assert_eq!(missing(times(&[103, 101, 102, 104]), 15), pictures(4, 0));
        assert_eq!(missing(times(&[101, 102, 106, 108]), 15), pictures(4, 4));
        assert_eq!(missing(Vec::new(), 15), Pictures::default());
    }

    #[test]
    fn files_are_grouped_by_their_folder() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a/1.mp4", "a/2.mp4", "b/c/x.ts", "b/index.m3u8"] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let mut sizes: Vec<usize> = cameras(folder.path()).unwrap().iter().map(Vec::len).collect();
        sizes.sort_unstable();
        assert_eq!(sizes, [1, 2]);
    }
}
