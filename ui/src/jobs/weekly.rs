//! The windows of a weekly schedule in the form.

use web_sys::HtmlInputElement;
use wire::schedule::{Weekday, WeeklyWindow};
use yew::prelude::*;

use super::draft::{Draft, new_window};
use super::words;

#[derive(Clone, PartialEq, Properties)]
pub(crate) struct WeeklyProps {
    pub(crate) windows: Vec<WeeklyWindow>,
    pub(crate) draft: UseReducerDispatcher<Draft>,
}

#[component]
pub(crate) fn Weekly(props: &WeeklyProps) -> Html {
    let draft = props.draft.clone();
    let add = Callback::from(move |_: MouseEvent| {
        draft.dispatch(Box::new(|draft| draft.windows.push(new_window())));
    });
    let is_only = props.windows.len() == 1;
    let window = |(index, window): (usize, &WeeklyWindow)| {
        html! {
            <fieldset class="window">
                <legend>{ format!("Window {}", index + 1) }</legend>
                <div class="row days">{ for Weekday::ALL.into_iter().map(|day| day_box(props, index, window, day)) }</div>
                <div class="row times">
                    <label>
                        { "From" }
                        <input type="time" required=true value={window.from.clone()}
                            oninput={on_time(props, index, |window, time| window.from = time)} />
                    </label>
                    <label>
                        { "To" }
                        // Midnight at the end of a day is 00:00 of the next one: such a field knows no 24:00.
                        <input type="time" required=true value={window.to.replace("24:00", "00:00")}
                            oninput={on_time(props, index, |window, time| window.to = time)} />
                    </label>
                    if !is_only {
                        <button type="button" class="quiet" onclick={remove(props, index)}>{ "Remove this window" }</button>
                    }
                </div>
                if !window.to.is_empty() && window.to <= window.from {
                    <p class="address">{ "It ends on the next day." }</p>
                }
            </fieldset>
        }
    };
    html! {
        <>
            { for props.windows.iter().enumerate().map(window) }
            <div class="row"><button type="button" class="quiet" onclick={add}>{ "Add a window" }</button></div>
        </>
    }
}

fn day_box(props: &WeeklyProps, index: usize, window: &WeeklyWindow, day: Weekday) -> Html {
    let draft = props.draft.clone();
    let onchange = Callback::from(move |event: Event| {
        let checked = event.target_unchecked_into::<HtmlInputElement>().checked();
        draft.dispatch(Box::new(move |draft| {
            if let Some(window) = draft.windows.get_mut(index) {
                window.days.retain(|one| *one != day);
                if checked {
                    window.days.push(day);
                }
                window.days.sort_unstable();
            }
        }));
    });
    html! {
        <label class="check">
            <input type="checkbox" checked={window.days.contains(&day)} {onchange} />
            { words::day(day) }
        </label>
    }
}

fn on_time(props: &WeeklyProps, index: usize, set: fn(&mut WeeklyWindow, String)) -> Callback<InputEvent> {
    let draft = props.draft.clone();
    Callback::from(move |event: InputEvent| {
        let time = event.target_unchecked_into::<HtmlInputElement>().value();
        draft.dispatch(Box::new(move |draft| {
            if let Some(window) = draft.windows.get_mut(index) {
                set(window, time);
            }
        }));
    })
}

fn remove(props: &WeeklyProps, index: usize) -> Callback<MouseEvent> {
    let draft = props.draft.clone();
    Callback::from(move |_: MouseEvent| {
        draft.dispatch(Box::new(move |draft| {
            if draft.windows.len() > 1 && index < draft.windows.len() {
                draft.windows.remove(index);
            }
        }));
    })
}
