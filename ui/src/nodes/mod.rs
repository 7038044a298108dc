//! The recorder nodes: how they are, and what is done with them.

mod add;
mod card;
mod form;
mod measures;

use player::api as shared;
use wire::access::Right;
use wire::api::{Camera, EventKind, Me, Node};
use yew::prelude::*;

use crate::live::{About, use_news};
use crate::loaded::{staleness, use_loaded_for, when_loaded};
use add::AddNode;
use card::Card;

/// Nodes report every five seconds.
const REFRESH_MS: u32 = 5_000;
/// What changes a node or its standing.
const MATTERS: &[EventKind] = &[
    EventKind::NodeEnrolled,
    EventKind::NodeOnline,
    EventKind::NodeOffline,
    EventKind::NodeChanged,
    EventKind::NodeRemoved,
    EventKind::AssignmentChanged,
    EventKind::CameraCreated,
    EventKind::CameraDeleted,
];

#[component]
pub(crate) fn Nodes() -> Html {
    let news = use_news(REFRESH_MS, About::Kinds(MATTERS));
    let me = use_context::<Me>();
    let may = |right| me.as_ref().is_some_and(|me| me.rights.has(right));
    let (nodes, reload) = use_loaded_for((), news, |()| shared::nodes());
    // Cameras are there for their names alone: asked for again when there are others.
    let count = nodes
        .value()
        .map_or(0, |list| list.iter().map(|node| node.cameras as u32).sum());
    let (cameras, _) = use_loaded_for((), count, |()| shared::cameras());
    let cameras: Vec<Camera> = cameras.value().cloned().unwrap_or_default();
    let is_adding = use_state_eq(|| false);
    if !may(Right::ReadNodes) {
        return html! { <p class="empty">{ "You may not see the recorder nodes." }</p> };
    }
    let may_manage = may(Right::ManageNodes);
    let add = {
        let is_adding = is_adding.setter();
        Callback::from(move |_: MouseEvent| is_adding.set(true))
    };
    let on_close = {
        let is_adding = is_adding.setter();
        Callback::from(move |()| is_adding.set(false))
    };
    let card = |node: &Node| {
        html! { <Card key={node.id.to_string()} node={node.clone()} cameras={cameras.clone()} {may_manage} on_change={reload.clone()} /> }
    };
    html! {
        <section aria-label="Recorder nodes">
            <div class="row between">
                <h2>{ "Recorder nodes" }</h2>
                if may_manage && !*is_adding {
                    <button type="button" onclick={add}>{ "Add a node" }</button>
                }
            </div>
            if may_manage {
                <AddNode {news} is_open={*is_adding} {on_close} />
            }
            { staleness(&nodes) }
            { when_loaded(&nodes, |list| match list.as_slice() {
                [] => html! {
                    <p class="empty">
                        { "No recorder node has joined yet. A node is a machine near the cameras that runs the recorder; nothing is recorded without one." }
                    </p>
                },
                list => html! { <ul class="cards wide">{ for list.iter().map(card) }</ul> },
            }) }
        </section>
    }
}
