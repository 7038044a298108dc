//! Addresses of the panel's pages, in the fragment: what a server logs names none of them.

use wire::CameraId;
use wire::access::Right;
use wire::api::Me;
use yew::prelude::*;
use yew_router::prelude::*;

/// A page.
#[derive(Debug, Clone, PartialEq, Routable)]
pub(crate) enum Route {
    #[at("/")]
    Cameras,
    #[at("/cameras/:id")]
    Camera { id: CameraId },
    #[at("/ledger")]
    Ledger,
    #[at("/nodes")]
    Nodes,
    #[at("/users")]
    Users,
    #[at("/account")]
    Account,
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
    let me = use_context::<Me>();
    let may = |right| me.as_ref().is_some_and(|me| me.rights.has(right));
    html! {
        <>
            <Link<Route> to={Route::Cameras}>{ "Cameras" }</Link<Route>>
            <Link<Route> to={Route::Ledger}>{ "Completeness" }</Link<Route>>
            if may(Right::ReadNodes) {
                <Link<Route> to={Route::Nodes}>{ "Nodes" }</Link<Route>>
            }
            if may(Right::ManageUsers) {
                <Link<Route> to={Route::Users}>{ "Users" }</Link<Route>>
            }
            <Link<Route> to={Route::Account}>{ "Account" }</Link<Route>>
            <a href="/player/">{ "Player" }</a>
            <a href="/api/docs/">{ "API" }</a>
        </>
    }
}
