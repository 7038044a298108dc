//! The recording jobs of a camera: list, add, change, switch, delete.

mod draft;
mod form;
mod upcoming;
mod weekly;
mod words;

use player::{api as shared, civil};
use wire::api::{Camera, CameraPatch, Job, JobPatch};
use yew::prelude::*;

use crate::api;
use crate::loaded::{use_loaded_for, when_loaded};
use crate::parts::{Confirm, Outcome, action, run};
use form::JobForm;

/// What is open beside the list.
#[derive(Debug, Clone, PartialEq)]
enum Open {
    Nothing,
    Form(Option<Box<Job>>),
    Deleting(Box<Job>),
}

#[derive(Debug, Clone, PartialEq, Properties)]
pub(crate) struct JobsProps {
    pub(crate) camera: Camera,
    pub(crate) may_manage: bool,
    /// Something changed that may change what the camera does.
    pub(crate) on_change: Callback<()>,
    /// Counts reasons to ask the server again.
    pub(crate) news: u32,
}

#[component]
pub(crate) fn Jobs(props: &JobsProps) -> Html {
    let (jobs, reload) = use_loaded_for(props.camera.id, props.news, api::jobs);
    let open = use_state_eq(|| Open::Nothing);
    let outcome = use_state_eq(Outcome::default);
    let on_done = {
        let (open, reload, on_change) = (open.setter(), reload, props.on_change.clone());
        Callback::from(move |()| {
            open.set(Open::Nothing);
            reload.emit(());
            on_change.emit(());
        })
    };
    let show = {
        let open = open.setter();
        Callback::from(move |next| open.set(next))
    };
    let add = show.reform(|_: MouseEvent| Open::Form(None));
    let row = |job: &Job| row(job, props.may_manage, &outcome, &show, &on_done);
    html! {
        <section aria-label="Recording jobs">
            <div class="row between">
                <h3>{ "Recording jobs" }</h3>
                if *open == Open::Nothing && props.may_manage {
                    <button type="button" onclick={add}>{ "Add a job" }</button>
                }
            </div>
            <AroundTheClock camera={props.camera.clone()} may_manage={props.may_manage} on_change={props.on_change.clone()} />
            {
                match &*open {
                    Open::Nothing => html! {},
                    Open::Form(job) => html! {
                        <JobForm key={job.as_ref().map(|job| job.id.to_string()).unwrap_or_default()}
                            camera={props.camera.clone()} job={job.as_deref().cloned()} on_done={on_done.clone()} />
                    },
                    Open::Deleting(job) => delete(job, &on_done),
                }
            }
            { outcome.show() }
            { when_loaded(&jobs, |list| match list.as_slice() {
                [] => html! { <p class="empty">{ "There are no recording jobs." }</p> },
                list => html! { <ul class="cards">{ for list.iter().map(row) }</ul> },
            }) }
        </section>
    }
}

fn row(
    job: &Job,
    may_manage: bool,
    outcome: &UseStateHandle<Outcome>,
    show: &Callback<Open>,
    on_done: &Callback<()>,
) -> Html {
    let toggle = {
        let (job, outcome, on_done) = (job.clone(), outcome.clone(), on_done.clone());
        Callback::from(move |_: MouseEvent| {
            let (job, on_done) = (job.clone(), on_done.clone());
            let patch = JobPatch {
                enabled: Some(!job.enabled),
                ..JobPatch::default()
            };
            run(
                &outcome,
                async move { api::change_job(&job, &patch).await },
                move |_| {
                    on_done.emit(());
                    Outcome::Nothing
                },
            );
        })
    };
    let (edited, deleted) = (job.clone(), job.clone());
    let edit = show.reform(move |_: MouseEvent| Open::Form(Some(Box::new(edited.clone()))));
    let delete = show.reform(move |_: MouseEvent| Open::Deleting(Box::new(deleted.clone())));
    let zone = job.upcoming.time_zone.clone();
    let when = words::schedule(&job.schedule, |at| civil::stamp(at, &zone), civil::duration);
    let (tone, state) = if job.enabled {
        ("good", "On")
    } else {
        ("idle", "Off")
    };
    html! {
        <li class="card" key={job.id.to_string()}>
            <div class="row between"><strong>{ &job.name }</strong><span class={classes!("state", tone)}>{ state }</span></div>
            <p>{ when }</p>
            <p class="address">
                { format!("{zone} · {}", words::streams(job.streams)) }
                if job.pre_roll_s > 0 {
                    { format!(" · {} s of pre-roll", job.pre_roll_s) }
                }
            </p>
            if job.enabled {
                { upcoming::list(&job.upcoming, 2) }
            }
            if may_manage {
                <div class="row">
                    <button type="button" class="quiet" onclick={toggle}>{ if job.enabled { "Switch off" } else { "Switch on" } }</button>
                    <button type="button" class="quiet" onclick={edit}>{ "Edit" }</button>
                    <button type="button" class="quiet" onclick={delete}>{ "Delete" }</button>
                </div>
            }
        </li>
    }
}

fn delete(job: &Job, on_done: &Callback<()>) -> Html {
    let id = job.id;
    let question = format!(
        "Delete “{}”? What only this job asks for is recorded no more, from now on. Footage that is there stays.",
        job.name
    );
    html! {
        <Confirm title="Delete a recording job" {question} yes="Delete the job" no="Keep it"
            action={Callback::from(move |()| action(api::delete_job(id)))} on_done={on_done.clone()} />
    }
}

#[derive(Debug, Clone, PartialEq, Properties)]
struct AroundTheClockProps {
    camera: Camera,
    may_manage: bool,
    on_change: Callback<()>,
}

/// The camera's own switch.
#[component]
fn AroundTheClock(props: &AroundTheClockProps) -> Html {
    let asking = use_state_eq(|| false);
    let outcome = use_state_eq(Outcome::default);
    let (id, is_on) = (props.camera.id, props.camera.recording);
    let switch = move || {
        let patch = CameraPatch {
            recording: Some(!is_on),
            ..CameraPatch::default()
        };
        async move { shared::change_camera(id, &patch).await }
    };
    let on_done = {
        let (asking, on_change) = (asking.setter(), props.on_change.clone());
        Callback::from(move |()| {
            asking.set(false);
            on_change.emit(());
        })
    };
    let onclick = {
        let (asking, outcome, on_done) = (asking.setter(), outcome.clone(), on_done.clone());
        Callback::from(move |_: MouseEvent| {
            if is_on {
                return asking.set(true);
            }
            let on_done = on_done.clone();
            run(&outcome, switch(), move |_| {
                on_done.emit(());
                Outcome::Nothing
            });
        })
    };
    let question = format!(
        "Record “{}” only when its jobs say so? Without a job nothing is recorded from now on.",
        props.camera.name
    );
    html! {
        <>
            <div class="row">
                <span>{ if is_on { "It is recorded around the clock, whatever its jobs say." } else { "It is recorded when its jobs say so." } }</span>
                if props.may_manage && !*asking {
                    <button type="button" class="quiet" {onclick} disabled={outcome.is_busy()}>
                        { if is_on { "Only by jobs" } else { "Around the clock" } }
                    </button>
                }
            </div>
            if *asking {
                <Confirm title="Record only by jobs" {question} yes="Only by jobs" no="Around the clock"
                    action={Callback::from(move |()| action(switch()))} {on_done} />
            }
            { outcome.show() }
        </>
    }
}
