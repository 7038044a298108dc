//! The list of cameras, and what is open above it: the form, the question before one is removed.

mod card;
mod follow;
mod watch;

use player::api;
use wire::access::Right;
use wire::api::{Camera, Me};
use yew::prelude::*;
use yew_router::prelude::*;

use crate::form::{CameraForm, Subject};
use crate::loaded::{staleness, when_loaded};
use crate::parts::{Confirm, action};
use crate::route::Route;
use card::Card;
use follow::{Did, use_cameras};

/// What is open beside the list.
#[derive(Debug, Clone, PartialEq)]
enum Open {
    Nothing,
    Form(Subject),
    Removing(Box<Camera>),
}

#[component]
pub(crate) fn Cameras() -> Html {
    let (cameras, did) = use_cameras();
    let open = use_state_eq(|| Open::Nothing);
    // The same at each redraw, so that cards need none.
    let show = {
        let open = open.setter();
        (*use_memo((), |()| Callback::from(move |next| open.set(next)))).clone()
    };
    let on_done = {
        let (show, did) = (show.clone(), did.clone());
        Callback::from(move |()| {
            show.emit(Open::Nothing);
            did.emit(Did::Any);
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
                    <div class="row">
                        <Link<Route> to={Route::Import}>{ "Import from a file" }</Link<Route>>
                        <button type="button" onclick={add}>{ "Add a camera" }</button>
                    </div>
                }
            </div>
            {
                match &*open {
                    Open::Nothing => html! {},
                    Open::Form(subject) => html! { <CameraForm subject={subject.clone()} on_done={on_done.clone()} /> },
                    Open::Removing(camera) => remove(camera, &on_done),
                }
            }
            { staleness(&cameras) }
            { when_loaded(&cameras, |list| match list.as_slice() {
                [] if may_manage => html! { <p class="empty">{ "There are no cameras yet. Add one by its RTSP address." }</p> },
                [] => html! { <p class="empty">{ "You see no cameras: an administrator of your organization grants them." }</p> },
                list => html! {
                    <ul class="cards">
                        { for list.iter().map(|camera| html! {
                            <Card key={camera.id.to_string()} camera={camera.clone()} show={show.clone()} did={did.clone()} />
                        }) }
                    </ul>
                },
            }) }
        </section>
    }
}

/// Asks before a camera goes.
fn remove(camera: &Camera, on_done: &Callback<()>) -> Html {
    let id = camera.id;
    let question = format!(
        "Remove “{}”? Its recording stops at once. It disappears from the list and the player.",
        camera.name
    );
    html! {
        <Confirm title="Remove a camera" {question} yes="Remove the camera" no="Keep it"
            action={Callback::from(move |()| action(api::delete_camera(id)))} on_done={on_done.clone()} />
    }
}
