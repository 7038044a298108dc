//! The form that invites somebody; the link to hand over is shown once.

use wire::access::Role;
use wire::api::{Me, NewUser, User};
use yew::prelude::*;

use super::{role_named, role_value, roles};
use crate::api;
use crate::entry::{Choice, Entry};
use crate::sheet::{Sheet, Typed, use_sending_with};

#[derive(Debug, Clone, PartialEq, Properties)]
pub(super) struct InviteProps {
    /// Who is invited, and the link.
    pub(super) on_invited: Callback<(User, String)>,
    pub(super) on_cancel: Callback<()>,
}

#[component]
pub(super) fn Invite(props: &InviteProps) -> Html {
    let sending = use_sending_with(&[("login_taken", "login"), ("role_not_here", "role")]);
    let own = use_context::<Me>().map_or(Role::OrgUser, |me| me.role);
    let options: Vec<(String, String)> = roles(own)
        .map(|(_, value, text)| ((*value).to_owned(), (*text).to_owned()))
        .collect();
    let on_send = {
        let (sending, on_invited) = (sending.clone(), props.on_invited.clone());
        Callback::from(move |typed: Typed| {
            let new = NewUser {
                login: typed.text("login"),
                name: typed.text("name"),
                role: role_named(&typed.text("role")),
            };
            let on_invited = on_invited.clone();
            sending.send(async move { api::invite(&new).await }, move |made| {
                on_invited.emit((made.user, made.invitation.link));
            });
        })
    };
    let beside: &[&str] = &["login", "name", "role"];
    html! {
        <Sheet title="Invite a user" save="Invite" sending={sending.clone()} {beside} {on_send} on_cancel={props.on_cancel.clone()}>
            <Entry label="E-mail address or name to sign in with" name="login" required=true maxlength="254"
                error={sending.said_of("login")} />
            <Entry label="Name of the person" name="name" maxlength="100" error={sending.said_of("name")} />
            <Choice label="Role" name="role" {options} first={role_value(Role::OrgUser)} error={sending.said_of("role")} />
        </Sheet>
    }
}
