//! The licence of a camera, for who may assign one.

use player::civil::{self, Day};
use wire::api::{Camera, Licence, PlannedReason};
use yew::prelude::*;
use yew_router::prelude::*;

use crate::api;
use crate::entry::Choice;
use crate::licences::{badge, permits, until};
use crate::loaded::{use_loaded_for, when_loaded};
use crate::route::Route;
use crate::sheet::{Sheet, Typed, use_sending};

#[derive(Debug, Clone, PartialEq, Properties)]
pub(crate) struct LicenceOfProps {
    pub(crate) camera: Camera,
    pub(crate) on_change: Callback<()>,
    /// Counts reasons to ask the server again.
    pub(crate) news: u32,
}

#[component]
pub(crate) fn LicenceOf(props: &LicenceOfProps) -> Html {
    let (licence, reload) = use_loaded_for(props.camera.id, props.news, api::licence_of);
    let on_done = {
        let on_change = props.on_change.clone();
        Callback::from(move |()| {
            reload.emit(());
            on_change.emit(());
        })
    };
    html! {
        <section aria-label="Licence">
            <h3>{ "Licence" }</h3>
            { when_loaded(&licence, |licence| match licence {
                Some(licence) => one(licence, &props.camera),
                None => html! { <Bare camera={props.camera.clone()} {on_done} /> },
            }) }
        </section>
    }
}

fn one(licence: &Licence, camera: &Camera) -> Html {
    html! {
        <>
            <div class="row"><strong>{ &licence.name }</strong>{ badge(licence) }</div>
            if !permits(licence) && is_kept(camera) {
                <p class="error">{ "The camera is not recorded: its licence does not permit it now." }</p>
            }
            <p class="address">{ until(licence, civil::now(), |at| Day::of(at).iso()) }</p>
            <p><Link<Route> to={Route::Licences}>{ "All licences" }</Link<Route>></p>
        </>
    }
}

/// Whether the lack of a licence keeps it from being recorded now.
fn is_kept(camera: &Camera) -> bool {
    let reason = camera.planned.as_ref().map(|planned| planned.reason);
    reason == Some(PlannedReason::Unlicensed)
}

#[derive(Debug, Clone, PartialEq, Properties)]
struct BareProps {
    camera: Camera,
    on_done: Callback<()>,
}

/// Says what the lack of a licence means, and offers those that are free.
#[component]
fn Bare(props: &BareProps) -> Html {
    let is_open = use_state_eq(|| false);
    let set_open = |value| {
        let is_open = is_open.setter();
        Callback::from(move |()| is_open.set(value))
    };
    html! {
        <>
            if is_kept(&props.camera) {
                <p class="error">{ "The camera is not recorded: it has no licence." }</p>
            } else {
                <p>{ "It has no licence." }</p>
            }
            if *is_open {
                <Take id={props.camera.id} on_done={props.on_done.clone()} on_cancel={set_open(false)} />
            } else {
                <div class="row">
                    <button type="button" class="quiet" onclick={set_open(true).reform(|_: MouseEvent| ())}>{ "Assign a licence" }</button>
                </div>
            }
        </>
    }
}

#[derive(Debug, Clone, PartialEq, Properties)]
struct TakeProps {
    id: wire::CameraId,
    on_done: Callback<()>,
    on_cancel: Callback<()>,
}

#[component]
fn Take(props: &TakeProps) -> Html {
    let sending = use_sending();
    let (free, _) = use_loaded_for((), 0, |()| api::free_licences());
    let licences = free.value().cloned().unwrap_or_default();
    let options = licences.iter().map(|one| {
        let text = format!("{}, until {}", one.name, Day::of(one.lapses).iso());
        (one.id.to_string(), text)
    });
    let options: Vec<(String, String)> = options.collect();
    let on_send = {
        let (sending, id, on_done) = (sending.clone(), props.id, props.on_done.clone());
        Callback::from(move |typed: Typed| {
            let chosen = typed.text("licence");
            let Some(licence) = licences.iter().find(|one| one.id.to_string() == chosen).cloned() else {
                return sending.refuse("licence", "there is no licence to assign");
            };
            let on_done = on_done.clone();
            let doing = async move { api::assign_licence(&licence, id).await };
            sending.send(doing, move |_| on_done.emit(()));
        })
    };
    let beside: &[&str] = &["licence"];
    html! {
        { when_loaded(&free, |list| html! {
            <Sheet title="Assign a licence" save="Assign" sending={sending.clone()} {beside} {on_send} on_cancel={props.on_cancel.clone()}>
                if list.is_empty() {
                    <p>{ "Every licence has a camera. Who runs the platform issues more." }</p>
                }
                <Choice label="Licence" name="licence" {options} error={sending.said_of("licence")} />
            </Sheet>
        }) }
    }
}
