//! A camera in the list: how it is, recording on and off, edit, remove.

use std::rc::Rc;

use player::{api, state};
use wire::access::Permission;
use wire::api::{Camera, CameraPatch};
use yew::prelude::*;
use yew_router::prelude::*;

use super::Open;
use super::follow::Did;
use crate::form::Subject;
use crate::parts::{Outcome, run};
use crate::route::Route;

#[derive(Clone, PartialEq, Properties)]
pub(super) struct CardProps {
    pub(super) camera: Rc<Camera>,
    pub(super) show: Callback<Open>,
    pub(super) did: Callback<Did>,
}

/// One of a list that may be long: it is drawn again only when something of its own camera changed.
#[component]
pub(super) fn Card(props: &CardProps) -> Html {
    let camera = &props.camera;
    let outcome = use_state_eq(Outcome::default);
    let toggle = {
        let (id, recording, did) = (camera.id, camera.recording, props.did.clone());
        let outcome = outcome.clone();
        Callback::from(move |_: MouseEvent| {
            let patch = CameraPatch {
                recording: Some(!recording),
                ..CameraPatch::default()
            };
            let did = did.clone();
            run(
                &outcome,
                async move { api::change_camera(id, &patch).await },
                move |_| {
                    did.emit(Did::One(id));
                    Outcome::Nothing
                },
            );
        })
    };
    let (edited, removed) = (Rc::clone(camera), Rc::clone(camera));
    let edit = props
        .show
        .reform(move |_: MouseEvent| Open::Form(Subject::Saved(Box::new((*edited).clone()))));
    let remove = props
        .show
        .reform(move |_: MouseEvent| Open::Removing(Box::new((*removed).clone())));
    let (tone, text) = state::describe(camera);
    html! {
        <li class="card" data-camera={camera.id.to_string()}>
            <div class="row between">
                <strong><Link<Route> to={Route::Camera { id: camera.id }}>{ &camera.name }</Link<Route>></strong>
                <span class={classes!("state", tone.class())}>{ text }</span>
            </div>
            <p class="address">{ &camera.url }</p>
            { outcome.show() }
            <div class="row">
                if camera.permissions.has(Permission::ViewFootage) || camera.permissions.has(Permission::ViewLive) {
                    <a href={format!("/player/?camera={}", camera.id)}>{ "Watch" }</a>
                }
                if camera.permissions.has(Permission::Manage) {
                    <button type="button" class="quiet" onclick={toggle} disabled={outcome.is_busy()}>
                        { if camera.recording { "Stop recording" } else { "Record" } }
                    </button>
                    <button type="button" class="quiet" onclick={edit}>{ "Edit" }</button>
                    <button type="button" class="quiet" onclick={remove}>{ "Remove" }</button>
                }
            </div>
        </li>
    }
}
