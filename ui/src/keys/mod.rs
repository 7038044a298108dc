//! Service keys: how machines call. A secret is shown once.

mod card;
mod form;

use wire::api::{MadeServiceKey, ServiceKey};
use yew::prelude::*;

use crate::api;
use crate::pages::use_pages;
use crate::parts::Once;
use card::Card;
use form::NewKey;

#[component]
pub(crate) fn Keys() -> Html {
    let keys = use_pages::<ServiceKey>(api::KEYS.to_owned(), 0);
    let is_adding = use_state_eq(|| false);
    let made = use_state_eq(|| None::<MadeServiceKey>);
    let set_adding = |value| {
        let is_adding = is_adding.setter();
        Callback::from(move |()| is_adding.set(value))
    };
    let on_made = {
        let (close, made, reload) = (set_adding(false), made.setter(), keys.reload.clone());
        Callback::from(move |key| {
            made.set(Some(key));
            close.emit(());
            reload.emit(());
        })
    };
    let forget = {
        let made = made.setter();
        Callback::from(move |()| made.set(None))
    };
    let card = |key: &ServiceKey| {
        html! { <Card key={key.id.to_string()} service_key={key.clone()} on_change={keys.reload.clone()} /> }
    };
    html! {
        <section aria-label="Service keys">
            <div class="row between">
                <h2>{ "Service keys" }</h2>
                if !*is_adding {
                    <button type="button" onclick={set_adding(true).reform(|_: MouseEvent| ())}>{ "Make a key" }</button>
                }
            </div>
            <p class="address">{ "With a key, a program calls the API in the name of this organization, with the rights of the key." }</p>
            if *is_adding {
                <NewKey {on_made} on_cancel={set_adding(false)} />
            }
            if let Some(made) = &*made {
                <Once label={format!("Secret of “{}”", made.key.name)} secret={made.secret.clone()} on_close={forget} />
            }
            { keys.show("There are no service keys.", |list| html! { <ul class="cards">{ for list.iter().map(card) }</ul> }) }
        </section>
    }
}
