//! The page at `/player/`.

fn main() {
    yew::Renderer::<player::page::Page>::new().render();
}
