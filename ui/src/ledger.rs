//! How complete the footage is, day by day: a bar for each, and what nobody can explain called out.

use player::timeline::cause_text;
use player::{api as shared, civil};
use web_sys::HtmlSelectElement;
use wire::CameraId;
use wire::api::{Camera, Completeness, CompletenessDay, CompletenessFigures, EventKind};
use yew::prelude::*;

use crate::api;
use crate::live::{About, use_news};
use crate::loaded::{staleness, use_loaded_for, when_loaded};

/// Figures follow some minutes behind.
const REFRESH_MS: u32 = 60_000;
/// What changes the figures of days that were counted.
const MATTERS: &[EventKind] = &[EventKind::LedgerUnknown, EventKind::FootageErased];
const DAY_MS: i64 = 86_400_000;
/// Days that are offered, and the ones shown at first.
const SPANS: [(i64, &str); 3] = [(7, "7 days"), (30, "30 days"), (90, "90 days")];
const SPAN_FIRST: i64 = 30;

/// What is asked about.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Asked {
    camera: Option<CameraId>,
    days: i64,
}

#[component]
pub(crate) fn Ledger() -> Html {
    let news = use_news(REFRESH_MS, About::Kinds(MATTERS));
    let camera = use_state_eq(|| None::<CameraId>);
    let days = use_state_eq(|| SPAN_FIRST);
    let asked = Asked {
        camera: *camera,
        days: *days,
    };
    let (figures, _) = use_loaded_for(asked, news, |asked: Asked| {
        let until = civil::now().plus(DAY_MS);
        let (from, to) = (
            civil::utc_day(until.plus(-asked.days * DAY_MS)),
            civil::utc_day(until),
        );
        async move { api::completeness(asked.camera, &from, &to).await }
    });
    let (cameras, _) = use_loaded_for((), 0, |()| shared::cameras());
    let cameras: Vec<Camera> = cameras.value().cloned().unwrap_or_default();
    let on_camera = {
        let camera = camera.setter();
        Callback::from(move |event: Event| {
            let value = event.target_unchecked_into::<HtmlSelectElement>().value();
            camera.set(value.parse().ok());
        })
    };
    let on_days = {
        let days = days.setter();
        Callback::from(move |event: Event| {
            let value = event.target_unchecked_into::<HtmlSelectElement>().value();
            days.set(value.parse().unwrap_or(SPAN_FIRST));
        })
    };
    html! {
        <section aria-label="Completeness">
            <div class="row between">
                <h2>{ "Completeness" }</h2>
                <div class="row">
                    <select class="short" aria-label="Camera" onchange={on_camera}>
                        <option value="" selected={camera.is_none()}>{ "All cameras" }</option>
                        { for cameras.iter().map(|one| html! {
                            <option value={one.id.to_string()} selected={Some(one.id) == *camera}>{ &one.name }</option>
                        }) }
                    </select>
                    <select class="short" aria-label="Days" onchange={on_days}>
                        { for SPANS.iter().map(|(count, label)| html! {
                            <option value={count.to_string()} selected={*count == *days}>{ *label }</option>
                        }) }
                    </select>
                </div>
            </div>
            <p class="address">{ "How much of the time in which cameras were to be recorded has footage. Days are UTC days." }</p>
            { staleness(&figures) }
            { when_loaded(&figures, found) }
        </section>
    }
}

fn found(figures: &Completeness) -> Html {
    if figures.days.is_empty() {
        return html! { <p class="empty">{ "Nothing was to be recorded in these days, or it has not been counted yet." }</p> };
    }
    html! {
        <>
            { called_out(&figures.total) }
            <table class="ledger">
                <thead><tr>
                    <th scope="col">{ "Day" }</th>
                    <th scope="col">{ "Footage" }</th>
                    <th scope="col" class="number">{ "Covered" }</th>
                    <th scope="col" class="number">{ "Unknown" }</th>
                </tr></thead>
                <tbody>{ for figures.days.iter().rev().map(day) }</tbody>
            </table>
            { legend() }
            { causes(&figures.total) }
        </>
    }
}

/// What the colours of the bars mean.
fn legend() -> Html {
    let parts = [
        ("footage", "Footage"),
        ("gap", "Explained gaps"),
        ("unknown", "Unknown"),
    ];
    html! {
        <ul class="legend" aria-label="Colours of the bars">
            { for parts.into_iter().map(|(class, name)| html! {
                <li><svg viewBox="0 0 12 12" aria-hidden="true"><rect {class} width="12" height="12" /></svg>{ name }</li>
            }) }
        </ul>
    }
}

/// The sentence above the table: what nobody explains is never in small print.
fn called_out(total: &CompletenessFigures) -> Html {
    if total.unknown_ms > 0 {
        let length = length(total.unknown_ms);
        return html! {
            <p class="error" role="alert">
                { format!("{length} unknown: there is no footage of that planned time, and nobody can say why.") }
            </p>
        };
    }
    html! { <p role="status">{ "All planned time is footage or an explained gap." }</p> }
}

fn day(day: &CompletenessDay) -> Html {
    let figures = &day.figures;
    let unknown = figures.unknown_ms > 0;
    html! {
        <tr key={day.day.clone()}>
            <th scope="row">{ &day.day }</th>
            <td>{ bar(figures) }</td>
            <td class="number">{ figures.covered_percent.map_or_else(|| "–".to_owned(), percent) }</td>
            <td class={classes!("number", unknown.then_some("error"))}>
                { if unknown { length(figures.unknown_ms) } else { "–".to_owned() } }
            </td>
        </tr>
    }
}

/// Footage, explained gaps and unknown time side by side.
fn bar(figures: &CompletenessFigures) -> Html {
    let gaps: u64 = figures.gaps_ms.values().sum();
    let [footage, gap, unknown] = widths([figures.footage_ms, gaps, figures.unknown_ms]);
    let text = format!(
        "{} of footage, {} of explained gaps, {} unknown",
        length(figures.footage_ms),
        length(gaps),
        length(figures.unknown_ms)
    );
    let piece = |class: &'static str, x: f64, width: f64| {
        html! {
            if width > 0.0 {
                <rect {class} x={format!("{x:.2}")} y="0" width={format!("{width:.2}")} height="10" />
            }
        }
    };
    html! {
        <svg class="bar-of-day" viewBox="0 0 100 10" preserveAspectRatio="none" role="img" aria-label={text}>
            { piece("footage", 0.0, footage) }
            { piece("gap", footage, gap) }
            { piece("unknown", footage + gap, unknown) }
        </svg>
    }
}

/// Widths of the parts of a whole of 100; what there is is at least one wide, like a gap on the timeline.
fn widths(parts: [u64; 3]) -> [f64; 3] {
    let all: u64 = parts.iter().sum();
    let mut widths = parts.map(|part| match part {
        0 => 0.0,
        part => (part as f64 / all as f64 * 100.0).max(1.0),
    });
    let too_much = widths.iter().sum::<f64>() - 100.0;
    let widest = if widths[0] >= widths[1].max(widths[2]) {
        0
    } else if widths[1] >= widths[2] {
        1
    } else {
        2
    };
    if all > 0 {
        widths[widest] -= too_much;
    }
    widths
}

fn causes(total: &CompletenessFigures) -> Html {
    if total.gaps_ms.is_empty() {
        return html! {};
    }
    let line = |(cause, ms): (&wire::coverage::GapCause, &u64)| {
        html! { <li>{ format!("{}: {}", length(*ms), cause_text(*cause)) }</li> }
    };
    html! {
        <div><h3>{ "Explained gaps" }</h3><ul class="windows">{ for total.gaps_ms.iter().map(line) }</ul></div>
    }
}

fn length(ms: u64) -> String {
    if ms == 0 {
        return "nothing".to_owned();
    }
    civil::duration(i64::try_from(ms).unwrap_or(i64::MAX))
}

/// Never rounded up: 99.999 is not 100.
fn percent(share: f64) -> String {
    format!("{} %", (share * 100.0).floor() / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_there_is_can_be_seen_and_nothing_is_rounded_up() {
        assert_eq!(widths([0, 0, 0]), [0.0, 0.0, 0.0]);
        assert_eq!(widths([50, 25, 25]), [50.0, 25.0, 25.0]);
        let [footage, gap, unknown] = widths([86_400_000, 0, 10]);
        assert_eq!((footage, gap, unknown), (99.0, 0.0, 1.0));
        let seen = widths([1, 86_400_000, 1]);
        assert!(seen.iter().all(|width| *width >= 1.0) && (seen.iter().sum::<f64>() - 100.0).abs() < 1e-9);
        assert_eq!(percent(99.9999), "99.99 %");
        assert_eq!(percent(100.0), "100 %");
    }
}
