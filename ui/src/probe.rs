//! What a connection test found.

use wire::Track;
use wire::bus::ProbeReport;
use yew::prelude::*;

/// How a connection test went.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Outcome {
    None,
    Running,
    Found(ProbeReport),
    Failed(String),
}

#[derive(Debug, Clone, PartialEq, Properties)]
pub(crate) struct ProbeProps {
    pub(crate) outcome: Outcome,
}

#[component]
pub(crate) fn Probe(props: &ProbeProps) -> Html {
    match &props.outcome {
        Outcome::None => html! {},
        Outcome::Running => html! { <p role="status">{ "Connecting; this takes up to ten seconds…" }</p> },
        Outcome::Failed(sentence) => html! { <p class="error" role="alert">{ sentence }</p> },
        Outcome::Found(report) => html! {
            <div role="status">
                <ul class="probe">{ for lines(report).into_iter().map(|line| html! { <li>{ line }</li> }) }</ul>
            </div>
        },
    }
}

fn lines(report: &ProbeReport) -> Vec<String> {
    let track = |track: &Track| match track {
        Track::Video {
            codec,
            width,
            height,
            fps,
        } => format!("Video: {codec}, {width} × {height}, {fps:.1} frames a second"),
        Track::Audio {
            codec,
            sample_rate_hz,
            channels,
        } => {
            format!("Sound: {codec}, {sample_rate_hz} Hz, {channels} channel(s)")
        }
    };
    let mut lines: Vec<String> = report.tracks.iter().map(track).collect();
    if !report
        .tracks
        .iter()
        .any(|track| matches!(track, Track::Audio { .. }))
    {
        lines.push("Sound: none".to_owned());
    }
    lines.push(format!("Rate: {} kbit/s", report.bitrate_bps / 1000));
    if let Some(interval) = report.keyframe_interval_ms {
        lines.push(format!("A keyframe every {:.1} s", interval as f64 / 1000.0));
    }
    lines.push(match report.clock_offset_ms {
        Some(offset) => format!("The camera's clock is off by {:.3} s", offset as f64 / 1000.0),
        None => "The camera does not tell its clock".to_owned(),
    });
    lines
}
