//! One node.

use player::civil;
use wire::api::{Camera, Node};
use wire::media::StreamKind;
use wire::status::{NodeStatus, StreamStatus};
use yew::prelude::*;

use super::measures::{Measure, measures, stale, stream};

#[derive(Debug, Clone, PartialEq, Properties)]
pub(crate) struct CardProps {
    pub(crate) node: Node,
    /// For their names.
    pub(crate) cameras: Vec<Camera>,
    pub(crate) on_change: Callback<()>,
}

#[component]
pub(crate) fn Card(props: &CardProps) -> Html {
    let node = &props.node;
    let (class, state) = if node.online {
        ("good", "Connected")
    } else {
        ("bad", "Not connected")
    };
    html! {
        <li class="card" data-node={node.id.to_string()}>
            <div class="row between"><strong>{ &node.name }</strong><span class={classes!("state", class)}>{ state }</span></div>
            if let Some(status) = &node.status {
                { said(status, &props.cameras) }
            }
        </li>
    }
}

/// What the node last said.
fn said(status: &NodeStatus, cameras: &[Camera]) -> Html {
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
            if let Some(age_ms) = stale(status, civil::now()) {
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
