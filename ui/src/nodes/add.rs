//! Adding a node: a one-time token, and the command that uses it.

use player::civil;
use web_sys::HtmlSelectElement;
use wire::api::{EnrolmentToken, NewEnrolmentToken};
use yew::prelude::*;

use crate::api;
use crate::loaded::{use_loaded_for, when_loaded};
use crate::parts::{Field, Once, Outcome, run, text};

/// How long a token works, in seconds.
const LIVES: [(u64, &str); 3] = [(3_600, "an hour"), (86_400, "a day"), (604_800, "a week")];

#[derive(Debug, Clone, PartialEq, Properties)]
pub(crate) struct AddNodeProps {
    /// Counts reasons to ask the server again.
    pub(crate) news: u32,
    pub(crate) is_open: bool,
    pub(crate) on_close: Callback<()>,
}

/// The form, the command it gave, and the tokens that no node has used yet.
#[component]
pub(crate) fn AddNode(props: &AddNodeProps) -> Html {
    let (tokens, reload) = use_loaded_for((), props.news, |()| api::enrolment_tokens());
    let made = use_state_eq(|| None::<(String, String)>);
    let on_made = {
        let (made, reload, on_close) = (made.setter(), reload.clone(), props.on_close.clone());
        Callback::from(move |command| {
            made.set(Some(command));
            reload.emit(());
            on_close.emit(());
        })
    };
    let forget = {
        let made = made.setter();
        Callback::from(move |()| made.set(None))
    };
    html! {
        <>
            if props.is_open {
                <TokenForm {on_made} on_close={props.on_close.clone()} />
            }
            if let Some((label, command)) = &*made {
                <Once label={label.clone()} secret={command.clone()} on_close={forget} />
            }
            { when_loaded(&tokens, |list| {
                let now = civil::now();
                let open: Vec<&EnrolmentToken> =
                    list.iter().filter(|token| token.used.is_none() && token.expires > now).collect();
                if open.is_empty() {
                    return html! {};
                }
                html! {
                    <section aria-label="Nodes that are awaited">
                        <h3>{ "Awaited" }</h3>
                        <ul class="lines">
                            { for open.into_iter().map(|token| html! {
                                <Awaited key={token.id.to_string()} token={token.clone()} reload={reload.clone()} />
                            }) }
                        </ul>
                    </section>
                }
            }) }
        </>
    }
}

#[derive(Debug, Clone, PartialEq, Properties)]
struct TokenFormProps {
    /// What to say, and the command.
    on_made: Callback<(String, String)>,
    on_close: Callback<()>,
}

#[component]
fn TokenForm(props: &TokenFormProps) -> Html {
    let (name, life) = (use_node_ref(), use_node_ref());
    let outcome = use_state_eq(Outcome::default);
    let onsubmit = {
        let (name, life, outcome, on_made) =
            (name.clone(), life.clone(), outcome.clone(), props.on_made.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let chosen = life
                .cast::<HtmlSelectElement>()
                .and_then(|select| select.value().parse().ok());
            let new = NewEnrolmentToken {
                name: text(&name),
                expires_in_s: chosen,
            };
            let on_made = on_made.clone();
            run(
                &outcome,
                async move { api::make_enrolment_token(&new).await },
                move |made| {
                    let until = civil::stamp(made.enrolment.expires, &civil::zone());
                    let label = format!(
                        "Run this on the machine of “{}”. It works once, until {until}",
                        made.enrolment.name
                    );
                    on_made.emit((label, made.command));
                    Outcome::Nothing
                },
            );
        })
    };
    let cancel = props.on_close.reform(|_: MouseEvent| ());
    html! {
        <form class="card camera-form" {onsubmit} aria-label="Add a node">
            <h3>{ "Add a node" }</h3>
            <p>{ "Install the recorder on a machine near the cameras, then run the command that comes next on it." }</p>
            <Field label="Name of the node, such as its place" node={name} />
            <label>
                { "The command works for" }
                <select ref={life}>{ for LIVES.iter().map(|(seconds, label)| html! {
                    <option value={seconds.to_string()}>{ *label }</option>
                }) }</select>
            </label>
            { outcome.show() }
            <div class="row">
                <button type="submit" disabled={outcome.is_busy()}>{ "Make the command" }</button>
                <button type="button" class="quiet" onclick={cancel}>{ "Cancel" }</button>
            </div>
        </form>
    }
}

#[derive(Debug, Clone, PartialEq, Properties)]
struct AwaitedProps {
    token: EnrolmentToken,
    reload: Callback<()>,
}

#[component]
fn Awaited(props: &AwaitedProps) -> Html {
    let outcome = use_state_eq(Outcome::default);
    let token = &props.token;
    let revoke = {
        let (id, outcome, reload) = (token.id, outcome.clone(), props.reload.clone());
        Callback::from(move |_: MouseEvent| {
            let reload = reload.clone();
            run(&outcome, api::revoke_enrolment_token(id), move |()| {
                reload.emit(());
                Outcome::Nothing
            });
        })
    };
    html! {
        <li>
            <div class="row between">
                <span>
                    <strong>{ &token.name }</strong>
                    { format!(" may join until {}", civil::stamp(token.expires, &civil::zone())) }
                </span>
                <button type="button" class="quiet" onclick={revoke} disabled={outcome.is_busy()}>{ "Revoke" }</button>
            </div>
            { outcome.show() }
        </li>
    }
}
