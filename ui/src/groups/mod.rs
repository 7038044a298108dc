//! Groups of cameras: what is granted on a group counts for every camera in it.

mod card;
mod members;

use player::api as shared;
use wire::api::{EventKind, Group};
use yew::prelude::*;

use crate::api;
use crate::entry::Entry;
use crate::live::{About, use_news};
use crate::loaded::use_loaded_for;
use crate::pages::use_pages;
use crate::sheet::{Sheet, Typed, use_sending_with};
use card::Card;

const REFRESH_MS: u32 = 60_000;
/// What changes how many cameras are in a group.
const MATTERS: &[EventKind] = &[
    EventKind::CameraCreated,
    EventKind::CameraChanged,
    EventKind::CameraDeleted,
];

#[component]
pub(crate) fn Groups() -> Html {
    let news = use_news(REFRESH_MS, About::Kinds(MATTERS));
    let groups = use_pages::<Group>(api::GROUPS.to_owned(), news);
    let (cameras, reload_cameras) = use_loaded_for((), news, |()| shared::cameras());
    let cameras = cameras.value().cloned().unwrap_or_default();
    let is_adding = use_state_eq(|| false);
    let set_adding = |value| {
        let is_adding = is_adding.setter();
        Callback::from(move |()| is_adding.set(value))
    };
    let on_change = {
        let (groups, cameras) = (groups.reload.clone(), reload_cameras);
        Callback::from(move |()| {
            groups.emit(());
            cameras.emit(());
        })
    };
    let on_done = {
        let (close, reload) = (set_adding(false), groups.reload.clone());
        Callback::from(move |()| {
            close.emit(());
            reload.emit(());
        })
    };
    let card = |group: &Group| {
        html! {
            <Card key={group.id.to_string()} group={group.clone()} cameras={cameras.clone()}
                on_change={on_change.clone()} />
        }
    };
    html! {
        <section aria-label="Groups">
            <div class="row between">
                <h2>{ "Groups of cameras" }</h2>
                if !*is_adding {
                    <button type="button" onclick={set_adding(true).reform(|_: MouseEvent| ())}>{ "Add a group" }</button>
                }
            </div>
            if *is_adding {
                <GroupForm group={None::<Group>} {on_done} on_cancel={set_adding(false)} />
            }
            { groups.show(
                "There are no groups yet. With a group, a user is granted many cameras at once.",
                |list| html! { <ul class="cards">{ for list.iter().map(card) }</ul> },
            ) }
        </section>
    }
}

#[derive(Debug, Clone, PartialEq, Properties)]
pub(super) struct GroupFormProps {
    /// The group to rename; none for a new one.
    pub(super) group: Option<Group>,
    pub(super) on_done: Callback<()>,
    pub(super) on_cancel: Callback<()>,
}

#[component]
pub(super) fn GroupForm(props: &GroupFormProps) -> Html {
    let sending = use_sending_with(&[("name_taken", "name")]);
    // As it was when the form was opened: what others change meanwhile is not overwritten unseen.
    let group = use_state_eq(|| props.group.clone());
    let (title, save) = match &*group {
        Some(group) => (format!("Rename {}", group.name), "Save"),
        None => ("Add a group".to_owned(), "Add the group"),
    };
    let on_send = {
        let (sending, group, on_done) = (sending.clone(), group.clone(), props.on_done.clone());
        Callback::from(move |typed: Typed| {
            let (group, name, on_done) = ((*group).clone(), typed.text("name"), on_done.clone());
            let doing = async move {
                match &group {
                    Some(group) => api::rename_group(group, name).await,
                    None => api::add_group(name).await,
                }
            };
            sending.send(doing, move |_| on_done.emit(()));
        })
    };
    let beside: &[&str] = &["name"];
    html! {
        <Sheet {title} {save} sending={sending.clone()} {beside} {on_send} on_cancel={props.on_cancel.clone()}>
            <Entry label="Name of the group" name="name" required=true maxlength="100"
                first={group.as_ref().map(|group| group.name.clone()).unwrap_or_default()}
                error={sending.said_of("name")} />
        </Sheet>
    }
}
