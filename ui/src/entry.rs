//! Fields of a form: each with its label, a hint, and what the server says of it.

use web_sys::HtmlSelectElement;
use yew::prelude::*;

#[derive(Debug, Clone, PartialEq, Properties)]
pub(crate) struct EntryProps {
    pub(crate) label: &'static str,
    /// As the server names it.
    pub(crate) name: &'static str,
    #[prop_or_default]
    pub(crate) node: NodeRef,
    /// What is there at first: what somebody types outlives every redraw.
    #[prop_or_default]
    pub(crate) first: String,
    #[prop_or_default]
    pub(crate) hint: String,
    #[prop_or_default]
    pub(crate) error: Option<String>,
    #[prop_or("text")]
    pub(crate) kind: &'static str,
    #[prop_or("off")]
    pub(crate) autocomplete: &'static str,
    #[prop_or_default]
    pub(crate) placeholder: &'static str,
    #[prop_or_default]
    pub(crate) required: bool,
    #[prop_or("2048")]
    pub(crate) maxlength: &'static str,
    /// Of numbers and times.
    #[prop_or_default]
    pub(crate) min: Option<&'static str>,
    #[prop_or_default]
    pub(crate) max: Option<&'static str>,
    #[prop_or_default]
    pub(crate) step: Option<&'static str>,
    /// What may be meant; anything else may be typed too.
    #[prop_or_default]
    pub(crate) offers: Vec<String>,
}

/// A field to type into.
#[component]
pub(crate) fn Entry(props: &EntryProps) -> Html {
    let offers = format!("offers-{}", props.name);
    html! {
        <div class="entry">
            <label>
                { props.label }
                <input ref={props.node.clone()} name={props.name} type={props.kind} required={props.required}
                    autocomplete={props.autocomplete} placeholder={props.placeholder} maxlength={props.maxlength}
                    min={props.min} max={props.max} step={props.step}
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

#[derive(Debug, Clone, PartialEq, Properties)]
pub(crate) struct ChoiceProps {
    pub(crate) label: &'static str,
    /// As the server names it.
    pub(crate) name: &'static str,
    /// Values, and how they are called.
    pub(crate) options: Vec<(String, String)>,
    /// The value that is chosen at first; the first one when it is none of them.
    #[prop_or_default]
    pub(crate) first: String,
    #[prop_or_default]
    pub(crate) node: NodeRef,
    #[prop_or_default]
    pub(crate) hint: String,
    #[prop_or_default]
    pub(crate) error: Option<String>,
    #[prop_or_default]
    pub(crate) on_change: Callback<String>,
}

/// A field to choose one of several in.
#[component]
pub(crate) fn Choice(props: &ChoiceProps) -> Html {
    let onchange = props
        .on_change
        .reform(|event: Event| event.target_unchecked_into::<HtmlSelectElement>().value());
    // One is always chosen on purpose: left to themselves, browsers end with the last one.
    let is_offered = props.options.iter().any(|(value, _)| *value == props.first);
    let usual = props.options.first().map(|(value, _)| value);
    let chosen = if is_offered { Some(&props.first) } else { usual };
    html! {
        <div class="entry">
            <label>
                { props.label }
                <select ref={props.node.clone()} name={props.name} {onchange}
                    aria-invalid={props.error.is_some().then_some("true")}
                    aria-describedby={described(props.name, !props.hint.is_empty(), props.error.is_some())}>
                    { for props.options.iter().map(|(value, text)| html! {
                        <option key={value.clone()} value={value.clone()} selected={Some(value) == chosen}>{ text }</option>
                    }) }
                </select>
            </label>
            { remarks(props.name, &props.hint, props.error.as_ref()) }
        </div>
    }
}

/// One of several that may all be ticked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tick {
    pub(crate) value: String,
    pub(crate) text: String,
    pub(crate) first: bool,
}

#[derive(Debug, Clone, PartialEq, Properties)]
pub(crate) struct TicksProps {
    pub(crate) label: &'static str,
    /// As the server names it.
    pub(crate) name: &'static str,
    pub(crate) ticks: Vec<Tick>,
    #[prop_or_default]
    pub(crate) error: Option<String>,
}

/// Several boxes to tick.
#[component]
pub(crate) fn Ticks(props: &TicksProps) -> Html {
    let invalid = props.error.is_some().then_some("true");
    html! {
        <fieldset aria-describedby={described(props.name, false, props.error.is_some())}>
            <legend>{ props.label }</legend>
            { for props.ticks.iter().map(|tick| html! {
                <label class="check" key={tick.value.clone()}>
                    <input type="checkbox" name={props.name} value={tick.value.clone()} ~defaultChecked={tick.first} aria-invalid={invalid} />
                    { &tick.text }
                </label>
            }) }
            { remarks(props.name, "", props.error.as_ref()) }
        </fieldset>
    }
}

/// Ids of what is said below a field.
pub(crate) fn described(name: &str, has_hint: bool, has_error: bool) -> Option<String> {
    let ids = [(has_error, "error"), (has_hint, "hint")].into_iter();
    let ids: Vec<String> = ids
        .filter(|(is_there, _)| *is_there)
        .map(|(_, what)| format!("{name}-{what}"))
        .collect();
    (!ids.is_empty()).then(|| ids.join(" "))
}

/// What is said below a field.
pub(crate) fn remarks(name: &str, hint: &str, error: Option<&String>) -> Html {
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
