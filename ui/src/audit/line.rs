//! An entry of the audit log.

use player::civil;
use serde_json::Value;
use wire::api::{ActorKind, AuditEntry};
use yew::prelude::*;

use super::diff::{Change, changes};
use super::words;

#[derive(Debug, Clone, PartialEq, Properties)]
pub(super) struct LineProps {
    pub(super) entry: AuditEntry,
    /// Shows only what was done to this.
    pub(super) only: Callback<String>,
}

#[component]
pub(super) fn Line(props: &LineProps) -> Html {
    let entry = &props.entry;
    let changes = changes(entry.before.as_ref(), entry.after.as_ref());
    let only = {
        let subject = entry.subject.clone();
        props.only.reform(move |_: MouseEvent| subject.clone())
    };
    html! {
        <li>
            <div class="row between">
                <strong>{ words::action(&entry.action) }{ target(entry).map(|name| format!(": {name}")).unwrap_or_default() }</strong>
                <time class="address">{ civil::moment(entry.at) }</time>
            </div>
            <p class="address">{ who(entry) }</p>
            <div class="row">
                if !changes.is_empty() {
                    <details>
                        <summary>{ what(entry, changes.len()) }</summary>
                        { table(entry, &changes) }
                    </details>
                }
                <button type="button" class="link" onclick={only}
                    aria-label={format!("Only what was done to {}", entry.subject)}>{ "Only this target" }</button>
            </div>
        </li>
    }
}

/// Its name, if it had or has one.
fn target(entry: &AuditEntry) -> Option<String> {
    let named = |value: &Option<Value>| {
        let value = value.as_ref()?;
        let name = value.get("login").or_else(|| value.get("name"))?.as_str()?;
        (!name.is_empty()).then(|| name.to_owned())
    };
    named(&entry.after).or_else(|| named(&entry.before))
}

fn who(entry: &AuditEntry) -> String {
    let name = entry.actor_name.as_deref();
    let who = match entry.actor_kind {
        ActorKind::User => name.unwrap_or("a person who is erased").to_owned(),
        ActorKind::ServiceKey => format!("service key {}", name.unwrap_or("without a name")),
        ActorKind::System => name.unwrap_or("the server itself").to_owned(),
    };
    match &entry.address {
        Some(address) => format!("by {who}, from {address}"),
        None => format!("by {who}"),
    }
}

fn what(entry: &AuditEntry, count: usize) -> String {
    match (&entry.before, &entry.after, count) {
        (None, _, _) => "What it is since".to_owned(),
        (_, None, _) => "What it was".to_owned(),
        (_, _, 1) => "1 change".to_owned(),
        (_, _, many) => format!("{many} changes"),
    }
}

fn table(entry: &AuditEntry, changes: &[Change]) -> Html {
    let (has_before, has_after) = (entry.before.is_some(), entry.after.is_some());
    let cell = |value: &Option<String>| {
        html! { <td>{ value.as_deref().unwrap_or("nothing") }</td> }
    };
    html! {
        <table class="diff">
            <thead><tr>
                <th scope="col">{ "What" }</th>
                if has_before { <th scope="col">{ "Before" }</th> }
                if has_after { <th scope="col">{ "After" }</th> }
            </tr></thead>
            <tbody>{ for changes.iter().map(|change| html! {
                <tr key={change.part.clone()}>
                    <th scope="row">{ if change.part.is_empty() { "value" } else { &change.part } }</th>
                    if has_before { { cell(&change.before) } }
                    if has_after { { cell(&change.after) } }
                </tr>
            }) }</tbody>
        </table>
    }
}
