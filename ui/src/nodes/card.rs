//! One node: how it is, and what is done with it.

use player::civil;
use wire::api::{Camera, Node, NodePatch, NodeState};
use wire::media::StreamKind;
use wire::status::{NodeStatus, StreamStatus};
use yew::prelude::*;

use super::form::NodeForm;
use super::measures::{Measure, measures, stale, stream};
use crate::api;
use crate::parts::{Confirm, Outcome, action, run};

/// What is open inside the card.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Open {
    Nothing,
    Form,
    Removing,
}

#[derive(Debug, Clone, PartialEq, Properties)]
pub(crate) struct CardProps {
    pub(crate) node: Node,
    /// For their names.
    pub(crate) cameras: Vec<Camera>,
    pub(crate) may_manage: bool,
    pub(crate) on_change: Callback<()>,
}

#[component]
pub(crate) fn Card(props: &CardProps) -> Html {
    let node = &props.node;
    let open = use_state_eq(|| Open::Nothing);
    let outcome = use_state_eq(Outcome::default);
    let on_done = {
        let (open, on_change) = (open.setter(), props.on_change.clone());
        Callback::from(move |()| {
            open.set(Open::Nothing);
            on_change.emit(());
        })
    };
    let (class, state) = match (node.online, node.state) {
        (false, _) => ("bad", "Not connected"),
        (true, NodeState::Active) => ("good", "Connected"),
        (true, NodeState::Cordoned) => ("good", "Connected, cordoned"),
        (true, NodeState::Draining) => ("idle", "Draining"),
    };
    html! {
        <li class="card" data-node={node.id.to_string()}>
            <div class="row between"><strong>{ &node.name }</strong><span class={classes!("state", class)}>{ state }</span></div>
            { standing(node) }
            if let Some(status) = &node.status {
                { said(node, status, &props.cameras) }
            }
            { outcome.show() }
            {
                match *open {
                    Open::Nothing if props.may_manage => buttons(node, &outcome, &open, &on_done),
                    Open::Nothing => html! {},
                    Open::Form => html! { <NodeForm node={node.clone()} on_done={on_done.clone()} /> },
                    Open::Removing => remove(node, &on_done),
                }
            }
        </li>
    }
}

/// What it has, what it may have, and what comes next for it.
fn standing(node: &Node) -> Html {
    let cameras = match (node.cameras, node.max_cameras) {
        (1, None) => "1 camera".to_owned(),
        (count, None) => format!("{count} cameras"),
        (count, Some(most)) => format!("{count} of {most} cameras"),
    };
    let limits = [
        ("Labels", &node.labels),
        ("Sites", &node.sites),
        ("Networks", &node.networks),
    ];
    let said = match node.state {
        NodeState::Active => None,
        NodeState::Cordoned => Some("It keeps its cameras and gets no new ones.".to_owned()),
        NodeState::Draining if node.drained => Some("Nothing is left on it: it can be removed.".to_owned()),
        NodeState::Draining if node.cameras == 0 => {
            Some("Its cameras are elsewhere; footage is still to be stored.".to_owned())
        }
        NodeState::Draining => Some(format!(
            "It hands its cameras over to other nodes: {} left. Those that no other node may take stay.",
            node.cameras
        )),
    };
    html! {
        <>
            <p>{ cameras }</p>
            { for limits.into_iter().filter(|(_, list)| !list.is_empty()).map(|(name, list)| html! {
                <p class="address">{ format!("{name}: {}", list.join(", ")) }</p>
            }) }
            if let Some(said) = said {
                <p role="status">{ said }</p>
            }
            if let Some(seen) = node.last_seen.filter(|_| !node.online) {
                <p class="error">{ format!("It reported last {}. Its cameras move to other nodes, where some may take them.", civil::stamp(seen, &civil::zone())) }</p>
            }
        </>
    }
}

fn buttons(
    node: &Node,
    outcome: &UseStateHandle<Outcome>,
    open: &UseStateHandle<Open>,
    on_done: &Callback<()>,
) -> Html {
    let become_state = |state: NodeState| {
        let (id, revision, outcome, on_done) = (node.id, node.revision, outcome.clone(), on_done.clone());
        Callback::from(move |_: MouseEvent| {
            let on_done = on_done.clone();
            let patch = NodePatch {
                state: Some(state),
                ..NodePatch::default()
            };
            run(
                &outcome,
                async move { api::change_node(id, revision, &patch).await },
                move |_| {
                    on_done.emit(());
                    Outcome::Nothing
                },
            );
        })
    };
    let show = |next: Open| {
        let open = open.setter();
        Callback::from(move |_: MouseEvent| open.set(next))
    };
    let to = |state: NodeState, label: &'static str| {
        html! { <button type="button" class="quiet" onclick={become_state(state)} disabled={outcome.is_busy()}>{ label }</button> }
    };
    html! {
        <div class="row">
            <button type="button" class="quiet" onclick={show(Open::Form)}>{ "Edit" }</button>
            {
                match node.state {
                    NodeState::Active => html! { <>{ to(NodeState::Cordoned, "Cordon") }{ to(NodeState::Draining, "Drain") }</> },
                    NodeState::Cordoned => html! { <>{ to(NodeState::Active, "Uncordon") }{ to(NodeState::Draining, "Drain") }</> },
                    NodeState::Draining => to(NodeState::Active, "Stop draining"),
                }
            }
            <button type="button" class="quiet" onclick={show(Open::Removing)}>{ "Remove" }</button>
        </div>
    }
}

fn remove(node: &Node, on_done: &Callback<()>) -> Html {
    let (id, is_drained) = (node.id, node.drained);
    let question = if is_drained {
        format!(
            "Remove “{}”? Its key never works again. What it recorded stays.",
            node.name
        )
    } else {
        format!(
            "Remove “{}” though it is not drained? It stops recording its {} camera(s) at once, footage that is \
             not stored yet is lost with it, and its key never works again. Drain it first to lose nothing.",
            node.name, node.cameras
        )
    };
    let yes = if is_drained {
        "Remove the node"
    } else {
        "Remove it all the same"
    };
    html! {
        <Confirm title="Remove a node" {question} {yes} no="Keep it"
            action={Callback::from(move |()| action(api::remove_node(id, !is_drained)))} on_done={on_done.clone()} />
    }
}

/// What the node last said.
fn said(node: &Node, status: &NodeStatus, cameras: &[Camera]) -> Html {
    let hardware = &status.hardware;
    let machine = [&hardware.system, &hardware.architecture];
    let machine: Vec<&str> = machine
        .into_iter()
        .map(String::as_str)
        .filter(|text| !text.is_empty())
        .collect();
    html! {
        <>
            <p class="address">
                { format!("Version {}", status.version) }
                if !machine.is_empty() {
                    { format!(" · {}", machine.join(", ")) }
                }
                { format!(" · since {}", civil::stamp(status.started, &civil::zone())) }
            </p>
            if let Some(age_ms) = stale(node.status_age_ms) {
                <p class="error">{ format!("Its last report is {} old.", civil::duration(age_ms)) }</p>
            }
            <dl class="measures">{ for measures(status).iter().map(measure) }</dl>
            <details>
                <summary>{ match status.streams.len() {
                    0 => "No streams".to_owned(),
                    1 => "1 stream".to_owned(),
                    many => format!("{many} streams"),
                } }</summary>
                <ul class="windows">{ for status.streams.iter().map(|one| line(one, cameras)) }</ul>
            </details>
        </>
    }
}

fn measure(measure: &Measure) -> Html {
    html! {
        <div>
            <dt>{ measure.name }</dt>
            <dd>
                { &measure.text }
                if let Some(used) = measure.used {
                    <meter min="0" max="1" high="0.9" optimum="0" value={format!("{used:.3}")}
                        aria-label={format!("{}: {:.0} % used", measure.name, used * 100.0)} />
                }
            </dd>
        </div>
    }
}

fn line(status: &StreamStatus, cameras: &[Camera]) -> Html {
    let camera = cameras.iter().find(|camera| camera.id == status.camera);
    let name = camera.map_or("a camera that you may not see", |camera| camera.name.as_str());
    let which = if status.stream == StreamKind::Sub {
        " (sub stream)"
    } else {
        ""
    };
    html! { <li><strong>{ name }{ which }</strong>{ ": " }{ stream(status) }</li> }
}
