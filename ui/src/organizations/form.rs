//! The form that adds an organization, or changes its name, limits, and whether it needs licences.

use wire::api::{Licensing, NewOrganization, Organization, OrganizationPatch, Quotas};
use yew::prelude::*;

use crate::api;
use crate::entry::{Choice, Entry};
use crate::sheet::{Sheet, Typed, use_sending};

const GB: f64 = 1e9;

#[derive(Debug, Clone, PartialEq, Properties)]
pub(super) struct OrganizationFormProps {
    /// The one to change; none for a new one.
    pub(super) organization: Option<Organization>,
    /// Whether limits may be changed too.
    pub(super) is_owner: bool,
    pub(super) on_done: Callback<()>,
    pub(super) on_cancel: Callback<()>,
}

#[component]
pub(super) fn OrganizationForm(props: &OrganizationFormProps) -> Html {
    let sending = use_sending();
    // As it was when the form was opened: what others change meanwhile is not overwritten unseen.
    let saved = use_state_eq(|| props.organization.clone());
    let is_owner = props.is_owner;
    let on_send = {
        let (sending, saved, on_done) = (sending.clone(), saved.clone(), props.on_done.clone());
        Callback::from(move |typed: Typed| {
            let (name, limits, on_done) = (typed.text("name"), limits(&typed), on_done.clone());
            let saved = (*saved).clone();
            let doing = async move {
                let (quotas, licensing) = limits;
                match &saved {
                    None => {
                        api::add_organization(&NewOrganization {
                            name,
                            quotas,
                            licensing,
                        })
                        .await
                    }
                    Some(saved) => {
                        let patch = OrganizationPatch {
                            name: Some(name),
                            quotas: is_owner.then_some(quotas),
                            licensing: is_owner.then_some(licensing),
                        };
                        api::change_organization(saved, &patch).await
                    }
                }
            };
            sending.send(doing, move |_| on_done.emit(()));
        })
    };
    let (title, save) = match &*saved {
        Some(saved) => (format!("Change {}", saved.name), "Save"),
        None => ("Add an organization".to_owned(), "Add"),
    };
    let beside: &[&str] = &["name", "quotas"];
    html! {
        <Sheet {title} {save} sending={sending.clone()} {beside} {on_send} on_cancel={props.on_cancel.clone()}>
            <Entry label="Name" name="name" required=true maxlength="100" error={sending.said_of("name")}
                first={saved.as_ref().map(|saved| saved.name.clone()).unwrap_or_default()} />
            if is_owner {
                { limit_fields(saved.as_ref(), sending.said_of("quotas")) }
            }
        </Sheet>
    }
}

/// What it may have; an empty field is no limit.
fn limit_fields(saved: Option<&Organization>, error: Option<String>) -> Html {
    let quotas = saved.and_then(|saved| saved.quotas).unwrap_or_default();
    let licensing = saved.map_or(Licensing::Required, |saved| saved.licensing);
    let number = |count: Option<u32>| count.map(|count| count.to_string()).unwrap_or_default();
    let storage = quotas.storage_bytes.map(|bytes| (bytes as f64 / GB).to_string());
    let options = [("required", "need licences"), ("none", "need no licences")];
    let options: Vec<(String, String)> = options
        .into_iter()
        .map(|(value, text)| (value.to_owned(), text.to_owned()))
        .collect();
    let first = match licensing {
        Licensing::Required => "required",
        Licensing::None => "none",
    };
    html! {
        <>
            <Entry label="Most cameras; empty: no limit" name="cameras" kind="number" min="0" max="1000000" first={number(quotas.cameras)} />
            <Entry label="Most users; empty: no limit" name="users" kind="number" min="0" max="1000000" first={number(quotas.users)} />
            <Entry label="Most GB of stored footage; empty: no limit" name="storage" kind="number" min="0" step="any"
                hint="When it is reached, new footage stays at the nodes; nothing is deleted." first={storage.unwrap_or_default()} {error} />
            <Choice label="To be recorded, its cameras" name="licensing" {options} {first} />
        </>
    }
}

fn limits(typed: &Typed) -> (Quotas, Licensing) {
    let quotas = Quotas {
        cameras: typed.parsed("cameras"),
        users: typed.parsed("users"),
        storage_bytes: typed.parsed::<f64>("storage").map(|gb| (gb * GB) as u64),
    };
    let licensing = match typed.text("licensing").as_str() {
        "none" => Licensing::None,
        _ => Licensing::Required,
    };
    (quotas, licensing)
}
