//! Where a one-time link leads: an invited person, or one who lost the password, chooses a new one.

use player::api;
use wasm_bindgen_futures::spawn_local;
use web_sys::HtmlInputElement;
use wire::api::{AcceptLink, LinkPurpose, LinkShown, LookAtLink};
use yew::prelude::*;

#[derive(Debug, Clone, PartialEq, Properties)]
pub(crate) struct OneTimeProps {
    pub(crate) token: String,
}

/// How far it has come.
#[derive(Debug, Clone, PartialEq)]
enum State {
    Looking,
    Failed(String),
    Choosing(LinkShown),
    Done,
}

#[component]
pub(crate) fn OneTime(props: &OneTimeProps) -> Html {
    let state = use_state_eq(|| State::Looking);
    {
        let state = state.setter();
        use_effect_with(props.token.clone(), move |token| {
            let link = LookAtLink { token: token.clone() };
            spawn_local(async move {
                state.set(match api::look_at_link(&link).await {
                    Ok(shown) => State::Choosing(shown),
                    Err(error) => State::Failed(error.sentence()),
                });
            });
        });
    }
    let on_done = {
        let state = state.setter();
        Callback::from(move |()| state.set(State::Done))
    };
    let body = match &*state {
        State::Looking => html! { <p role="status" class="empty">{ "Loading…" }</p> },
        State::Failed(sentence) => html! {
            <section class="card sign-in">
                <h2>{ "This link does not work" }</h2>
                <p class="error" role="alert">{ sentence }</p>
                <p>{ "Links work once and for some days. Ask an administrator of your organization for a new one." }</p>
                <a href="/">{ "Sign in" }</a>
            </section>
        },
        State::Choosing(shown) => html! {
            <Choose token={props.token.clone()} shown={shown.clone()} {on_done} />
        },
        State::Done => html! {
            <section class="card sign-in">
                <h2>{ "The password is set" }</h2>
                <a href="/">{ "Sign in" }</a>
            </section>
        },
    };
    html! { <><header class="bar"><h1>{ "CloudCam" }</h1></header><main>{ body }</main></> }
}

#[derive(Debug, Clone, PartialEq, Properties)]
struct ChooseProps {
    token: String,
    shown: LinkShown,
    on_done: Callback<()>,
}

#[component]
fn Choose(props: &ChooseProps) -> Html {
    let (password, again) = (use_node_ref(), use_node_ref());
    let (busy, failure) = (use_state_eq(|| false), use_state_eq(|| None::<String>));
    let onsubmit = {
        let (password, again) = (password.clone(), again.clone());
        let (busy, failure) = (busy.clone(), failure.clone());
        let (token, on_done) = (props.token.clone(), props.on_done.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let text = |node: &NodeRef| node.cast::<HtmlInputElement>().map(|input| input.value());
            let chosen = text(&password).unwrap_or_default();
            if text(&again).as_deref() != Some(&chosen) {
                failure.set(Some("The two passwords are not the same.".to_owned()));
                return;
            }
            let link = AcceptLink {
                token: token.clone(),
                password: chosen,
            };
            let (busy, failure, on_done) = (busy.clone(), failure.clone(), on_done.clone());
            busy.set(true);
            spawn_local(async move {
                let result = api::accept_link(&link).await;
                busy.set(false);
                match result {
                    Ok(()) => on_done.emit(()),
                    Err(error) => failure.set(Some(error.sentence())),
                }
            });
        })
    };
    let title = match props.shown.purpose {
        LinkPurpose::Invitation => format!("Welcome to {}", props.shown.organization_name),
        LinkPurpose::PasswordReset => "Choose a new password".to_owned(),
    };
    html! {
        <form class="card sign-in" {onsubmit}>
            <h2>{ title }</h2>
            <label>{ "Name" }<input name="login" autocomplete="username" readonly=true value={props.shown.login.clone()} /></label>
            <label>
                { "New password, 10 characters or more" }
                <input ref={password} name="password" type="password" autocomplete="new-password" required=true minlength="10" />
            </label>
            <label>
                { "The same again" }
                <input ref={again} name="again" type="password" autocomplete="new-password" required=true />
            </label>
            if let Some(failure) = &*failure {
                <p class="error" role="alert">{ failure }</p>
            }
            <button type="submit" disabled={*busy}>{ if *busy { "Saving…" } else { "Set the password" } }</button>
        </form>
    }
}
