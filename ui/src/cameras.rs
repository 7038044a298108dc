//! The list of cameras: state, recording on and off, edit, remove.

use gloo_timers::callback::Interval;
use player::{api, state};
use wasm_bindgen_futures::spawn_local;
use wire::access::{Permission, Right};
use wire::api::{Camera, CameraPatch, Me};
use yew::prelude::*;
use yew_router::prelude::*;

use crate::form::{CameraForm, Subject};
use crate::route::Route;

/// The list asks for news this often.
const REFRESH_MS: u32 = 3_000;

/// What is open beside the list.
#[derive(Debug, Clone, PartialEq)]
enum Open {
    Nothing,
    Form(Subject),
    Removing(Box<Camera>),
}

#[component]
pub(crate) fn Cameras() -> Html {
    let cameras = use_state_eq(|| None::<Result<Vec<Camera>, String>>);
    let open = use_state_eq(|| Open::Nothing);
    let reload = {
        let cameras = cameras.setter();
        Callback::from(move |()| {
            let cameras = cameras.clone();
            spawn_local(
                async move { cameras.set(Some(api::cameras().await.map_err(|error| error.sentence()))) },
            );
        })
    };
    {
        let reload = reload.clone();
        use_effect_with((), move |()| {
            reload.emit(());
            let interval = Interval::new(REFRESH_MS, move || reload.emit(()));
            move || drop(interval)
        });
    }
    let show = {
        let open = open.clone();
        Callback::from(move |next| open.set(next))
    };
    let on_done = {
        let (show, reload) = (show.clone(), reload.clone());
        Callback::from(move |()| {
            show.emit(Open::Nothing);
            reload.emit(());
        })
    };
    let me = use_context::<Me>();
    let may_manage = me.is_some_and(|me| me.rights.has(Right::ManageCameras));
    let add = show.reform(|_: MouseEvent| Open::Form(Subject::New));
    html! {
        <section aria-label="Cameras">
            <div class="row between">
                <h2>{ "Cameras" }</h2>
                if *open == Open::Nothing && may_manage {
                    <button type="button" onclick={add}>{ "Add a camera" }</button>
                }
            </div>
            {
                match &*open {
                    Open::Nothing => html! {},
                    Open::Form(subject) => html! { <CameraForm subject={subject.clone()} on_done={on_done.clone()} /> },
                    Open::Removing(camera) => html! { <Remove camera={(**camera).clone()} on_done={on_done.clone()} /> },
                }
            }
            {
                match &*cameras {
                    None => html! { <p role="status" class="empty">{ "Loading cameras…" }</p> },
                    Some(Err(sentence)) => html! { <p class="error" role="alert">{ sentence }</p> },
                    Some(Ok(list)) if list.is_empty() => html! {
                        <p class="empty">{ "There are no cameras yet. Add one by its RTSP address." }</p>
                    },
                    Some(Ok(list)) => html! {
                        <ul class="cards">{ for list.iter().map(|camera| card(camera, &show, &reload)) }</ul>
                    },
                }
            }
        </section>
    }
}

fn card(camera: &Camera, show: &Callback<Open>, reload: &Callback<()>) -> Html {
    let toggle = {
        let (id, recording, reload) = (camera.id, camera.recording, reload.clone());
        Callback::from(move |_: MouseEvent| {
            let reload = reload.clone();
            spawn_local(async move {
                let patch = CameraPatch {
                    recording: Some(!recording),
                    ..CameraPatch::default()
                };
                // The list that follows shows what is; a failure shows there as an unchanged state.
                let _ = api::change_camera(id, &patch).await;
                reload.emit(());
            });
        })
    };
    let (edited, removed) = (camera.clone(), camera.clone());
    let edit = show.reform(move |_: MouseEvent| Open::Form(Subject::Saved(Box::new(edited.clone()))));
    let remove = show.reform(move |_: MouseEvent| Open::Removing(Box::new(removed.clone())));
    let (tone, text) = state::describe(camera);
    html! {
        <li class="card" data-camera={camera.id.to_string()} key={camera.id.to_string()}>
            <div class="row between">
                <strong><Link<Route> to={Route::Camera { id: camera.id }}>{ &camera.name }</Link<Route>></strong>
                <span class={classes!("state", tone.class())}>{ text }</span>
            </div>
            <p class="address">{ &camera.url }</p>
            <div class="row">
                <a href={format!("/player/?camera={}", camera.id)}>{ "Watch" }</a>
                if camera.permissions.has(Permission::Manage) {
                    <button type="button" class="quiet" onclick={toggle}>
                        { if camera.recording { "Stop recording" } else { "Record" } }
                    </button>
                    <button type="button" class="quiet" onclick={edit}>{ "Edit" }</button>
                    <button type="button" class="quiet" onclick={remove}>{ "Remove" }</button>
                }
            </div>
        </li>
    }
}

#[derive(Debug, Clone, PartialEq, Properties)]
struct RemoveProps {
    camera: Camera,
    on_done: Callback<()>,
}

/// Asks before a camera goes.
#[component]
fn Remove(props: &RemoveProps) -> Html {
    let failure = use_state_eq(|| None::<String>);
    let cancel = props.on_done.reform(|_: MouseEvent| ());
    let confirm = {
        let (id, on_done, failure) = (props.camera.id, props.on_done.clone(), failure.setter());
        Callback::from(move |_: MouseEvent| {
            let (on_done, failure) = (on_done.clone(), failure.clone());
            spawn_local(async move {
                match api::delete_camera(id).await {
                    Ok(()) => on_done.emit(()),
                    Err(error) => failure.set(Some(error.sentence())),
                }
            });
        })
    };
    html! {
        <div class="card" role="alertdialog" aria-label="Remove a camera">
            <p>
                { format!("Remove “{}”? Its recording stops at once. It disappears from the list and the player.", props.camera.name) }
            </p>
            if let Some(failure) = &*failure {
                <p class="error" role="alert">{ failure }</p>
            }
            <div class="row">
                <button type="button" class="danger" onclick={confirm}>{ "Remove the camera" }</button>
                <button type="button" class="quiet" onclick={cancel}>{ "Keep it" }</button>
            </div>
        </div>
    }
}
