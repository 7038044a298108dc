//! Playlists as the npm packages `m3u8-parser` and `hls-parser` read them.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

/// What both parsers found.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Parsed {
    problems: Vec<String>,
    /// Segments of a media playlist.
    pub segments: Vec<Entry>,
    /// Renditions of a multivariant playlist.
    pub variants: Vec<Variant>,
    /// `EXT-X-TARGETDURATION`, seconds.
    pub target_duration: Option<f64>,
    /// `EXT-X-ENDLIST` is there.
    pub ended: bool,
}

/// One segment.
#[derive(Debug, Clone, Deserialize)]
pub struct Entry {
    /// Address.
    pub uri: String,
    /// `EXTINF`, seconds.
    pub duration: f64,
    /// `EXT-X-BYTERANGE`.
    pub byterange: Option<ByteRange>,
    /// `EXT-X-PROGRAM-DATE-TIME`, milliseconds since 1970.
    pub start: Option<i64>,
    /// `EXT-X-DISCONTINUITY` stands before it.
    pub discontinuity: bool,
    /// `EXT-X-GAP`.
    pub gap: bool,
}

impl Entry {
    /// `EXTINF` in milliseconds.
    #[must_use]
    pub fn duration_ms(&self) -> i64 {
        (self.duration * 1000.0).round() as i64
    }
}

/// Bytes of an object.
#[derive(Debug, Clone, Deserialize)]
pub struct ByteRange {
    /// Count.
    pub length: usize,
    /// First one.
    pub offset: usize,
}

/// One rendition.
#[derive(Debug, Clone, Deserialize)]
pub struct Variant {
    /// Address of its media playlist.
    pub uri: String,
}

/// Keeps a playlist in a file and has both parsers read it.
///
/// # Errors
/// When a parser complains.
pub fn parse(text: &[u8], file: &Path) -> Result<Parsed> {
    std::fs::write(file, text)?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("js/check-playlist.mjs");
    let out = Command::new("node")
        .arg(script)
        .stdin(std::fs::File::open(file)?)
        .stderr(Stdio::piped())
        .output()
        .context("node cannot be started: tests/run.sh installs it")?;
    let errors = String::from_utf8_lossy(&out.stderr);
    let parsed: Parsed = serde_json::from_slice(&out.stdout)
        .with_context(|| format!("check-playlist.mjs failed (npm ci --prefix tests/js?): {errors}"))?;
    ensure!(
        parsed.problems.is_empty(),
        "{}: {:?}",
        file.display(),
        parsed.problems
    );
    Ok(parsed)
}
