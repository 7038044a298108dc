//! The people of the organization: the list, and who is invited.

mod card;
mod draft;
mod erase;
mod grants;
mod invite;
mod page;
mod sessions;

use player::api::escaped;
use wire::access::Role;
use wire::api::User;
use yew::prelude::*;
use yew_router::prelude::*;

use crate::api;
use crate::pages::use_pages;
use crate::parts::{Once, Search};
use crate::route::Route;
use invite::Invite;
pub(crate) use page::UserPage;

/// What people are, as the server names it and in words.
const ROLES: [(Role, &str, &str); 3] = [
    (Role::OrgUser, "org_user", "User: sees what is granted"),
    (Role::OrgAdmin, "org_admin", "Administrator of the organization"),
    (Role::SuperAdmin, "super_admin", "Owner of the platform"),
];

/// The roles that one may give: none above one's own.
fn roles(own: Role) -> impl Iterator<Item = &'static (Role, &'static str, &'static str)> {
    ROLES.iter().filter(move |(role, ..)| *role >= own)
}

fn role_named(value: &str) -> Role {
    let found = ROLES.iter().find(|(_, name, _)| *name == value);
    found.map_or(Role::OrgUser, |(role, ..)| *role)
}

fn role_value(role: Role) -> &'static str {
    let found = ROLES.iter().find(|(one, ..)| *one == role);
    found.map_or("", |(_, value, _)| value)
}

#[component]
pub(crate) fn Users() -> Html {
    let search = use_state_eq(String::new);
    let path = match search.as_str() {
        "" => api::USERS.to_owned(),
        text => format!("{}?q={}", api::USERS, escaped(text)),
    };
    let users = use_pages::<User>(path, 0);
    let is_inviting = use_state_eq(|| false);
    let invited = use_state_eq(|| None::<(User, String)>);
    let set_inviting = |value| {
        let is_inviting = is_inviting.setter();
        Callback::from(move |()| is_inviting.set(value))
    };
    let on_invited = {
        let (close, invited, reload) = (set_inviting(false), invited.setter(), users.reload.clone());
        Callback::from(move |made| {
            invited.set(Some(made));
            close.emit(());
            reload.emit(());
        })
    };
    let forget = {
        let invited = invited.setter();
        Callback::from(move |()| invited.set(None))
    };
    let on_search = {
        let search = search.setter();
        Callback::from(move |text| search.set(text))
    };
    let empty = if search.is_empty() {
        "There are no users."
    } else {
        "Nobody is called like that."
    };
    html! {
        <section aria-label="Users">
            <div class="row between">
                <h2>{ "Users" }</h2>
                <div class="row">
                    <Search label="Search users" {on_search} />
                    if !*is_inviting {
                        <button type="button" onclick={set_inviting(true).reform(|_: MouseEvent| ())}>{ "Invite a user" }</button>
                    }
                </div>
            </div>
            if *is_inviting {
                <Invite {on_invited} on_cancel={set_inviting(false)} />
            }
            if let Some((user, link)) = &*invited {
                <Once label={format!("Link for {}, who chooses a password with it", user.login)} secret={link.clone()} on_close={forget} />
                <p>{ granted_next(user) }</p>
            }
            { users.show(empty, |list| html! { <ul class="cards">{ for list.iter().map(card::card) }</ul> }) }
        </section>
    }
}

/// What is still to be done for an invited person.
fn granted_next(user: &User) -> Html {
    if user.role != Role::OrgUser {
        return html! {};
    }
    html! {
        <>
            { format!("{} sees no camera yet. ", user.login) }
            <Link<Route> to={Route::User { id: user.id }}>{ format!("Grant {} cameras", user.login) }</Link<Route>>
        </>
    }
}
