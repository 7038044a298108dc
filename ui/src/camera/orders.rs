//! What people say of a camera's recording: record now, stop, pause, resume.

use player::civil;
use web_sys::HtmlSelectElement;
use wire::CameraId;
use wire::api::{Camera, NewOverride, OverrideKind, OverrideRequest, RecordingOverride};
use yew::prelude::*;

use crate::api;
use crate::loaded::{use_loaded_for, when_loaded};
use crate::parts::{Confirm, Field, Outcome, action, run, text};

/// Minutes that are offered, and the ones chosen at first.
const MINUTES: [(u32, &str); 5] = [
    (5, "5 min"),
    (10, "10 min"),
    (30, "30 min"),
    (60, "1 h"),
    (240, "4 h"),
];
const MINUTES_FIRST: u32 = 10;

/// What is open beside the buttons.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Open {
    Nothing,
    Stopping,
    Pausing,
}

#[derive(Debug, Clone, PartialEq, Properties)]
pub(crate) struct OrdersProps {
    pub(crate) camera: Camera,
    pub(crate) may_manage: bool,
    pub(crate) on_change: Callback<()>,
    /// Counts reasons to ask the server again.
    pub(crate) news: u32,
}

#[component]
pub(crate) fn Orders(props: &OrdersProps) -> Html {
    let camera = &props.camera;
    let (standing, reload) = use_loaded_for(camera.id, props.news, api::overrides);
    let open = use_state_eq(|| Open::Nothing);
    let outcome = use_state_eq(Outcome::default);
    let on_done = {
        let (open, reload, on_change) = (open.setter(), reload, props.on_change.clone());
        Callback::from(move |()| {
            open.set(Open::Nothing);
            reload.emit(());
            on_change.emit(());
        })
    };
    let show = |next: Open| {
        let open = open.setter();
        Callback::from(move |_: MouseEvent| open.set(next))
    };
    let now = civil::now();
    let row = |one: &RecordingOverride| row(one, props, &outcome, &on_done);
    html! {
        <section aria-label="Orders">
            if props.may_manage && *open == Open::Nothing {
                <div class="row">
                    <RecordNow id={camera.id} outcome={outcome.clone()} on_done={on_done.clone()} />
                    if camera.planned.as_ref().is_some_and(|planned| planned.recording) {
                        <button type="button" class="quiet" onclick={show(Open::Stopping)}>{ "Stop" }</button>
                    }
                    <button type="button" class="quiet" onclick={show(Open::Pausing)}>{ "Pause until…" }</button>
                </div>
            }
            {
                match *open {
                    Open::Nothing => html! {},
                    Open::Stopping => stop(camera, &on_done),
                    Open::Pausing => html! { <Pause camera={camera.clone()} on_done={on_done.clone()} /> },
                }
            }
            { outcome.show() }
            { when_loaded(&standing, |list| {
                let rows: Vec<Html> = list.iter().filter(|one| is_standing(one, now)).map(row).collect();
                if rows.is_empty() {
                    html! {}
                } else {
                    html! { <ul class="cards" aria-label="Orders in force">{ for rows }</ul> }
                }
            }) }
        </section>
    }
}

fn is_standing(one: &RecordingOverride, now: wire::UnixMs) -> bool {
    one.cancelled.is_none() && one.end.is_none_or(|end| end > now)
}

#[derive(Clone, PartialEq, Properties)]
struct RecordNowProps {
    id: CameraId,
    outcome: UseStateHandle<Outcome>,
    on_done: Callback<()>,
}

#[component]
fn RecordNow(props: &RecordNowProps) -> Html {
    let minutes = use_node_ref();
    let onclick = {
        let (minutes, props) = (minutes.clone(), props.clone());
        Callback::from(move |_: MouseEvent| {
            let chosen = minutes
                .cast::<HtmlSelectElement>()
                .and_then(|select| select.value().parse().ok());
            let new = NewOverride {
                kind: OverrideRequest::Record,
                duration_s: Some(chosen.unwrap_or(MINUTES_FIRST) * 60),
                until: None,
                reason: String::new(),
            };
            let (id, on_done) = (props.id, props.on_done.clone());
            run(
                &props.outcome,
                async move { api::order(id, &new).await },
                move |_| {
                    on_done.emit(());
                    Outcome::Nothing
                },
            );
        })
    };
    html! {
        <>
            <button type="button" {onclick} disabled={props.outcome.is_busy()}>{ "Record now" }</button>
            <select ref={minutes} class="short" aria-label="For how long to record now">
                { for MINUTES.iter().map(|(minutes, label)| html! {
                    <option value={minutes.to_string()} selected={*minutes == MINUTES_FIRST}>{ *label }</option>
                }) }
            </select>
        </>
    }
}

fn stop(camera: &Camera, on_done: &Callback<()>) -> Html {
    let until = match camera.planned.as_ref().and_then(|planned| planned.until) {
        Some(until) => format!("until {}", civil::local(until, &camera.time_zone)),
        None => "until somebody resumes it".to_owned(),
    };
    let question = format!(
        "Stop recording “{}”? Nothing is recorded of it {until}; there is no footage of that time.",
        camera.name
    );
    let id = camera.id;
    let stop = Callback::from(move |()| {
        let new = NewOverride {
            kind: OverrideRequest::Stop,
            duration_s: None,
            until: None,
            reason: String::new(),
        };
        action(async move { api::order(id, &new).await })
    });
    html! {
        <Confirm title="Stop recording" {question} yes="Stop recording" no="Go on" action={stop} on_done={on_done.clone()} />
    }
}

#[derive(Debug, Clone, PartialEq, Properties)]
struct PauseProps {
    camera: Camera,
    on_done: Callback<()>,
}

#[component]
fn Pause(props: &PauseProps) -> Html {
    let (until, reason) = (use_node_ref(), use_node_ref());
    let outcome = use_state_eq(Outcome::default);
    let onsubmit = {
        let (until, reason) = (until.clone(), reason.clone());
        let (outcome, props) = (outcome.clone(), props.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let new = NewOverride {
                kind: OverrideRequest::Pause,
                duration_s: None,
                until: civil::instant(&text(&until)),
                reason: text(&reason),
            };
            let (id, on_done) = (props.camera.id, props.on_done.clone());
            run(&outcome, async move { api::order(id, &new).await }, move |_| {
                on_done.emit(());
                Outcome::Nothing
            });
        })
    };
    let cancel = props.on_done.reform(|_: MouseEvent| ());
    let in_an_hour = civil::field(civil::now().plus(3_600_000));
    html! {
        <form class="card camera-form" {onsubmit} aria-label="Pause recording">
            <p>
                { format!("Nothing is recorded of “{}” while it is paused, whatever is planned: there is no footage of that time.", props.camera.name) }
            </p>
            <label>
                { format!("Until ({}); empty: until somebody resumes it", civil::zone()) }
                <input ref={until} type="datetime-local" ~defaultValue={in_an_hour} />
            </label>
            <Field label="Why" node={reason} required=false />
            { outcome.show() }
            <div class="row">
                <button type="submit" class="danger" disabled={outcome.is_busy()}>{ "Pause" }</button>
                <button type="button" class="quiet" onclick={cancel}>{ "Go on" }</button>
            </div>
        </form>
    }
}

fn row(
    one: &RecordingOverride,
    props: &OrdersProps,
    outcome: &UseStateHandle<Outcome>,
    on_done: &Callback<()>,
) -> Html {
    let cancel = {
        let (id, outcome, on_done) = (one.id, outcome.clone(), on_done.clone());
        Callback::from(move |_: MouseEvent| {
            let on_done = on_done.clone();
            run(&outcome, api::cancel_order(id), move |()| {
                on_done.emit(());
                Outcome::Nothing
            });
        })
    };
    let (what, end, yes) = match one.kind {
        OverrideKind::Record => ("Recorded on request", "until somebody ends it", "End it"),
        OverrideKind::Pause => ("Paused", "until somebody resumes it", "Resume"),
    };
    let until = one.end.map_or_else(
        || end.to_owned(),
        |end| format!("until {}", civil::local(end, &props.camera.time_zone)),
    );
    html! {
        <li class="card" key={one.id.to_string()}>
            <div class="row between">
                <span><strong>{ what }</strong>{ format!(" {until}") }</span>
                if props.may_manage {
                    <button type="button" class="quiet" onclick={cancel}>{ yes }</button>
                }
            </div>
            if !one.reason.is_empty() {
                <p class="address">{ &one.reason }</p>
            }
        </li>
    }
}
