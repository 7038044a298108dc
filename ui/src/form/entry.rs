//! A field of the form of a camera: its label, a hint, and what the server says of it.

use yew::prelude::*;

#[derive(Debug, Clone, PartialEq, Properties)]
pub(super) struct EntryProps {
    pub(super) label: &'static str,
    /// As the server names it.
    pub(super) name: &'static str,
    pub(super) node: NodeRef,
    /// What is there at first: what somebody types outlives every redraw.
    #[prop_or_default]
    pub(super) first: String,
    #[prop_or_default]
    pub(super) hint: String,
    #[prop_or_default]
    pub(super) error: Option<String>,
    #[prop_or("text")]
    pub(super) kind: &'static str,
    #[prop_or("off")]
    pub(super) autocomplete: &'static str,
    #[prop_or_default]
    pub(super) placeholder: &'static str,
    #[prop_or_default]
    pub(super) required: bool,
    #[prop_or("2048")]
    pub(super) maxlength: &'static str,
    /// What may be meant; anything else may be typed too.
    #[prop_or_default]
    pub(super) offers: Vec<String>,
}

/// A field to type into.
#[component]
pub(super) fn Entry(props: &EntryProps) -> Html {
    let offers = format!("offers-{}", props.name);
    html! {
        <div class="entry">
            <label>
                { props.label }
                <input ref={props.node.clone()} name={props.name} type={props.kind} required={props.required}
                    autocomplete={props.autocomplete} placeholder={props.placeholder} maxlength={props.maxlength}
                    spellcheck="false" list={(!props.offers.is_empty()).then(|| offers.clone())}
                    aria-invalid={props.error.is_some().then_some("true")}
                    aria-describedby={described(props.name, !props.hint.is_empty(), props.error.is_some())}
                    ~defaultValue={props.first.clone()} />
            </label>
            if !props.offers.is_empty() {
                <datalist id={offers}>{ for props.offers.iter().map(|offer| html! { <option value={offer.clone()} /> }) }</datalist>
            }
            { remarks(props.name, &props.hint, props.error.as_ref()) }
        </div>
    }
}

/// Ids of what is said below a field.
pub(super) fn described(name: &str, has_hint: bool, has_error: bool) -> Option<String> {
    let ids = [(has_error, "error"), (has_hint, "hint")].into_iter();
    let ids: Vec<String> = ids
        .filter(|(is_there, _)| *is_there)
        .map(|(_, what)| format!("{name}-{what}"))
        .collect();
    (!ids.is_empty()).then(|| ids.join(" "))
}

/// What is said below a field.
pub(super) fn remarks(name: &str, hint: &str, error: Option<&String>) -> Html {
    html! {
        <>
            if let Some(error) = error {
                <p class="error" role="alert" id={format!("{name}-error")}>{ error }</p>
            }
            if !hint.is_empty() {
                <p class="help" id={format!("{name}-hint")}>{ hint }</p>
            }
        </>
    }
}
