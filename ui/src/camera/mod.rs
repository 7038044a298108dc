//! The page of one camera: what it does and why, and everything that says when it is recorded.

mod gaps;
mod licence;
mod orders;
mod placement;
mod recordings;
mod settings;
mod why;

use player::{api as shared, civil, state};
use wire::CameraId;
use wire::access::{Permission, Right};
use wire::api::{Camera, Me};
use yew::prelude::*;
use yew_router::prelude::*;

use crate::api;
use crate::form::{CameraForm, Subject};
use crate::jobs::Jobs;
use crate::live::{About, use_news};
use crate::loaded::{staleness, use_loaded_for, when_loaded};
use crate::route::Route;
use gaps::Gaps;
use licence::LicenceOf;
use orders::Orders;
use placement::Placement;
use recordings::Recordings;
use settings::Settings;

/// The page asks for news this often, while it is not told.
const REFRESH_MS: u32 = 3_000;

#[derive(Debug, Clone, PartialEq, Properties)]
pub(crate) struct CameraPageProps {
    pub(crate) id: CameraId,
}

#[component]
pub(crate) fn CameraPage(props: &CameraPageProps) -> Html {
    let news = use_news(REFRESH_MS, About::Camera(props.id));
    let (camera, reload) = use_loaded_for(props.id, news, api::camera);
    html! {
        <>
            <p class="trail"><Link<Route> to={Route::Cameras}>{ "All cameras" }</Link<Route>></p>
            { staleness(&camera) }
            { when_loaded(&camera, |camera| html! { <Found camera={camera.clone()} {news} {reload} /> }) }
        </>
    }
}

#[derive(Debug, Clone, PartialEq, Properties)]
struct FoundProps {
    camera: Camera,
    news: u32,
    reload: Callback<()>,
}

#[component]
fn Found(props: &FoundProps) -> Html {
    let camera = &props.camera;
    let may_manage = camera.permissions.has(Permission::Manage);
    let me = use_context::<Me>();
    let may = |right| me.as_ref().is_some_and(|me| me.rights.has(right));
    let (may_read_nodes, may_assign) = (may(Right::ReadNodes), may(Right::AssignLicences));
    // For their names: whoever is new has recorded nothing yet.
    let (nodes, _) = use_loaded_for(may_read_nodes, 0, |may_read| async move {
        if may_read {
            shared::nodes().await
        } else {
            Ok(Vec::new())
        }
    });
    let nodes = nodes.value().cloned().unwrap_or_default();
    let is_editing = use_state_eq(|| false);
    let edit = {
        let is_editing = is_editing.setter();
        Callback::from(move |_: MouseEvent| is_editing.set(true))
    };
    let on_done = {
        let (is_editing, reload) = (is_editing.setter(), props.reload.clone());
        Callback::from(move |()| {
            is_editing.set(false);
            reload.emit(());
        })
    };
    let (tone, text) = state::describe(camera);
    html! {
        <>
            <section aria-label="Now">
                <div class="row between">
                    <h2>{ &camera.name }</h2>
                    <span class={classes!("state", tone.class())}>{ text }</span>
                </div>
                if let Some(planned) = &camera.planned {
                    <p>{ why::sentence(planned, |at| civil::local(at, &camera.time_zone)) }</p>
                }
                <div class="row">
                    if camera.permissions.has(Permission::ViewFootage) || camera.permissions.has(Permission::ViewLive) {
                        <a href={format!("/player/?camera={}", camera.id)}>{ "Watch" }</a>
                    }
                    if may_manage && !*is_editing {
                        <button type="button" class="quiet" onclick={edit}>{ "Edit the camera" }</button>
                    }
                </div>
                if *is_editing {
                    <CameraForm subject={Subject::Saved(Box::new(camera.clone()))} {on_done} />
                }
            </section>
            <Orders camera={camera.clone()} {may_manage} on_change={props.reload.clone()} news={props.news} />
            <Jobs camera={camera.clone()} {may_manage} on_change={props.reload.clone()} news={props.news} />
            if camera.permissions.has(Permission::ViewFootage) {
                <Gaps camera={camera.clone()} news={props.news} />
            }
            <Recordings camera={camera.clone()} {nodes} news={props.news} />
            <Settings camera={camera.clone()} />
            if may_assign {
                <LicenceOf camera={camera.clone()} on_change={props.reload.clone()} news={props.news} />
            }
            if may_read_nodes {
                <Placement camera={camera.clone()} news={props.news} />
            }
        </>
    }
}
