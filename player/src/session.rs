//! Signing in and out; both pages stand inside [`SignedIn`].

use wasm_bindgen_futures::spawn_local;
use web_sys::HtmlInputElement;
use wire::api::{Me, SignIn};
use yew::prelude::*;

use crate::api;

/// Whether somebody is signed in.
#[derive(Debug, Clone, PartialEq)]
enum State {
    /// Asking the server.
    Unknown,
    Out,
    In(Me),
}

/// Properties of [`SignedIn`].
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct SignedInProps {
    /// Name of the page, in its header.
    pub title: AttrValue,
    /// Its navigation, in the header; may ask the context who is signed in ([`Me`]), as the rest may.
    #[prop_or_default]
    pub nav: Option<Html>,
    /// What else is in the header.
    #[prop_or_default]
    pub tools: Html,
    /// What stands beside the content.
    #[prop_or_default]
    pub side: Option<Html>,
    /// Shown to who is signed in; may ask the same.
    pub children: Html,
}

/// The page's frame: header, sign-in, and the content for who is signed in.
#[component]
pub fn SignedIn(props: &SignedInProps) -> Html {
    let state = use_state_eq(|| State::Unknown);
    {
        let state = state.clone();
        use_effect_with((), move |()| {
            spawn_local(async move { state.set(api::resume().await.map_or(State::Out, State::In)) });
        });
    }
    let sign_out = {
        let state = state.clone();
        Callback::from(move |_: MouseEvent| {
            let state = state.clone();
            spawn_local(async move {
                api::sign_out().await;
                state.set(State::Out);
            });
        })
    };
    let on_signed_in = Callback::from({
        let state = state.clone();
        move |me| state.set(State::In(me))
    });
    let State::In(me) = &*state else {
        return html! {
            <>
                <header class="bar"><h1>{ &props.title }</h1></header>
                <main>
                    if *state == State::Out {
                        <SignInForm {on_signed_in} />
                    } else {
                        <p role="status" class="empty">{ "Loading…" }</p>
                    }
                </main>
            </>
        };
    };
    html! {
        <ContextProvider<Me> context={me.clone()}>
            <header class="bar">
                <h1>{ &props.title }</h1>
                if let Some(nav) = &props.nav {
                    <nav aria-label="Pages">{ nav.clone() }</nav>
                }
                { props.tools.clone() }
                <span class="who">{ &me.login }</span>
                <button type="button" class="quiet" onclick={sign_out}>{ "Sign out" }</button>
            </header>
            if let Some(side) = &props.side {
                <div class="frame">{ side.clone() }<main>{ props.children.clone() }</main></div>
            } else {
                <main>{ props.children.clone() }</main>
            }
        </ContextProvider<Me>>
    }
}

/// Properties of [`SignInForm`].
#[derive(Debug, Clone, PartialEq, Properties)]
struct SignInFormProps {
    on_signed_in: Callback<Me>,
}

#[component]
fn SignInForm(props: &SignInFormProps) -> Html {
    let (login, password, code) = (use_node_ref(), use_node_ref(), use_node_ref());
    let busy = use_state_eq(|| false);
    let failure = use_state_eq(|| None::<String>);
    let wants_code = use_state_eq(|| false);
    let onsubmit = {
        let fields = (login.clone(), password.clone(), code.clone());
        let (busy, failure, wants_code) = (busy.clone(), failure.clone(), wants_code.clone());
        let on_signed_in = props.on_signed_in.clone();
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let body = SignIn {
                login: text(&fields.0),
                password: text(&fields.1),
                code: Some(text(&fields.2)).filter(|code| !code.is_empty()),
            };
            let (busy, failure, wants_code) = (busy.clone(), failure.clone(), wants_code.clone());
            let on_signed_in = on_signed_in.clone();
            busy.set(true);
            spawn_local(async move {
                let result = api::sign_in(&body).await;
                busy.set(false);
                match result {
                    Ok(me) => on_signed_in.emit(me),
                    Err(error) if error.code() == Some("totp_required") => {
                        failure.set(None);
                        wants_code.set(true);
                    }
                    Err(error) => failure.set(Some(error.sentence())),
                }
            });
        })
    };
    html! {
        <form class="card sign-in" {onsubmit}>
            <h2>{ "Sign in" }</h2>
            <label>{ "Name" }<input ref={login} name="login" autocomplete="username" required=true autofocus=true /></label>
            <label>
                { "Password" }
                <input ref={password} name="password" type="password" autocomplete="current-password" required=true />
            </label>
            if *wants_code {
                <label>
                    { "Code of your authenticator app, or a recovery code" }
                    <input ref={code} name="code" autocomplete="one-time-code" required=true autofocus=true />
                </label>
            }
            if let Some(failure) = &*failure {
                <p class="error" role="alert">{ failure }</p>
            }
            <button type="submit" disabled={*busy}>{ if *busy { "Signing in…" } else { "Sign in" } }</button>
        </form>
    }
}

fn text(node: &NodeRef) -> String {
    node.cast::<HtmlInputElement>()
        .map(|input| input.value())
        .unwrap_or_default()
}
