//! Asks for the name before everything that is kept about a person goes for good.

use wire::api::User;
use yew::prelude::*;

use crate::api;
use crate::entry::Entry;
use crate::sheet::{Sheet, Typed, use_sending};

#[derive(Debug, Clone, PartialEq, Properties)]
pub(super) struct EraseProps {
    pub(super) user: User,
    pub(super) on_erased: Callback<()>,
    pub(super) on_cancel: Callback<()>,
}

#[component]
pub(super) fn Erase(props: &EraseProps) -> Html {
    let sending = use_sending();
    let on_send = {
        let (sending, user, on_erased) = (sending.clone(), props.user.clone(), props.on_erased.clone());
        Callback::from(move |typed: Typed| {
            if typed.text("confirm") != user.login {
                return sending.refuse("confirm", "that is not the name to sign in with");
            }
            let on_erased = on_erased.clone();
            sending.send(api::erase_user(user.id), move |()| on_erased.emit(()));
        })
    };
    let beside: &[&str] = &["confirm"];
    html! {
        <Sheet title={format!("Erase {}?", props.user.login)} save="Erase" danger=true cancel="Keep" sending={sending.clone()}
            {beside} {on_send} on_cancel={props.on_cancel.clone()}>
            <p>{ "Everything kept about this person goes for good; the audit log keeps what was done, without the name." }</p>
            <Entry label="Type the name to sign in with" name="confirm" required=true error={sending.said_of("confirm")} />
        </Sheet>
    }
}
