//! Forms whose fields are read by their names when they are sent. What the server refuses is said beside the
//! field that it names, and the cursor leads there.

use std::future::Future;
use std::str::FromStr;

use player::api::ApiError;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, FormData, HtmlElement, HtmlFormElement};
use wire::api::Problem;
use yew::prelude::*;

/// What was typed, by the names of the fields.
#[derive(Debug, Clone)]
pub(crate) struct Typed(FormData);

impl Typed {
    fn of(event: &SubmitEvent) -> Option<Self> {
        let form: HtmlFormElement = event.target_dyn_into()?;
        FormData::new_with_form(&form).ok().map(Self)
    }

    /// As it stands in a form now.
    pub(crate) fn in_form(form: &NodeRef) -> Option<Self> {
        let form: HtmlFormElement = form.cast()?;
        FormData::new_with_form(&form).ok().map(Self)
    }

    /// As it was typed.
    pub(crate) fn text(&self, name: &str) -> String {
        self.0.get(name).as_string().unwrap_or_default()
    }

    /// Nothing where nothing was typed.
    pub(crate) fn filled(&self, name: &str) -> Option<String> {
        let text = self.text(name).trim().to_owned();
        (!text.is_empty()).then_some(text)
    }

    /// A number, or what else is written as one.
    pub(crate) fn parsed<T: FromStr>(&self, name: &str) -> Option<T> {
        self.filled(name)?.parse().ok()
    }

    /// Whether a box is ticked.
    pub(crate) fn is_ticked(&self, name: &str) -> bool {
        self.0.has(name)
    }

    /// The values of those that are ticked.
    pub(crate) fn ticked(&self, name: &str) -> Vec<String> {
        let values = self.0.get_all(name);
        values.iter().filter_map(|value| value.as_string()).collect()
    }
}

/// Whether the server is being asked, and what it did not take.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sending {
    failure: UseStateHandle<Option<ApiError>>,
    is_busy: UseStateHandle<bool>,
    /// Codes of the server that are about a field, without naming it.
    meant: &'static [(&'static str, &'static str)],
}

/// The state of a form that is sent.
#[hook]
pub(crate) fn use_sending() -> Sending {
    use_sending_with(&[])
}

/// The same; some of the server's codes are about a field.
#[hook]
pub(crate) fn use_sending_with(meant: &'static [(&'static str, &'static str)]) -> Sending {
    Sending {
        failure: use_state_eq(|| None),
        is_busy: use_state_eq(|| false),
        meant,
    }
}

impl Sending {
    /// Sends it; `then` runs when the server took it.
    pub(crate) fn send<T: 'static>(
        &self,
        doing: impl Future<Output = Result<T, ApiError>> + 'static,
        then: impl FnOnce(T) + 'static,
    ) {
        let (failure, is_busy) = (self.failure.setter(), self.is_busy.setter());
        is_busy.set(true);
        spawn_local(async move {
            let answer = doing.await;
            is_busy.set(false);
            failure.set(answer.map(then).err());
        });
    }

    /// Says of a field why it is not sent as it is.
    pub(crate) fn refuse(&self, field: &str, title: &str) {
        self.failure.set(Some(ApiError::Problem(Problem {
            code: "invalid_field".to_owned(),
            status: 422,
            title: title.to_owned(),
            field: Some(field.to_owned()),
            request_id: String::new(),
        })));
    }

    /// What is said of a field.
    pub(crate) fn said_of(&self, field: &str) -> Option<String> {
        let failure = self.failure.as_ref()?;
        (self.field_of(failure) == Some(field)).then(|| failure.sentence())
    }

    fn field_of<'a>(&self, error: &'a ApiError) -> Option<&'a str> {
        let meant = || {
            let found = self.meant.iter().find(|(code, _)| error.code() == Some(*code));
            found.map(|(_, field)| *field)
        };
        error.field().or_else(meant)
    }

    pub(crate) fn is_busy(&self) -> bool {
        *self.is_busy
    }
}

#[derive(Clone, PartialEq, Properties)]
pub(crate) struct SheetProps {
    pub(crate) title: String,
    /// What the button says.
    pub(crate) save: String,
    /// Whether something is lost by it.
    #[prop_or_default]
    pub(crate) danger: bool,
    pub(crate) sending: Sending,
    /// Fields that say themselves what is wrong with them.
    #[prop_or_default]
    pub(crate) beside: &'static [&'static str],
    pub(crate) on_send: Callback<Typed>,
    pub(crate) on_cancel: Callback<()>,
    #[prop_or("Cancel")]
    pub(crate) cancel: &'static str,
    pub(crate) children: Html,
}

/// A form as a card.
#[component]
pub(crate) fn Sheet(props: &SheetProps) -> Html {
    let form = use_node_ref();
    {
        let form = form.clone();
        use_effect_with((*props.sending.failure).clone(), move |failure| {
            // At first what is to be filled in: the form may open far from what was clicked.
            let wanted = match failure {
                None => "input, select, textarea",
                Some(_) => "[aria-invalid=true]",
            };
            lead(&form, wanted);
        });
    }
    let onsubmit = {
        let on_send = props.on_send.clone();
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            if let Some(typed) = Typed::of(&event) {
                on_send.emit(typed);
            }
        })
    };
    let failure = props.sending.failure.as_ref();
    let elsewhere = failure.filter(|error| {
        let field = props.sending.field_of(error);
        !field.is_some_and(|field| props.beside.contains(&field))
    });
    let cancel = props.on_cancel.reform(|_: MouseEvent| ());
    html! {
        <form ref={form} class="card camera-form" {onsubmit} aria-label={props.title.clone()}>
            <h3>{ &props.title }</h3>
            { props.children.clone() }
            if let Some(error) = elsewhere {
                <p class="error" role="alert">{ error.sentence() }</p>
            }
            <div class="row">
                <button type="submit" class={classes!(props.danger.then_some("danger"))} disabled={props.sending.is_busy()}>{ &props.save }</button>
                <button type="button" class="quiet" onclick={cancel}>{ props.cancel }</button>
            </div>
        </form>
    }
}

/// Leads the cursor to the first of what is meant inside an element.
fn lead(inside: &NodeRef, wanted: &str) {
    let found = inside
        .cast::<Element>()
        .and_then(|element| element.query_selector(wanted).ok().flatten());
    if let Some(element) = found.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        let _ = element.focus();
    }
}
