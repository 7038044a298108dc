//! Where a user is signed in, for administrators.

use player::civil;
use wire::api::{User, UserSession};
use yew::prelude::*;

use crate::api;
use crate::loaded::{use_loaded_for, when_loaded};
use crate::parts::{Confirm, action};

#[derive(Debug, Clone, PartialEq, Properties)]
pub(super) struct SessionsOfProps {
    pub(super) user: User,
}

#[component]
pub(super) fn SessionsOf(props: &SessionsOfProps) -> Html {
    let id = props.user.id;
    // Whatever changes a user may end sessions.
    let (sessions, reload) = use_loaded_for((id, props.user.revision), 0, |(id, _)| api::sessions_of(id));
    let is_ending = use_state_eq(|| false);
    let ask = {
        let is_ending = is_ending.setter();
        Callback::from(move |_: MouseEvent| is_ending.set(true))
    };
    let on_done = {
        let is_ending = is_ending.setter();
        Callback::from(move |()| {
            is_ending.set(false);
            reload.emit(());
        })
    };
    let end = Callback::from(move |()| action(api::end_sessions_of(id)));
    html! {
        <section aria-label="Sign-ins">
            <h3>{ "Where this user is signed in" }</h3>
            { when_loaded(&sessions, |list| match list.as_slice() {
                [] => html! { <p class="empty">{ "Nowhere." }</p> },
                list => html! {
                    <>
                        <ul class="lines">{ for list.iter().map(session) }</ul>
                        if *is_ending {
                            <Confirm title="Sign a user out" yes="Sign out everywhere" no="Leave it"
                                question={format!("Sign {} out everywhere? What is being watched or typed there is lost.", props.user.login)}
                                action={end} {on_done} />
                        } else {
                            <div class="row"><button type="button" class="quiet" onclick={ask}>{ "Sign out everywhere" }</button></div>
                        }
                    </>
                },
            }) }
        </section>
    }
}

fn session(session: &UserSession) -> Html {
    let at = civil::moment;
    html! {
        <li key={session.id.to_string()}>
            <p>{ format!("{} · since {}, last used {}", session.address, at(session.created), at(session.last_used)) }</p>
            <p class="address">{ &session.agent }</p>
        </li>
    }
}
