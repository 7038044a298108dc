//! What is missing of a camera's last day, and why.

use player::timeline::cause_text;
use player::{api, civil};
use wire::UnixMs;
use wire::api::Camera;
use wire::coverage::{GapCause, Stretch};
use yew::prelude::*;

use crate::loaded::{use_loaded_for, when_loaded};

const DAY_MS: i64 = 86_400_000;
/// So many gaps are listed, the newest first.
const SHOWN: usize = 6;

#[derive(Debug, Clone, PartialEq, Properties)]
pub(crate) struct GapsProps {
    pub(crate) camera: Camera,
    /// Counts reasons to ask the server again.
    pub(crate) news: u32,
}

#[component]
pub(crate) fn Gaps(props: &GapsProps) -> Html {
    let (coverage, _) = use_loaded_for(props.camera.id, props.news, |id| {
        let now = civil::now();
        api::coverage(id, now.plus(-DAY_MS), now)
    });
    let zone = &props.camera.time_zone;
    html! {
        <section aria-label="Gaps">
            <h3>{ "The last 24 hours" }</h3>
            { when_loaded(&coverage, |coverage| {
                let (footage_ms, gaps) = sorted(&coverage.stretches);
                html! {
                    <>
                        <p>{ in_all(footage_ms, &gaps) }</p>
                        if !gaps.is_empty() {
                            <ul class="lines">{ for gaps.iter().take(SHOWN).map(|gap| line(gap, zone)) }</ul>
                        }
                        if gaps.len() > SHOWN {
                            <p class="address">{ format!("{} more; the player shows them on its timeline.", gaps.len() - SHOWN) }</p>
                        }
                    </>
                }
            }) }
        </section>
    }
}

#[derive(Debug, Clone, PartialEq)]
struct Gap {
    start: UnixMs,
    end: UnixMs,
    cause: GapCause,
    detail: String,
}

/// Milliseconds of footage, and the gaps, the newest first.
fn sorted(stretches: &[Stretch]) -> (i64, Vec<Gap>) {
    let mut footage_ms = 0;
    let mut gaps = Vec::new();
    for stretch in stretches {
        match stretch {
            Stretch::Footage { start, end } => footage_ms += end.since(*start),
            Stretch::Gap {
                start,
                end,
                cause,
                detail,
            } => gaps.push(Gap {
                start: *start,
                end: *end,
                cause: *cause,
                detail: detail.clone(),
            }),
        }
    }
    gaps.reverse();
    (footage_ms, gaps)
}

fn in_all(footage_ms: i64, gaps: &[Gap]) -> String {
    let missing_ms = gaps.iter().map(|gap| gap.end.since(gap.start)).sum();
    match (footage_ms, gaps.len()) {
        (0, 0) => "Nothing was to be recorded.".to_owned(),
        (footage, 0) => format!("{} of footage, without a gap.", civil::duration(footage)),
        (footage, 1) => format!(
            "{} of footage. {} missing.",
            civil::duration(footage),
            civil::duration(missing_ms)
        ),
        (footage, many) => format!(
            "{} of footage. {} missing in {many} gaps.",
            civil::duration(footage),
            civil::duration(missing_ms)
        ),
    }
}

fn line(gap: &Gap, zone: &str) -> Html {
    let unknown = gap.cause == GapCause::Unknown;
    html! {
        <li key={gap.start.0}>
            <div class="row between">
                <span>{ civil::local(gap.start, zone) }</span>
                <span class="address">{ civil::duration(gap.end.since(gap.start)) }</span>
            </div>
            <p class={if unknown { "error" } else { "address" }}>{ why(gap) }</p>
        </li>
    }
}

/// The cause, and what its node said of it.
fn why(gap: &Gap) -> String {
    let kind = match gap.cause {
        GapCause::Camera => "Camera",
        GapCause::Network => "Network",
        GapCause::Node => "Recorder node",
        GapCause::Disk => "Disk",
        GapCause::Upload => "Upload",
        GapCause::Retention => "Retention",
        GapCause::Operator => "A person",
        GapCause::Unlicensed => "Licence",
        GapCause::Unknown => "Unknown",
    };
    match gap.detail.trim().trim_end_matches('.') {
        "" => format!("{kind}: {}.", cause_text(gap.cause)),
        detail => format!("{kind}: {detail}."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gap(start: i64, end: i64, cause: GapCause, detail: &str) -> Stretch {
        Stretch::Gap {
            start: UnixMs(start),
            end: UnixMs(end),
            cause,
            detail: detail.to_owned(),
        }
    }

    #[test]
    fn a_day_is_summed_up_and_its_gaps_are_explained() {
        let footage = |start, end| Stretch::Footage {
            start: UnixMs(start),
            end: UnixMs(end),
        };
        let stretches = [
            footage(0, 60_000),
            gap(60_000, 72_000, GapCause::Network, "connection refused"),
            footage(72_000, 100_000),
            gap(100_000, 103_000, GapCause::Unknown, ""),
        ];
        let (footage_ms, gaps) = sorted(&stretches);
        assert_eq!(
            in_all(footage_ms, &gaps),
            "1 min 28 s of footage. 15 s missing in 2 gaps."
        );
        assert_eq!(why(&gaps[0]), "Unknown: nobody can say.");
        assert_eq!(why(&gaps[1]), "Network: connection refused.");
        let silent = Gap {
            detail: String::new(),
            ..gaps[1].clone()
        };
        assert_eq!(why(&silent), "Network: the camera could not be reached.");
        assert_eq!(in_all(60_000, &[]), "1 min 0 s of footage, without a gap.");
        assert_eq!(in_all(0, &[]), "Nothing was to be recorded.");
    }
}
