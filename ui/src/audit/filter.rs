//! What is looked for in the audit log.

use player::api::escaped;
use player::civil;
use yew::prelude::*;

use super::Actors;
use crate::entry::{Choice, Entry};
use crate::sheet::Typed;

/// What is done to, as the beginning of an action's name.
const KINDS: [(&str, &str); 13] = [
    ("", "Everything"),
    ("camera.", "Cameras"),
    ("group.", "Groups"),
    ("job.", "Recording jobs"),
    ("override.", "Overrides"),
    ("footage.", "Erasures"),
    ("node.", "Nodes"),
    ("enrolment_token.", "Nodes that are to join"),
    ("licence.", "Licences"),
    ("user.", "Users"),
    ("service_key.", "Service keys"),
    ("organization.", "Organizations"),
    ("user.grant", "Grants"),
];

/// As it was typed; what is empty limits nothing.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Filter {
    /// `actor=<id>` or `actor_kind=<kind>`.
    pub(super) who: String,
    pub(super) action: String,
    pub(super) subject: String,
    /// As a field for date and time holds it.
    pub(super) from: String,
    pub(super) to: String,
}

impl Filter {
    fn of(typed: &Typed) -> Self {
        Self {
            who: typed.text("who"),
            action: typed.text("action"),
            subject: typed.filled("subject").unwrap_or_default(),
            from: typed.text("from"),
            to: typed.text("to"),
        }
    }

    /// The address of the list, limited to it.
    pub(super) fn address(&self, list: &str) -> String {
        self.address_with(list, escaped, |field| civil::instant(field).map(|at| at.0))
    }

    fn address_with(
        &self,
        list: &str,
        escaped: impl Fn(&str) -> String,
        instant: impl Fn(&str) -> Option<i64>,
    ) -> String {
        let mut parts = Vec::new();
        if !self.who.is_empty() {
            parts.push(self.who.clone());
        }
        for (name, value) in [("action", &self.action), ("subject", &self.subject)] {
            if !value.is_empty() {
                parts.push(format!("{name}={}", escaped(value)));
            }
        }
        for (name, value) in [("from", &self.from), ("to", &self.to)] {
            if let Some(at) = instant(value) {
                parts.push(format!("{name}={at}"));
            }
        }
        match parts.as_slice() {
            [] => list.to_owned(),
            parts => format!("{list}?{}", parts.join("&")),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Properties)]
pub(super) struct FilterFormProps {
    pub(super) first: Filter,
    pub(super) actors: Actors,
    pub(super) on_filter: Callback<Filter>,
    pub(super) on_clear: Callback<()>,
}

/// It limits the list as soon as a field is left.
#[component]
pub(super) fn FilterForm(props: &FilterFormProps) -> Html {
    let form = use_node_ref();
    let read = {
        let (form, on_filter) = (form.clone(), props.on_filter.clone());
        Callback::from(move |()| {
            if let Some(typed) = Typed::in_form(&form) {
                on_filter.emit(Filter::of(&typed));
            }
        })
    };
    let onchange = read.reform(|_: Event| ());
    let onsubmit = read.reform(|event: SubmitEvent| event.prevent_default());
    let clear = props.on_clear.reform(|_: MouseEvent| ());
    let kinds = KINDS
        .iter()
        .map(|(value, text)| ((*value).to_owned(), (*text).to_owned()));
    let first = props.first.clone();
    html! {
        <form ref={form} class="filters" aria-label="What is looked for" {onchange} {onsubmit}>
            <Choice label="Who" name="who" options={who(&props.actors)} first={first.who.clone()} />
            <Choice label="What" name="action" options={kinds.collect::<Vec<_>>()} first={first.action.clone()} />
            <Entry label="Id of the target" name="subject" maxlength="100" first={first.subject.clone()} />
            <Entry label="From" name="from" kind="datetime-local" first={first.from.clone()} />
            <Entry label="To" name="to" kind="datetime-local" first={first.to.clone()} />
            if first != Filter::default() {
                <button type="button" class="quiet" onclick={clear}>{ "Show everything" }</button>
            }
        </form>
    }
}

fn who(actors: &Actors) -> Vec<(String, String)> {
    let fixed = [
        ("", "Everybody"),
        ("actor_kind=user", "Any person"),
        ("actor_kind=service_key", "Any service key"),
        ("actor_kind=system", "The server itself"),
    ];
    let fixed = fixed
        .into_iter()
        .map(|(value, text)| (value.to_owned(), text.to_owned()));
    let users = actors
        .users
        .iter()
        .map(|user| (format!("actor={}", user.id), user.login.clone()));
    let keys = actors
        .keys
        .iter()
        .map(|key| (format!("actor={}", key.id), format!("Key {}", key.name)));
    fixed.chain(users).chain(keys).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_typed_limits_the_list() {
        let address = |filter: &Filter| {
            filter.address_with("/a", |text| format!("<{text}>"), |field| field.parse().ok())
        };
        assert_eq!(address(&Filter::default()), "/a");
        let filter = Filter {
            who: "actor_kind=system".to_owned(),
            action: "camera.".to_owned(),
            from: "5".to_owned(),
            to: "soon".to_owned(),
            ..Filter::default()
        };
        assert_eq!(address(&filter), "/a?actor_kind=system&action=<camera.>&from=5");
    }
}
