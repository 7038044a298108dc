//! When a page asks again: as soon as the stream of facts tells of something, and now and then all the same,
//! because not everything that is shown is a fact.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use gloo_timers::callback::{Interval, Timeout};
use player::api::events::{self, News};
use yew::prelude::*;

/// Facts that come together are asked about together.
const TOGETHER_MS: u32 = 200;
/// While the stream is open, only one question in so many is asked by the clock alone.
const RARELY: u32 = 4;

/// A number that grows whenever a page should ask again: by the stream, or after `poll_ms` without it.
#[hook]
pub(crate) fn use_news(poll_ms: u32) -> u32 {
    let news = use_reducer_eq(Count::default);
    let grow = news.dispatcher();
    use_effect_with(poll_ms, move |poll_ms| {
        let is_open = Rc::new(Cell::new(false));
        let pending = Rc::new(RefCell::new(None::<Timeout>));
        let interval = {
            let (is_open, grow, ticks) = (Rc::clone(&is_open), grow.clone(), Cell::new(0));
            Interval::new(*poll_ms, move || {
                ticks.set(ticks.get() + 1);
                if !is_open.get() || ticks.get() % RARELY == 0 {
                    grow.dispatch(());
                }
            })
        };
        let follower = {
            let pending = Rc::clone(&pending);
            events::follow(move |news| {
                is_open.set(news != News::Lost);
                if news == News::Lost || pending.borrow().is_some() {
                    return;
                }
                let (grow, done) = (grow.clone(), Rc::clone(&pending));
                let timeout = Timeout::new(TOGETHER_MS, move || {
                    // Forgotten, not cancelled: it is running.
                    if let Some(timeout) = done.borrow_mut().take() {
                        let _ = timeout.forget();
                    }
                    grow.dispatch(());
                });
                *pending.borrow_mut() = Some(timeout);
            })
        };
        move || {
            drop(interval);
            drop(follower);
            drop(pending.borrow_mut().take());
        }
    });
    news.0
}

#[derive(Debug, Default, PartialEq)]
struct Count(u32);

impl Reducible for Count {
    type Action = ();

    fn reduce(self: Rc<Self>, (): ()) -> Rc<Self> {
        Rc::new(Self(self.0.wrapping_add(1)))
    }
}
