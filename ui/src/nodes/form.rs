//! The form that changes a node: its name, and which cameras it may be given.

use web_sys::HtmlInputElement;
use wire::api::{Node, NodePatch};
use yew::prelude::*;

use crate::api;
use crate::parts::{Outcome, list, run, text};

#[derive(Debug, Clone, PartialEq, Properties)]
pub(crate) struct NodeFormProps {
    pub(crate) node: Node,
    pub(crate) on_done: Callback<()>,
}

/// The fields, read when they are needed.
#[derive(Clone, PartialEq)]
struct Fields {
    name: NodeRef,
    labels: NodeRef,
    sites: NodeRef,
    networks: NodeRef,
    max_cameras: NodeRef,
    uplink: NodeRef,
}

impl Fields {
    fn patch(&self) -> NodePatch {
        NodePatch {
            name: Some(text(&self.name)),
            state: None,
            labels: Some(list(&text(&self.labels))),
            sites: Some(list(&text(&self.sites))),
            networks: Some(list(&text(&self.networks))),
            // Without a number there is no limit.
            max_cameras: Some(number(&self.max_cameras) as u32),
            uplink_bps: Some((number(&self.uplink) * 1_000_000.0) as u64),
        }
    }
}

fn number(node: &NodeRef) -> f64 {
    node.cast::<HtmlInputElement>()
        .map(|input| input.value_as_number())
        .filter(|number| number.is_finite())
        .unwrap_or(0.0)
}

#[component]
pub(crate) fn NodeForm(props: &NodeFormProps) -> Html {
    let fields = Fields {
        name: use_node_ref(),
        labels: use_node_ref(),
        sites: use_node_ref(),
        networks: use_node_ref(),
        max_cameras: use_node_ref(),
        uplink: use_node_ref(),
    };
    let outcome = use_state_eq(Outcome::default);
    // As it was when the form was opened: what others change meanwhile is not overwritten unseen.
    let node = use_state_eq(|| props.node.clone());
    let onsubmit = {
        let (fields, outcome, node, on_done) = (
            fields.clone(),
            outcome.clone(),
            node.clone(),
            props.on_done.clone(),
        );
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let (id, revision, patch, on_done) = (node.id, node.revision, fields.patch(), on_done.clone());
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
    let cancel = props.on_done.reform(|_: MouseEvent| ());
    let uplink = node
        .uplink_bps
        .map(|bps| (bps as f64 / 1e6).to_string())
        .unwrap_or_default();
    let most = node.max_cameras.map(|most| most.to_string()).unwrap_or_default();
    html! {
        <form {onsubmit} aria-label={format!("Change {}", node.name)}>
            <label>{ "Name" }<input ref={fields.name} required=true maxlength="100" ~defaultValue={node.name.clone()} /></label>
            <label>{ "Labels that cameras may ask for" }<input ref={fields.labels} placeholder="gpu, outdoor" ~defaultValue={node.labels.join(", ")} /></label>
            <label>{ "Sites whose cameras it records; empty: all" }<input ref={fields.sites} placeholder="North, Harbour" ~defaultValue={node.sites.join(", ")} /></label>
            <label>{ "Networks that it reaches; empty: all" }<input ref={fields.networks} placeholder="10.1.0.0/16, fd00::/8" ~defaultValue={node.networks.join(", ")} /></label>
            <label>{ "Most cameras; empty: no limit" }<input ref={fields.max_cameras} type="number" min="0" max="100000" ~defaultValue={most} /></label>
            <label>{ "Most Mbit/s of uploads; empty: no limit" }<input ref={fields.uplink} type="number" min="0" step="any" ~defaultValue={uplink} /></label>
            { outcome.show() }
            <div class="row">
                <button type="submit" disabled={outcome.is_busy()}>{ "Save" }</button>
                <button type="button" class="quiet" onclick={cancel}>{ "Cancel" }</button>
            </div>
        </form>
    }
}
