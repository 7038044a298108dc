//! The timeline of a day or an hour: footage, gaps, marks and the position, on a canvas.

pub mod geometry;

use geometry::{Scale, bars, reached, stretch_at};
use wasm_bindgen::prelude::*;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement};
use wire::UnixMs;
use wire::coverage::Stretch;
use yew::prelude::*;

use crate::civil;

/// Properties of [`Timeline`].
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct TimelineProps {
    /// First instant shown.
    pub start: UnixMs,
    /// First instant not shown.
    pub end: UnixMs,
    /// First instant of the day that this is of, and first instant after it: keys move inside it.
    pub day: (UnixMs, UnixMs),
    /// What there is.
    pub stretches: Vec<Stretch>,
    /// Time of the picture shown, if one is.
    pub position: Option<UnixMs>,
    /// A time is chosen.
    pub on_seek: Callback<UnixMs>,
}

/// A slider over time. Arrow keys move by 10 seconds, with Shift by a minute, Page keys by ten minutes.
#[component]
pub fn Timeline(props: &TimelineProps) -> Html {
    let canvas = use_node_ref();
    let hover = use_state_eq(|| None::<UnixMs>);
    let size = use_state_eq(|| 0_u32);
    use_resize(&size);
    {
        let canvas = canvas.clone();
        use_effect_with((props.clone(), *size), move |(props, _)| {
            if let Some(canvas) = canvas.cast::<HtmlCanvasElement>() {
                draw(&canvas, props);
            }
        });
    }
    let point = {
        let (start, end) = (props.start, props.end);
        move |event: &MouseEvent| {
            let canvas: HtmlCanvasElement = event.target()?.dyn_into().ok()?;
            let frame = canvas.get_bounding_client_rect();
            let scale = Scale {
                start_ms: start.0 as f64,
                end_ms: end.0 as f64,
                width: frame.width(),
            };
            Some((scale, scale.at(f64::from(event.client_x()) - frame.left())))
        }
    };
    let onclick = {
        let (on_seek, stretches) = (props.on_seek.clone(), props.stretches.clone());
        Callback::from(move |event: MouseEvent| {
            if let Some((scale, at)) = point(&event) {
                on_seek.emit(UnixMs(reached(&stretches, &scale, at) as i64));
            }
        })
    };
    let onmousemove = {
        let hover = hover.clone();
        Callback::from(move |event: MouseEvent| hover.set(point(&event).map(|(_, at)| UnixMs(at as i64))))
    };
    let onmouseleave = {
        let hover = hover.clone();
        Callback::from(move |_: MouseEvent| hover.set(None))
    };
    let position = props.position.unwrap_or(props.start);
    let text = if props.position.is_some() {
        civil::clock(position)
    } else {
        "no position".to_owned()
    };
    html! {
        <div class="timeline">
            <canvas ref={canvas} role="slider" tabindex="0" aria-label="Time"
                aria-valuemin={props.start.0.to_string()} aria-valuemax={props.end.0.to_string()}
                aria-valuenow={position.0.to_string()} aria-valuetext={text}
                {onclick} {onmousemove} {onmouseleave} onkeydown={keys(props)} />
            <p class="hint" aria-hidden="true">{ hint(props, *hover) }</p>
        </div>
    }
}

fn keys(props: &TimelineProps) -> Callback<KeyboardEvent> {
    let (on_seek, position) = (props.on_seek.clone(), props.position.unwrap_or(props.start));
    let (start, end) = (props.start, props.end);
    let (first, last) = (props.day.0, props.day.1.plus(-1));
    Callback::from(move |event: KeyboardEvent| {
        let step = if event.shift_key() { 60_000 } else { 10_000 };
        let to = match event.key().as_str() {
            "ArrowLeft" => position.plus(-step),
            "ArrowRight" => position.plus(step),
            "PageDown" => position.plus(-600_000),
            "PageUp" => position.plus(600_000),
            "Home" => start,
            "End" => end.plus(-1),
            _ => return,
        };
        event.prevent_default();
        on_seek.emit(to.max(first).min(last));
    })
}

fn hint(props: &TimelineProps, hover: Option<UnixMs>) -> String {
    let Some(at) = hover else {
        return "\u{a0}".to_owned();
    };
    let what = match stretch_at(&props.stretches, at.0 as f64) {
        Some(Stretch::Footage { .. }) => "footage".to_owned(),
        Some(Stretch::Gap { detail, cause, .. }) if detail.is_empty() => {
            format!("gap: {}", cause_text(*cause))
        }
        Some(Stretch::Gap { detail, .. }) => format!("gap: {detail}"),
        None => "nothing".to_owned(),
    };
    format!("{} · {what}", civil::clock(at))
}

/// A cause in the reader's words.
#[must_use]
pub const fn cause_text(cause: wire::coverage::GapCause) -> &'static str {
    use wire::coverage::GapCause;
    match cause {
        GapCause::Camera => "the camera sent nothing that could be recorded",
        GapCause::Network => "the camera could not be reached",
        GapCause::Node => "the recorder was not running",
        GapCause::Disk => "the recorder could not write",
        GapCause::Upload => "lost before it was stored",
        GapCause::Retention => "deleted by age or for space",
        GapCause::Operator => "switched off by a person",
        GapCause::Unlicensed => "no valid licence",
        GapCause::Unknown => "nobody can say",
    }
}

/// Counts changes of the window's size.
#[hook]
fn use_resize(size: &UseStateHandle<u32>) {
    let size = size.setter();
    use_effect_with((), move |()| {
        let mut count = 0;
        let listener = Closure::<dyn FnMut()>::new(move || {
            count += 1;
            size.set(count);
        });
        let window = web_sys::window();
        if let Some(window) = &window {
            let _ = window.add_event_listener_with_callback("resize", listener.as_ref().unchecked_ref());
        }
        move || {
            if let Some(window) = window {
                let _ =
                    window.remove_event_listener_with_callback("resize", listener.as_ref().unchecked_ref());
            }
        }
    });
}

fn draw(canvas: &HtmlCanvasElement, props: &TimelineProps) {
    let Some(window) = web_sys::window() else { return };
    let ratio = window.device_pixel_ratio().max(1.0);
    let (width, height) = (
        f64::from(canvas.client_width()),
        f64::from(canvas.client_height()),
    );
    canvas.set_width((width * ratio) as u32);
    canvas.set_height((height * ratio) as u32);
    let context = canvas
        .get_context("2d")
        .ok()
        .flatten()
        .and_then(|context| context.dyn_into().ok());
    let Some(context): Option<CanvasRenderingContext2d> = context else {
        return;
    };
    let style = window.get_computed_style(canvas).ok().flatten();
    let color = |name: &str| {
        let value = style
            .as_ref()
            .and_then(|style| style.get_property_value(name).ok())
            .unwrap_or_default();
        if value.is_empty() {
            "gray".to_owned()
        } else {
            value.trim().to_owned()
        }
    };
    let _ = context.scale(ratio, ratio);
    let scale = Scale {
        start_ms: props.start.0 as f64,
        end_ms: props.end.0 as f64,
        width,
    };
    let (footage, gaps) = bars(&props.stretches, &scale);
    let track = (height - 20.0).max(8.0);
    for (bars, name) in [(&footage, "--footage"), (&gaps, "--gap")] {
        context.set_fill_style_str(&color(name));
        for bar in bars {
            context.fill_rect(bar.x, 0.0, bar.width, track);
        }
    }
    context.set_fill_style_str(&color("--muted"));
    context.set_font("11px system-ui, sans-serif");
    for at in scale.marks(48.0) {
        let x = scale.x(at);
        context.fill_rect(x, track, 1.0, 4.0);
        if x + 30.0 < width {
            let label = civil::clock(UnixMs(at as i64));
            let _ = context.fill_text(label.get(..5).unwrap_or_default(), x + 3.0, height - 4.0);
        }
    }
    if let Some(position) = props.position.filter(|at| *at >= props.start && *at < props.end) {
        context.set_fill_style_str(&color("--accent"));
        context.fill_rect(scale.x(position.0 as f64) - 1.0, 0.0, 2.0, height);
    }
}
