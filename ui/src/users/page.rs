//! The page of one user: who it is, what is done about the account, grants, sign-ins.

use web_sys::HtmlSelectElement;
use wire::UserId;
use wire::access::Role;
use wire::api::{Me, User, UserState};
use yew::prelude::*;
use yew_router::prelude::*;

use super::card::{role, signed_in, state};
use super::erase::Erase;
use super::grants::Granted;
use super::sessions::SessionsOf;
use super::{role_named, role_value, roles};
use crate::api;
use crate::loaded::{staleness, use_loaded_for, when_loaded};
use crate::parts::{Action, Confirm, Once, Outcome, action, run};
use crate::route::Route;

#[derive(Debug, Clone, PartialEq, Properties)]
pub(crate) struct UserPageProps {
    pub(crate) id: UserId,
}

#[component]
pub(crate) fn UserPage(props: &UserPageProps) -> Html {
    let (user, reload) = use_loaded_for(props.id, 0, api::user);
    html! {
        <>
            <p class="trail"><Link<Route> to={Route::Users}>{ "All users" }</Link<Route>></p>
            { staleness(&user) }
            { when_loaded(&user, |user| html! {
                <>
                    <Account user={user.clone()} reload={reload.clone()} />
                    <Granted user={user.clone()} on_change={reload.clone()} />
                    <SessionsOf user={user.clone()} />
                </>
            }) }
        </>
    }
}

/// What is asked before it is done.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Asking {
    Nothing,
    Disable,
    Factor,
    Erase,
}

#[derive(Debug, Clone, PartialEq, Properties)]
struct AccountProps {
    user: User,
    reload: Callback<()>,
}

#[component]
fn Account(props: &AccountProps) -> Html {
    let user = &props.user;
    let outcome = use_state_eq(Outcome::default);
    let link = use_state_eq(|| None::<String>);
    let asking = use_state_eq(|| Asking::Nothing);
    let navigator = use_navigator();
    let me = use_context::<Me>();
    let is_own = me.as_ref().is_some_and(|me| me.id == user.id);
    let own_role = me.map_or(Role::OrgUser, |me| me.role);
    let on_done = {
        let (asking, reload) = (asking.setter(), props.reload.clone());
        Callback::from(move |()| {
            asking.set(Asking::Nothing);
            reload.emit(());
        })
    };
    let forget = {
        let link = link.setter();
        Callback::from(move |()| link.set(None))
    };
    let on_erased = Callback::from(move |()| {
        if let Some(navigator) = &navigator {
            navigator.push(&Route::Users);
        }
    });
    html! {
        <section aria-label="User">
            <div class="row between">
                <h2>{ &user.login }</h2>
                <span class={classes!("state", if user.state == UserState::Active { "good" } else { "idle" })}>{ state(user.state) }</span>
            </div>
            { facts(user) }
            if is_own {
                <p>{ "This is you: your password and second factor are on the page " }<Link<Route> to={Route::Account}>{ "Account" }</Link<Route>>{ "." }</p>
            } else {
                { choose_role(props, own_role, &outcome) }
                { buttons(props, &outcome, link.setter(), &asking.setter()) }
            }
            { outcome.show() }
            if let Some(secret) = &*link {
                <Once label={format!("Link for {}, who chooses a password with it", user.login)} secret={secret.clone()} on_close={forget} />
            }
            { question(*asking, user, &on_done, &on_erased) }
        </section>
    }
}

fn question(asking: Asking, user: &User, on_done: &Callback<()>, on_erased: &Callback<()>) -> Html {
    let id = user.id;
    match asking {
        Asking::Nothing => html! {},
        Asking::Disable => html! {
            <Confirm title="Disable a user" yes="Disable" no="Leave it"
                question={format!("Disable {}? Every sign-in ends at once, and nobody signs in as this user until it is enabled again.", user.login)}
                action={Callback::from(move |()| action(api::set_state(id, UserState::Disabled)))} on_done={on_done.clone()} />
        },
        Asking::Factor => html! {
            <Confirm title="Remove a second factor" yes="Remove the second factor" no="Leave it"
                question={format!("Remove the second factor of {}? The password alone signs in then. Make sure that it is really this person who asks.", user.login)}
                action={Callback::from(move |()| action(api::remove_factor_of(id)))} on_done={on_done.clone()} />
        },
        Asking::Erase => {
            html! { <Erase user={user.clone()} on_erased={on_erased.clone()} on_cancel={on_done.clone()} /> }
        }
    }
}

fn facts(user: &User) -> Html {
    html! {
        <dl class="facts">
            <dt>{ "Name" }</dt><dd>{ if user.name.is_empty() { "not said" } else { &user.name } }</dd>
            <dt>{ "Role" }</dt><dd>{ role(user.role) }</dd>
            <dt>{ "Second factor" }</dt><dd>{ if user.totp { "in force" } else { "none" } }</dd>
            <dt>{ "Signed in" }</dt><dd>{ signed_in(user) }</dd>
        </dl>
    }
}

fn choose_role(props: &AccountProps, own: Role, outcome: &UseStateHandle<Outcome>) -> Html {
    let user = &props.user;
    // One above oneself is not changed.
    if user.role < own {
        return html! {};
    }
    let onchange = {
        let (id, before) = (user.id, user.role);
        let (outcome, reload) = (outcome.clone(), props.reload.clone());
        Callback::from(move |event: Event| {
            let select = event.target_unchecked_into::<HtmlSelectElement>();
            let chosen = select.value();
            // It shows what is, not what was asked for: it may be refused.
            select.set_value(role_value(before));
            run(
                &outcome,
                api::set_role(id, role_named(&chosen)),
                reloaded(&reload),
            );
        })
    };
    html! {
        <label class="short">
            { "Role" }
            <select {onchange}>
                { for roles(own).map(|(role, value, text)| html! {
                    <option key={*value} value={*value} selected={*role == user.role}>{ *text }</option>
                }) }
            </select>
        </label>
    }
}

/// After it, the user is asked for again.
fn reloaded(reload: &Callback<()>) -> impl FnOnce(()) -> Outcome + use<> {
    let reload = reload.clone();
    move |()| {
        reload.emit(());
        Outcome::Nothing
    }
}

fn buttons(
    props: &AccountProps,
    outcome: &UseStateHandle<Outcome>,
    link: UseStateSetter<Option<String>>,
    asking: &UseStateSetter<Asking>,
) -> Html {
    let (id, user) = (props.user.id, &props.user);
    let does = |doing: fn(UserId) -> Action| {
        let (outcome, reload) = (outcome.clone(), props.reload.clone());
        Callback::from(move |_: MouseEvent| run(&outcome, doing(id), reloaded(&reload)))
    };
    let ask = |next| {
        let asking = asking.clone();
        Callback::from(move |_: MouseEvent| asking.set(next))
    };
    let is_invited = user.state == UserState::Invited;
    let new_link = {
        let outcome = outcome.clone();
        Callback::from(move |_: MouseEvent| {
            let link = link.clone();
            let doing = async move {
                if is_invited {
                    api::invite_again(id).await
                } else {
                    api::reset_password(id).await
                }
            };
            run(&outcome, doing, move |made| {
                link.set(Some(made.link));
                Outcome::Nothing
            });
        })
    };
    let enable = does(|id| Box::pin(api::set_state(id, UserState::Active)));
    html! {
        <div class="row">
            <button type="button" class="quiet" onclick={new_link}>{ if is_invited { "New invitation" } else { "New password" } }</button>
            if user.state == UserState::Disabled {
                <button type="button" class="quiet" onclick={enable}>{ "Enable" }</button>
            } else if !is_invited {
                <button type="button" class="quiet" onclick={ask(Asking::Disable)}>{ "Disable" }</button>
            }
            if !is_invited {
                <button type="button" class="quiet" onclick={does(|id| Box::pin(api::unlock(id)))}>{ "Unlock" }</button>
            }
            if user.totp {
                <button type="button" class="quiet" onclick={ask(Asking::Factor)}>{ "Remove second factor" }</button>
            }
            <button type="button" class="quiet" onclick={ask(Asking::Erase)}>{ "Erase" }</button>
        </div>
    }
}
