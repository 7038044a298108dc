//! Lists that may be long: the beginning is there at once, more when it is asked for.

use player::api::{self as shared, Beginning};
use serde::de::DeserializeOwned;
use yew::prelude::*;

use crate::loaded::{Loaded, staleness, use_loaded_for, when_loaded};

/// So many are there at first, and so many more each time.
const STEP: usize = 50;

/// The beginning of a list.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pages<T> {
    loaded: Loaded<Beginning<T>>,
    more: Callback<()>,
    /// Asks again for as much as is shown.
    pub(crate) reload: Callback<()>,
}

/// Loads the beginning of the list at an address, which may have a query; again when there is news.
#[hook]
pub(crate) fn use_pages<T>(path: String, news: u32) -> Pages<T>
where
    T: DeserializeOwned + PartialEq + Clone + 'static,
{
    // Of another list the beginning is shown again.
    let wanted = use_state_eq(|| (path.clone(), STEP));
    let count = if wanted.0 == path { wanted.1 } else { STEP };
    let (loaded, reload) = use_loaded_for((path.clone(), count), news, |(path, count)| async move {
        shared::some::<T>(&path, count).await
    });
    let more = {
        let wanted = wanted.setter();
        Callback::from(move |()| wanted.set((path.clone(), count + STEP)))
    };
    Pages { loaded, more, reload }
}

impl<T> Pages<T> {
    /// The list, what stands instead of an empty one, and how to see more.
    pub(crate) fn show(&self, empty: &'static str, list: impl FnOnce(&[T]) -> Html) -> Html {
        let more = self.more.reform(|_: MouseEvent| ());
        html! {
            <>
                { staleness(&self.loaded) }
                { when_loaded(&self.loaded, |beginning| match beginning.items.as_slice() {
                    [] => html! { <p class="empty">{ empty }</p> },
                    items => html! {
                        <>
                            { list(items) }
                            if beginning.has_more {
                                <div class="row more">
                                    <button type="button" class="quiet" onclick={more}>{ "Show more" }</button>
                                    <span class="address">{ format!("{} are shown.", items.len()) }</span>
                                </div>
                            }
                        </>
                    },
                }) }
            </>
        }
    }
}
