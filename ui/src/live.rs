//! When a page asks again: as soon as the stream of facts tells of what it shows, and now and then all the
//! same, because not everything that is shown is a fact.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use gloo_timers::callback::{Interval, Timeout};
use player::api::events::{self, News};
use player::civil;
use wire::CameraId;
use wire::api::{Event, EventKind};
use yew::prelude::*;

/// Facts that come together are asked about together.
const TOGETHER_MS: i64 = 200;
/// However many facts there are, a page asks about them once in so long.
const APART_MS: i64 = 1_500;
/// While the stream is open, only one question in so many is asked by the clock alone.
const RARELY: u32 = 4;

/// Which facts matter to a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum About {
    /// Those of one camera, and those that may concern any.
    Camera(CameraId),
    /// Those of these kinds.
    Kinds(&'static [EventKind]),
}

impl About {
    fn covers(self, fact: &Event) -> bool {
        match self {
            Self::Camera(id) => fact.camera.is_none_or(|camera| camera == id),
            Self::Kinds(kinds) => kinds.contains(&fact.kind),
        }
    }
}

/// A number that grows whenever a page should ask again: by the stream, or after `poll_ms` without it.
#[hook]
pub(crate) fn use_news(poll_ms: u32, about: About) -> u32 {
    let news = use_reducer_eq(Count::default);
    let grow = news.dispatcher();
    use_effect_with((poll_ms, about), move |(poll_ms, about)| {
        let about = *about;
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
            let (pending, asked) = (Rc::clone(&pending), Rc::new(Cell::new(0)));
            events::follow(move |news| {
                is_open.set(news != News::Lost);
                let matters = match &news {
                    News::Lost => false,
                    News::Open | News::Missed => true,
                    News::Fact(fact) => about.covers(fact),
                };
                if !matters || pending.borrow().is_some() {
                    return;
                }
                let (grow, done, asked_at) = (grow.clone(), Rc::clone(&pending), Rc::clone(&asked));
                let timeout = Timeout::new(wait_ms(asked.get(), civil::now().0), move || {
                    // Forgotten, not cancelled: it is running.
                    if let Some(timeout) = done.borrow_mut().take() {
                        let _ = timeout.forget();
                    }
                    asked_at.set(civil::now().0);
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

/// How long to gather facts before asking, when the last question was asked then.
fn wait_ms(asked: i64, now: i64) -> u32 {
    let due = asked.saturating_add(APART_MS).saturating_sub(now);
    // A clock that was set back must not keep a page waiting.
    due.clamp(TOGETHER_MS, APART_MS) as u32
}

#[derive(Debug, Default, PartialEq)]
struct Count(u32);

impl Reducible for Count {
    type Action = ();

    fn reduce(self: Rc<Self>, (): ()) -> Rc<Self> {
        Rc::new(Self(self.0.wrapping_add(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_question_is_asked_at_once_and_many_facts_make_few() {
        assert_eq!(wait_ms(0, 1_000_000), 200);
        assert_eq!(wait_ms(1_000_000, 1_000_100), 1400);
        assert_eq!(wait_ms(1_000_000, 1_001_450), 200);
        assert_eq!(wait_ms(1_000_000, 0), 1500);
    }

    #[test]
    fn only_what_is_shown_is_asked_about() {
        let fact = |kind: &str, camera: Option<&str>| -> Event {
            serde_json::from_value(serde_json::json!({
                "id": 1, "happened": 0, "kind": kind, "camera": camera, "data": {},
            }))
            .unwrap()
        };
        let (own, other) = (
            "018f0000-0000-7000-8000-000000000001",
            "018f0000-0000-7000-8000-000000000002",
        );
        let about = About::Camera(own.parse().unwrap());
        assert!(about.covers(&fact("recording.started", Some(own))));
        assert!(about.covers(&fact("licence.changed", None)));
        assert!(!about.covers(&fact("recording.started", Some(other))));
        let about = About::Kinds(&[EventKind::LedgerUnknown]);
        assert!(about.covers(&fact("ledger.unknown", Some(other))));
        assert!(!about.covers(&fact("gap.opened", Some(own))));
    }
}
