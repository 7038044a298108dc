//! The people of the organization: invite, limit, help, erase.

use web_sys::HtmlSelectElement;
use wire::access::Role;
use wire::api::{NewUser, User, UserState};
use yew::prelude::*;

use crate::api;
use crate::loaded::{use_loaded, when_loaded};
use crate::parts::{Field, Once, Outcome, run, text};

const ROLES: [(Role, &str, &str); 3] = [
    (Role::OrgUser, "org_user", "User: sees what is granted"),
    (Role::OrgAdmin, "org_admin", "Administrator of the organization"),
    (Role::SuperAdmin, "super_admin", "Owner of the platform"),
];

#[component]
pub(crate) fn Users() -> Html {
    let (users, reload) = use_loaded(api::users);
    let outcome = use_state_eq(Outcome::default);
    let link = use_state_eq(|| None::<String>);
    let erasing = use_state_eq(|| None::<User>);
    let on_link = {
        let (link, reload) = (link.setter(), reload.clone());
        Callback::from(move |text: String| {
            link.set(Some(text));
            reload.emit(());
        })
    };
    let forget = {
        let link = link.setter();
        Callback::from(move |()| link.set(None))
    };
    let on_erased = {
        let (erasing, reload) = (erasing.setter(), reload.clone());
        Callback::from(move |()| {
            erasing.set(None);
            reload.emit(());
        })
    };
    let erase = {
        let erasing = erasing.setter();
        Callback::from(move |user| erasing.set(Some(user)))
    };
    let person = |user: &User| {
        html! {
            <Person key={user.id.to_string()} user={user.clone()} outcome={outcome.clone()} reload={reload.clone()}
                on_link={on_link.clone()} erase={erase.clone()} />
        }
    };
    html! {
        <section aria-label="Users">
            <h2>{ "Users" }</h2>
            <Invite on_link={on_link.clone()} />
            if let Some(secret) = &*link {
                <Once label="Link for this person" secret={secret.clone()} on_close={forget} />
            }
            if let Some(user) = &*erasing {
                <Erase user={user.clone()} on_done={on_erased} />
            }
            { outcome.show() }
            { when_loaded(&users, |list| html! { <ul class="cards">{ for list.iter().map(person) }</ul> }) }
        </section>
    }
}

#[derive(Debug, Clone, PartialEq, Properties)]
struct InviteProps {
    on_link: Callback<String>,
}

#[component]
fn Invite(props: &InviteProps) -> Html {
    let (login, name, role) = (use_node_ref(), use_node_ref(), use_node_ref());
    let outcome = use_state_eq(Outcome::default);
    let onsubmit = {
        let (login, name, role) = (login.clone(), name.clone(), role.clone());
        let (outcome, on_link) = (outcome.clone(), props.on_link.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let chosen = role.cast::<HtmlSelectElement>().map(|select| select.value());
            let new = NewUser {
                login: text(&login),
                name: text(&name),
                role: role_named(chosen.as_deref().unwrap_or_default()),
            };
            let on_link = on_link.clone();
            run(&outcome, async move { api::invite(&new).await }, move |invited| {
                on_link.emit(invited.invitation.link);
                Outcome::Done(format!("{} is invited.", invited.user.login))
            });
        })
    };
    html! {
        <form class="card camera-form" {onsubmit}>
            <Field label="E-mail address or name to sign in with" node={login} />
            <Field label="Name of the person" node={name} required=false />
            <label>{ "Role" }<select ref={role}>{ for ROLES.iter().map(option) }</select></label>
            { outcome.show() }
            <button type="submit" disabled={outcome.is_busy()}>{ "Invite" }</button>
        </form>
    }
}

fn option((_, value, label): &(Role, &'static str, &'static str)) -> Html {
    html! { <option value={*value}>{ *label }</option> }
}

fn role_named(value: &str) -> Role {
    ROLES
        .iter()
        .find(|(_, name, _)| *name == value)
        .map_or(Role::OrgUser, |(role, ..)| *role)
}

#[derive(Debug, Clone, PartialEq, Properties)]
struct PersonProps {
    user: User,
    outcome: UseStateHandle<Outcome>,
    reload: Callback<()>,
    on_link: Callback<String>,
    erase: Callback<User>,
}

#[component]
fn Person(props: &PersonProps) -> Html {
    let user = &props.user;
    let id = user.id;
    let reloaded = {
        let reload = props.reload.clone();
        move |()| {
            reload.emit(());
            Outcome::Nothing
        }
    };
    let (outcome, then) = (props.outcome.clone(), reloaded.clone());
    let is_disabled = user.state == UserState::Disabled;
    let toggle = Callback::from(move |_: MouseEvent| {
        let state = if is_disabled {
            UserState::Active
        } else {
            UserState::Disabled
        };
        run(&outcome, api::set_state(id, state), then.clone());
    });
    let (outcome, then) = (props.outcome.clone(), reloaded.clone());
    let unlock = Callback::from(move |_: MouseEvent| run(&outcome, api::unlock(id), then.clone()));
    let (outcome, then) = (props.outcome.clone(), reloaded.clone());
    let factor = Callback::from(move |_: MouseEvent| run(&outcome, api::remove_factor_of(id), then.clone()));
    let (outcome, then) = (props.outcome.clone(), reloaded);
    let role = Callback::from(move |event: Event| {
        let chosen = event.target_unchecked_into::<HtmlSelectElement>().value();
        run(&outcome, api::set_role(id, role_named(&chosen)), then.clone());
    });
    let (outcome, on_link) = (props.outcome.clone(), props.on_link.clone());
    let is_invited = user.state == UserState::Invited;
    let link = Callback::from(move |_: MouseEvent| {
        let on_link = on_link.clone();
        let action = async move {
            if is_invited {
                api::invite_again(id).await
            } else {
                api::reset_password(id).await
            }
        };
        run(&outcome, action, move |link| {
            on_link.emit(link.link);
            Outcome::Nothing
        });
    });
    let erase = {
        let user = user.clone();
        props.erase.reform(move |_: MouseEvent| user.clone())
    };
    let state = match user.state {
        UserState::Active => "active",
        UserState::Invited => "invited",
        UserState::Disabled => "disabled",
    };
    html! {
        <li class="card">
            <div class="row between"><strong>{ &user.login }</strong><span class="state idle">{ state }</span></div>
            <p class="address">{ &user.name }</p>
            <select aria-label={format!("Role of {}", user.login)} onchange={role}>
                { for ROLES.iter().map(|(role, value, label)| html! {
                    <option value={*value} selected={*role == user.role}>{ *label }</option>
                }) }
            </select>
            <div class="row">
                <button type="button" class="quiet" onclick={link}>
                    { if is_invited { "New invitation" } else { "New password" } }
                </button>
                if !is_invited {
                    <button type="button" class="quiet" onclick={toggle}>{ if is_disabled { "Enable" } else { "Disable" } }</button>
                    <button type="button" class="quiet" onclick={unlock}>{ "Unlock" }</button>
                }
                if user.totp {
                    <button type="button" class="quiet" onclick={factor}>{ "Remove second factor" }</button>
                }
                <button type="button" class="quiet" onclick={erase}>{ "Erase" }</button>
            </div>
        </li>
    }
}

#[derive(Debug, Clone, PartialEq, Properties)]
struct EraseProps {
    user: User,
    on_done: Callback<()>,
}

#[component]
fn Erase(props: &EraseProps) -> Html {
    let typed = use_node_ref();
    let outcome = use_state_eq(Outcome::default);
    let onsubmit = {
        let (typed, outcome, props) = (typed.clone(), outcome.clone(), props.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            if text(&typed) != props.user.login {
                outcome.set(Outcome::Failed(
                    "That is not the name to sign in with.".to_owned(),
                ));
                return;
            }
            let on_done = props.on_done.clone();
            run(&outcome, api::erase_user(props.user.id), move |()| {
                on_done.emit(());
                Outcome::Nothing
            });
        })
    };
    let cancel = props.on_done.reform(|_: MouseEvent| ());
    html! {
        <form class="card camera-form" {onsubmit}>
            <h3>{ format!("Erase {}?", props.user.login) }</h3>
            <p>{ "Everything kept about this person goes for good; the audit log keeps what was done, without the name." }</p>
            <Field label="Type the name to sign in with" node={typed} />
            { outcome.show() }
            <div class="row">
                <button type="submit" class="danger" disabled={outcome.is_busy()}>{ "Erase" }</button>
                <button type="button" class="quiet" onclick={cancel}>{ "Keep" }</button>
            </div>
        </form>
    }
}
