//! The next windows of a schedule: of one that is saved, and of one that is being written.

use std::cell::Cell;
use std::rc::Rc;

use gloo_timers::callback::Timeout;
use player::civil;
use wasm_bindgen_futures::spawn_local;
use wire::CameraId;
use wire::api::{PreviewJob, UpcomingWindow, UpcomingWindows};
use wire::schedule::Schedule;
use yew::prelude::*;

use crate::api;

/// A pause in typing of this length asks the server.
const PAUSE_MS: u32 = 350;

/// The first so many windows, in the schedule's time zone.
pub(crate) fn list(upcoming: &UpcomingWindows, most: usize) -> Html {
    let zone = &upcoming.time_zone;
    if upcoming.windows.is_empty() {
        let until = civil::stamp(upcoming.searched_until, zone);
        return html! { <p class="address">{ format!("Nothing up to {until}.") }</p> };
    }
    let line = |window: &UpcomingWindow| {
        let when = match window.end {
            Some(end) => civil::span(window.start, end, zone),
            None => format!("{} – on and on", civil::stamp(window.start, zone)),
        };
        html! { <li>{ when }</li> }
    };
    html! { <ul class="windows">{ for upcoming.windows.iter().take(most).map(line) }</ul> }
}

#[derive(Debug, Clone, PartialEq, Properties)]
pub(crate) struct PreviewProps {
    pub(crate) camera: CameraId,
    pub(crate) schedule: Result<Schedule, &'static str>,
    pub(crate) time_zone: Option<String>,
}

/// What a schedule that is being written means, as the server reads it.
#[component]
pub(crate) fn Preview(props: &PreviewProps) -> Html {
    let shown = use_state_eq(|| None::<Result<UpcomingWindows, String>>);
    {
        let shown = shown.setter();
        use_effect_with(props.clone(), move |props| {
            let current = Rc::new(Cell::new(true));
            let timer = match &props.schedule {
                Err(sentence) => {
                    shown.set(Some(Err((*sentence).to_owned())));
                    None
                }
                Ok(schedule) => {
                    let asked = PreviewJob {
                        schedule: schedule.clone(),
                        time_zone: props.time_zone.clone(),
                        camera: Some(props.camera),
                    };
                    let current = Rc::clone(&current);
                    Some(Timeout::new(PAUSE_MS, move || {
                        spawn_local(async move {
                            let answer = api::preview(&asked).await.map_err(|error| error.sentence());
                            // An answer to what was written before is no answer to what is there now.
                            if current.get() {
                                shown.set(Some(answer));
                            }
                        });
                    }))
                }
            };
            move || {
                current.set(false);
                drop(timer);
            }
        });
    }
    let content = match &*shown {
        None => html! { <p class="address">{ "Looking…" }</p> },
        Some(Err(sentence)) => html! { <p class="error">{ sentence }</p> },
        Some(Ok(upcoming)) => html! {
            <>
                <p class="address">{ format!("In the time zone {}:", upcoming.time_zone) }</p>
                { list(upcoming, 5) }
            </>
        },
    };
    html! { <div class="preview" role="status" aria-label="Next windows"><h4>{ "Next windows" }</h4>{ content }</div> }
}
