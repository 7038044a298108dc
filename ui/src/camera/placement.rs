//! Why a camera is recorded by the nodes that have it, and not by the others.

use player::civil;
use wire::CameraId;
use wire::api::{OtherNode, PlacedNode};
use yew::prelude::*;

use crate::api;
use crate::loaded::{use_loaded_for, when_loaded};

#[derive(Debug, Clone, PartialEq, Properties)]
pub(crate) struct PlacementProps {
    pub(crate) id: CameraId,
    /// Counts reasons to ask the server again.
    pub(crate) news: u32,
}

/// The question, and the answer once it is asked.
#[component]
pub(crate) fn Placement(props: &PlacementProps) -> Html {
    let open = use_state_eq(|| false);
    let toggle = {
        let open = open.clone();
        Callback::from(move |_: MouseEvent| open.set(!*open))
    };
    html! {
        <section aria-label="Placement">
            <div class="row">
                <button type="button" class="link" aria-expanded={open.to_string()} onclick={toggle}>
                    { "Why is this camera here?" }
                </button>
            </div>
            if *open {
                <Answer id={props.id} news={props.news} />
            }
        </section>
    }
}

#[component]
fn Answer(props: &PlacementProps) -> Html {
    let (placement, _) = use_loaded_for(props.id, props.news, api::placement);
    html! {
        { when_loaded(&placement, |placement| html! {
            <div class="card placement">
                if placement.nodes.is_empty() {
                    <p class="error">{ "No recorder node has this camera." }</p>
                }
                <ul class="lines">
                    { for placement.nodes.iter().map(placed) }
                    { for placement.others.iter().map(other) }
                </ul>
            </div>
        }) }
    }
}

fn placed(node: &PlacedNode) -> Html {
    html! {
        <li>
            <strong>{ &node.name }</strong>
            { format!(" records it since {}: {}", civil::stamp(node.since, &civil::zone()), node.reason) }
            if let Some(trouble) = &node.trouble {
                <p class="error">{ trouble }</p>
            }
        </li>
    }
}

fn other(node: &OtherNode) -> Html {
    let cameras = match node.cameras {
        1 => "1 camera".to_owned(),
        many => format!("{many} cameras"),
    };
    html! {
        <li>
            <strong>{ &node.name }</strong>
            { format!(" does not: {} ", node.why_not) }
            <span class="address">{ format!("It has {cameras}.") }</span>
        </li>
    }
}
