//! A person in the list.

use player::civil;
use wire::access::Role;
use wire::api::{User, UserState};
use yew::prelude::*;
use yew_router::prelude::*;

use crate::route::Route;

pub(super) fn card(user: &User) -> Html {
    html! {
        <li class="card" key={user.id.to_string()}>
            <div class="row between">
                <strong><Link<Route> to={Route::User { id: user.id }}>{ &user.login }</Link<Route>></strong>
                <span class={classes!("state", if user.state == UserState::Active { "good" } else { "idle" })}>{ state(user.state) }</span>
            </div>
            if !user.name.is_empty() {
                <p>{ &user.name }</p>
            }
            <p class="address">{ format!("{} · {}", role(user.role), signed_in(user)) }</p>
        </li>
    }
}

pub(super) const fn state(state: UserState) -> &'static str {
    match state {
        UserState::Active => "active",
        UserState::Invited => "invited",
        UserState::Disabled => "disabled",
    }
}

pub(super) const fn role(role: Role) -> &'static str {
    match role {
        Role::OrgUser => "User",
        Role::OrgAdmin => "Administrator",
        Role::SuperAdmin => "Owner of the platform",
    }
}

pub(super) fn signed_in(user: &User) -> String {
    match user.last_sign_in {
        Some(at) => format!("last signed in {}", civil::moment(at)),
        None => "never signed in".to_owned(),
    }
}
