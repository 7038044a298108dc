//! The list of cameras as it is now: asked for once, then kept by the stream of facts.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use gloo_timers::callback::Interval;
use player::api::events::{self, News};
use player::api::{self, ApiError};
use player::civil;
use wasm_bindgen_futures::spawn_local;
use wire::CameraId;
use wire::api::Camera;
use yew::prelude::*;

use super::watch::{Ask, Watch};
use crate::api::camera;
use crate::loaded::Loaded;

/// So often it is looked whether something is to be asked.
const TICK_MS: u32 = 500;

/// The cameras; each by reference, so that a list of a thousand is handed on cheaply.
pub(super) type List = Vec<Rc<Camera>>;

/// What a person did that the list should show at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Did {
    /// Something to a camera.
    One(CameraId),
    /// Anything.
    Any,
}

#[derive(Debug, Clone, PartialEq, Default)]
struct State(Loaded<List>);

enum Answer {
    All(Result<Vec<Camera>, ApiError>),
    One(CameraId, Result<Rc<Camera>, ApiError>),
}

impl Reducible for State {
    type Action = Answer;

    fn reduce(self: Rc<Self>, answer: Answer) -> Rc<Self> {
        match answer {
            Answer::All(answer) => {
                let list = answer.map(|list| list.into_iter().map(Rc::new).collect());
                Rc::new(Self(self.0.clone().with(list)))
            }
            Answer::One(id, answer) => match self.0.value() {
                Some(list) => {
                    let list = with_one(list, id, answer);
                    Rc::new(Self(self.0.clone().with(Ok(list))))
                }
                None => self,
            },
        }
    }
}

fn with_one(list: &List, id: CameraId, answer: Result<Rc<Camera>, ApiError>) -> List {
    match answer {
        Ok(camera) => {
            let one = |old: &Rc<Camera>| if old.id == id { &camera } else { old }.clone();
            list.iter().map(one).collect()
        }
        // It will come with the next answer.
        Err(error) if error.is_passing() || error.is_signed_out() => list.clone(),
        // It is gone, or not for this person any more.
        Err(_) => list.iter().filter(|camera| camera.id != id).cloned().collect(),
    }
}

/// The cameras, and whom to tell what a person did.
#[hook]
pub(super) fn use_cameras() -> (Loaded<List>, Callback<Did>) {
    let state = use_reducer_eq(State::default);
    let watch = use_mut_ref(Watch::default);
    let shown = use_mut_ref(List::new);
    *shown.borrow_mut() = state.0.value().cloned().unwrap_or_default();
    let tick = use_memo((), |()| tick(state.dispatcher(), Rc::clone(&watch), shown));
    {
        let (tick, watch) = (Rc::clone(&tick), Rc::clone(&watch));
        use_effect_with((), move |()| {
            tick.emit(());
            let interval = {
                let tick = Rc::clone(&tick);
                Interval::new(TICK_MS, move || tick.emit(()))
            };
            let follower = events::follow(move |news| {
                let mut watch = watch.borrow_mut();
                match news {
                    News::Open | News::Missed => watch.opened(true),
                    News::Lost => watch.opened(false),
                    News::Fact(fact) => watch.told(&fact, civil::now().0),
                }
            });
            move || drop((interval, follower))
        });
    }
    let did = use_memo((), |()| {
        Callback::from(move |did| {
            match did {
                Did::One(id) => watch.borrow_mut().look_at(id, civil::now().0),
                Did::Any => watch.borrow_mut().all_at_once(),
            }
            tick.emit(());
        })
    });
    (state.0.clone(), (*did).clone())
}

/// Asks what is to be asked, one question at a time.
fn tick(
    state: UseReducerDispatcher<State>,
    watch: Rc<RefCell<Watch>>,
    shown: Rc<RefCell<List>>,
) -> Callback<()> {
    let is_busy = Rc::new(Cell::new(false));
    Callback::from(move |()| {
        if is_busy.get() {
            return;
        }
        let ask = watch.borrow_mut().next(civil::now().0, &shown.borrow());
        if ask == Ask::Nothing {
            return;
        }
        is_busy.set(true);
        let (state, is_busy) = (state.clone(), Rc::clone(&is_busy));
        spawn_local(async move {
            match ask {
                Ask::Nothing => {}
                Ask::All => state.dispatch(Answer::All(api::cameras().await)),
                Ask::Some(ids) => {
                    for id in ids {
                        state.dispatch(Answer::One(id, camera(id).await.map(Rc::new)));
                    }
                }
            }
            is_busy.set(false);
        });
    })
}
