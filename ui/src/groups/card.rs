//! A group in the list: which cameras are in it, rename, delete.

use wire::api::{Camera, Group};
use yew::prelude::*;

use super::GroupForm;
use super::members::Members;
use crate::api;
use crate::opened::use_opened;
use crate::parts::{Confirm, action};

/// So many cameras are named; the rest are counted.
const NAMED: usize = 6;

/// What is open in the card.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Open {
    Name,
    Members,
    Deleting,
}

#[derive(Debug, Clone, PartialEq, Properties)]
pub(super) struct CardProps {
    pub(super) group: Group,
    pub(super) cameras: Vec<Camera>,
    pub(super) on_change: Callback<()>,
}

#[component]
pub(super) fn Card(props: &CardProps) -> Html {
    let group = &props.group;
    let opened = use_opened::<Open>(&props.on_change);
    let (on_done, on_cancel) = (opened.on_done(), opened.on_cancel());
    let body = match opened.now {
        None => html! {
            <div class="row">
                <button type="button" class="quiet" onclick={opened.show(Open::Members)}>{ "Choose cameras" }</button>
                <button type="button" class="quiet" onclick={opened.show(Open::Name)}>{ "Rename" }</button>
                <button type="button" class="quiet" onclick={opened.show(Open::Deleting)}>{ "Delete" }</button>
            </div>
        },
        Some(Open::Name) => html! { <GroupForm group={Some(group.clone())} {on_done} {on_cancel} /> },
        Some(Open::Members) => {
            html! { <Members group={group.clone()} cameras={props.cameras.clone()} {on_done} {on_cancel} /> }
        }
        Some(Open::Deleting) => delete(group, &on_done),
    };
    html! {
        <li class="card">
            <div class="row between">
                <strong>{ &group.name }</strong>
                <span class="address">{ counted(group.cameras) }</span>
            </div>
            if opened.now != Some(Open::Members) && group.cameras > 0 {
                <p class="address">{ named(group, &props.cameras) }</p>
            }
            { body }
        </li>
    }
}

fn counted(cameras: u64) -> String {
    match cameras {
        0 => "no cameras".to_owned(),
        1 => "1 camera".to_owned(),
        many => format!("{many} cameras"),
    }
}

fn named(group: &Group, cameras: &[Camera]) -> String {
    let inside = cameras.iter().filter(|camera| camera.group == Some(group.id));
    let names: Vec<&str> = inside.map(|camera| camera.name.as_str()).collect();
    match names.len().checked_sub(NAMED) {
        None | Some(0) => names.join(", "),
        Some(more) => format!("{} and {more} more", names[..NAMED].join(", ")),
    }
}

fn delete(group: &Group, on_done: &Callback<()>) -> Html {
    let question = format!(
        "Delete “{}”? What users were granted on it goes with it: they see its cameras no more, unless they were \
         granted them one by one. The cameras and their footage stay.",
        group.name
    );
    let group = group.clone();
    let action = Callback::from(move |()| {
        let group = group.clone();
        action(async move { api::delete_group(&group).await })
    });
    html! { <Confirm title="Delete a group" {question} yes="Delete the group" no="Keep it" {action} on_done={on_done.clone()} /> }
}
