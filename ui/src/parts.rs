//! Parts that pages share: lists that load, fields, and secrets that are shown once.

use std::future::Future;

use player::api::ApiError;
use wasm_bindgen_futures::spawn_local;
use web_sys::HtmlInputElement;
use yew::prelude::*;

/// What a page has loaded: nothing yet, or the outcome.
pub(crate) type Loaded<T> = Option<Result<T, String>>;

/// Loads at once, and again whenever the callback is called.
#[hook]
pub(crate) fn use_loaded<T, F, R>(load: F) -> (UseStateHandle<Loaded<T>>, Callback<()>)
where
    T: PartialEq + 'static,
    F: Fn() -> R + Copy + 'static,
    R: Future<Output = Result<T, ApiError>> + 'static,
{
    let state = use_state(|| None);
    let reload = {
        let state = state.setter();
        Callback::from(move |()| {
            let state = state.clone();
            spawn_local(async move { state.set(Some(load().await.map_err(|error| error.sentence()))) });
        })
    };
    {
        let reload = reload.clone();
        use_effect_with((), move |()| reload.emit(()));
    }
    (state, reload)
}

/// Shows what is loaded, or why not.
pub(crate) fn when_loaded<T>(loaded: &Loaded<T>, show: impl FnOnce(&T) -> Html) -> Html {
    match loaded {
        None => html! { <p role="status" class="empty">{ "Loading…" }</p> },
        Some(Err(sentence)) => html! { <p class="error" role="alert">{ sentence }</p> },
        Some(Ok(value)) => show(value),
    }
}

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
    html! {
        <div class="card" role="status">
            <label>
                { &props.label }
                <textarea readonly=true rows="3" value={props.secret.clone()} />
            </label>
            <p class="address">{ "It is shown this once. Copy it now, and hand it over on a safe way." }</p>
            <div class="row"><button type="button" class="quiet" onclick={close}>{ "I have it" }</button></div>
        </div>
    }
}
