//! What a viewer gets: playlists, objects, pictures and sound, judged by programs that we did not write.

pub mod ffmpeg;
pub mod judge;
pub mod playlist;
pub mod sound;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use wire::{CameraId, UnixMs};

use crate::sim::h26x::{Stamp, stamps};
use crate::world::api::Api;
use playlist::{Entry, Parsed};

/// The footage of a range, downloaded as its playlist says.
#[derive(Debug)]
pub struct Footage {
    /// Address of the media playlist.
    pub url: String,
    /// Its segments.
    pub segments: Vec<Segment>,
    /// Each object once, in order.
    pub objects: Vec<Object>,
}

/// A segment with the frames in it.
#[derive(Debug)]
pub struct Segment {
    /// As the playlist names it.
    pub entry: Entry,
    /// Its frames in presentation order; none for a gap.
    pub frames: Vec<Stamp>,
}

/// A downloaded object.
#[derive(Debug)]
pub struct Object {
    /// As the playlist names it.
    pub uri: String,
    /// The file.
    pub file: PathBuf,
    /// Sum of its segments in the playlist, milliseconds.
    pub duration_ms: i64,
}

impl Footage {
    /// Downloads a range into a folder. Both parsers must be content with the playlists.
    ///
    /// # Errors
    /// When an address does not answer or a parser complains.
    pub async fn fetch(api: &Api, camera: CameraId, from: UnixMs, to: UnixMs, folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let playback = api.playback(camera, from, to).await?;
        let master = playlist::parse(&api.bytes(&playback.url).await?, &folder.join("master.m3u8"))?;
        ensure!(
            master.variants.len() == 1,
            "{} renditions of one stream",
            master.variants.len()
        );
        let url = reqwest::Url::parse(&api.base)?
            .join(&playback.url)?
            .join(&master.variants[0].uri)?;
        let media = playlist::parse(&api.bytes(url.as_str()).await?, &folder.join("media.m3u8"))?;
        let (segments, objects) = download(api, &url, media, folder).await?;
        Ok(Self {
            url: url.into(),
            segments,
            objects,
        })
    }

    /// All frames in presentation order.
    #[must_use]
    pub fn frames(&self) -> Vec<Stamp> {
        self.segments
            .iter()
            .flat_map(|segment| segment.frames.iter().copied())
            .collect()
    }

    /// Runs of frame numbers without one missing, in order.
    ///
    /// # Errors
    /// When a number comes twice or out of order.
    pub fn runs(&self) -> Result<Vec<(u64, u64)>> {
        let mut runs: Vec<(u64, u64)> = Vec::new();
        for stamp in self.frames() {
            match runs.last_mut() {
                Some((_, last)) if stamp.frame == *last + 1 => *last = stamp.frame,
                Some((_, last)) => {
                    ensure!(stamp.frame > *last, "frame {} follows frame {last}", stamp.frame);
                    runs.push((stamp.frame, stamp.frame));
                }
                None => runs.push((stamp.frame, stamp.frame)),
            }
        }
        Ok(runs)
    }
}

async fn download(
    api: &Api,
    base: &reqwest::Url,
    media: Parsed,
    folder: &Path,
) -> Result<(Vec<Segment>, Vec<Object>)> {
    ensure!(media.ended, "the playlist of a past range has no end");
    let mut bodies = BTreeMap::new();
    let mut objects: Vec<Object> = Vec::new();
    let mut segments = Vec::new();
    for entry in media.segments {
        if entry.gap {
            segments.push(Segment {
                entry,
                frames: Vec::new(),
            });
            continue;
        }
        if !bodies.contains_key(&entry.uri) {
            let body = api.bytes(base.join(&entry.uri)?.as_str()).await?;
            let file = folder.join(format!("{:03}.mp4", objects.len()));
            std::fs::write(&file, &body)?;
            bodies.insert(entry.uri.clone(), body);
            objects.push(Object {
                uri: entry.uri.clone(),
                file,
                duration_ms: 0,
            });
        }
        let object = objects.iter_mut().rfind(|object| object.uri == entry.uri);
        object.context("the object of the segment")?.duration_ms += entry.duration_ms();
        let range = entry
            .byterange
            .as_ref()
            .context("a segment without a byte range")?;
        let body = &bodies[&entry.uri];
        let bytes = body.get(range.offset..range.offset + range.length);
        let bytes = bytes.with_context(|| format!("{range:?} of {} bytes", body.len()))?;
        let mut frames = stamps(bytes);
        frames.sort_unstable_by_key(|stamp| stamp.frame);
        segments.push(Segment { entry, frames });
    }
    Ok((segments, objects))
}
