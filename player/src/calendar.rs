//! The month calendar: days with footage can be chosen.

use wire::api::Day as FootageDay;
use yew::prelude::*;

use crate::civil::{Day, Month};

/// Properties of [`Calendar`].
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct CalendarProps {
    /// The month shown.
    pub month: Month,
    /// The day chosen.
    pub chosen: Day,
    /// Days with footage.
    pub days: Vec<FootageDay>,
    /// Another month is asked for.
    pub on_month: Callback<Month>,
    /// A day is chosen.
    pub on_day: Callback<Day>,
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [(&str, &str); 7] = [
    ("Mo", "Monday"),
    ("Tu", "Tuesday"),
    ("We", "Wednesday"),
    ("Th", "Thursday"),
    ("Fr", "Friday"),
    ("Sa", "Saturday"),
    ("Su", "Sunday"),
];

/// A month as a table; days without footage are there but marked.
#[component]
pub fn Calendar(props: &CalendarProps) -> Html {
    let month = props.month;
    let turn = |months: i32| {
        let on_month = props.on_month.clone();
        Callback::from(move |_: MouseEvent| on_month.emit(month.plus(months)))
    };
    let cells: Vec<Option<u32>> = std::iter::repeat_n(None, month.lead() as usize)
        .chain((1..=month.length()).map(Some))
        .collect();
    let name = MONTHS[(month.month as usize + 11) % 12];
    html! {
        <section class="card calendar" aria-label="Calendar">
            <div class="row">
                <button type="button" class="quiet" onclick={turn(-1)} aria-label="Previous month">{ "‹" }</button>
                <h2 aria-live="polite">{ format!("{name} {}", month.year) }</h2>
                <button type="button" class="quiet" onclick={turn(1)} aria-label="Next month">{ "›" }</button>
            </div>
            <table>
                <thead><tr>{ for WEEKDAYS.iter().map(|(short, long)| html! { <th scope="col" abbr={*long}>{ short }</th> }) }</tr></thead>
                <tbody>
                    { for cells.chunks(7).map(|week| html! { <tr>{ for week.iter().map(|day| cell(props, *day)) }</tr> }) }
                </tbody>
            </table>
        </section>
    }
}

fn cell(props: &CalendarProps, number: Option<u32>) -> Html {
    let Some(number) = number else {
        return html! { <td></td> };
    };
    let day = Day {
        day: number,
        ..props.month.first()
    };
    let footage = props.days.iter().find(|known| known.date == day.iso());
    let label = match footage {
        Some(known) => format!(
            "{}: {} of footage",
            day.iso(),
            crate::civil::duration(known.footage_ms as i64)
        ),
        None => format!("{}: no footage", day.iso()),
    };
    let onclick = {
        let on_day = props.on_day.clone();
        Callback::from(move |_: MouseEvent| on_day.emit(day))
    };
    let class = classes!("day", footage.is_some().then_some("has-footage"));
    let pressed = if day == props.chosen { "true" } else { "false" };
    html! {
        <td>
            <button type="button" {class} {onclick} aria-label={label.clone()} title={label} aria-pressed={pressed}
                data-day={day.iso()}>{ number }</button>
        </td>
    }
}
