//! Organizations: all of them for who runs the platform, the own one for its administrators.

mod card;
mod delete;
mod form;

use player::api::escaped;
use wire::access::Right;
use wire::api::{EventKind, Me, Organization};
use yew::prelude::*;

use crate::api;
use crate::live::{About, use_news};
use crate::pages::use_pages;
use crate::parts::Search;
use card::Card;
use form::OrganizationForm;

const REFRESH_MS: u32 = 30_000;
const MATTERS: &[EventKind] = &[EventKind::OrganizationChanged, EventKind::OrganizationErased];
/// What the list can be limited to.
const STATES: [(&str, &str); 4] = [
    ("", "All states"),
    ("active", "Active"),
    ("suspended", "Suspended"),
    ("deleting", "Being deleted"),
];

#[component]
pub(crate) fn Organizations() -> Html {
    let news = use_news(REFRESH_MS, About::Kinds(MATTERS));
    let is_owner = use_context::<Me>().is_some_and(|me| me.rights.has(Right::ManageOrganizations));
    let search = use_state_eq(String::new);
    let state = use_state_eq(String::new);
    let list = use_pages::<Organization>(address(&search, &state), news);
    let is_adding = use_state_eq(|| false);
    let set_adding = |value| {
        let is_adding = is_adding.setter();
        Callback::from(move |()| is_adding.set(value))
    };
    let on_done = {
        let (close, reload) = (set_adding(false), list.reload.clone());
        Callback::from(move |()| {
            close.emit(());
            reload.emit(());
        })
    };
    let on_search = {
        let search = search.setter();
        Callback::from(move |text| search.set(text))
    };
    let card = |organization: &Organization| {
        html! {
            <Card key={organization.id.to_string()} organization={organization.clone()} {is_owner} on_change={list.reload.clone()} />
        }
    };
    let title = if is_owner { "Organizations" } else { "Organization" };
    html! {
        <section aria-label={title}>
            <div class="row between">
                <h2>{ title }</h2>
                if is_owner {
                    <div class="row">
                        <Search label="Search organizations" {on_search} />
                        { states(&state) }
                        if !*is_adding {
                            <button type="button" onclick={set_adding(true).reform(|_: MouseEvent| ())}>{ "Add an organization" }</button>
                        }
                    </div>
                }
            </div>
            if *is_adding {
                <OrganizationForm organization={None::<Organization>} {is_owner} {on_done} on_cancel={set_adding(false)} />
            }
            { list.show("There are no such organizations.", |list| html! {
                <ul class="cards wide">{ for list.iter().map(card) }</ul>
            }) }
        </section>
    }
}

fn states(state: &UseStateHandle<String>) -> Html {
    let onchange = {
        let state = state.setter();
        Callback::from(move |event: Event| {
            let select: web_sys::HtmlSelectElement = event.target_unchecked_into();
            state.set(select.value());
        })
    };
    html! {
        <select class="short" aria-label="State" {onchange}>
            { for STATES.iter().map(|(value, text)| html! {
                <option key={*value} value={*value} selected={*value == state.as_str()}>{ *text }</option>
            }) }
        </select>
    }
}

fn address(search: &str, state: &str) -> String {
    let parts = [("q", search), ("state", state)];
    let given = parts.iter().filter(|(_, value)| !value.is_empty());
    let query: Vec<String> = given
        .map(|(name, value)| format!("{name}={}", escaped(value)))
        .collect();
    match query.join("&").as_str() {
        "" => api::ORGANIZATIONS.to_owned(),
        query => format!("{}?{query}", api::ORGANIZATIONS),
    }
}
