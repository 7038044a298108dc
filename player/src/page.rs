//! The page at `/player/`: camera, calendar, day, picture.

use std::cell::Cell;
use std::rc::Rc;

use gloo_timers::callback::Interval;
use wasm_bindgen_futures::spawn_local;
use web_sys::HtmlSelectElement;
use wire::api::{Camera, Day as FootageDay};
use wire::coverage::Stretch;
use wire::{CameraId, UnixMs};
use yew::prelude::*;

use crate::api;
use crate::calendar::Calendar;
use crate::civil::{self, Day, Month};
use crate::playback::{Playback, Wanted};
use crate::session::SignedIn;
use crate::state;
use crate::timeline::{Timeline, cause_text};

/// Footage that is being recorded shows up on the timeline this often.
const REFRESH_MS: u32 = 10_000;
/// And in the calendar this often.
const DAYS_REFRESH_MS: u32 = 60_000;

/// The whole page.
#[component]
pub fn Page() -> Html {
    html! {
        <SignedIn title="CloudCam player" nav={html! { <a href="/">{ "Cameras" }</a> }}>
            <Watch />
        </SignedIn>
    }
}

#[component]
fn Watch() -> Html {
    let cameras = use_cameras();
    match &cameras {
        None => html! { <p role="status" class="empty">{ "Loading cameras…" }</p> },
        Some(Err(sentence)) => html! { <p class="error" role="alert">{ sentence }</p> },
        Some(Ok(list)) if list.is_empty() => html! {
            <p class="empty">{ "There are no cameras yet. " }<a href="/">{ "Add one" }</a>{ " to record it." }</p>
        },
        Some(Ok(list)) => html! { <Footage cameras={list.clone()} /> },
    }
}

#[derive(Debug, Clone, PartialEq, Properties)]
struct FootageProps {
    cameras: Vec<Camera>,
}

#[component]
fn Footage(props: &FootageProps) -> Html {
    let camera = use_state_eq(|| chosen_camera(&props.cameras));
    let day = use_state_eq(Day::today);
    let month = use_state_eq(|| Month::of(Day::today()));
    let hour = use_state_eq(|| false);
    let position = use_state_eq(|| None::<UnixMs>);
    let wanted = use_state_eq(|| None::<Wanted>);
    let days = use_days(*camera, *month);
    let coverage = use_coverage(*camera, *day);

    let on_seek = {
        let (wanted, camera) = (wanted.clone(), *camera);
        Callback::from(move |at| {
            let serial = wanted.map_or(0, |wanted| wanted.serial + 1);
            wanted.set(Some(Wanted { camera, at, serial }));
        })
    };
    let on_camera = {
        let (camera, wanted, position, on_seek_at) =
            (camera.clone(), wanted.clone(), position.clone(), *position);
        Callback::from(move |event: Event| {
            let Some(id) = event
                .target_dyn_into::<HtmlSelectElement>()
                .and_then(|select| select.value().parse().ok())
            else {
                return;
            };
            camera.set(id);
            position.set(None);
            // The same moment on the other camera, if one was being watched.
            let serial = wanted.map_or(0, |wanted| wanted.serial + 1);
            wanted.set(on_seek_at.map(|at| Wanted {
                camera: id,
                at,
                serial,
            }));
        })
    };
    let on_day = {
        let (day, month) = (day.clone(), month.clone());
        Callback::from(move |chosen| {
            day.set(chosen);
            month.set(Month::of(chosen));
        })
    };
    let on_month = Callback::from({
        let month = month.clone();
        move |chosen| month.set(chosen)
    });
    let on_time = Callback::from({
        let position = position.setter();
        move |at: Option<UnixMs>| position.set(at.map(|at| UnixMs(at.0 / 250 * 250)))
    });
    let on_now = {
        let (day, on_seek) = (day.clone(), on_seek.clone());
        Callback::from(move |_: MouseEvent| {
            day.set(Day::today());
            on_seek.emit(civil::now().plus(-15_000));
        })
    };
    let toggle = {
        let hour = hour.clone();
        Callback::from(move |_: MouseEvent| hour.set(!*hour))
    };
    let (start, end) = shown(*day, *hour, *position);
    let stretches = coverage
        .as_ref()
        .and_then(|result| result.clone().ok())
        .unwrap_or_default();
    html! {
        <div class="watch">
            <section class="picture">
                <Playback wanted={*wanted} {on_time} />
                <div class="row controls">
                    <output class="clock">{ position.map_or_else(|| "--:--:--".to_owned(), civil::clock) }</output>
                    <span>{ day.iso() }</span>
                    <button type="button" class="quiet" onclick={toggle} aria-pressed={hour.to_string()}>
                        { if *hour { "Show 24 hours" } else { "Show one hour" } }
                    </button>
                    <button type="button" onclick={on_now}>{ "Now" }</button>
                </div>
                <Timeline {start} {end} day={day.range()} stretches={stretches.clone()} position={*position} on_seek={on_seek.clone()} />
                { summary(&coverage, &stretches, &on_seek) }
            </section>
            <aside>
                <div class="card">
                    <label>
                        { "Camera" }
                        <select onchange={on_camera}>
                            { for props.cameras.iter().map(|one| html! {
                                <option value={one.id.to_string()} selected={one.id == *camera}>{ &one.name }</option>
                            }) }
                        </select>
                    </label>
                    { for props.cameras.iter().filter(|one| one.id == *camera).map(camera_state) }
                </div>
                <Calendar month={*month} chosen={*day} {days} {on_month} {on_day} />
            </aside>
        </div>
    }
}

fn camera_state(camera: &Camera) -> Html {
    let (tone, text) = state::describe(camera);
    html! { <p class={classes!("state", tone.class())}>{ text }</p> }
}

/// The camera named in the address, or the first one.
fn chosen_camera(cameras: &[Camera]) -> CameraId {
    let search = web_sys::window()
        .and_then(|window| window.location().search().ok())
        .unwrap_or_default();
    let named = web_sys::UrlSearchParams::new_with_str(&search)
        .ok()
        .and_then(|params| params.get("camera"));
    let named = named
        .and_then(|text| text.parse().ok())
        .filter(|id| cameras.iter().any(|camera| camera.id == *id));
    named.unwrap_or(cameras[0].id)
}

/// What the timeline shows: the day, or the hour around the position.
fn shown(day: Day, hour: bool, position: Option<UnixMs>) -> (UnixMs, UnixMs) {
    const HOUR: i64 = 3_600_000;
    let (start, end) = day.range();
    if !hour {
        return (start, end);
    }
    let at = position
        .filter(|at| *at >= start && *at < end)
        .unwrap_or_else(|| civil::now().min(end.plus(-1)).max(start));
    let from = start.plus(at.since(start) / HOUR * HOUR);
    (from, from.plus(HOUR).min(end))
}

type Loaded = Option<Result<Vec<Stretch>, String>>;

fn summary(coverage: &Loaded, stretches: &[Stretch], on_seek: &Callback<UnixMs>) -> Html {
    match coverage {
        None => return html! { <p role="status" class="empty">{ "Loading the day…" }</p> },
        Some(Err(sentence)) => return html! { <p class="error" role="alert">{ sentence }</p> },
        Some(Ok(_)) => {}
    }
    let mut footage_ms = 0;
    let mut gaps = Vec::new();
    for stretch in stretches {
        match stretch {
            Stretch::Footage { start, end } => footage_ms += end.since(*start),
            Stretch::Gap {
                start,
                end,
                cause,
                detail,
            } => gaps.push((*start, *end, *cause, detail.clone())),
        }
    }
    if footage_ms == 0 && gaps.is_empty() {
        return html! { <p class="empty">{ "No footage on this day." }</p> };
    }
    let gap = |(start, end, cause, detail): &(UnixMs, UnixMs, _, String)| {
        let (to, on_seek) = (*end, on_seek.clone());
        let onclick = Callback::from(move |_: MouseEvent| on_seek.emit(to));
        let why = if detail.is_empty() {
            cause_text(*cause).to_owned()
        } else {
            detail.clone()
        };
        html! {
            <li>
                <button type="button" class="link" {onclick}>
                    { format!("{} – {}", civil::clock(*start), civil::clock(*end)) }
                </button>
                { format!(" {} · {why}", civil::duration(end.since(*start))) }
            </li>
        }
    };
    let count = match gaps.len() {
        0 => "no gaps".to_owned(),
        1 => "1 gap".to_owned(),
        many => format!("{many} gaps"),
    };
    html! {
        <details class="gaps" open={gaps.len() < 6 && !gaps.is_empty()}>
            <summary>{ format!("{} of footage, {}", civil::duration(footage_ms), count) }</summary>
            <ul>{ for gaps.iter().map(gap) }</ul>
        </details>
    }
}

/// The cameras with their states; a failure shows only while there is no list.
#[hook]
fn use_cameras() -> Option<Result<Vec<Camera>, String>> {
    let cameras = use_state_eq(|| None);
    let setter = cameras.setter();
    use_effect_with((), move |()| {
        let listed = Rc::new(Cell::new(false));
        let ask = move || {
            let (setter, listed) = (setter.clone(), Rc::clone(&listed));
            spawn_local(async move {
                match api::cameras().await {
                    Ok(list) => {
                        listed.set(true);
                        setter.set(Some(Ok(list)));
                    }
                    Err(error) if !listed.get() => setter.set(Some(Err(error.sentence()))),
                    Err(_) => {}
                }
            });
        };
        ask();
        let interval = Interval::new(REFRESH_MS, ask);
        move || drop(interval)
    });
    (*cameras).clone()
}

/// Days of a month with footage.
#[hook]
fn use_days(camera: CameraId, month: Month) -> Vec<FootageDay> {
    let days = use_state_eq(Vec::new);
    let setter = days.setter();
    use_effect_with((camera, month.year, month.month), move |_| {
        setter.set(Vec::new());
        let ask = move || {
            let (from, to) = (month.first().iso(), month.plus(1).first().iso());
            let setter = setter.clone();
            spawn_local(async move {
                if let Ok(found) = api::days(camera, &from, &to, &civil::zone()).await {
                    setter.set(found.days);
                }
            });
        };
        ask();
        let interval = Interval::new(DAYS_REFRESH_MS, ask);
        move || drop(interval)
    });
    (*days).clone()
}

/// Footage and gaps of a day; of today again and again.
#[hook]
fn use_coverage(camera: CameraId, day: Day) -> Loaded {
    let loaded = use_state_eq(|| None);
    let setter = loaded.setter();
    use_effect_with((camera, day), move |_| {
        setter.set(None);
        let (from, to) = day.range();
        let ask = move || {
            let setter = setter.clone();
            spawn_local(async move {
                let result = api::coverage(camera, from, to).await;
                setter.set(Some(
                    result
                        .map(|coverage| coverage.stretches)
                        .map_err(|error| error.sentence()),
                ));
            });
        };
        ask();
        let interval = (to > civil::now()).then(|| Interval::new(REFRESH_MS, ask));
        move || drop(interval)
    });
    (*loaded).clone()
}
