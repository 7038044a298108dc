//! The form that adds or changes a camera. What the server refuses is said beside the field that it names.

mod details;
mod entered;

use player::api::{self, ApiError};
use player::civil;
use wasm_bindgen_futures::spawn_local;
use web_sys::{HtmlInputElement, HtmlSelectElement, HtmlTextAreaElement};
use wire::access::Right;
use wire::api::{Camera, Me, Node};
use wire::source::Transport;
use yew::prelude::*;

use crate::entry::{Entry, described, remarks};
use crate::parts::{focus, text};
use crate::probe::{Outcome, Probe};
use details::Details;
use entered::Entered;

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
#[derive(Debug, Clone, PartialEq, Default)]
struct Fields {
    name: NodeRef,
    url: NodeRef,
    sub_url: NodeRef,
    username: NodeRef,
    password: NodeRef,
    transport: NodeRef,
    audio: NodeRef,
    site: NodeRef,
    time_zone: NodeRef,
    copies: NodeRef,
    node_labels: NodeRef,
    tags: NodeRef,
    group: NodeRef,
    segment_s: NodeRef,
    object_s: NodeRef,
    notes: NodeRef,
}

impl Fields {
    fn entered(&self) -> Entered {
        let chosen = |node: &NodeRef| node.cast::<HtmlSelectElement>().map(|select| select.value());
        let is_udp = chosen(&self.transport).as_deref() == Some("udp");
        Entered {
            name: text(&self.name),
            url: text(&self.url),
            sub_url: text(&self.sub_url),
            username: text(&self.username),
            password: text(&self.password),
            site: text(&self.site),
            time_zone: text(&self.time_zone),
            node_labels: text(&self.node_labels),
            copies: chosen(&self.copies)
                .and_then(|count| count.parse().ok())
                .unwrap_or(1),
            transport: if is_udp { Transport::Udp } else { Transport::Tcp },
            audio: self
                .audio
                .cast::<HtmlInputElement>()
                .is_some_and(|input| input.checked()),
            tags: text(&self.tags),
            group: chosen(&self.group),
            segment_s: text(&self.segment_s),
            object_s: text(&self.object_s),
            notes: self
                .notes
                .cast::<HtmlTextAreaElement>()
                .map(|area| area.value())
                .unwrap_or_default(),
        }
    }

    /// The field that the server calls so.
    fn named(&self, name: &str) -> Option<&NodeRef> {
        Some(match name {
            "name" => &self.name,
            "url" => &self.url,
            "sub_url" => &self.sub_url,
            "username" => &self.username,
            "password" => &self.password,
            "site" => &self.site,
            "time_zone" => &self.time_zone,
            "copies" => &self.copies,
            "node_labels" => &self.node_labels,
            "tags" => &self.tags,
            "group" => &self.group,
            "segment_s" => &self.segment_s,
            "object_s" => &self.object_s,
            "notes" => &self.notes,
            _ => return None,
        })
    }
}

#[component]
pub(crate) fn CameraForm(props: &CameraFormProps) -> Html {
    let fields = (*use_state_eq(Fields::default)).clone();
    let failure = use_state_eq(|| None::<ApiError>);
    let outcome = use_state_eq(|| Outcome::None);
    // As it was when the form was opened: what others change meanwhile is not overwritten unseen.
    let subject = use_state_eq(|| props.subject.clone());
    let is_saving = use_state_eq(|| false);
    // Sent once more, it means that the second camera at the address is meant.
    let is_duplicate = failure
        .as_ref()
        .is_some_and(|error| error.code() == Some("duplicate_camera"));
    {
        let fields = fields.clone();
        use_effect_with((*failure).clone(), move |failure| {
            // At first the name: the form may open far from what was clicked.
            let name = failure.as_ref().map_or(Some("name"), ApiError::field);
            if let Some(node) = name.and_then(|name| fields.named(name)) {
                focus(node);
            }
        });
    }
    let onsubmit = {
        let (fields, subject, on_done) = (fields.clone(), (*subject).clone(), props.on_done.clone());
        let (failure, is_saving) = (failure.setter(), is_saving.setter());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let (entered, subject, on_done) = (fields.entered(), subject.clone(), on_done.clone());
            let (failure, is_saving) = (failure.clone(), is_saving.clone());
            is_saving.set(true);
            spawn_local(async move {
                let result = match &subject {
                    Subject::New => api::create_camera(&entered.new_camera(is_duplicate)).await,
                    Subject::Saved(camera) => {
                        api::change_camera(camera.id, &entered.patch(camera, is_duplicate)).await
                    }
                };
                is_saving.set(false);
                match result {
                    Ok(_) => on_done.emit(()),
                    Err(error) => failure.set(Some(error)),
                }
            });
        })
    };
    let probe = probe(&fields, &outcome, &subject);
    let cancel = props.on_done.reform(|_: MouseEvent| ());
    let saved = match &*subject {
        Subject::Saved(camera) => Some(&**camera),
        Subject::New => None,
    };
    let title = if saved.is_some() {
        "Change a camera"
    } else {
        "Add a camera"
    };
    let elsewhere = failure
        .as_ref()
        .filter(|error| error.field().and_then(|name| fields.named(name)).is_none());
    html! {
        <form class="card camera-form" {onsubmit} aria-label={title}>
            <h2>{ title }</h2>
            { connection(&fields, saved, (*failure).as_ref()) }
            <Placing fields={fields.clone()} saved={saved.cloned()} failure={(*failure).clone()} />
            <Details fields={fields.clone()} saved={saved.cloned()} failure={(*failure).clone()} />
            <Probe outcome={(*outcome).clone()} />
            if let Some(failure) = elsewhere {
                <p class="error" role="alert">{ failure.sentence() }</p>
            }
            <div class="row">
                <button type="submit" disabled={*is_saving}>{
                    match (saved.is_some(), is_duplicate) {
                        (_, true) if saved.is_some() => "Save it all the same",
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

/// What the server says of a field.
fn said_of(failure: Option<&ApiError>, name: &str) -> Option<String> {
    failure
        .filter(|error| error.field() == Some(name))
        .map(ApiError::sentence)
}

fn probe(
    fields: &Fields,
    outcome: &UseStateHandle<Outcome>,
    subject: &UseStateHandle<Subject>,
) -> Callback<MouseEvent> {
    let (fields, outcome, subject) = (fields.clone(), outcome.setter(), (**subject).clone());
    Callback::from(move |_: MouseEvent| {
        let (outcome, subject) = (outcome.clone(), subject.clone());
        let asked = fields.entered().probe();
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
}

/// How the camera is reached.
fn connection(fields: &Fields, saved: Option<&Camera>, failure: Option<&ApiError>) -> Html {
    let first = |get: fn(&Camera) -> String| saved.map(get).unwrap_or_default();
    let fields = fields.clone();
    html! {
        <>
            <Entry label="Name" name="name" node={fields.name} required=true maxlength="100" first={first(|c| c.name.clone())}
                error={said_of(failure, "name")} />
            <Entry label="RTSP address" name="url" node={fields.url} required=true placeholder="rtsp://192.168.1.20/stream1"
                first={first(|c| c.url.clone())} error={said_of(failure, "url")} />
            <Entry label="Address of the sub stream" name="sub_url" node={fields.sub_url} placeholder="rtsp://192.168.1.20/stream2"
                hint="The camera’s smaller picture, if it has one. Recording jobs can name it."
                first={first(|c| c.sub_url.clone().unwrap_or_default())} error={said_of(failure, "sub_url")} />
            <Entry label="User name" name="username" node={fields.username} maxlength="256"
                first={first(|c| c.username.clone().unwrap_or_default())} error={said_of(failure, "username")} />
            <Entry label={if saved.is_some() { "New password (empty keeps the old one)" } else { "Password" }} name="password"
                node={fields.password} kind="password" autocomplete="new-password" maxlength="256"
                hint={saved.map_or_else(String::new, |_| "Another host, port or scheme in an address asks for it again.".to_owned())}
                error={said_of(failure, "password")} />
            <label>
                { "Transport" }
                <select ref={fields.transport} name="transport">
                    <option value="tcp" selected=true>{ "TCP" }</option>
                    <option value="udp" selected={saved.is_some_and(|c| c.transport == Transport::Udp)}>{ "UDP" }</option>
                </select>
            </label>
            <label class="check"><input ref={fields.audio} name="audio" type="checkbox" ~defaultChecked={saved.is_some_and(|c| c.audio)} />{ "Record sound" }</label>
        </>
    }
}

/// What a part of the form is about.
#[derive(Debug, Clone, PartialEq, Properties)]
struct PartProps {
    fields: Fields,
    saved: Option<Camera>,
    failure: Option<ApiError>,
}

/// Where the camera is, and which nodes record it.
#[component]
fn Placing(props: &PartProps) -> Html {
    let nodes = use_nodes();
    let (saved, failure) = (props.saved.as_ref(), props.failure.as_ref());
    let fields = props.fields.clone();
    let zone = saved.map_or_else(civil::zone, |camera| camera.time_zone.clone());
    let copies = saved.map_or(1, |camera| camera.copies);
    let labels = offers(&nodes, |node| &node.labels);
    let labels_hint = match labels.as_slice() {
        [] => "Only nodes that have all of these record it; empty: any node.".to_owned(),
        known => format!(
            "Only nodes that have all of these record it; empty: any node. Nodes have: {}.",
            known.join(", ")
        ),
    };
    let copies_error = said_of(failure, "copies");
    let copies_hint = copies_hint(&nodes);
    html! {
        <fieldset>
            <legend>{ "Where it is, and who records it" }</legend>
            <Entry label="Site" name="site" node={fields.site} maxlength="100" placeholder="North gate" offers={offers(&nodes, |node| &node.sites)}
                hint="Where it stands, in words. Nodes that serve certain sites take the cameras of these only."
                first={saved.map(|c| c.site.clone()).unwrap_or_default()} error={said_of(failure, "site")} />
            <Entry label="Time zone" name="time_zone" node={fields.time_zone} required=true offers={civil::zones()}
                hint="Its recording jobs run by this clock, and its times are shown in it." first={zone} error={said_of(failure, "time_zone")} />
            <div class="entry">
                <label>
                    { "Recorded by" }
                    <select ref={fields.copies} name="copies" aria-invalid={copies_error.is_some().then_some("true")}
                        aria-describedby={described("copies", true, copies_error.is_some())}>
                        <option value="1" selected={copies != 2}>{ "One node" }</option>
                        <option value="2" selected={copies == 2}>{ "Two nodes at once" }</option>
                    </select>
                </label>
                { remarks("copies", &copies_hint, copies_error.as_ref()) }
            </div>
            <Entry label="Labels that its nodes must have" name="node_labels" node={fields.node_labels} placeholder="gpu, outdoor"
                hint={labels_hint} first={saved.map(|c| c.node_labels.join(", ")).unwrap_or_default()}
                error={said_of(failure, "node_labels")} />
        </fieldset>
    }
}

fn copies_hint(nodes: &[Node]) -> String {
    let price = "With two, nothing is missing when one fails; it takes twice the disk and upload.";
    match nodes.len() {
        1 => format!("{price} There is one node so far: the second copy begins when another one joins."),
        _ => price.to_owned(),
    }
}

/// What nodes have, each once, in order.
fn offers(nodes: &[Node], of: fn(&Node) -> &Vec<String>) -> Vec<String> {
    let mut all: Vec<String> = nodes.iter().flat_map(of).cloned().collect();
    all.sort();
    all.dedup();
    all
}

/// The nodes, for who may know of them.
#[hook]
fn use_nodes() -> Vec<Node> {
    let nodes = use_state_eq(Vec::new);
    let may_read = use_context::<Me>().is_some_and(|me| me.rights.has(Right::ReadNodes));
    let setter = nodes.setter();
    use_effect_with(may_read, move |may_read| {
        if *may_read {
            spawn_local(async move {
                // They are offers: without them the form does as well.
                setter.set(api::nodes().await.unwrap_or_default());
            });
        }
    });
    (*nodes).clone()
}
