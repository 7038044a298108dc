//! The organization's licences in numbers.

use wire::api::LicenceUsage;
use yew::prelude::*;

use crate::loaded::{Loaded, when_loaded};

#[derive(Debug, Clone, PartialEq, Properties)]
pub(super) struct UsageProps {
    pub(super) usage: Loaded<LicenceUsage>,
}

#[component]
pub(super) fn Usage(props: &UsageProps) -> Html {
    when_loaded(&props.usage, |usage| {
        html! {
            <dl class="measures" aria-label="Usage">
                { for measures(usage).into_iter().map(|(name, text)| html! {
                    <div key={name}><dt>{ name }</dt><dd>{ text }</dd></div>
                }) }
            </dl>
        }
    })
}

/// What there is always, and what there is besides.
fn measures(usage: &LicenceUsage) -> Vec<(&'static str, String)> {
    let states = &usage.by_state;
    let cameras = format!("{} of {}", usage.cameras_without_licence, usage.cameras);
    let mut list = vec![
        (
            "Assigned",
            format!("{} of {} licences", usage.assigned, usage.total),
        ),
        ("Cameras without a licence", cameras),
        ("Active", states.active.to_string()),
    ];
    let others = [
        ("In their days of grace", states.grace),
        ("Expired", states.expired),
        ("Suspended", states.suspended),
        ("Not valid yet", states.pending),
    ];
    let there = others.into_iter().filter(|(_, count)| *count > 0);
    list.extend(there.map(|(name, count)| (name, count.to_string())));
    list
}
