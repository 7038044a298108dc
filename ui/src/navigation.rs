//! Links to the pages that the signed-in person may see, in groups: beside the page, and behind a button
//! where there is no room for that.

use wire::access::{Right, Rights};
use wire::api::Me;
use yew::prelude::*;
use yew_router::prelude::*;

use crate::route::Route;

const RECORDING: &[(Route, &str)] = &[
    (Route::Cameras, "Cameras"),
    (Route::Groups, "Groups"),
    (Route::Ledger, "Completeness"),
    (Route::Nodes, "Nodes"),
    (Route::Licences, "Licences"),
];
const PEOPLE: &[(Route, &str)] = &[
    (Route::Users, "Users"),
    (Route::Keys, "Service keys"),
    (Route::Audit, "Audit log"),
];

#[component]
pub(crate) fn Navigation() -> Html {
    let rights = use_context::<Me>().map_or(Rights::NONE, |me| me.rights);
    let is_open = use_state_eq(|| false);
    let route = use_route::<Route>();
    {
        let is_open = is_open.setter();
        use_effect_with(route.clone(), move |_| is_open.set(false));
    }
    let toggle = {
        let is_open = is_open.clone();
        Callback::from(move |_: MouseEvent| is_open.set(!*is_open))
    };
    let section = route.as_ref().map(Route::section);
    let organizations = if rights.has(Right::ManageOrganizations) {
        "Organizations"
    } else {
        "Organization"
    };
    let group =
        |title: &'static str, pages: &[(Route, &'static str)]| group(title, pages, rights, section.as_ref());
    html! {
        <nav class="side" aria-label="Pages">
            <button type="button" class="quiet menu" aria-expanded={is_open.to_string()} aria-controls="pages" onclick={toggle}>
                { "Menu" }
            </button>
            <div id="pages" class={classes!((*is_open).then_some("open"))}>
                { group("Recording", RECORDING) }
                { group("People and machines", PEOPLE) }
                { group("Here", &[(Route::Organizations, organizations), (Route::Account, "Account")]) }
                <ul aria-label="Elsewhere">
                    <li><a href="/player/">{ "Player" }</a></li>
                    <li><a href="/api/docs/">{ "API" }</a></li>
                </ul>
            </div>
        </nav>
    }
}

/// Those of the pages that one may see; without one of them, nothing.
fn group(title: &'static str, pages: &[(Route, &'static str)], rights: Rights, here: Option<&Route>) -> Html {
    let seen = |route: &Route| route.needs().is_none_or(|right| rights.has(right));
    let pages: Vec<_> = pages.iter().filter(|(route, _)| seen(route)).collect();
    if pages.is_empty() {
        return html! {};
    }
    html! {
        <>
            <p aria-hidden="true">{ title }</p>
            <ul aria-label={title}>
                { for pages.into_iter().map(|(route, text)| html! {
                    <li>
                        <a href={format!("#{}", route.to_path())} aria-current={(here == Some(route)).then_some("page")}>{ *text }</a>
                    </li>
                }) }
            </ul>
        </>
    }
}
