//! Addresses of the panel's pages, in the fragment: what a server logs names none of them.

use yew::prelude::*;
use yew_router::prelude::*;

/// A page.
#[derive(Debug, Clone, PartialEq, Routable)]
pub(crate) enum Route {
    #[at("/")]
    Cameras,
    #[at("/invite/:token")]
    Invite { token: String },
    #[at("/reset/:token")]
    Reset { token: String },
    #[not_found]
    #[at("/404")]
    NotFound,
}

/// Links to the pages that the signed-in person may see.
#[component]
pub(crate) fn Navigation() -> Html {
    html! {
        <>
            <Link<Route> to={Route::Cameras}>{ "Cameras" }</Link<Route>>
            <a href="/player/">{ "Player" }</a>
        </>
    }
}
