//! The media library, behind a trait so that supervisors can be driven by scripted facts.
//!
//! Also translates between the wire's words and the media library's.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use media_core::facts::{
    Adjustment, AttemptStats, FactSink, Failure, ProbeReport, RecordSettings, SourceSpec,
};
use media_core::pictures::{PictureError, PictureFormat, Pictures};
use media_core::snapshot::{Snapshot, SnapshotError, SnapshotLimits};
use media_core::{AccessUnit, Attempt, Engine};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use wire::source::{Credentials, PASSWORD_PLACE, Reader, Source, Transport, USERNAME_PLACE};

/// Starts attempts and probes.
pub trait Recorder: Send + Sync + 'static {
    /// Starts one attempt; facts go to `sink` and end with one `Ended`.
    fn start(&self, spec: SourceSpec, settings: RecordSettings, sink: Arc<dyn FactSink>) -> Arc<dyn Running>;

    /// Looks at a camera for at most `limit`.
    ///
    /// # Errors
    /// What kept it from an answer.
    fn probe(&self, spec: SourceSpec, limit: Duration) -> BoxFuture<'_, Result<ProbeReport, Failure>>;

    /// Makes a picture of a keyframe.
    ///
    /// # Errors
    /// What kept it from a picture.
    fn snapshot(
        &self,
        keyframe: AccessUnit,
        limits: SnapshotLimits,
    ) -> BoxFuture<'_, Result<Snapshot, SnapshotError>>;
}

/// A running attempt.
pub trait Running: Send + Sync + 'static {
    /// Asks it to end; `Ended` follows as a fact.
    fn stop(&self);
    /// Changes what is recorded of what comes.
    fn adjust(&self, adjustment: Adjustment);
    /// Its figures.
    fn stats(&self) -> AttemptStats;
    /// Its last keyframe; None before the first.
    fn keyframe(&self) -> Option<AccessUnit>;
    /// A consumer of live pictures.
    ///
    /// # Errors
    /// What kept it from pictures.
    fn pictures(&self, format: PictureFormat) -> Result<Pictures, PictureError>;
}

impl Recorder for Engine {
    fn start(&self, spec: SourceSpec, settings: RecordSettings, sink: Arc<dyn FactSink>) -> Arc<dyn Running> {
        Arc::new(self.attempt(spec, settings, sink))
    }

    fn probe(&self, spec: SourceSpec, limit: Duration) -> BoxFuture<'_, Result<ProbeReport, Failure>> {
        Box::pin(Self::probe(self, spec, limit))
    }

    fn snapshot(
        &self,
        keyframe: AccessUnit,
        limits: SnapshotLimits,
    ) -> BoxFuture<'_, Result<Snapshot, SnapshotError>> {
        Box::pin(Self::snapshot(self, keyframe, limits))
    }
}

impl Running for Attempt {
    fn stop(&self) {
        Self::stop(self);
    }

    fn adjust(&self, adjustment: Adjustment) {
        Self::adjust(self, adjustment);
    }

    fn stats(&self) -> AttemptStats {
        Self::stats(self)
    }

    fn keyframe(&self) -> Option<AccessUnit> {
        Self::keyframe(self)
    }

    fn pictures(&self, format: PictureFormat) -> Result<Pictures, PictureError> {
        Self::pictures(self, format)
    }
}

/// What the media library is told to read.
///
/// # Errors
/// One sentence when the source's URL is none that can be read.
pub fn source_spec(source: &Source, credentials: Option<Credentials>) -> Result<SourceSpec, String> {
    let address = filled(&source.url, credentials.as_ref())?;
    let url = url::Url::parse(&address).map_err(|error| format!("the camera's address is wrong: {error}"))?;
    if !matches!(url.scheme(), "rtsp" | "rtsps") || url.host_str().is_none() {
        return Err("the camera's address must be rtsp:// or rtsps:// with a host".to_owned());
    }
    Ok(SourceSpec {
        url,
        credentials: credentials.map(|c| media_core::facts::Credentials {
            username: c.username,
            password: c.password,
        }),
        transport: match source.transport {
            Transport::Tcp => media_core::facts::Transport::Tcp,
            Transport::Udp => media_core::facts::Transport::Udp,
        },
        reader: match source.reader {
            Reader::Auto => media_core::facts::Reader::Auto,
            Reader::Retina => media_core::facts::Reader::Retina,
            Reader::Rtspsrc => media_core::facts::Reader::Rtspsrc,
        },
        audio: source.audio,
    })
}

/// What stays as it is in a path or a query (RFC 3986 §2.3).
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The address with user name and password in the places that its path or query has for them.
///
/// # Errors
/// A sentence when there are places and nothing to fill in.
fn filled(address: &str, credentials: Option<&Credentials>) -> Result<String, String> {
    let start = address.find("://").map_or(0, |at| at + 3);
    let host_end = address
        .match_indices(['/', '?'])
        .find(|(at, _)| *at >= start)
        .map_or(address.len(), |(at, _)| at);
    let (host, rest) = address.split_at(host_end);
    if !rest.contains(USERNAME_PLACE) && !rest.contains(PASSWORD_PLACE) {
        return Ok(address.to_owned());
    }
    let known = credentials.ok_or("the camera's address wants a user name and a password: enter them")?;
    let escaped = |text: &str| utf8_percent_encode(text, UNRESERVED).to_string();
    let rest = rest
        .replace(USERNAME_PLACE, &escaped(&known.username))
        .replace(PASSWORD_PLACE, &escaped(&known.password));
    Ok(format!("{host}{rest}"))
}

/// A track in the wire's words.
#[must_use]
pub fn wire_track(track: &media_core::facts::Track) -> wire::Track {
    use media_core::facts::Track;
    match track {
        Track::Video {
            codec,
            width,
            height,
            fps,
        } => wire::Track::Video {
            codec: codec.clone(),
            width: *width,
            height: *height,
            fps: *fps,
        },
        Track::Audio {
            codec,
            sample_rate_hz,
            channels,
        } => wire::Track::Audio {
            codec: codec.clone(),
            sample_rate_hz: *sample_rate_hz,
            channels: *channels,
        },
    }
}

/// A probe's report in the wire's words.
#[must_use]
pub fn wire_report(report: &ProbeReport) -> wire::bus::ProbeReport {
    wire::bus::ProbeReport {
        tracks: report.tracks.iter().map(wire_track).collect(),
        bitrate_bps: report.bitrate_bps,
        keyframe_interval_ms: report
            .keyframe_interval
            .map(|i| u64::try_from(i.as_millis()).unwrap_or(u64::MAX)),
        clock_offset_ms: report.clock_offset_ms,
        reader: report.reader.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(url: &str, username: &str, password: &str) -> Result<SourceSpec, String> {
        let source = Source {
            url: url.to_owned(),
            transport: Transport::Tcp,
            reader: Reader::Auto,
            audio: false,
        };
        let known = (!username.is_empty()).then(|| Credentials {
            username: username.to_owned(),
            password: password.to_owned(),
        });
        source_spec(&source, known)
    }

    #[test]
    fn places_of_an_address_are_filled_in_behind_the_host_only() {
        for (url, expected) in [
            ("rtsp://10.0.0.5/live?a=b", "rtsp://10.0.0.5/live?a=b"),
            (
                "rtsp://10.0.0.5:554/user={username}_password={password}_channel=1",
                "rtsp://10.0.0.5:554/user=ad%20min_password=p%26%7Busername%7D_channel=1",
            ),
            (
                "rtsp://10.0.0.5?pwd={password}",
                "rtsp://10.0.0.5?pwd=p%26%7Busername%7D",
            ),
            ("rtsp://{password}.example/", "rtsp://{password}.example/"),
        ] {
            let spec = spec(url, "ad min", "p&{username}").unwrap();
            assert_eq!(spec.url.as_str(), expected);
            let shown = format!("{spec:?}");
            assert!(!shown.contains("ad%20min") && !shown.contains("p%26"), "{shown}");
        }
    }

    #[test]
    fn places_without_anything_to_fill_in_are_told() {
        let error = spec("rtsp://10.0.0.5/?pwd={password}", "", "").unwrap_err();
        assert!(error.contains("wants a user name and a password"), "{error}");
    }
}
