//! The form that adds or changes a camera.

use player::api::{self, ApiError};
use wasm_bindgen_futures::spawn_local;
use web_sys::{HtmlInputElement, HtmlSelectElement};
use wire::api::{Camera, CameraPatch, NewCamera, ProbeCamera};
use wire::source::{Reader, Transport};
use yew::prelude::*;

use crate::probe::{Outcome, Probe};

/// What the form is about.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Subject {
    New,
    Saved(Box<Camera>),
}

#[derive(Debug, Clone, PartialEq, Properties)]
pub(crate) struct CameraFormProps {
    pub(crate) subject: Subject,
    pub(crate) on_done: Callback<()>,
}

/// The fields, read when they are needed.
#[derive(Clone, PartialEq)]
struct Fields {
    name: NodeRef,
    url: NodeRef,
    username: NodeRef,
    password: NodeRef,
    transport: NodeRef,
    audio: NodeRef,
}

fn text(node: &NodeRef) -> String {
    node.cast::<HtmlInputElement>()
        .map(|input| input.value())
        .unwrap_or_default()
}

fn filled(node: &NodeRef) -> Option<String> {
    Some(text(node)).filter(|text| !text.is_empty())
}

impl Fields {
    fn transport(&self) -> Transport {
        let value = self
            .transport
            .cast::<HtmlSelectElement>()
            .map(|select| select.value());
        if value.as_deref() == Some("udp") {
            Transport::Udp
        } else {
            Transport::Tcp
        }
    }

    fn audio(&self) -> bool {
        self.audio
            .cast::<HtmlInputElement>()
            .is_some_and(|input| input.checked())
    }

    fn new_camera(&self) -> NewCamera {
        NewCamera {
            name: text(&self.name),
            url: text(&self.url),
            username: filled(&self.username),
            password: filled(&self.password),
            transport: self.transport(),
            reader: Reader::Auto,
            audio: self.audio(),
            recording: true,
            ..NewCamera::default()
        }
    }

    fn patch(&self, camera: &Camera) -> CameraPatch {
        let changed = |new: String, old: &str| (new != old).then_some(new);
        CameraPatch {
            name: changed(text(&self.name), &camera.name),
            url: changed(text(&self.url), &camera.url),
            username: changed(
                text(&self.username),
                camera.username.as_deref().unwrap_or_default(),
            )
            .map(Some),
            password: filled(&self.password),
            transport: (self.transport() != camera.transport).then(|| self.transport()),
            audio: (self.audio() != camera.audio).then(|| self.audio()),
            ..CameraPatch::default()
        }
    }

    fn probe(&self) -> ProbeCamera {
        ProbeCamera {
            url: text(&self.url),
            username: filled(&self.username),
            password: filled(&self.password),
            transport: self.transport(),
            reader: Reader::Auto,
        }
    }
}

#[component]
pub(crate) fn CameraForm(props: &CameraFormProps) -> Html {
    let fields = Fields {
        name: use_node_ref(),
        url: use_node_ref(),
        username: use_node_ref(),
        password: use_node_ref(),
        transport: use_node_ref(),
        audio: use_node_ref(),
    };
    let failure = use_state_eq(|| None::<ApiError>);
    let outcome = use_state_eq(|| Outcome::None);
    // Sent once more, it means that the second camera at the address is meant.
    let is_duplicate = failure
        .as_ref()
        .is_some_and(|error| error.code() == Some("duplicate_camera"));
    let onsubmit = {
        let (fields, subject, on_done) = (fields.clone(), props.subject.clone(), props.on_done.clone());
        let failure = failure.setter();
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let (fields, subject, on_done, failure) =
                (fields.clone(), subject.clone(), on_done.clone(), failure.clone());
            spawn_local(async move {
                let result = match &subject {
                    Subject::New => {
                        let camera = NewCamera {
                            allow_duplicate: is_duplicate,
                            ..fields.new_camera()
                        };
                        api::create_camera(&camera).await
                    }
                    Subject::Saved(camera) => api::change_camera(camera.id, &fields.patch(camera)).await,
                };
                match result {
                    Ok(_) => on_done.emit(()),
                    Err(error) => failure.set(Some(error)),
                }
            });
        })
    };
    let probe = {
        let (fields, outcome, subject) = (fields.clone(), outcome.setter(), props.subject.clone());
        Callback::from(move |_: MouseEvent| {
            let (outcome, subject) = (outcome.clone(), subject.clone());
            let asked = fields.probe();
            outcome.set(Outcome::Running);
            spawn_local(async move {
                let result = match &subject {
                    // The saved password is not here: an unchanged camera is probed by its id.
                    Subject::Saved(camera) if asked.password.is_none() && asked.url == camera.url => {
                        api::probe_saved(camera.id).await
                    }
                    _ => api::probe(&asked).await,
                };
                outcome.set(result.map_or_else(|error| Outcome::Failed(error.sentence()), Outcome::Found));
            });
        })
    };
    let cancel = props.on_done.reform(|_: MouseEvent| ());
    let saved = if let Subject::Saved(camera) = &props.subject {
        Some(&**camera)
    } else {
        None
    };
    // Defaults, not values: what somebody types outlives every redraw.
    let value = |get: fn(&Camera) -> String| saved.map(get).unwrap_or_default();
    let title = if saved.is_some() {
        "Change a camera"
    } else {
        "Add a camera"
    };
    html! {
        <form class="card camera-form" {onsubmit} aria-label={title}>
            <h2>{ title }</h2>
            <label>{ "Name" }<input ref={fields.name} name="name" required=true maxlength="100" ~defaultValue={value(|c| c.name.clone())} /></label>
            <label>
                { "RTSP address" }
                <input ref={fields.url} name="url" required=true placeholder="rtsp://192.168.1.20/stream1" ~defaultValue={value(|c| c.url.clone())} />
            </label>
            <label>{ "User name" }<input ref={fields.username} name="username" autocomplete="off" ~defaultValue={value(|c| c.username.clone().unwrap_or_default())} /></label>
            <label>
                { if saved.is_some() { "New password (empty keeps the old one)" } else { "Password" } }
                <input ref={fields.password} name="password" type="password" autocomplete="new-password" />
            </label>
            <label>
                { "Transport" }
                <select ref={fields.transport} name="transport">
                    <option value="tcp" selected=true>{ "TCP" }</option>
                    <option value="udp" selected={saved.is_some_and(|c| c.transport == Transport::Udp)}>{ "UDP" }</option>
                </select>
            </label>
            <label class="check"><input ref={fields.audio} name="audio" type="checkbox" ~defaultChecked={saved.is_some_and(|c| c.audio)} />{ "Record sound" }</label>
            <Probe outcome={(*outcome).clone()} />
            if let Some(failure) = &*failure {
                <p class="error" role="alert">{ failure.sentence() }</p>
            }
            <div class="row">
                <button type="submit">{
                    match (saved.is_some(), is_duplicate) {
                        (true, _) => "Save",
                        (false, true) => "Add it all the same",
                        (false, false) => "Add and record",
                    }
                }</button>
                <button type="button" class="quiet" onclick={probe} disabled={*outcome == Outcome::Running}>{ "Test the connection" }</button>
                <button type="button" class="quiet" onclick={cancel}>{ "Cancel" }</button>
            </div>
        </form>
    }
}
