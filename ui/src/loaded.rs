//! What a page has asked the server for. What is there stays while the server cannot be asked: a page that
//! somebody reads or types into does not go because of one answer that failed to come.

use std::future::Future;
use std::rc::Rc;

use player::api::ApiError;
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

/// Nothing yet, or the outcome; and why it may be old.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Loaded<T> {
    outcome: Option<Result<T, String>>,
    stale: Option<String>,
}

impl<T> Default for Loaded<T> {
    fn default() -> Self {
        Self {
            outcome: None,
            stale: None,
        }
    }
}

impl<T> Loaded<T> {
    /// What is there.
    pub(crate) fn value(&self) -> Option<&T> {
        self.outcome.as_ref().and_then(|outcome| outcome.as_ref().ok())
    }

    /// With another answer to the same question.
    pub(crate) fn with(self, answer: Result<T, ApiError>) -> Self {
        match (answer, self.outcome) {
            (Err(error), Some(Ok(value))) if error.is_passing() => Self {
                outcome: Some(Ok(value)),
                stale: Some(error.sentence()),
            },
            (answer, _) => Self {
                outcome: Some(answer.map_err(|error| error.sentence())),
                stale: None,
            },
        }
    }
}

/// What was asked, and the answer.
#[derive(PartialEq)]
struct Asked<K, T> {
    key: Option<K>,
    loaded: Loaded<T>,
}

/// Answers to a question.
struct Answer<K, T>(K, Result<T, ApiError>);

impl<K: PartialEq + Clone, T: Clone> Reducible for Asked<K, T> {
    type Action = Answer<K, T>;

    fn reduce(self: Rc<Self>, Answer(key, answer): Answer<K, T>) -> Rc<Self> {
        let before = if self.key.as_ref() == Some(&key) {
            self.loaded.clone()
        } else {
            Loaded::default()
        };
        Rc::new(Self {
            key: Some(key),
            loaded: before.with(answer),
        })
    }
}

/// Loads at once, and again whenever the callback is called.
#[hook]
pub(crate) fn use_loaded<T, F, R>(load: F) -> (Loaded<T>, Callback<()>)
where
    T: PartialEq + Clone + 'static,
    F: Fn() -> R + Copy + 'static,
    R: Future<Output = Result<T, ApiError>> + 'static,
{
    use_loaded_for((), 0, move |()| load())
}

/// Loads at once, again when the question is another one or there is `news`, and whenever the callback is
/// called. What is there stays until the answer comes; the answer to an older question is dropped.
#[hook]
pub(crate) fn use_loaded_for<K, T, F, R>(key: K, news: u32, load: F) -> (Loaded<T>, Callback<()>)
where
    K: PartialEq + Clone + 'static,
    T: PartialEq + Clone + 'static,
    F: Fn(K) -> R + Copy + 'static,
    R: Future<Output = Result<T, ApiError>> + 'static,
{
    let state = use_reducer_eq(|| Asked {
        key: None::<K>,
        loaded: Loaded::default(),
    });
    let asked = use_mut_ref(|| 0_u64);
    let reload = {
        let (state, key) = (state.dispatcher(), key.clone());
        Callback::from(move |()| {
            let (state, asked, key) = (state.clone(), Rc::clone(&asked), key.clone());
            *asked.borrow_mut() += 1;
            let serial = *asked.borrow();
            spawn_local(async move {
                let answer = load(key.clone()).await;
                if *asked.borrow() == serial {
                    state.dispatch(Answer(key, answer));
                }
            });
        })
    };
    {
        let reload = reload.clone();
        use_effect_with((key, news), move |_| reload.emit(()));
    }
    (state.loaded.clone(), reload)
}

/// Shows what is loaded, or why not.
pub(crate) fn when_loaded<T>(loaded: &Loaded<T>, show: impl FnOnce(&T) -> Html) -> Html {
    match &loaded.outcome {
        None => html! { <p role="status" class="empty">{ "Loading…" }</p> },
        Some(Err(sentence)) => html! { <p class="error" role="alert">{ sentence }</p> },
        Some(Ok(value)) => show(value),
    }
}

/// Why what is shown may be old. Stands once on a page.
pub(crate) fn staleness<T>(loaded: &Loaded<T>) -> Html {
    html! {
        if let Some(sentence) = &loaded.stale {
            <p class="error" role="status">{ format!("{sentence} What is shown may be old.") }</p>
        }
    }
}

#[cfg(test)]
mod tests {
    use wire::api::Problem;

    use super::*;

    fn refused(status: u16) -> ApiError {
        ApiError::Problem(Problem {
            code: "code".to_owned(),
            status,
            title: "no".to_owned(),
            field: None,
            request_id: String::new(),
        })
    }

    #[test]
    fn what_is_there_stays_while_the_server_cannot_be_asked() {
        let first = Loaded::default().with(Ok(7));
        for passing in [
            ApiError::Unreachable,
            ApiError::Unreadable,
            refused(503),
            refused(429),
        ] {
            let sentence = passing.sentence();
            let now = first.clone().with(Err(passing));
            assert_eq!((now.value(), now.stale.as_ref()), (Some(&7), Some(&sentence)));
            let after = now.with(Ok(8));
            assert_eq!((after.value(), &after.stale), (Some(&8), &None));
        }
    }

    #[test]
    fn what_is_gone_or_was_never_there_is_not_shown() {
        let first = Loaded::default().with(Ok(7));
        for lasting in [refused(404), refused(403), ApiError::SignedOut] {
            assert_eq!(first.clone().with(Err(lasting)).value(), None);
        }
        let never = Loaded::<u8>::default().with(Err(ApiError::Unreachable));
        assert_eq!((never.value(), &never.stale), (None, &None));
    }

    #[test]
    fn another_question_has_no_old_answer() {
        let asked = Rc::new(Asked {
            key: Some(1),
            loaded: Loaded::default().with(Ok(7)),
        });
        let same = Rc::clone(&asked).reduce(Answer(1, Err(ApiError::Unreachable)));
        assert_eq!(same.loaded.value(), Some(&7));
        let other = asked.reduce(Answer(2, Err(ApiError::Unreachable)));
        assert_eq!(other.loaded.value(), None);
    }
}
