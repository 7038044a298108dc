//! One's own account: password, second factor, sign-ins.

use wire::api::{ChangePassword, TotpSecret, UserSession};
use yew::prelude::*;

use crate::api;
use crate::loaded::{use_loaded, when_loaded};
use crate::parts::{Field, Once, Outcome, run, text};

#[component]
pub(crate) fn Account() -> Html {
    html! { <><Password /><SecondFactor /><Sessions /></> }
}

#[component]
fn Password() -> Html {
    let (current, new) = (use_node_ref(), use_node_ref());
    let outcome = use_state_eq(Outcome::default);
    let onsubmit = {
        let (current, new, outcome) = (current.clone(), new.clone(), outcome.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let change = ChangePassword {
                current: text(&current),
                new: text(&new),
            };
            let action = async move { api::change_password(&change).await };
            run(&outcome, action, |()| {
                Outcome::Done("The password is changed. Every other sign-in of yours has ended.".to_owned())
            });
        })
    };
    html! {
        <section aria-label="Password">
            <h2>{ "Password" }</h2>
            <form class="card camera-form" {onsubmit}>
                <Field label="Present password" node={current} kind="password" autocomplete="current-password" />
                <Field label="New password, 10 characters or more" node={new} kind="password" autocomplete="new-password" />
                { outcome.show() }
                <button type="submit" disabled={outcome.is_busy()}>{ "Change the password" }</button>
            </form>
        </section>
    }
}

/// How far setting up a second factor has come.
#[derive(Debug, Clone, PartialEq)]
enum Step {
    Start,
    Confirm(TotpSecret),
    Codes(Vec<String>),
}

#[component]
fn SecondFactor() -> Html {
    let (password, code) = (use_node_ref(), use_node_ref());
    let outcome = use_state_eq(Outcome::default);
    let step = use_state_eq(|| Step::Start);
    let begin = {
        let (password, outcome, step) = (password.clone(), outcome.clone(), step.setter());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let step = step.clone();
            run(&outcome, api::begin_factor(text(&password)), move |secret| {
                step.set(Step::Confirm(secret));
                Outcome::Nothing
            });
        })
    };
    let confirm = {
        let (code, outcome, step) = (code.clone(), outcome.clone(), step.setter());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let step = step.clone();
            run(&outcome, api::confirm_factor(text(&code)), move |recovery| {
                step.set(Step::Codes(recovery.codes));
                Outcome::Done("The second factor is in force.".to_owned())
            });
        })
    };
    let remove = {
        let (password, code, outcome) = (password.clone(), code.clone(), outcome.clone());
        Callback::from(move |_: MouseEvent| {
            let action = api::remove_factor(text(&password), text(&code));
            run(&outcome, action, |()| {
                Outcome::Done("The second factor is off.".to_owned())
            });
        })
    };
    let to_start = {
        let step = step.setter();
        Callback::from(move |()| step.set(Step::Start))
    };
    let body = match &*step {
        Step::Start => html! {
            <form class="card camera-form" onsubmit={begin}>
                <p>{ "With a second factor, signing in also asks for a code of an authenticator app." }</p>
                <Field label="Password" node={password} kind="password" autocomplete="current-password" />
                <Field label="Code, to switch it off" node={code} autocomplete="one-time-code" required=false />
                { outcome.show() }
                <div class="row">
                    <button type="submit" disabled={outcome.is_busy()}>{ "Set up" }</button>
                    <button type="button" class="quiet" onclick={remove}>{ "Switch off" }</button>
                </div>
            </form>
        },
        Step::Confirm(secret) => html! {
            <form class="card camera-form" onsubmit={confirm}>
                <p>{ "Give this secret to your authenticator app: " }<code>{ &secret.secret }</code></p>
                <p><a href={secret.address.clone()}>{ "Open it in an app on this device" }</a></p>
                <Field label="Code that the app shows" node={code} autocomplete="one-time-code" />
                { outcome.show() }
                <button type="submit" disabled={outcome.is_busy()}>{ "Confirm" }</button>
            </form>
        },
        Step::Codes(codes) => html! {
            <>
                { outcome.show() }
                <Once label="Recovery codes, each of which works once when the app is lost"
                    secret={codes.join("\n")} on_close={to_start} />
            </>
        },
    };
    html! { <section aria-label="Second factor"><h2>{ "Second factor" }</h2>{ body }</section> }
}

#[component]
fn Sessions() -> Html {
    let (sessions, reload) = use_loaded(api::sessions);
    let outcome = use_state_eq(Outcome::default);
    let row = |session: &UserSession| {
        let end = {
            let (id, outcome, reload) = (session.id, outcome.clone(), reload.clone());
            Callback::from(move |_: MouseEvent| {
                let reload = reload.clone();
                run(&outcome, api::end_session(id), move |()| {
                    reload.emit(());
                    Outcome::Nothing
                });
            })
        };
        html! {
            <li class="card" key={session.id.to_string()}>
                <div class="row between">
                    <strong>{ if session.current { "This one" } else { "Another one" } }</strong>
                    if !session.current {
                        <button type="button" class="quiet" onclick={end}>{ "End" }</button>
                    }
                </div>
                <p class="address">{ format!("{} · last used {}", session.address, session.last_used) }</p>
                <p class="address">{ &session.agent }</p>
            </li>
        }
    };
    html! {
        <section aria-label="Sign-ins">
            <h2>{ "Where you are signed in" }</h2>
            { outcome.show() }
            { when_loaded(&sessions, |list| html! { <ul class="cards">{ for list.iter().map(row) }</ul> }) }
        </section>
    }
}
