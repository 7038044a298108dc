//! Why a camera is recorded by the nodes that have it, and not by the others.

use player::{api as shared, civil};
use wire::NodeId;
use wire::api::{Camera, Node, NodeState, OtherNode, PlacedNode, Placement as Placed};
use yew::prelude::*;

use crate::api;
use crate::loaded::{use_loaded_for, when_loaded};

/// So many of the nodes that do not have it are listed.
const OTHERS_SHOWN: usize = 12;

#[derive(Debug, Clone, PartialEq, Properties)]
pub(crate) struct PlacementProps {
    pub(crate) camera: Camera,
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
                <Answer camera={props.camera.clone()} news={props.news} />
            }
        </section>
    }
}

#[component]
fn Answer(props: &PlacementProps) -> Html {
    let (placement, _) = use_loaded_for(props.camera.id, props.news, api::placement);
    let (nodes, _) = use_loaded_for((), props.news, |()| shared::nodes());
    let nodes = nodes.value().cloned().unwrap_or_default();
    let camera = &props.camera;
    html! {
        { when_loaded(&placement, |placement| html! {
            <div class="card placement">
                { for in_all(placement, camera.copies).into_iter().map(|(class, sentence)| html! { <p {class}>{ sentence }</p> }) }
                <ul class="lines">
                    { for placement.nodes.iter().map(|one| placed(one, badge(&nodes, one.node), camera)) }
                    { for placement.others.iter().take(OTHERS_SHOWN).map(|one| other(one, badge(&nodes, one.node))) }
                </ul>
                if let Some(more) = placement.others.len().checked_sub(OTHERS_SHOWN).filter(|more| *more > 0) {
                    <p class="address">{ format!("{} more do not have it.", count(more as u64, "node")) }</p>
                }
            </div>
        }) }
    }
}

/// How many have it beside how many should.
fn in_all(placement: &Placed, wanted: u8) -> Vec<(&'static str, String)> {
    let (has, copies) = (placement.nodes.len(), placement.copies as usize);
    let mut said = Vec::new();
    if usize::from(wanted) > copies {
        let sentence = "Two nodes should record it, but its licence is for one.";
        said.push(("error", sentence.to_owned()));
    }
    if has == 0 {
        said.push(("error", "No recorder node has this camera.".to_owned()));
    } else if has < copies {
        let sentence = "Two nodes should record it, and one does: no other one can take it now.";
        said.push(("error", sentence.to_owned()));
    } else if has > copies {
        let sentence = "It is moving: its old node goes on until the new one records.";
        said.push(("", sentence.to_owned()));
    }
    said
}

/// What there is to say of a node in a word or two.
fn badge(nodes: &[Node], id: NodeId) -> Option<(&'static str, &'static str)> {
    let node = nodes.iter().find(|node| node.id == id)?;
    match (node.online, node.state) {
        (false, _) => Some(("bad", "Not connected")),
        (true, NodeState::Draining) => Some(("idle", "Draining")),
        (true, NodeState::Cordoned) => Some(("idle", "Cordoned")),
        (true, NodeState::Active) => None,
    }
}

fn name(name: &str, badge: Option<(&'static str, &'static str)>) -> Html {
    html! {
        <div class="row between">
            <strong>{ name }</strong>
            if let Some((tone, text)) = badge {
                <span class={classes!("state", tone)}>{ text }</span>
            }
        </div>
    }
}

fn placed(node: &PlacedNode, badge: Option<(&'static str, &'static str)>, camera: &Camera) -> Html {
    let since = civil::local(node.since, &camera.time_zone);
    let why = if node.reason.is_empty() {
        "Why there was not noted.".to_owned()
    } else {
        sentence(&node.reason)
    };
    html! {
        <li>
            { name(&node.name, badge) }
            <p>{ format!("Has it since {since}. {why}") }</p>
            if let Some(trouble) = &node.trouble {
                <p class="error">{ format!("It should not stay here: {trouble}. It stays until another node can take it.") }</p>
            } else if badge.is_some_and(|(_, text)| text == "Cordoned") {
                <p class="address">{ "It keeps the camera, and gets no new ones." }</p>
            }
        </li>
    }
}

fn other(node: &OtherNode, badge: Option<(&'static str, &'static str)>) -> Html {
    html! {
        <li>
            { name(&node.name, badge) }
            <p>{ format!("Does not have it. {}", sentence(&node.why_not)) }</p>
            <p class="address">{ format!("It has {}.", count(node.cameras, "camera")) }</p>
        </li>
    }
}

fn count(number: u64, what: &str) -> String {
    match number {
        0 => format!("no {what}"),
        1 => format!("1 {what}"),
        many => format!("{many} {what}s"),
    }
}

/// What the server says in small letters, as a sentence.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}.", letters.as_str().trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placement(has: usize, copies: u32) -> Placed {
        let node = serde_json::json!({
            "node": "018f0000-0000-7000-8000-000000000002", "name": "north", "epoch": 1, "since": 0, "reason": "",
        });
        serde_json::from_value(serde_json::json!({
            "camera": "018f0000-0000-7000-8000-000000000001", "copies": copies,
            "nodes": vec![node; has], "others": [],
        }))
        .unwrap()
    }

    #[test]
    fn too_few_and_too_many_nodes_are_said() {
        let said = |has, copies, wanted| {
            let all = in_all(&placement(has, copies), wanted);
            let sentences: Vec<String> = all.into_iter().map(|(_, sentence)| sentence).collect();
            sentences.join(" ")
        };
        assert_eq!(said(1, 1, 1), "");
        assert_eq!(said(2, 2, 2), "");
        assert_eq!(said(0, 1, 1), "No recorder node has this camera.");
        assert!(said(1, 2, 2).contains("one does"));
        assert!(said(2, 1, 1).starts_with("It is moving"));
        assert!(said(1, 1, 2).contains("its licence is for one"));
    }

    #[test]
    fn the_servers_words_become_sentences() {
        assert_eq!(
            sentence("it is lost: it does not report"),
            "It is lost: it does not report."
        );
        assert_eq!(sentence("done."), "Done.");
        assert_eq!(
            (count(0, "node"), count(1, "node"), count(2, "node")),
            ("no node".into(), "1 node".into(), "2 nodes".into())
        );
    }
}
