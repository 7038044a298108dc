//! An organization in the list: its state, how much it has of what it may have, and what is done with it.

use player::civil;
use wire::api::{Licensing, Me, Organization, OrganizationState, Quotas, Usage};
use yew::prelude::*;

use super::OrganizationForm;
use super::delete::Delete;
use crate::acting::use_acting;
use crate::api::{self, Step};
use crate::opened::{Opened, use_opened};
use crate::parts::{Confirm, Outcome, action, bytes, run};

/// What is open in the card.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Open {
    Form,
    Suspend,
    Delete,
}

#[derive(Debug, Clone, PartialEq, Properties)]
pub(super) struct CardProps {
    pub(super) organization: Organization,
    pub(super) is_owner: bool,
    pub(super) on_change: Callback<()>,
}

#[component]
pub(super) fn Card(props: &CardProps) -> Html {
    let organization = &props.organization;
    let opened = use_opened::<Open>(&props.on_change);
    let outcome = use_state_eq(Outcome::default);
    let is_here = {
        let own = use_context::<Me>().map(|me| me.organization);
        use_acting().other.or(own) == Some(organization.id)
    };
    let (on_done, on_cancel) = (opened.on_done(), opened.on_cancel());
    let body = match opened.now {
        None => {
            html! { <Buttons card={props.clone()} {is_here} opened={opened.clone()} outcome={outcome.clone()} /> }
        }
        Some(Open::Form) => html! {
            <OrganizationForm organization={Some(organization.clone())} is_owner={props.is_owner} {on_done} {on_cancel} />
        },
        Some(Open::Suspend) => suspend(organization, &on_done),
        Some(Open::Delete) => html! { <Delete organization={organization.clone()} {on_done} {on_cancel} /> },
    };
    html! {
        <li class="card">
            <div class="row between"><strong>{ &organization.name }</strong>{ state(organization) }</div>
            if let Some(at) = organization.erase_after {
                <p class="error">{ format!("Everything of it is erased {}. Until then it can be restored.", civil::moment(at)) }</p>
            }
            if let (Some(quotas), Some(usage)) = (&organization.quotas, &organization.usage) {
                <dl class="measures">{ for measures(quotas, usage).into_iter().map(measure) }</dl>
                if usage.storage_full {
                    <p class="error">{ "Its storage is full: new footage stays at the nodes." }</p>
                }
            }
            <p class="address">
                { match organization.licensing {
                    Licensing::Required => "Its cameras need licences.",
                    Licensing::None => "Its cameras need no licences.",
                } }
                if is_here { { " You work in it now." } }
            </p>
            { outcome.show() }
            { body }
        </li>
    }
}

fn state(organization: &Organization) -> Html {
    let (tone, text) = match organization.state {
        OrganizationState::Active => ("good", "active"),
        OrganizationState::Suspended => ("bad", "suspended"),
        OrganizationState::Deleting => ("bad", "being deleted"),
    };
    html! { <span class={classes!("state", tone)}>{ text }</span> }
}

/// What is measured, how much there is in words, and which part of the quota that is.
fn measures(quotas: &Quotas, usage: &Usage) -> [(&'static str, String, Option<f64>); 3] {
    let count = |has: u64, quota: Option<u32>| match quota {
        Some(quota) => (format!("{has} of {quota}"), Some(part(has, quota.into()))),
        None => (has.to_string(), None),
    };
    let (cameras, cameras_part) = count(usage.cameras, quotas.cameras);
    let (users, users_part) = count(usage.users, quotas.users);
    let (stored, stored_part) = match quotas.storage_bytes {
        Some(quota) => {
            let text = format!("{} of {}", bytes(usage.stored_bytes), bytes(quota));
            (text, Some(part(usage.stored_bytes, quota)))
        }
        None => (bytes(usage.stored_bytes), None),
    };
    [
        ("Cameras", cameras, cameras_part),
        ("Users", users, users_part),
        ("Stored footage", stored, stored_part),
    ]
}

fn part(has: u64, quota: u64) -> f64 {
    if quota == 0 {
        1.0
    } else {
        (has as f64 / quota as f64).min(1.0)
    }
}

fn measure((name, text, used): (&'static str, String, Option<f64>)) -> Html {
    html! {
        <div key={name}>
            <dt>{ name }</dt>
            <dd>
                { text }
                if let Some(used) = used {
                    <meter min="0" max="1" high="0.9" optimum="0" value={format!("{used:.3}")}
                        aria-label={format!("{name}: {:.0} % of the quota", used * 100.0)} />
                }
            </dd>
        </div>
    }
}

#[derive(Debug, Clone, PartialEq, Properties)]
struct ButtonsProps {
    card: CardProps,
    is_here: bool,
    opened: Opened<Open>,
    outcome: UseStateHandle<Outcome>,
}

#[component]
fn Buttons(props: &ButtonsProps) -> Html {
    let organization = &props.card.organization;
    let own = use_context::<Me>().map(|me| me.organization);
    let (id, state) = (organization.id, organization.state);
    let work = use_acting()
        .go
        .reform(move |_: MouseEvent| Some(id).filter(|id| Some(*id) != own));
    let step = |step| {
        let (outcome, on_change) = (props.outcome.clone(), props.card.on_change.clone());
        Callback::from(move |_: MouseEvent| {
            let on_change = on_change.clone();
            run(&outcome, api::step_organization(id, step), move |_| {
                on_change.emit(());
                Outcome::Nothing
            });
        })
    };
    if !props.card.is_owner {
        return html! {
            <div class="row"><button type="button" class="quiet" onclick={props.opened.show(Open::Form)}>{ "Rename" }</button></div>
        };
    }
    html! {
        <div class="row">
            if !props.is_here {
                <button type="button" class="quiet" onclick={work}>{ "Work in it" }</button>
            }
            if state == OrganizationState::Deleting {
                <button type="button" class="quiet" onclick={step(Step::Restore)}>{ "Restore" }</button>
            } else {
                <button type="button" class="quiet" onclick={props.opened.show(Open::Form)}>{ "Edit" }</button>
                if state == OrganizationState::Active {
                    <button type="button" class="quiet" onclick={props.opened.show(Open::Suspend)}>{ "Suspend" }</button>
                } else {
                    <button type="button" class="quiet" onclick={step(Step::Resume)}>{ "Resume" }</button>
                }
                <button type="button" class="quiet" onclick={props.opened.show(Open::Delete)}>{ "Delete" }</button>
            }
        </div>
    }
}

fn suspend(organization: &Organization, on_done: &Callback<()>) -> Html {
    let id = organization.id;
    let question = format!(
        "Suspend “{}”? Its recording stops and its people change nothing until it is resumed. They still watch what is there.",
        organization.name
    );
    html! {
        <Confirm title="Suspend an organization" {question} yes="Suspend it" no="Leave it"
            action={Callback::from(move |()| action(api::step_organization(id, Step::Suspend)))} on_done={on_done.clone()} />
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_there_is_stands_beside_what_there_may_be() {
        let quotas = Quotas {
            cameras: Some(8),
            users: None,
            storage_bytes: Some(0),
        };
        let usage = Usage {
            cameras: 2,
            users: 3,
            stored_bytes: 5_000_000_000,
            storage_full: true,
        };
        assert_eq!(
            measures(&quotas, &usage),
            [
                ("Cameras", "2 of 8".to_owned(), Some(0.25)),
                ("Users", "3".to_owned(), None),
                ("Stored footage", "5.0 GB of 0 kB".to_owned(), Some(1.0)),
            ]
        );
    }
}
