//! Playing a range of a camera's footage: playlists and their signed addresses.
//!
//! Decides nothing about footage itself: `domain::playlist` does.

use std::collections::HashSet;

use wire::access::Permission;
use wire::api::Playback;
use wire::event::OpenObject;
use wire::{CameraId, ObjectId, OrganizationId, StreamKind, TimeRange, UnixMs};

use super::Caller;
use super::footage::heads;
use crate::domain::playlist::{
    Ending, Footage, MediaUrls, TOUCH_MS, codecs, ending, media, multivariant, select, variant,
};
use crate::domain::signing::{Grant, Rejected, Signer, expiry};
use crate::store::{CameraRow, ObjectRow, erasures, windows};
use crate::{AppState, Error};

/// Longest range of a playlist, in milliseconds.
pub const MAX_RANGE_MS: i64 = 24 * 60 * 60 * 1000;
/// How long a playlist's address works at least, in milliseconds: as long as somebody may watch.
const LIFE_MS: i64 = 6 * 60 * 60 * 1000;
/// Expiries are multiples of this, in milliseconds, so that caches see the same addresses for a while.
const WINDOW_MS: i64 = 60 * 60 * 1000;
/// The longest that any signed address works, in milliseconds.
pub const ADDRESS_MS: i64 = LIFE_MS + WINDOW_MS;
/// Address of gap segments, which answers with nothing to show.
pub const GAP_PATH: &str = "/playlist/gap.mp4";
const STREAMS: [StreamKind; 2] = [StreamKind::Main, StreamKind::Sub];

/// What a playlist is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// First instant.
    pub from: UnixMs,
    /// First instant after; none follows the present.
    pub to: Option<UnixMs>,
}

impl Span {
    /// The range that it means, at most [`MAX_RANGE_MS`] from its first instant.
    ///
    /// # Errors
    /// [`Error::Invalid`] when it ends before it starts or is too long.
    pub fn range(self) -> Result<TimeRange, Error> {
        range(
            self.from,
            self.to.unwrap_or(self.from.plus(MAX_RANGE_MS)),
            MAX_RANGE_MS,
        )
    }
}

/// A range from outside.
///
/// # Errors
/// [`Error::Invalid`] when it ends before it starts or is longer than `longest_ms`.
pub fn range(from: UnixMs, to: UnixMs, longest_ms: i64) -> Result<TimeRange, Error> {
    let invalid = |code, title: String| Error::Invalid {
        code,
        title,
        field: Some("to"),
    };
    let range = TimeRange::new(from, to).map_err(|error| invalid("empty_range", error.to_string()))?;
    if range.duration_ms() > longest_ms {
        let hours = longest_ms / 3_600_000;
        return Err(invalid(
            "range_too_long",
            format!("the range is longer than {hours} hours"),
        ));
    }
    Ok(range)
}

/// Where a signed playlist address leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    /// Whose camera.
    pub organization: OrganizationId,
    /// Which one.
    pub camera: CameraId,
    /// What is asked for.
    pub span: Span,
    /// When the address, and every address in the playlist, stops working.
    pub expires: UnixMs,
}

impl Ticket {
    fn grant(&self) -> Grant<'static> {
        Grant::Playlist {
            organization: self.organization,
            camera: self.camera,
            from: self.span.from,
            to: self.span.to,
        }
    }

    /// The signed address of a playlist of the camera, without scheme and host.
    fn url(&self, signer: &Signer, file: &str) -> String {
        let path = format!("/playlist/{}/{file}.m3u8", self.camera);
        let sig = signer.sign(&self.grant(), &path, self.expires);
        let to = self
            .span
            .to
            .map_or_else(String::new, |to| format!("&to={}", to.0));
        format!(
            "{path}?org={}&from={}{to}&exp={}&sig={sig}",
            self.organization, self.span.from.0, self.expires.0
        )
    }

    /// Checks the signature of a playlist's address.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub fn check(&self, state: &AppState, file: &str, signature: &str, now: UnixMs) -> Result<(), Error> {
        let path = format!("/playlist/{}/{file}.m3u8", self.camera);
        signer(state)
            .check(&self.grant(), &path, self.expires, signature, now)
            .map_err(forbidden)
    }
}

/// Signs addresses of playlists and footage.
#[must_use]
pub fn signer(state: &AppState) -> Signer {
    state.secrets.keys().signer()
}

/// What a client learns about a signature that opens nothing.
#[must_use]
pub fn forbidden(rejected: Rejected) -> Error {
    match rejected {
        Rejected::Expired => Error::Forbidden {
            code: "address_expired",
            title: "the address has expired, ask for a new one",
        },
        Rejected::Invalid => Error::Forbidden {
            code: "signature_invalid",
            title: "the signature does not cover this request",
        },
    }
}

/// The address of a range's multivariant playlist, and what playing it takes.
///
/// # Errors
/// `NotFound` for a foreign camera and for a range without footage, `Invalid` for a bad range.
pub async fn playback(
    state: &AppState,
    caller: &Caller,
    camera: CameraId,
    span: Span,
    now: UnixMs,
) -> Result<Playback, Error> {
    let row = watched(state, caller, camera).await?;
    let range = span.range()?;
    let mut found = Vec::new();
    for stream in STREAMS {
        let footage = footage(state, &row, stream, range).await?.all();
        for codec in codecs(&select(&footage, range)) {
            if !found.contains(&codec) {
                found.push(codec);
            }
        }
    }
    if found.is_empty() {
        return Err(Error::not_found("footage"));
    }
    let ticket = Ticket {
        organization: caller.organization,
        camera,
        span,
        expires: expiry(now, LIFE_MS, WINDOW_MS),
    };
    Ok(Playback {
        url: ticket.url(&signer(state), "master"),
        expires: ticket.expires,
        codecs: found,
    })
}

/// The multivariant playlist of a range.
///
/// # Errors
/// `NotFound` without camera or footage.
pub async fn master(state: &AppState, ticket: &Ticket) -> Result<String, Error> {
    let row = camera_row(state, ticket.organization, ticket.camera).await?;
    let range = ticket.span.range()?;
    let mut variants = Vec::new();
    for stream in STREAMS {
        let footage = footage(state, &row, stream, range).await?.all();
        variants.extend(variant(stream, &select(&footage, range)));
    }
    if variants.is_empty() {
        return Err(Error::not_found("footage"));
    }
    let signer = signer(state);
    Ok(multivariant(&variants, |stream| {
        ticket.url(&signer, stream.as_str())
    }))
}

/// The media playlist of a stream's range, and whether more can follow.
///
/// # Errors
/// `NotFound` without camera or footage.
pub async fn rendition(
    state: &AppState,
    ticket: &Ticket,
    stream: StreamKind,
    now: UnixMs,
) -> Result<(String, Ending), Error> {
    let row = camera_row(state, ticket.organization, ticket.camera).await?;
    let range = ticket.span.range()?;
    let footage = footage(state, &row, stream, range).await?.all();
    let entries = select(&footage, range);
    if entries.is_empty() {
        return Err(Error::not_found("footage"));
    }
    let (organization, camera) = (ticket.organization, ticket.camera);
    let ahead = state
        .store
        .read(move |c| windows::not_over(c, organization, Some(camera), now))
        .await?;
    let mut open = ahead.get(&(camera, stream)).into_iter().flatten();
    let goes_on = open.any(|window| window.start <= now);
    let ending = ending(&entries, range, now, goes_on);
    let urls = Urls {
        signer: signer(state),
        camera: ticket.camera,
        expires: ticket.expires,
    };
    Ok((media(&entries, ending, &urls), ending))
}

/// Addresses of footage, good for as long as the playlist's own: they stay the same while it grows.
struct Urls {
    signer: Signer,
    camera: CameraId,
    expires: UnixMs,
}

impl MediaUrls for Urls {
    fn object(&self, object: ObjectId) -> String {
        let path = format!("/footage/{object}.mp4");
        let grant = Grant::Footage {
            camera: self.camera,
            object,
        };
        let sig = self.signer.sign(&grant, &path, self.expires);
        format!("{path}?camera={}&exp={}&sig={sig}", self.camera, self.expires.0)
    }

    fn gap(&self) -> String {
        GAP_PATH.to_owned()
    }
}

/// A camera, deleted ones included, for who may watch its footage.
///
/// # Errors
/// `NotFound` for anybody else's, `Forbidden` when only other things were granted.
pub(super) async fn watched(state: &AppState, caller: &Caller, camera: CameraId) -> Result<CameraRow, Error> {
    let caller = caller.clone();
    state
        .store
        .look(move |c| caller.camera_even_deleted(c, camera, Some(Permission::ViewFootage)))
        .await
}

/// A tenant's camera, deleted ones included: their footage can still be watched.
///
/// # Errors
/// `NotFound` for anybody else's.
pub async fn camera_row(
    state: &AppState,
    organization: OrganizationId,
    camera: CameraId,
) -> Result<CameraRow, Error> {
    state
        .store
        .camera_even_deleted(organization, camera)
        .await?
        .ok_or_else(|| Error::not_found("camera"))
}

/// Footage of a range, by where it is known from.
#[derive(Debug, Default)]
pub struct Found {
    /// From the index.
    pub indexed: Vec<Footage>,
    /// From the head, without what the index has.
    pub open: Vec<Footage>,
}

impl Found {
    /// All of it, indexed first.
    #[must_use]
    pub fn all(self) -> Vec<Footage> {
        let mut all = self.indexed;
        all.extend(self.open);
        all
    }
}

/// The footage of a stream that touches `range`, and what overlaps it.
///
/// # Errors
/// Those of the database.
pub async fn footage(
    state: &AppState,
    camera: &CameraRow,
    stream: StreamKind,
    range: TimeRange,
) -> Result<Found, Error> {
    // The head first: an object that goes from head to index meanwhile is then in both, not in neither.
    let heads = heads(state, camera.id, stream);
    let indexed = state
        .store
        .objects_in_range(camera.organization, camera.id, stream, range)
        .await?;
    let known: HashSet<ObjectId> = indexed.iter().map(|row| row.id).collect();
    let open = heads.iter().flat_map(|head| &head.objects).filter(|object| {
        let segments = &object.segments.0;
        let starts = segments.first().is_some_and(|first| first.start < range.end());
        let ends = segments
            .last()
            .is_some_and(|last| last.end().plus(TOUCH_MS) > range.start());
        !known.contains(&object.id) && starts && ends
    });
    let open: Vec<OpenObject> = open.cloned().collect();
    Ok(Found {
        open: unerased(state, camera.id, open)
            .await?
            .into_iter()
            .map(Footage::from)
            .collect(),
        indexed: indexed.into_iter().map(Footage::from).collect(),
    })
}

/// Those of `open` that no erasure touches: a node goes on announcing them until it has heard of it.
async fn unerased(
    state: &AppState,
    camera: CameraId,
    open: Vec<OpenObject>,
) -> Result<Vec<OpenObject>, Error> {
    let ranges: Vec<TimeRange> = open.iter().filter_map(|object| object.segments.range()).collect();
    let (Some(start), Some(end)) = (
        ranges.iter().map(TimeRange::start).min(),
        ranges.iter().map(TimeRange::end).max(),
    ) else {
        return Ok(open);
    };
    let Ok(span) = TimeRange::new(start, end) else {
        return Ok(open);
    };
    let erased = state
        .store
        .read(move |c| erasures::touching(c, camera, span))
        .await?;
    let is_erased = |object: &OpenObject| {
        let range = object.segments.range();
        range.is_some_and(|range| erased.iter().any(|(gone, _)| gone.intersection(&range).is_some()))
    };
    Ok(open.into_iter().filter(|object| !is_erased(object)).collect())
}

impl From<ObjectRow> for Footage {
    fn from(row: ObjectRow) -> Self {
        Self {
            id: row.id,
            epoch: row.epoch,
            previous: row.previous,
            init: row.init,
            tracks: row.tracks,
            segments: row.segments,
        }
    }
}
