//! The form that adds or changes a recording job.

use player::civil;
use web_sys::{HtmlInputElement, HtmlSelectElement};
use wire::api::{Camera, Job};
use wire::schedule::StreamChoice;
use yew::prelude::*;

use super::draft::{Draft, KINDS, Kind};
use super::upcoming::Preview;
use super::weekly::Weekly;
use crate::api;
use crate::parts::{Outcome, run};

const STREAMS: [(StreamChoice, &str, &str); 3] = [
    (StreamChoice::Main, "main", "Main stream"),
    (StreamChoice::Sub, "sub", "Sub stream"),
    (StreamChoice::Both, "both", "Both streams"),
];

#[derive(Debug, Clone, PartialEq, Properties)]
pub(crate) struct JobFormProps {
    pub(crate) camera: Camera,
    /// The job to change; none for a new one.
    pub(crate) job: Option<Job>,
    pub(crate) on_done: Callback<()>,
}

#[component]
pub(crate) fn JobForm(props: &JobFormProps) -> Html {
    let draft = {
        let job = props.job.clone();
        use_reducer_eq(move || match &job {
            Some(job) => Draft::of(job, civil::now(), civil::field),
            None => Draft::new(civil::now(), civil::field),
        })
    };
    let outcome = use_state_eq(Outcome::default);
    let schedule = draft.schedule(civil::instant);
    let onsubmit = {
        let (draft, schedule, props, outcome) =
            (draft.clone(), schedule.clone(), props.clone(), outcome.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let schedule = match schedule.clone() {
                Ok(schedule) => schedule,
                Err(sentence) => return outcome.set(Outcome::Failed(sentence.to_owned())),
            };
            let (draft, job, camera) = ((*draft).clone(), props.job.clone(), props.camera.id);
            let action = async move {
                match job {
                    Some(job) => api::change_job(&job, &draft.patch(schedule)).await,
                    None => api::add_job(camera, &draft.new_job(schedule)).await,
                }
            };
            let on_done = props.on_done.clone();
            run(&outcome, action, move |_| {
                on_done.emit(());
                Outcome::Nothing
            });
        })
    };
    let cancel = props.on_done.reform(|_: MouseEvent| ());
    let title = if props.job.is_some() {
        "Change a recording job"
    } else {
        "Add a recording job"
    };
    let change = draft.dispatcher();
    html! {
        <form class="card camera-form" {onsubmit} aria-label={title}>
            <h3>{ title }</h3>
            <label>
                { "Name" }
                <input required=true maxlength="100" value={draft.name.clone()} oninput={on_text(&change, |draft, text| draft.name = text)} />
            </label>
            <label>
                { "When" }
                <select onchange={on_choice(&change, |draft, value| {
                    if let Some((kind, ..)) = KINDS.iter().find(|(_, name, _)| *name == value) {
                        draft.kind = *kind;
                    }
                })}>
                    { for KINDS.iter().map(|(kind, value, label)| html! {
                        <option value={*value} selected={*kind == draft.kind}>{ *label }</option>
                    }) }
                </select>
            </label>
            { times(&draft, &change) }
            if matches!(draft.kind, Kind::Weekly | Kind::Cron) {
                { zone(&draft, &change, &props.camera) }
            }
            <label>
                { "What" }
                <select onchange={on_choice(&change, |draft, value| {
                    if let Some((streams, ..)) = STREAMS.iter().find(|(_, name, _)| *name == value) {
                        draft.streams = *streams;
                    }
                })}>
                    { for STREAMS.iter().map(|(streams, value, label)| html! {
                        <option value={*value} selected={*streams == draft.streams}>{ *label }</option>
                    }) }
                </select>
            </label>
            if draft.streams != StreamChoice::Main && props.camera.sub_url.is_none() {
                <p class="address">{ "This camera has no sub stream yet: nothing is recorded of it." }</p>
            }
            <label>
                { "Seconds to keep from before each window (0 to 30)" }
                <input type="number" min="0" max="30" required=true value={draft.pre_roll.clone()}
                    oninput={on_text(&change, |draft, text| draft.pre_roll = text)} />
            </label>
            <label class="check">
                <input type="checkbox" checked={draft.enabled} onchange={on_check(&change)} />
                { "Switched on" }
            </label>
            <Preview camera={props.camera.id} {schedule} time_zone={draft.zone()} />
            { outcome.show() }
            <div class="row">
                <button type="submit" disabled={outcome.is_busy()}>{ if props.job.is_some() { "Save" } else { "Add the job" } }</button>
                <button type="button" class="quiet" onclick={cancel}>{ "Cancel" }</button>
            </div>
        </form>
    }
}

/// The fields of the kind that is chosen.
fn times(draft: &Draft, change: &UseReducerDispatcher<Draft>) -> Html {
    match draft.kind {
        Kind::Continuous => html! {},
        Kind::Weekly => html! { <Weekly windows={draft.windows.clone()} draft={change.clone()} /> },
        Kind::Cron => html! {
            <>
                <label>
                    { "Cron expression: minute, hour, day of the month, month, day of the week" }
                    <input required=true spellcheck="false" value={draft.expression.clone()} oninput={on_text(change, |draft, text| draft.expression = text)} />
                </label>
                <label>
                    { "Minutes to record each time" }
                    <input required=true inputmode="decimal" value={draft.minutes.clone()} oninput={on_text(change, |draft, text| draft.minutes = text)} />
                </label>
            </>
        },
        Kind::Once => html! {
            <>
                <label>
                    { format!("From ({})", civil::zone()) }
                    <input type="datetime-local" required=true value={draft.from.clone()} oninput={on_text(change, |draft, text| draft.from = text)} />
                </label>
                <label>
                    { format!("To ({})", civil::zone()) }
                    <input type="datetime-local" required=true value={draft.to.clone()} oninput={on_text(change, |draft, text| draft.to = text)} />
                </label>
            </>
        },
    }
}

fn zone(draft: &Draft, change: &UseReducerDispatcher<Draft>, camera: &Camera) -> Html {
    html! {
        <label>
            { "Time zone" }
            <input list="zones" autocomplete="off" spellcheck="false" placeholder={format!("{}, as the camera", camera.time_zone)}
                value={draft.time_zone.clone()} oninput={on_text(change, |draft, text| draft.time_zone = text)} />
            <datalist id="zones">{ for civil::zones().into_iter().map(|zone| html! { <option value={zone} /> }) }</datalist>
        </label>
    }
}

fn on_text(change: &UseReducerDispatcher<Draft>, set: fn(&mut Draft, String)) -> Callback<InputEvent> {
    let change = change.clone();
    Callback::from(move |event: InputEvent| {
        let text = event.target_unchecked_into::<HtmlInputElement>().value();
        change.dispatch(Box::new(move |draft| set(draft, text)));
    })
}

fn on_choice(change: &UseReducerDispatcher<Draft>, set: fn(&mut Draft, String)) -> Callback<Event> {
    let change = change.clone();
    Callback::from(move |event: Event| {
        let value = event.target_unchecked_into::<HtmlSelectElement>().value();
        change.dispatch(Box::new(move |draft| set(draft, value)));
    })
}

fn on_check(change: &UseReducerDispatcher<Draft>) -> Callback<Event> {
    let change = change.clone();
    Callback::from(move |event: Event| {
        let checked = event.target_unchecked_into::<HtmlInputElement>().checked();
        change.dispatch(Box::new(move |draft| draft.enabled = checked));
    })
}
