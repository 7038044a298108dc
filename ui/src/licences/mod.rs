//! Licences: which there are, what they are worth, and which camera has which.

mod assign;
mod card;
mod issue;
mod plan;
mod usage;
mod words;

use player::api as shared;
use wire::access::Right;
use wire::api::{Camera, EventKind, Licence, Licensing, Me};
use wire::licence::LicenceState;
use yew::prelude::*;

use crate::acting::use_acting;
use crate::api;
use crate::live::{About, use_news};
use crate::loaded::use_loaded_for;
use crate::pages::use_pages;
use assign::Assign;
use card::Card;
use issue::Issue;
use usage::Usage;
pub(crate) use words::{badge, until};

const REFRESH_MS: u32 = 60_000;
/// What changes licences, or which cameras could have one.
const MATTERS: &[EventKind] = &[
    EventKind::LicenceChanged,
    EventKind::CameraCreated,
    EventKind::CameraDeleted,
    EventKind::OrganizationChanged,
];
/// What the list can be limited to: as in its address, and in words.
const FILTERS: [(&str, &str); 7] = [
    ("", "All licences"),
    ("assigned=false", "Without a camera"),
    ("state=active", "Active"),
    ("state=grace", "In their days of grace"),
    ("state=expired", "Expired"),
    ("state=suspended", "Suspended"),
    ("state=pending", "Not valid yet"),
];

#[component]
pub(crate) fn Licences() -> Html {
    let news = use_news(REFRESH_MS, About::Kinds(MATTERS));
    let me = use_context::<Me>();
    let may_issue = me.as_ref().is_some_and(|me| me.rights.has(Right::IssueLicences));
    let own = me.map(|me| me.organization);
    let organization = use_acting().other.or(own);
    let filter = use_state_eq(String::new);
    let licences = use_pages::<Licence>(address(&filter), news);
    let (usage, reload_usage) = use_loaded_for((), news, |()| api::licence_usage());
    let (cameras, _) = use_loaded_for((), news, |()| shared::cameras());
    let (licensing, _) = use_loaded_for(organization, news, |id| async move {
        match id {
            Some(id) => api::organization(id).await.map(|one| one.licensing),
            None => Ok(Licensing::Required),
        }
    });
    let is_issuing = use_state_eq(|| false);
    let set_issuing = |value| {
        let is_issuing = is_issuing.setter();
        Callback::from(move |()| is_issuing.set(value))
    };
    let on_change = {
        let (list, usage) = (licences.reload.clone(), reload_usage);
        Callback::from(move |()| {
            list.emit(());
            usage.emit(());
        })
    };
    let on_issued = {
        let (close, on_change) = (set_issuing(false), on_change.clone());
        Callback::from(move |()| {
            close.emit(());
            on_change.emit(());
        })
    };
    let on_filter = {
        let filter = filter.setter();
        Callback::from(move |event: Event| {
            let select: web_sys::HtmlSelectElement = event.target_unchecked_into();
            filter.set(select.value());
        })
    };
    let cameras: Vec<Camera> = cameras.value().cloned().unwrap_or_default();
    let card = |licence: &Licence| {
        html! {
            <Card key={licence.id.to_string()} licence={licence.clone()} cameras={cameras.clone()} {may_issue}
                on_change={on_change.clone()} />
        }
    };
    html! {
        <section aria-label="Licences">
            <div class="row between">
                <h2>{ "Licences" }</h2>
                <div class="row">
                    <select class="short" aria-label="Which licences" onchange={on_filter}>
                        { for FILTERS.iter().map(|(value, text)| html! {
                            <option key={*value} value={*value} selected={*value == filter.as_str()}>{ *text }</option>
                        }) }
                    </select>
                    if may_issue && !*is_issuing {
                        <button type="button" onclick={set_issuing(true).reform(|_: MouseEvent| ())}>{ "Issue licences" }</button>
                    }
                </div>
            </div>
            if licensing.value() == Some(&Licensing::None) {
                <p class="address">{ "Cameras of this organization need no licence to be recorded." }</p>
            }
            <Usage {usage} />
            if *is_issuing {
                <Issue on_done={on_issued} on_cancel={set_issuing(false)} />
            }
            { licences.show(empty(&filter), |list| html! { <ul class="cards wide">{ for list.iter().map(card) }</ul> }) }
        </section>
    }
}

fn address(filter: &str) -> String {
    match filter {
        "" => api::LICENCES.to_owned(),
        filter => format!("{}?{filter}", api::LICENCES),
    }
}

fn empty(filter: &str) -> &'static str {
    match filter {
        "" => "There are no licences. Who runs the platform issues them.",
        _ => "There are no such licences.",
    }
}

/// Whether a licence permits anything now.
pub(crate) const fn permits(licence: &Licence) -> bool {
    matches!(licence.state, LicenceState::Active | LicenceState::Grace)
}
