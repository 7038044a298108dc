//! The forms that make a key, and change what it is called and when it ends.

use player::civil::{self, Day};
use wire::UnixMs;
use wire::access::{Right, Rights};
use wire::api::{MadeServiceKey, Me, NewServiceKey, ServiceKey, ServiceKeyPatch};
use yew::prelude::*;

use crate::api;
use crate::entry::{Entry, Tick, Ticks};
use crate::sheet::{Sheet, Typed, use_sending};

const BESIDE: &[&str] = &["name", "scopes", "expires"];
const EXPIRES_HINT: &str = "From the beginning of this day it works no more. Empty: it does not end.";

/// Rights in the order of [`Right::ALL`], in words.
pub(super) fn right(right: Right) -> &'static str {
    match right {
        Right::ViewLive => "See live pictures",
        Right::ViewFootage => "Watch footage",
        Right::Export => "Export footage",
        Right::ManageCameras => "Manage cameras, groups and recording jobs",
        Right::EraseFootage => "Erase footage",
        Right::ReadNodes => "See recorder nodes",
        Right::ManageNodes => "Manage recorder nodes",
        Right::ManageUsers => "Manage users and grants",
        Right::ManageKeys => "Manage service keys",
        Right::AssignLicences => "See and assign licences",
        Right::ReadAudit => "Read the audit log",
        Right::ManageOrganization => "Rename the organization",
        Right::IssueLicences => "Issue licences",
        Right::ManageOrganizations => "Manage organizations, and act in any",
    }
}

/// As the server names it.
fn right_name(right: Right) -> String {
    let quoted = serde_json::to_string(&right).unwrap_or_default();
    quoted.trim_matches('"').to_owned()
}

#[derive(Debug, Clone, PartialEq, Properties)]
pub(super) struct NewKeyProps {
    pub(super) on_made: Callback<MadeServiceKey>,
    pub(super) on_cancel: Callback<()>,
}

#[component]
pub(super) fn NewKey(props: &NewKeyProps) -> Html {
    let sending = use_sending();
    // A key has no right that its maker has not.
    let own = use_context::<Me>().map_or(Rights::NONE, |me| me.rights);
    let ticks: Vec<Tick> = own
        .iter()
        .map(|one| Tick {
            value: right_name(one),
            text: right(one).to_owned(),
            first: false,
        })
        .collect();
    let on_send = {
        let (sending, on_made) = (sending.clone(), props.on_made.clone());
        Callback::from(move |typed: Typed| {
            let ticked = typed.ticked("scopes");
            let is_ticked = |one: &Right| ticked.contains(&right_name(*one));
            let new = NewServiceKey {
                name: typed.text("name"),
                scopes: Right::ALL.into_iter().filter(is_ticked).collect(),
                expires: expires(&typed),
            };
            let on_made = on_made.clone();
            sending.send(async move { api::make_key(&new).await }, move |made| {
                on_made.emit(made);
            });
        })
    };
    html! {
        <Sheet title="Make a service key" save="Make the key" sending={sending.clone()} beside={BESIDE} {on_send} on_cancel={props.on_cancel.clone()}>
            <Entry label="What it is for" name="name" required=true maxlength="100" placeholder="Backup server" error={sending.said_of("name")} />
            <Ticks label="What it may do" name="scopes" {ticks} error={sending.said_of("scopes")} />
            <Entry label="Ends" name="expires" kind="date" hint={EXPIRES_HINT} error={sending.said_of("expires")} />
        </Sheet>
    }
}

fn expires(typed: &Typed) -> Option<UnixMs> {
    civil::instant(&format!("{}T00:00", typed.filled("expires")?))
}

#[derive(Debug, Clone, PartialEq, Properties)]
pub(super) struct ChangeKeyProps {
    pub(super) service_key: ServiceKey,
    pub(super) on_done: Callback<()>,
    pub(super) on_cancel: Callback<()>,
}

#[component]
pub(super) fn ChangeKey(props: &ChangeKeyProps) -> Html {
    let sending = use_sending();
    // As it was when the form was opened: what others change meanwhile is not overwritten unseen.
    let key = use_state_eq(|| props.service_key.clone());
    let on_send = {
        let (sending, key, on_done) = (sending.clone(), key.clone(), props.on_done.clone());
        Callback::from(move |typed: Typed| {
            let day = |at: Option<UnixMs>| at.map(|at| Day::of(at).iso());
            // An end that was made to the minute stays as it is while its day is not changed.
            let is_changed = day(key.expires) != typed.filled("expires");
            let patch = ServiceKeyPatch {
                name: Some(typed.text("name")),
                expires: is_changed.then(|| expires(&typed)),
            };
            let (key, on_done) = ((*key).clone(), on_done.clone());
            let doing = async move { api::change_key(&key, &patch).await };
            sending.send(doing, move |_| on_done.emit(()));
        })
    };
    let first = key.expires.map(|at| Day::of(at).iso()).unwrap_or_default();
    html! {
        <Sheet title={format!("Change {}", key.name)} save="Save" sending={sending.clone()} beside={BESIDE} {on_send} on_cancel={props.on_cancel.clone()}>
            <Entry label="What it is for" name="name" required=true maxlength="100" first={key.name.clone()} error={sending.said_of("name")} />
            <Entry label="Ends" name="expires" kind="date" hint={EXPIRES_HINT} {first} error={sending.said_of("expires")} />
            <p class="address">{ "What a key may do never changes: make another one for that." }</p>
        </Sheet>
    }
}
