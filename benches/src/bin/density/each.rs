//! The comparison: one process a camera, such as `ffmpeg -c copy -f hls`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use async_trait::async_trait;

use crate::args::Other;
use crate::case::WATCHED_QUALITY;
use crate::recorder::{Recorder, Work};
use benches::children::{Running, wait_for};
use benches::process::folder_bytes;

/// Less than this is no footage yet.
const FOOTAGE_BYTES: u64 = 64 * 1024;

/// A program that records one camera.
pub(crate) struct EachCamera {
    name: String,
    program: PathBuf,
    /// With `{url}` and `{folder}`.
    arguments: Vec<String>,
    /// What stands for `{sound}` when there is none, and when there is.
    sound: [&'static [&'static str]; 2],
    /// Further arguments for a camera that is watched; None: it cannot be.
    watch: Option<Vec<String>>,
}

impl EachCamera {
    /// FFmpeg, as a recorder would run it: RTSP over TCP, nothing decoded, segments of six seconds.
    pub(crate) fn ffmpeg(program: &Path) -> Self {
        let arguments = "-nostdin -loglevel warning -rtsp_transport tcp -i {url} {sound} -c copy -f hls \
                         -hls_time 6 -hls_list_size 0 {folder}/index.m3u8";
        Self {
            name: "ffmpeg".to_owned(),
            program: program.to_owned(),
            arguments: arguments.split_whitespace().map(str::to_owned).collect(),
            sound: [&["-an"], &[]],
            // The same process makes the pictures: one connection to the camera suffices for both.
            watch: Some(
                format!(
                    "-map 0:v -c:v mjpeg -q:v {} -f mjpeg /dev/null",
                    WATCHED_QUALITY.0
                )
                .split(' ')
                .map(str::to_owned)
                .collect(),
            ),
        }
    }

    /// Another one.
    pub(crate) fn other(other: &Other) -> Self {
        let (program, arguments) = other
            .words
            .split_first()
            .map_or((String::new(), &[][..]), |(a, b)| (a.clone(), b));
        Self {
            name: other.name.clone(),
            program: program.into(),
            arguments: arguments.to_vec(),
            sound: [&[], &[]],
            watch: None,
        }
    }

    fn arguments(&self, url: &str, folder: &Path, audio: bool) -> Vec<String> {
        let folder = folder.display().to_string();
        let fill = |word: &String| word.replace("{url}", url).replace("{folder}", &folder);
        let of = |word: &String| match word.as_str() {
            "{sound}" => self.sound[usize::from(audio)]
                .iter()
                .map(|&word| word.to_owned())
                .collect(),
            _ => vec![fill(word)],
        };
        self.arguments.iter().flat_map(of).collect()
    }
}

#[async_trait]
impl Recorder for EachCamera {
    fn name(&self) -> &str {
        &self.name
    }

    async fn start(&mut self, work: Work<'_>, folder: &Path) -> Result<Vec<Running>> {
        let mut children = Vec::with_capacity(work.urls.len());
        let mut folders = Vec::with_capacity(work.urls.len());
        let watched: Vec<usize> = work.case.watched(work.urls.len()).collect();
        for (index, url) in work.urls.iter().enumerate() {
            let own = folder.join(index.to_string());
            fs::create_dir(&own)?;
            let log = folder.join(format!("{index}.log"));
            let mut arguments = self.arguments(url, &own, work.case.audio);
            if watched.contains(&index) {
                let watch = self.watch.as_ref();
                arguments.extend_from_slice(watch.context("this recorder shows no pictures to viewers")?);
            }
            children.push(Running::start(&self.name, &self.program, &arguments, &log)?);
            folders.push(own);
        }
        let what = format!("footage of every {}", self.name);
        wait_for(&what, Duration::from_secs(120), || {
            folders.iter().all(|own| folder_bytes(own) >= FOOTAGE_BYTES)
        })
        .await?;
        Ok(children)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_filled() {
        let ffmpeg = EachCamera::ffmpeg(Path::new("ffmpeg"));
        let silent = ffmpeg.arguments("rtsp://a/1", Path::new("/x"), false);
        assert!(
            silent
                .join(" ")
                .ends_with("-i rtsp://a/1 -an -c copy -f hls -hls_time 6 -hls_list_size 0 /x/index.m3u8")
        );
        assert!(
            !ffmpeg
                .arguments("rtsp://a/1", Path::new("/x"), true)
                .contains(&"-an".to_owned())
        );
        let other = EachCamera::other(&"x=run {url} {folder}/a".parse().unwrap());
        assert_eq!(other.arguments("u", Path::new("/f"), true), ["u", "/f/a"]);
    }
}
