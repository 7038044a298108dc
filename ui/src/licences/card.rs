//! A licence in the list: what it is worth, whose it is, and what is done with it.

use player::civil::{self, Day};
use wire::api::{Camera, Licence};
use wire::licence::LicenceState;
use yew::prelude::*;
use yew_router::prelude::*;

use super::issue::{Change, Renew};
use super::{Assign, badge, until, words};
use crate::api;
use crate::opened::{Opened, use_opened};
use crate::parts::{Confirm, Outcome, action, run};
use crate::route::Route;

/// What is open in the card.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Open {
    Assign,
    Take,
    Renew,
    Change,
    Suspend,
}

#[derive(Debug, Clone, PartialEq, Properties)]
pub(super) struct CardProps {
    pub(super) licence: Licence,
    /// For their names.
    pub(super) cameras: Vec<Camera>,
    pub(super) may_issue: bool,
    pub(super) on_change: Callback<()>,
}

#[component]
pub(super) fn Card(props: &CardProps) -> Html {
    let licence = &props.licence;
    let opened = use_opened::<Open>(&props.on_change);
    let outcome = use_state_eq(Outcome::default);
    let (on_done, on_cancel) = (opened.on_done(), opened.on_cancel());
    let form = (licence.clone(), on_done.clone(), on_cancel);
    let body = match opened.now {
        None => buttons(props, &opened, &outcome),
        Some(Open::Assign) => {
            let (licence, on_done, on_cancel) = form;
            html! { <Assign {licence} {on_done} {on_cancel} /> }
        }
        Some(Open::Renew) => {
            let (licence, on_done, on_cancel) = form;
            html! { <Renew {licence} {on_done} {on_cancel} /> }
        }
        Some(Open::Change) => {
            let (licence, on_done, on_cancel) = form;
            html! { <Change {licence} {on_done} {on_cancel} /> }
        }
        Some(Open::Take) => take(licence, &on_done),
        Some(Open::Suspend) => suspend(licence, &on_done),
    };
    html! {
        <li class="card">
            <div class="row between"><strong>{ &licence.name }</strong>{ badge(licence) }</div>
            <p>{ until(licence, civil::now(), |at| Day::of(at).iso()) }</p>
            <p>{ whose(licence, &props.cameras) }</p>
            <p class="address">{ words::plan(&licence.plan) }</p>
            { outcome.show() }
            { body }
        </li>
    }
}

fn whose(licence: &Licence, cameras: &[Camera]) -> Html {
    let Some(id) = licence.camera else {
        return html! { "No camera has it." };
    };
    let name = cameras.iter().find(|camera| camera.id == id);
    match name {
        Some(camera) => {
            html! { <>{ "Camera " }<Link<Route> to={Route::Camera { id }}>{ &camera.name }</Link<Route>></> }
        }
        None => html! { "A camera that is gone." },
    }
}

fn buttons(props: &CardProps, opened: &Opened<Open>, outcome: &UseStateHandle<Outcome>) -> Html {
    let licence = &props.licence;
    let resume = {
        let (licence, outcome, on_change) = (licence.clone(), outcome.clone(), props.on_change.clone());
        Callback::from(move |_: MouseEvent| {
            let (licence, on_change) = (licence.clone(), on_change.clone());
            run(
                &outcome,
                async move { api::suspend_licence(&licence, false).await },
                move |_| {
                    on_change.emit(());
                    Outcome::Nothing
                },
            );
        })
    };
    html! {
        <div class="row">
            if licence.camera.is_none() {
                <button type="button" class="quiet" onclick={opened.show(Open::Assign)}>{ "Assign" }</button>
            } else {
                <button type="button" class="quiet" onclick={opened.show(Open::Assign)}>{ "Transfer" }</button>
                <button type="button" class="quiet" onclick={opened.show(Open::Take)}>{ "Take away" }</button>
            }
            if props.may_issue {
                <button type="button" class="quiet" onclick={opened.show(Open::Renew)}>{ "Renew" }</button>
                <button type="button" class="quiet" onclick={opened.show(Open::Change)}>{ "Edit" }</button>
                if licence.suspended {
                    <button type="button" class="quiet" onclick={resume}>{ "Resume" }</button>
                } else if licence.state != LicenceState::Expired {
                    <button type="button" class="quiet" onclick={opened.show(Open::Suspend)}>{ "Suspend" }</button>
                }
            }
        </div>
    }
}

fn take(licence: &Licence, on_done: &Callback<()>) -> Html {
    let question = format!(
        "Take “{}” from its camera? The camera is recorded no more until it has a licence, unless it needs none. \
         Its footage stays.",
        licence.name
    );
    let licence = licence.clone();
    let action = Callback::from(move |()| {
        let licence = licence.clone();
        action(async move { api::take_licence(&licence).await })
    });
    html! { <Confirm title="Take a licence away" {question} yes="Take it away" no="Leave it" {action} on_done={on_done.clone()} /> }
}

fn suspend(licence: &Licence, on_done: &Callback<()>) -> Html {
    let question = format!(
        "Suspend “{}”? Its camera is recorded no more until it is resumed. Its footage stays.",
        licence.name
    );
    let licence = licence.clone();
    let action = Callback::from(move |()| {
        let licence = licence.clone();
        action(async move { api::suspend_licence(&licence, true).await })
    });
    html! { <Confirm title="Suspend a licence" {question} yes="Suspend it" no="Leave it" {action} on_done={on_done.clone()} /> }
}
