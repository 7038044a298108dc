//! The last sessions of recording of a camera: when, how much, and why they ended.

use player::civil;
use wire::api::{Camera, Node, Recording, RecordingState};
use wire::event::EndReason;
use wire::media::StreamKind;
use yew::prelude::*;

use crate::api;
use crate::loaded::{use_loaded_for, when_loaded};
use crate::parts::bytes;

/// So many of them.
const SHOWN: u32 = 8;

#[derive(Debug, Clone, PartialEq, Properties)]
pub(crate) struct RecordingsProps {
    pub(crate) camera: Camera,
    /// For their names; empty for who may not know of them.
    pub(crate) nodes: Vec<Node>,
    /// Counts reasons to ask the server again.
    pub(crate) news: u32,
}

#[component]
pub(crate) fn Recordings(props: &RecordingsProps) -> Html {
    let (recordings, _) = use_loaded_for(props.camera.id, props.news, |id| api::recordings(id, SHOWN));
    html! {
        <section aria-label="Recordings">
            <h3>{ "Last recordings" }</h3>
            { when_loaded(&recordings, |list| match list.as_slice() {
                [] => html! { <p class="empty">{ "Nothing was recorded yet." }</p> },
                list => html! { <ul class="lines">{ for list.iter().map(|one| line(one, props)) }</ul> },
            }) }
        </section>
    }
}

fn line(one: &Recording, props: &RecordingsProps) -> Html {
    let zone = &props.camera.time_zone;
    let start = one.started.unwrap_or(one.window_start);
    let (tone, how) = how(one);
    let mut facts = Vec::new();
    if one.stream == StreamKind::Sub {
        facts.push("sub stream".to_owned());
    }
    if let Some(node) = props.nodes.iter().find(|node| node.id == one.node) {
        facts.push(format!("by {}", node.name));
    }
    // A node tells of a session when something about it changes, not with each byte.
    if one.ended.is_some() || one.bytes > 0 {
        facts.push(bytes(one.bytes));
    }
    facts.push(match one.gaps {
        0 => "no gaps".to_owned(),
        1 => format!("1 gap, {}", civil::duration(one.gap_ms as i64)),
        many => format!("{many} gaps, {}", civil::duration(one.gap_ms as i64)),
    });
    if one.attempts > 1 {
        facts.push(format!("{} attempts", one.attempts));
    }
    let when = one.ended.map_or_else(
        || format!("Since {}", civil::local(start, zone)),
        |end| {
            let length = civil::duration(end.since(start).max(0));
            format!("{} ({length})", civil::local_span(start, end, zone))
        },
    );
    html! {
        <li key={one.id.to_string()}>
            <div class="row between">
                <span>{ when }</span>
                <span class={classes!("state", tone)}>{ how }</span>
            </div>
            <p class="address">{ facts.join(" · ") }</p>
            if !one.detail.is_empty() {
                <p class="address">{ format!("Last trouble: {}", one.detail) }</p>
            }
        </li>
    }
}

/// How a session goes or ended, and whether that is well.
fn how(one: &Recording) -> (&'static str, &'static str) {
    match one.state {
        RecordingState::Starting => ("idle", "Starting"),
        RecordingState::Recording => ("good", "Recording"),
        RecordingState::Failing => ("bad", "Keeps failing"),
        RecordingState::Lost => ("bad", "Its node does not report"),
        RecordingState::Ended => match one.end_reason {
            Some(EndReason::WindowEnded) => ("idle", "Ended with its window"),
            Some(EndReason::Withdrawn) => ("idle", "Ended: no longer planned"),
            Some(EndReason::Moved) => ("idle", "Moved to another node"),
            Some(EndReason::Stopped) => ("idle", "Stopped by a person"),
            Some(EndReason::JobChanged) => ("idle", "Ended: its job changed"),
            Some(EndReason::CameraDeleted) => ("idle", "Ended: the camera was removed"),
            Some(EndReason::Unlicensed) => ("bad", "Ended: no licence"),
            Some(EndReason::Suspended) => ("bad", "Ended: the organization was suspended"),
            Some(EndReason::NodeLost) => ("bad", "Ended: its node was lost"),
            None => ("idle", "Ended"),
        },
    }
}
