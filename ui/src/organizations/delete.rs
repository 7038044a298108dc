//! Asks for the name before an organization is deleted.

use wire::api::Organization;
use yew::prelude::*;

use crate::api;
use crate::entry::Entry;
use crate::sheet::{Sheet, Typed, use_sending};

#[derive(Debug, Clone, PartialEq, Properties)]
pub(super) struct DeleteProps {
    pub(super) organization: Organization,
    pub(super) on_done: Callback<()>,
    pub(super) on_cancel: Callback<()>,
}

#[component]
pub(super) fn Delete(props: &DeleteProps) -> Html {
    let sending = use_sending();
    let organization = use_state_eq(|| props.organization.clone());
    let on_send = {
        let (sending, organization, on_done) = (sending.clone(), organization.clone(), props.on_done.clone());
        Callback::from(move |typed: Typed| {
            let (days, name) = (typed.text("grace_days"), typed.text("confirm"));
            let (organization, on_done) = ((*organization).clone(), on_done.clone());
            let doing = async move { api::delete_organization(&organization, &days, &name).await };
            sending.send(doing, move |_| on_done.emit(()));
        })
    };
    let beside: &[&str] = &["grace_days", "confirm"];
    html! {
        <Sheet title={format!("Delete {}?", organization.name)} save="Delete the organization" danger=true cancel="Keep it"
            sending={sending.clone()} {beside} {on_send} on_cancel={props.on_cancel.clone()}>
            <p>{ "Its recording, sign-ins and keys stop at once. When the days of grace are over, everything is erased: cameras, users, footage. Until then it can be restored." }</p>
            <Entry label="Days of grace" name="grace_days" kind="number" min="0" max="365" required=true first="30"
                hint="With 0 it cannot be taken back." error={sending.said_of("grace_days")} />
            <Entry label="Type the exact name of the organization" name="confirm" required=true error={sending.said_of("confirm")} />
        </Sheet>
    }
}
