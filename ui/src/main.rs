//! The admin panel at `/`.

mod cameras;
mod form;
mod nodes;
mod probe;

use player::session::SignedIn;
use yew::prelude::*;

#[component]
fn Panel() -> Html {
    html! {
        <SignedIn title="CloudCam" links={vec![("Player", "/player/")]}>
            <cameras::Cameras />
            <nodes::Nodes />
        </SignedIn>
    }
}

fn main() {
    yew::Renderer::<Panel>::new().render();
}
