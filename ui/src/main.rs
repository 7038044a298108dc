//! The admin panel at `/`.

mod account;
mod api;
mod camera;
mod cameras;
mod form;
mod jobs;
mod ledger;
mod link;
mod live;
mod loaded;
mod nodes;
mod parts;
mod probe;
mod route;
mod users;

use player::session::SignedIn;
use yew::prelude::*;
use yew_router::prelude::*;

use route::{Navigation, Route};

fn page(route: Route) -> Html {
    let content = match route {
        // These are for people who cannot sign in yet.
        Route::Invite { token } | Route::Reset { token } => return html! { <link::OneTime {token} /> },
        Route::Cameras => html! { <cameras::Cameras /> },
        Route::Camera { id } => html! { <camera::CameraPage key={id.to_string()} {id} /> },
        Route::Ledger => html! { <ledger::Ledger /> },
        Route::Nodes => html! { <nodes::Nodes /> },
        Route::Users => html! { <users::Users /> },
        Route::Account => html! { <account::Account /> },
        Route::NotFound => html! { <p class="empty">{ "There is no such page." }</p> },
    };
    html! { <SignedIn title="CloudCam" nav={html! { <Navigation /> }}>{ content }</SignedIn> }
}

#[component]
fn Panel() -> Html {
    html! { <HashRouter><Switch<Route> render={page} /></HashRouter> }
}

fn main() {
    yew::Renderer::<Panel>::new().render();
}
