//! What is open in a card of a list: nothing but its buttons, or one of its forms and questions.

use yew::prelude::*;

/// What is open, and how that changes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Opened<T: Copy + PartialEq + 'static> {
    pub(crate) now: Option<T>,
    set: UseStateSetter<Option<T>>,
    on_change: Callback<()>,
}

/// Begins with nothing open; `on_change` hears of what was done.
#[hook]
pub(crate) fn use_opened<T: Copy + PartialEq + 'static>(on_change: &Callback<()>) -> Opened<T> {
    let now = use_state_eq(|| None);
    Opened {
        now: *now,
        set: now.setter(),
        on_change: on_change.clone(),
    }
}

impl<T: Copy + PartialEq + 'static> Opened<T> {
    /// Of a button that opens something.
    pub(crate) fn show(&self, next: T) -> Callback<MouseEvent> {
        let set = self.set.clone();
        Callback::from(move |_: MouseEvent| set.set(Some(next)))
    }

    /// Closes what is open.
    pub(crate) fn on_cancel(&self) -> Callback<()> {
        let set = self.set.clone();
        Callback::from(move |()| set.set(None))
    }

    /// Closes what is open, which did something.
    pub(crate) fn on_done(&self) -> Callback<()> {
        let on_change = self.on_change.clone();
        let close = self.on_cancel();
        Callback::from(move |()| {
            close.emit(());
            on_change.emit(());
        })
    }
}
