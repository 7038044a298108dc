//! Playback: a video element fed by hls.js, and its place on the wall clock.

use std::cell::RefCell;
use std::rc::Rc;

use gloo_timers::callback::Interval;
use wasm_bindgen_futures::spawn_local;
use web_sys::HtmlVideoElement;
use wire::{CameraId, UnixMs};
use yew::prelude::*;

use crate::hls::{self, Details, Fatal, Instance, Told};
use crate::position::Piece;
use crate::{api, civil, position};

/// A list covers this much after the time asked for; the next one follows when it ends.
const WINDOW_MS: i64 = 2 * 3600 * 1000;
/// A list starts this much before the time asked for, so that a step back needs no other list.
const LEAD_MS: i64 = 60 * 1000;
/// Playback stops this much before a gap at most: sound and pictures end apart, and a part of a picture is left.
const EDGE_S: f64 = 0.5;
/// How long a notice stays over a moving picture.
const NOTICE_MS: i64 = 8000;
/// Fatal network errors in a row after which we stop trying.
const MAX_RETRIES: u32 = 20;

/// A request to play from a time; a new `serial` asks again for the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// The camera.
    pub camera: CameraId,
    /// From when.
    pub at: UnixMs,
    /// Counts requests.
    pub serial: u32,
}

/// Properties of [`Playback`].
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct PlaybackProps {
    /// What to play; nothing at first.
    pub wanted: Option<Wanted>,
    /// Time of the picture shown, several times a second.
    pub on_time: Callback<Option<UnixMs>>,
}

/// What is loaded.
struct Loaded {
    camera: CameraId,
    from: UnixMs,
    to: UnixMs,
    /// Where to go once the list is there.
    target: Option<f64>,
    details: Option<Details>,
    retries: u32,
    /// Position at the last tick, unless a seek came between.
    seen: Option<f64>,
    instance: Instance,
}

type Slot = Rc<RefCell<Option<Loaded>>>;

/// Handles that the pieces of this component share.
#[derive(Clone)]
struct Stage {
    video: NodeRef,
    slot: Slot,
    notice: UseStateSetter<Option<String>>,
    /// When the notice was given.
    said: Rc<RefCell<UnixMs>>,
    /// Counts loads, so that a late answer of an older one is dropped.
    load: Rc<RefCell<u32>>,
}

/// The picture with its controls, and what there is to say about it.
#[component]
pub fn Playback(props: &PlaybackProps) -> Html {
    let notice = use_state_eq(|| None::<String>);
    let slot: Slot = use_mut_ref(|| None);
    let load = use_mut_ref(|| 0_u32);
    let said = use_mut_ref(UnixMs::default);
    let video = use_node_ref();
    let stage = Stage {
        video: video.clone(),
        slot,
        notice: notice.setter(),
        said,
        load,
    };
    {
        let stage = stage.clone();
        use_effect_with(props.wanted, move |wanted| {
            if let Some(wanted) = *wanted {
                stage.go(wanted.camera, wanted.at);
            }
        });
    }
    {
        let on_time = props.on_time.clone();
        use_effect_with((), move |()| {
            let ticking = stage.clone();
            let interval = Interval::new(250, move || on_time.emit(ticking.tick()));
            move || {
                drop(interval);
                stage.slot.take();
            }
        });
    }
    html! {
        <div class="stage">
            <video ref={video} controls=true playsinline=true muted=true aria-label="Footage"></video>
            if let Some(text) = &*notice {
                <p class="notice" role="status">{ text }</p>
            }
        </div>
    }
}

impl Stage {
    /// Seeks when the time is loaded, otherwise loads a list around it.
    fn go(&self, camera: CameraId, at: UnixMs) {
        if let Some(loaded) = &mut *self.slot.borrow_mut() {
            let pieces = loaded.details.as_ref().map(Details::pieces).unwrap_or_default();
            let last = pieces
                .last()
                .map(|piece| piece.wall_ms + piece.duration_s * 1000.0);
            let inside = at >= loaded.from && last.is_some_and(|last| (at.0 as f64) < last);
            if loaded.camera == camera && inside {
                loaded.target = Some(at.0 as f64);
                self.seek_to_target(loaded);
                return;
            }
        }
        let stage = self.clone();
        *self.load.borrow_mut() += 1;
        let load = *self.load.borrow();
        self.say("Loading…".to_owned());
        spawn_local(async move {
            if let Err(sentence) = stage.load(camera, at, load).await {
                stage.slot.take();
                stage.say(sentence);
            }
        });
    }

    async fn load(&self, camera: CameraId, at: UnixMs, load: u32) -> Result<(), String> {
        let (from, to) = (at.plus(-LEAD_MS), at.plus(WINDOW_MS));
        let playback = api::playback(camera, from, to)
            .await
            .map_err(|error| error.sentence())?;
        if !hls::load().await {
            return Err("This browser cannot play footage: it has no Media Source Extensions.".to_owned());
        }
        if let Some(codec) = hls::undecodable(&playback.codecs) {
            return Err(cannot_decode(codec));
        }
        if *self.load.borrow() != load {
            return Ok(());
        }
        let video: HtmlVideoElement = self.video.cast().ok_or("The page has no video element.")?;
        let tell = {
            let stage = self.clone();
            move |told| stage.told(told)
        };
        let instance = Instance::new(tell);
        instance.hls.load_source(&playback.url);
        instance.hls.attach_media(&video);
        let target = Some(at.0 as f64);
        let old = self.slot.replace(Some(Loaded {
            camera,
            from,
            to,
            target,
            details: None,
            retries: 0,
            seen: None,
            instance,
        }));
        drop(old);
        Ok(())
    }

    /// hls.js tells on a turn of its own, so that the slot is never borrowed twice.
    fn told(&self, told: Told) {
        let stage = self.clone();
        spawn_local(async move {
            let Some(loaded) = &mut *stage.slot.borrow_mut() else {
                return;
            };
            match told {
                Told::Loaded(details) => {
                    loaded.details = Some(details);
                    loaded.retries = 0;
                    if stage.seek_to_target(loaded) {
                        stage.notice.set(None);
                    }
                }
                Told::Stumbled => {
                    loaded.retries = loaded.retries.max(1);
                    if stage
                        .video
                        .cast::<HtmlVideoElement>()
                        .is_some_and(|video| stalled(&video))
                    {
                        stage.say("This footage cannot be loaded; trying again…".to_owned());
                    }
                }
                Told::Failed(Fatal::Media) => loaded.instance.hls.recover_media_error(),
                Told::Failed(Fatal::Network) if loaded.retries < MAX_RETRIES => {
                    loaded.retries += 1;
                    stage.say("The connection is interrupted; trying again…".to_owned());
                    let hls = loaded.instance.hls.clone();
                    gloo_timers::callback::Timeout::new(2000, move || hls.start_load()).forget();
                }
                Told::Failed(Fatal::Network) => {
                    stage.say("The footage cannot be loaded. Choose a time to try again.".to_owned());
                }
                Told::Failed(Fatal::Other(details)) => {
                    stage.say(format!(
                        "Playback failed ({details}). Choose a time to try again."
                    ));
                }
            }
        });
    }

    /// Whether there was a target with footage at or after it.
    fn seek_to_target(&self, loaded: &mut Loaded) -> bool {
        let (Some(target), Some(details)) = (loaded.target, &loaded.details) else {
            return false;
        };
        let pieces = details.pieces();
        let Some(to) = position::position(&pieces, target) else {
            self.say("There is no footage at or after this time yet.".to_owned());
            return false;
        };
        loaded.target = None;
        loaded.seen = None;
        if let Some(video) = self.video.cast::<HtmlVideoElement>() {
            video.set_current_time(to);
            play(&video);
        }
        if let Some(landed) = position::wall(&pieces, to).filter(|landed| landed - target > 1000.0) {
            self.say(format!(
                "No footage here; playing from {}.",
                civil::clock(UnixMs(landed as i64))
            ));
            return false;
        }
        true
    }

    /// Tells the picture's time; jumps over gaps; goes on with the next list.
    fn tick(&self) -> Option<UnixMs> {
        let video = self.video.cast::<HtmlVideoElement>()?;
        let (next, wall) = {
            let mut slot = self.slot.borrow_mut();
            let loaded = slot.as_mut().filter(|loaded| loaded.target.is_none())?;
            let pieces = loaded.details.as_ref()?.pieces();
            let at = video.current_time();
            if let Some(skipped) = self.skip(&video, loaded.seen, &pieces) {
                loaded.seen = None;
                return Some(skipped);
            }
            if !video.seeking() {
                loaded.seen = Some(at);
            }
            if !video.paused() && video.ready_state() >= 3 {
                self.clear_notice(loaded);
            }
            let next = video.ended().then_some((loaded.camera, loaded.to));
            (next, position::wall(&pieces, at))
        };
        if let Some((camera, to)) = next.filter(|(_, to)| *to < civil::now()) {
            self.go(camera, to);
        }
        wall.map(|wall| UnixMs(wall as i64))
    }

    /// Jumps over a gap that playback has come to, and says so; also when hls.js jumped by itself, as it does
    /// over short ones. Gives where the footage goes on.
    fn skip(&self, video: &HtmlVideoElement, seen: Option<f64>, pieces: &[Piece]) -> Option<UnixMs> {
        if video.seeking() {
            return None;
        }
        let at = video.current_time();
        let probe = at + if stalled(video) { EDGE_S } else { 0.0 };
        let end_ms = if let Some((end_ms, Some(after))) = position::gap_at(pieces, probe) {
            video.set_current_time(after + 0.01);
            end_ms
        } else {
            position::gap_between(pieces, seen?, at)?
        };
        let end = UnixMs(end_ms as i64);
        self.say(format!("No footage up to {}; skipped.", civil::clock(end)));
        Some(end)
    }

    fn say(&self, text: String) {
        *self.said.borrow_mut() = civil::now();
        self.notice.set(Some(text));
    }

    /// A picture moves: whatever was said has been read, or is over.
    fn clear_notice(&self, loaded: &mut Loaded) {
        let age_ms = civil::now().since(*self.said.borrow());
        if loaded.retries > 0 || age_ms > NOTICE_MS {
            loaded.retries = 0;
            self.notice.set(None);
        }
    }
}

/// Whether it wants to play and has nothing to play.
fn stalled(video: &HtmlVideoElement) -> bool {
    !video.paused() && video.ready_state() < 3
}

/// Starts playing; a browser that wants a gesture first shows its own button.
fn play(video: &HtmlVideoElement) {
    if let Ok(promise) = video.play() {
        spawn_local(async move { drop(wasm_bindgen_futures::JsFuture::from(promise).await) });
    }
}

/// Why a codec does not play, and what helps.
fn cannot_decode(codec: &str) -> String {
    let name = match codec.split('.').next() {
        Some("hvc1" | "hev1") => "H.265",
        Some("avc1" | "avc3") => "this profile of H.264",
        _ => "this format",
    };
    format!(
        "This browser cannot decode {name} ({codec}). The footage is recorded and complete: watch it in a browser \
         with {name} support (Safari, or Chrome and Edge with hardware decoding), or set the camera to H.264."
    )
}
