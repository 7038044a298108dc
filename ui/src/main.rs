//! The admin panel at `/`.

mod account;
mod acting;
mod api;
mod audit;
mod camera;
mod cameras;
mod entry;
mod form;
mod groups;
mod import;
mod jobs;
mod keys;
mod ledger;
mod licences;
mod link;
mod live;
mod loaded;
mod navigation;
mod nodes;
mod opened;
mod organizations;
mod pages;
mod parts;
mod probe;
mod route;
mod sheet;
mod users;

use player::session::SignedIn;
use wire::api::Me;
use yew::prelude::*;
use yew_router::prelude::*;

use acting::{Anywhere, Inside, Switcher};
use navigation::Navigation;
use route::Route;

fn page(route: Route) -> Html {
    // These are for people who cannot sign in yet.
    if let Route::Invite { token } | Route::Reset { token } = route {
        return html! { <link::OneTime {token} /> };
    }
    html! {
        <SignedIn title="CloudCam" tools={html! { <Switcher /> }} side={html! { <Navigation /> }}>
            <Inside><Allowed {route} /></Inside>
        </SignedIn>
    }
}

#[derive(Debug, Clone, PartialEq, Properties)]
struct AllowedProps {
    route: Route,
}

/// The page, for who may see it.
#[component]
fn Allowed(props: &AllowedProps) -> Html {
    let me = use_context::<Me>();
    let may = |right| me.as_ref().is_some_and(|me| me.rights.has(right));
    if !props.route.needs().is_none_or(may) {
        return html! { <p class="empty">{ "You may not see this page. An administrator of your organization can." }</p> };
    }
    match props.route.clone() {
        Route::Cameras => html! { <cameras::Cameras /> },
        Route::Import => html! { <import::Import /> },
        Route::Camera { id } => html! { <camera::CameraPage key={id.to_string()} {id} /> },
        Route::Groups => html! { <groups::Groups /> },
        Route::Ledger => html! { <ledger::Ledger /> },
        Route::Nodes => html! { <nodes::Nodes /> },
        Route::Licences => html! { <licences::Licences /> },
        Route::Users => html! { <users::Users /> },
        Route::User { id } => html! { <users::UserPage key={id.to_string()} {id} /> },
        Route::Keys => html! { <keys::Keys /> },
        Route::Audit => html! { <audit::Audit /> },
        Route::Organizations => html! { <organizations::Organizations /> },
        Route::Account => html! { <account::Account /> },
        Route::Invite { .. } | Route::Reset { .. } | Route::NotFound => {
            html! { <p class="empty">{ "There is no such page." }</p> }
        }
    }
}

#[component]
fn Panel() -> Html {
    html! { <HashRouter><Anywhere><Switch<Route> render={page} /></Anywhere></HashRouter> }
}

fn main() {
    yew::Renderer::<Panel>::new().render();
}
