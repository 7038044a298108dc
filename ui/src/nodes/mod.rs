//! The recorder nodes: how they are, and what is done with them.

mod card;
mod measures;

use player::api as shared;
use wire::access::Right;
use wire::api::{Camera, Me, Node};
use yew::prelude::*;

use crate::live::use_news;
use crate::parts::{use_loaded_for, when_loaded};
use card::Card;

/// Nodes report every five seconds.
const REFRESH_MS: u32 = 5_000;

#[component]
pub(crate) fn Nodes() -> Html {
    let news = use_news(REFRESH_MS);
    let me = use_context::<Me>();
    let may = |right| me.as_ref().is_some_and(|me| me.rights.has(right));
    let (nodes, reload) = use_loaded_for(news, |_| shared::nodes());
    let (cameras, _) = use_loaded_for(news, |_| shared::cameras());
    let cameras: Vec<Camera> = cameras
        .as_ref()
        .and_then(|list| list.clone().ok())
        .unwrap_or_default();
    if !may(Right::ReadNodes) {
        return html! { <p class="empty">{ "You may not see the recorder nodes." }</p> };
    }
    let card = |node: &Node| {
        html! { <Card key={node.id.to_string()} node={node.clone()} cameras={cameras.clone()} on_change={reload.clone()} /> }
    };
    html! {
        <section aria-label="Recorder nodes">
            <h2>{ "Recorder nodes" }</h2>
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
