//! Forms of who runs the platform: issue licences, change one, give it another end.

use player::civil::{self, Day};
use wire::UnixMs;
use wire::api::{Licence, LicencePatch, NewLicences, RenewLicence};
use yew::prelude::*;

use super::plan;
use crate::api;
use crate::entry::Entry;
use crate::sheet::{Sheet, Typed, use_sending};

const DAY_MS: i64 = 86_400_000;

#[derive(Debug, Clone, PartialEq, Properties)]
pub(super) struct IssueProps {
    pub(super) on_done: Callback<()>,
    pub(super) on_cancel: Callback<()>,
}

#[component]
pub(super) fn Issue(props: &IssueProps) -> Html {
    let sending = use_sending();
    let on_send = {
        let (sending, on_done) = (sending.clone(), props.on_done.clone());
        Callback::from(move |typed: Typed| {
            let new = NewLicences {
                name: typed.text("name"),
                plan: plan::typed(&typed),
                valid_from: instant(&typed, "valid_from"),
                valid_to: instant(&typed, "valid_to"),
                grace_days: typed.parsed("grace_days").unwrap_or_default(),
                count: typed.parsed("count").unwrap_or_default(),
            };
            let on_done = on_done.clone();
            sending.send(async move { api::issue_licences(&new).await }, move |_| {
                on_done.emit(());
            });
        })
    };
    let now = civil::now();
    html! {
        <Sheet title="Issue licences" save="Issue" sending={sending.clone()} beside={plan::FIELDS} {on_send} on_cancel={props.on_cancel.clone()}>
            <Entry label="Name" name="name" required=true maxlength="100" placeholder="Standard 2027" error={sending.said_of("name")} />
            <Entry label="How many" name="count" kind="number" min="1" max="1000" required=true first="1" error={sending.said_of("count")} />
            <Entry label="Valid from" name="valid_from" kind="date" required=true first={Day::of(now).iso()} error={sending.said_of("valid_from")} />
            <Entry label="Valid until, this day not included" name="valid_to" kind="date" required=true
                first={Day::of(now.plus(365 * DAY_MS)).iso()} error={sending.said_of("valid_to")} />
            <Entry label="Days of grace" name="grace_days" kind="number" min="0" max="365" required=true first="14"
                hint="So long all goes on after the end." error={sending.said_of("grace_days")} />
            { plan::fields(&plan::usual(), &sending) }
        </Sheet>
    }
}

/// The first instant of a day that was typed; the server refuses what is none.
fn instant(typed: &Typed, field: &str) -> UnixMs {
    typed
        .filled(field)
        .and_then(|day| civil::instant(&format!("{day}T00:00")))
        .unwrap_or(UnixMs(0))
}

#[derive(Debug, Clone, PartialEq, Properties)]
pub(super) struct OneProps {
    pub(super) licence: Licence,
    pub(super) on_done: Callback<()>,
    pub(super) on_cancel: Callback<()>,
}

/// Changes name, plan and days of grace.
#[component]
pub(super) fn Change(props: &OneProps) -> Html {
    let sending = use_sending();
    // As it was when the form was opened: what others change meanwhile is not overwritten unseen.
    let licence = use_state_eq(|| props.licence.clone());
    let on_send = {
        let (sending, licence, on_done) = (sending.clone(), licence.clone(), props.on_done.clone());
        Callback::from(move |typed: Typed| {
            let patch = LicencePatch {
                name: Some(typed.text("name")),
                plan: Some(plan::typed(&typed)),
                grace_days: Some(typed.parsed("grace_days").unwrap_or_default()),
            };
            let (licence, on_done) = ((*licence).clone(), on_done.clone());
            let doing = async move { api::change_licence(&licence, &patch).await };
            sending.send(doing, move |_| on_done.emit(()));
        })
    };
    html! {
        <Sheet title={format!("Change {}", licence.name)} save="Save" sending={sending.clone()} beside={plan::FIELDS} {on_send}
            on_cancel={props.on_cancel.clone()}>
            <Entry label="Name" name="name" required=true maxlength="100" first={licence.name.clone()} error={sending.said_of("name")} />
            <Entry label="Days of grace" name="grace_days" kind="number" min="0" max="365" required=true
                first={licence.grace_days.to_string()} error={sending.said_of("grace_days")} />
            { plan::fields(&licence.plan, &sending) }
        </Sheet>
    }
}

/// Gives a licence another end: a later one, or on purpose one that has passed.
#[component]
pub(super) fn Renew(props: &OneProps) -> Html {
    let sending = use_sending();
    let licence = &props.licence;
    let on_send = {
        let (sending, licence, on_done) = (sending.clone(), licence.clone(), props.on_done.clone());
        Callback::from(move |typed: Typed| {
            let renewal = RenewLicence {
                valid_to: instant(&typed, "valid_to"),
                may_lapse: typed.is_ticked("may_lapse"),
            };
            let (licence, on_done) = (licence.clone(), on_done.clone());
            let doing = async move { api::renew_licence(&licence, &renewal).await };
            sending.send(doing, move |_| on_done.emit(()));
        })
    };
    let later = licence.valid_to.max(civil::now()).plus(365 * DAY_MS);
    html! {
        <Sheet title={format!("Renew {}", licence.name)} save="Renew" sending={sending.clone()} beside={plan::FIELDS} {on_send}
            on_cancel={props.on_cancel.clone()}>
            <Entry label="Valid until, this day not included" name="valid_to" kind="date" required=true first={Day::of(later).iso()}
                error={sending.said_of("valid_to")} />
            <label class="check">
                <input type="checkbox" name="may_lapse" />{ "An end that has passed is meant: the licence ends" }
            </label>
        </Sheet>
    }
}
