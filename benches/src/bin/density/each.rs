//! The comparison: one `ffmpeg -c copy -f hls` a camera.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use async_trait::async_trait;

use crate::recorder::Recorder;
use benches::children::{Running, wait_for};

/// FFmpeg, as a recorder would run it: RTSP over TCP, nothing decoded, segments of six seconds.
pub(crate) struct Ffmpeg {
    pub(crate) program: PathBuf,
}

#[async_trait]
impl Recorder for Ffmpeg {
    fn name(&self) -> &'static str {
        "ffmpeg"
    }

    async fn start(&mut self, urls: &[String], folder: &Path) -> Result<Vec<Running>> {
        let mut children = Vec::with_capacity(urls.len());
        let mut playlists = Vec::with_capacity(urls.len());
        for (index, url) in urls.iter().enumerate() {
            let own = folder.join(index.to_string());
            fs::create_dir(&own)?;
            let playlist = own.join("index.m3u8");
            let log = folder.join(format!("{index}.log"));
            children.push(Running::start(
                "ffmpeg",
                &self.program,
                &arguments(url, &playlist),
                &log,
            )?);
            playlists.push(playlist);
        }
        wait_for("a playlist of every ffmpeg", Duration::from_secs(90), || {
            playlists.iter().all(|playlist| playlist.is_file())
        })
        .await?;
        Ok(children)
    }
}

fn arguments(url: &str, playlist: &Path) -> Vec<String> {
    let mut arguments: Vec<String> = [
        "-nostdin",
        "-loglevel",
        "warning",
        "-rtsp_transport",
        "tcp",
        "-i",
        url,
    ]
    .map(str::to_owned)
    .to_vec();
    let output = [
        "-an",
        "-c",
        "copy",
        "-f",
        "hls",
        "-hls_time",
        "6",
        "-hls_list_size",
        "0",
    ];
    arguments.extend(output.map(str::to_owned));
    arguments.push(playlist.display().to_string());
    arguments
}
