//! Parts that pages share: outcomes, fields, questions, and secrets that are shown once.

use std::future::Future;
use std::pin::Pin;

use player::api::ApiError;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{HtmlElement, HtmlInputElement, HtmlTextAreaElement};
use yew::prelude::*;

/// What became of something that a person did.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) enum Outcome {
    #[default]
    Nothing,
    Busy,
    Done(String),
    Failed(String),
}

impl Outcome {
    pub(crate) fn is_busy(&self) -> bool {
        *self == Self::Busy
    }

    pub(crate) fn show(&self) -> Html {
        match self {
            Self::Nothing | Self::Busy => html! {},
            Self::Done(sentence) => html! { <p role="status">{ sentence }</p> },
            Self::Failed(sentence) => html! { <p class="error" role="alert">{ sentence }</p> },
        }
    }
}

/// Does something, and tells how it went; `then` runs when it went well.
pub(crate) fn run<T: 'static>(
    outcome: &UseStateHandle<Outcome>,
    action: impl Future<Output = Result<T, ApiError>> + 'static,
    then: impl FnOnce(T) -> Outcome + 'static,
) {
    let outcome = outcome.setter();
    outcome.set(Outcome::Busy);
    spawn_local(async move {
        outcome.set(match action.await {
            Ok(value) => then(value),
            Err(error) => Outcome::Failed(error.sentence()),
        });
    });
}

/// The text of a field.
pub(crate) fn text(node: &NodeRef) -> String {
    node.cast::<HtmlInputElement>()
        .map(|input| input.value())
        .unwrap_or_default()
}

/// Leads to an element.
pub(crate) fn focus(node: &NodeRef) {
    if let Some(element) = node.cast::<HtmlElement>() {
        let _ = element.focus();
    }
}

/// What stands between commas.
pub(crate) fn list(text: &str) -> Vec<String> {
    text.split(',')
        .map(|part| part.trim().to_owned())
        .filter(|part| !part.is_empty())
        .collect()
}

#[derive(Debug, Clone, PartialEq, Properties)]
pub(crate) struct FieldProps {
    pub(crate) label: &'static str,
    pub(crate) node: NodeRef,
    #[prop_or("text")]
    pub(crate) kind: &'static str,
    #[prop_or("off")]
    pub(crate) autocomplete: &'static str,
    #[prop_or(true)]
    pub(crate) required: bool,
}

/// A field with its label.
#[component]
pub(crate) fn Field(props: &FieldProps) -> Html {
    html! {
        <label>
            { props.label }
            <input ref={props.node.clone()} type={props.kind} autocomplete={props.autocomplete} required={props.required} />
        </label>
    }
}

#[derive(Debug, Clone, PartialEq, Properties)]
pub(crate) struct OnceProps {
    pub(crate) label: String,
    pub(crate) secret: String,
    pub(crate) on_close: Callback<()>,
}

/// A secret that is shown this once.
#[component]
pub(crate) fn Once(props: &OnceProps) -> Html {
    let close = props.on_close.reform(|_: MouseEvent| ());
    let (field, copied) = (use_node_ref(), use_state_eq(|| None::<bool>));
    let copy = {
        let (field, copied) = (field.clone(), copied.setter());
        Callback::from(move |_: MouseEvent| {
            let (field, copied) = (field.clone(), copied.clone());
            spawn_local(async move { copied.set(Some(copy(&field).await)) });
        })
    };
    html! {
        <div class="card once" role="group" aria-label="Shown once">
            <label>
                { &props.label }
                <textarea ref={field} readonly=true rows="3" value={props.secret.clone()} />
            </label>
            <p class="address">{ "It is shown this once. Copy it now, and hand it over on a safe way." }</p>
            <div class="row">
                <button type="button" onclick={copy}>{ "Copy" }</button>
                <button type="button" class="quiet" onclick={close}>{ "I have it" }</button>
                <span role="status">{ match *copied {
                    None => "",
                    Some(true) => "It is copied.",
                    Some(false) => "It is selected: copy it by hand.",
                } }</span>
            </div>
        </div>
    }
}

/// Copies what a field holds; where the browser does not let a page do that, the field is selected.
async fn copy(field: &NodeRef) -> bool {
    let Some(field) = field.cast::<HtmlTextAreaElement>() else {
        return false;
    };
    field.select();
    // Clipboards exist on https and localhost only; elsewhere there is none to ask.
    let Some(window) = web_sys::window().filter(web_sys::Window::is_secure_context) else {
        return false;
    };
    let writing = window.navigator().clipboard().write_text(&field.value());
    JsFuture::from(writing).await.is_ok()
}

#[derive(Debug, Clone, PartialEq, Properties)]
pub(crate) struct SearchProps {
    pub(crate) label: &'static str,
    pub(crate) on_search: Callback<String>,
}

/// A field that searches when it is left or Enter is pressed.
#[component]
pub(crate) fn Search(props: &SearchProps) -> Html {
    let onchange = props.on_search.reform(|event: Event| {
        event
            .target_unchecked_into::<HtmlInputElement>()
            .value()
            .trim()
            .to_owned()
    });
    html! { <input class="short" type="search" aria-label={props.label} placeholder={props.label} maxlength="100" {onchange} /> }
}

/// Something to be done.
pub(crate) type Action = Pin<Box<dyn Future<Output = Result<(), ApiError>>>>;

/// Makes an action of an answer that nobody reads.
pub(crate) fn action<T>(doing: impl Future<Output = Result<T, ApiError>> + 'static) -> Action {
    Box::pin(async move { doing.await.map(drop) })
}

#[derive(Clone, PartialEq, Properties)]
pub(crate) struct ConfirmProps {
    pub(crate) title: &'static str,
    pub(crate) question: String,
    pub(crate) yes: &'static str,
    pub(crate) no: &'static str,
    pub(crate) action: Callback<(), Action>,
    /// Done, or left as it is.
    pub(crate) on_done: Callback<()>,
}

/// Asks before something that is not easily taken back.
#[component]
pub(crate) fn Confirm(props: &ConfirmProps) -> Html {
    let outcome = use_state_eq(Outcome::default);
    let confirm = {
        let (outcome, props) = (outcome.clone(), props.clone());
        Callback::from(move |_: MouseEvent| {
            let on_done = props.on_done.clone();
            run(&outcome, props.action.emit(()), move |()| {
                on_done.emit(());
                Outcome::Nothing
            });
        })
    };
    let cancel = props.on_done.reform(|_: MouseEvent| ());
    // The question may be asked far from what it is about: the cursor leads to it, and to the way back.
    let way_back = use_node_ref();
    {
        let way_back = way_back.clone();
        use_effect_with((), move |()| focus(&way_back));
    }
    html! {
        <div class="card" role="alertdialog" aria-label={props.title}>
            <p>{ &props.question }</p>
            { outcome.show() }
            <div class="row">
                <button type="button" class="danger" onclick={confirm} disabled={outcome.is_busy()}>{ props.yes }</button>
                <button ref={way_back} type="button" class="quiet" onclick={cancel}>{ props.no }</button>
            </div>
        </div>
    }
}

/// `1.2 GB`, `35 MB`, `700 kB`.
pub(crate) fn bytes(count: u64) -> String {
    let count = count as f64;
    match count {
        _ if count >= 1e12 => format!("{:.1} TB", count / 1e12),
        _ if count >= 1e9 => format!("{:.1} GB", count / 1e9),
        _ if count >= 1e6 => format!("{:.0} MB", count / 1e6),
        _ => format!("{:.0} kB", count / 1e3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_what_stands_between_commas() {
        assert_eq!(list(""), Vec::<String>::new());
        assert_eq!(list(" a, b c ,,d"), ["a", "b c", "d"]);
    }
}
