//! The list of recorder nodes.

use gloo_timers::callback::Interval;
use player::api;
use wasm_bindgen_futures::spawn_local;
use wire::access::Right;
use wire::api::{Me, Node};
use yew::prelude::*;

/// Nodes report every five seconds.
const REFRESH_MS: u32 = 5_000;

#[component]
pub(crate) fn Nodes() -> Html {
    let me = use_context::<Me>();
    if me.is_some_and(|me| me.rights.has(Right::ReadNodes)) {
        html! { <List /> }
    } else {
        html! {}
    }
}

#[component]
fn List() -> Html {
    let nodes = use_state_eq(|| None::<Result<Vec<Node>, String>>);
    {
        let nodes = nodes.setter();
        use_effect_with((), move |()| {
            let ask = move || {
                let nodes = nodes.clone();
                spawn_local(
                    async move { nodes.set(Some(api::nodes().await.map_err(|error| error.sentence()))) },
                );
            };
            ask();
            let interval = Interval::new(REFRESH_MS, ask);
            move || drop(interval)
        });
    }
    html! {
        <section aria-label="Recorder nodes">
            <h2>{ "Recorder nodes" }</h2>
            {
                match &*nodes {
                    None => html! { <p role="status" class="empty">{ "Loading nodes…" }</p> },
                    Some(Err(sentence)) => html! { <p class="error" role="alert">{ sentence }</p> },
                    Some(Ok(list)) if list.is_empty() => html! {
                        <p class="empty">{ "No recorder node has reported yet." }</p>
                    },
                    Some(Ok(list)) => html! { <ul class="cards">{ for list.iter().map(card) }</ul> },
                }
            }
        </section>
    }
}

fn card(node: &Node) -> Html {
    let (class, state) = if node.online {
        ("good", "Connected")
    } else {
        ("bad", "Not connected")
    };
    html! {
        <li class="card" key={node.id.to_string()}>
            <div class="row between"><strong>{ &node.name }</strong><span class={classes!("state", class)}>{ state }</span></div>
            if let Some(status) = &node.status {
                <p class="address">
                    { format!(
                        "Version {} · {} streams · {} free · {} of footage here · {} objects to upload",
                        status.version, status.streams.len(), gigabytes(status.disk_free_bytes),
                        gigabytes(status.spool_bytes), status.upload_backlog,
                    ) }
                </p>
            }
        </li>
    }
}

fn gigabytes(bytes: u64) -> String {
    format!("{:.1} GB", bytes as f64 / 1e9)
}
