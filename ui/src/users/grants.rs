//! What a user may do with which cameras and groups: all of it is changed at once, and saved at once.

use player::api as shared;
use web_sys::{HtmlInputElement, HtmlSelectElement};
use wire::access::{Permission, Role};
use wire::api::{Camera, Grants, Group, User};
use yew::prelude::*;

use super::draft::{Draft, On};
use crate::api;
use crate::loaded::{use_loaded_for, when_loaded};
use crate::parts::{Outcome, run};

const PERMISSIONS: [(Permission, &str); 4] = [
    (Permission::ViewLive, "View live"),
    (Permission::ViewFootage, "View footage"),
    (Permission::Export, "Export"),
    (Permission::Manage, "Manage"),
];

#[derive(Debug, Clone, PartialEq, Properties)]
pub(super) struct GrantedProps {
    pub(super) user: User,
    pub(super) on_change: Callback<()>,
}

#[component]
pub(super) fn Granted(props: &GrantedProps) -> Html {
    let user = &props.user;
    let (grants, _) = use_loaded_for((user.id, user.revision), 0, |(id, revision)| async move {
        // What is saved is what was seen of this revision, or it is refused.
        api::grants(id).await.map(|grants| (revision, grants))
    });
    let (cameras, _) = use_loaded_for((), 0, |()| shared::cameras());
    let (groups, _) = use_loaded_for((), 0, |()| api::groups());
    let cameras = cameras.value().cloned().unwrap_or_default();
    let groups = groups.value().cloned().unwrap_or_default();
    html! {
        <section aria-label="Grants">
            <h3>{ "Grants" }</h3>
            if user.role == Role::OrgUser {
                <p class="address">{ "What this user may do with which cameras. What is not granted is not seen." }</p>
                { when_loaded(&grants, |(revision, grants)| html! {
                    <Editor key={*revision} user={User { revision: *revision, ..user.clone() }} grants={grants.clone()} {cameras} {groups}
                        on_change={props.on_change.clone()} />
                }) }
            } else {
                <p>{ "An administrator may do everything with every camera of the organization. Grants count for users." }</p>
            }
        </section>
    }
}

#[derive(Debug, Clone, PartialEq, Properties)]
struct EditorProps {
    user: User,
    grants: Grants,
    cameras: Vec<Camera>,
    groups: Vec<Group>,
    on_change: Callback<()>,
}

impl EditorProps {
    fn name(&self, on: On) -> String {
        let name = match on {
            On::Camera(id) => self
                .cameras
                .iter()
                .find(|one| one.id == id)
                .map(|one| one.name.clone()),
            On::Group(id) => {
                let group = self.groups.iter().find(|one| one.id == id);
                group.map(|one| format!("Group {}", one.name))
            }
        };
        name.unwrap_or_else(|| "a camera that is gone".to_owned())
    }
}

#[component]
fn Editor(props: &EditorProps) -> Html {
    let saved = Draft::of(&props.grants);
    let draft = use_state_eq(|| saved.clone());
    let outcome = use_state_eq(Outcome::default);
    let is_changed = *draft != saved;
    let save = {
        let (draft, outcome, user) = (draft.clone(), outcome.clone(), props.user.clone());
        let on_change = props.on_change.clone();
        Callback::from(move |_: MouseEvent| {
            let (user, grants, on_change) = (user.clone(), draft.grants(), on_change.clone());
            run(
                &outcome,
                async move { api::grant(&user, &grants).await },
                move |_| {
                    on_change.emit(());
                    Outcome::Nothing
                },
            );
        })
    };
    let undo = {
        let (draft, saved) = (draft.setter(), saved.clone());
        Callback::from(move |_: MouseEvent| draft.set(saved.clone()))
    };
    html! {
        <>
            if draft.0.is_empty() {
                <p class="empty">{ "Nothing is granted: this user sees no camera." }</p>
            } else {
                <ul class="lines grants">{ for draft.0.iter().map(|(on, _)| row(*on, &draft, props)) }</ul>
            }
            { add(&draft, props) }
            { outcome.show() }
            if is_changed {
                <div class="row">
                    <button type="button" onclick={save} disabled={outcome.is_busy()}>{ "Save the grants" }</button>
                    <button type="button" class="quiet" onclick={undo}>{ "Undo" }</button>
                    <span class="address">{ "Nothing is changed before it is saved." }</span>
                </div>
            }
        </>
    }
}

fn row(on: On, draft: &UseStateHandle<Draft>, props: &EditorProps) -> Html {
    let name = props.name(on);
    let granted = draft
        .0
        .iter()
        .find(|(other, _)| *other == on)
        .map(|(_, granted)| *granted);
    let remove = {
        let draft = draft.clone();
        Callback::from(move |_: MouseEvent| draft.set((*draft).clone().without(on)))
    };
    let toggle = |permission| {
        let draft = draft.clone();
        Callback::from(move |event: Event| {
            let is_ticked = event.target_unchecked_into::<HtmlInputElement>().checked();
            draft.set((*draft).clone().set(on, permission, is_ticked));
        })
    };
    html! {
        <li key={on.value()}>
            <fieldset>
                <legend>{ &name }</legend>
                <div class="row">
                    { for PERMISSIONS.iter().map(|(permission, text)| html! {
                        <label class="check">
                            <input type="checkbox" checked={granted.is_some_and(|granted| granted.has(*permission))} onchange={toggle(*permission)} />
                            { *text }
                        </label>
                    }) }
                    <button type="button" class="quiet" onclick={remove} aria-label={format!("Take {name} away")}>{ "Take away" }</button>
                </div>
            </fieldset>
        </li>
    }
}

/// What is not in it yet, to choose from.
fn add(draft: &UseStateHandle<Draft>, props: &EditorProps) -> Html {
    let groups: Vec<On> = props.groups.iter().map(|group| On::Group(group.id)).collect();
    let cameras: Vec<On> = props.cameras.iter().map(|camera| On::Camera(camera.id)).collect();
    let rest = |all: &[On]| -> Vec<On> { all.iter().copied().filter(|on| !draft.has(*on)).collect() };
    let (groups, cameras) = (rest(&groups), rest(&cameras));
    if groups.is_empty() && cameras.is_empty() {
        return html! {};
    }
    let onchange = {
        let draft = draft.clone();
        Callback::from(move |event: Event| {
            let select = event.target_unchecked_into::<HtmlSelectElement>();
            if let Some(on) = On::of_value(&select.value()) {
                draft.set((*draft).clone().with(on));
            }
            select.set_value("");
        })
    };
    let option = |on: &On| html! { <option key={on.value()} value={on.value()}>{ props.name(*on) }</option> };
    html! {
        <label class="short">
            { "Grant a camera or a group" }
            <select {onchange}>
                <option value="" selected=true>{ "Choose…" }</option>
                if !groups.is_empty() {
                    <optgroup label="Groups">{ for groups.iter().map(option) }</optgroup>
                }
                if !cameras.is_empty() {
                    <optgroup label="Cameras">{ for cameras.iter().map(option) }</optgroup>
                }
            </select>
        </label>
    }
}
