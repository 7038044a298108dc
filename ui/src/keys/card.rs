//! A service key in the list: what it may do, when it was used, when it ends.

use player::civil::{self, Day};
use wire::UnixMs;
use wire::api::ServiceKey;
use yew::prelude::*;

use super::form::{ChangeKey, right};
use crate::api;
use crate::opened::use_opened;
use crate::parts::{Confirm, action};

/// What is open in the card.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Open {
    Form,
    Revoke,
}

#[derive(Debug, Clone, PartialEq, Properties)]
pub(super) struct CardProps {
    pub(super) service_key: ServiceKey,
    pub(super) on_change: Callback<()>,
}

#[component]
pub(super) fn Card(props: &CardProps) -> Html {
    let key = &props.service_key;
    let opened = use_opened::<Open>(&props.on_change);
    let (on_done, on_cancel) = (opened.on_done(), opened.on_cancel());
    let body = match opened.now {
        None => html! {
            <div class="row">
                <button type="button" class="quiet" onclick={opened.show(Open::Form)}>{ "Edit" }</button>
                <button type="button" class="quiet" onclick={opened.show(Open::Revoke)}>{ "Revoke" }</button>
            </div>
        },
        Some(Open::Form) => html! { <ChangeKey service_key={key.clone()} {on_done} {on_cancel} /> },
        Some(Open::Revoke) => revoke(key, &on_done),
    };
    html! {
        <li class="card">
            <div class="row between"><strong>{ &key.name }</strong>{ state(key, civil::now()) }</div>
            <p class="address">{ format!("Its secret ends in {}. {}", key.hint, used(key)) }</p>
            <ul class="windows">{ for key.scopes.iter().map(|one| html! { <li>{ right(one) }</li> }) }</ul>
            { body }
        </li>
    }
}

fn state(key: &ServiceKey, now: UnixMs) -> Html {
    let at = |at| Day::of(at).iso();
    let (tone, text) = match key.expires {
        None => ("good", "works".to_owned()),
        Some(end) if end <= now => ("bad", format!("ended {}", at(end))),
        Some(end) => ("good", format!("works until {}", at(end))),
    };
    html! { <span class={classes!("state", tone)}>{ text }</span> }
}

fn used(key: &ServiceKey) -> String {
    let made = Day::of(key.created).iso();
    match key.last_used {
        Some(used) => format!("Made {made}, last used {}.", civil::moment(used)),
        None => format!("Made {made}, never used."),
    }
}

fn revoke(key: &ServiceKey, on_done: &Callback<()>) -> Html {
    let question = format!(
        "Revoke “{}”? The next call with it is refused, and nothing makes it work again.",
        key.name
    );
    let key = key.clone();
    let action = Callback::from(move |()| {
        let key = key.clone();
        action(async move { api::revoke_key(&key).await })
    });
    html! { <Confirm title="Revoke a service key" {question} yes="Revoke it" no="Keep it" {action} on_done={on_done.clone()} /> }
}
