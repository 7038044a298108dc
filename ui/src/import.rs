//! Many cameras from a file: first a dry run that shows every bad row, then all of them or none.

use player::api::{ApiError, files};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::HtmlInputElement;
use wire::api::{ImportProblem, ImportReport};
use yew::prelude::*;
use yew_router::prelude::*;

use crate::route::Route;

const EXAMPLE: &str =
    "name,url,username,password,site,tags\nDoor,rtsp://192.0.2.5/1,reader,secret,Hall,north;indoor\n";
/// So many problems are shown; a file in another format has one on each line.
const SHOWN: usize = 200;

/// How far it has come. The bytes stay the same from the dry run on, whatever becomes of the file.
#[derive(Debug, Clone, PartialEq)]
enum Step {
    Choose,
    Checking,
    Failed(String),
    Checked(JsValue, ImportReport),
    Adding,
    Added(ImportReport),
}

#[component]
pub(crate) fn Import() -> Html {
    let step = use_state_eq(|| Step::Choose);
    let name = use_state_eq(String::new);
    let onchange = {
        let (step, name) = (step.setter(), name.setter());
        Callback::from(move |event: Event| {
            let input: HtmlInputElement = event.target_unchecked_into();
            let Some(file) = input.files().and_then(|files| files.get(0)) else {
                return step.set(Step::Choose);
            };
            name.set(file.name());
            // So that the same file can be chosen again when it is mended.
            input.set_value("");
            let step = step.clone();
            step.set(Step::Checking);
            spawn_local(async move { step.set(check(&file).await.unwrap_or_else(|error| failed(&error))) });
        })
    };
    html! {
        <>
            <p class="trail"><Link<Route> to={Route::Cameras}>{ "All cameras" }</Link<Route>></p>
            <section aria-label="Import cameras">
                <h2>{ "Import cameras from a file" }</h2>
                { explanation() }
                <label class="short">
                    { "CSV file" }
                    <input type="file" accept=".csv,text/csv" {onchange} />
                </label>
                if !name.is_empty() {
                    <p><strong>{ &*name }</strong></p>
                }
                { outcome(&step) }
            </section>
        </>
    }
}

fn explanation() -> Html {
    html! {
        <details>
            <summary>{ "How the file looks" }</summary>
            <p>{ "A CSV file in UTF-8. Its first line names the columns, in any order: name and url, and if wanted username, password, site, tags (separated by semicolons), group (by name), time_zone, sub_url, transport, audio, recording, copies, node_labels, notes. At most 5 MB and 5000 rows." }</p>
            <pre tabindex="0">{ EXAMPLE }</pre>
        </details>
    }
}

fn failed(error: &ApiError) -> Step {
    Step::Failed(error.sentence())
}

async fn check(file: &web_sys::File) -> Result<Step, ApiError> {
    let bytes = JsFuture::from(file.array_buffer())
        .await
        .map_err(|_| ApiError::Unreadable)?;
    let report = files::upload("/api/v1/cameras/import?dry_run=true", "text/csv", &bytes).await?;
    Ok(Step::Checked(bytes, report))
}

async fn add(bytes: &JsValue) -> Result<Step, ApiError> {
    let report: ImportReport = files::upload("/api/v1/cameras/import", "text/csv", bytes).await?;
    Ok(if report.problems.is_empty() {
        Step::Added(report)
    } else {
        // Something changed since the dry run, such as another camera at an address.
        Step::Checked(bytes.clone(), report)
    })
}

fn outcome(step: &UseStateHandle<Step>) -> Html {
    match &**step {
        Step::Choose => {
            html! { <p class="address">{ "Nothing is added before you have seen what is in the file." }</p> }
        }
        Step::Checking => html! { <p role="status">{ "Checking the file…" }</p> },
        Step::Adding => html! { <p role="status">{ "Adding the cameras…" }</p> },
        Step::Failed(sentence) => html! { <p class="error" role="alert">{ sentence }</p> },
        Step::Added(report) => html! {
            <p role="status">
                { format!("{} added. ", cameras(report.created)) }
                <Link<Route> to={Route::Cameras}>{ "To the cameras" }</Link<Route>>
            </p>
        },
        Step::Checked(bytes, report) if report.problems.is_empty() => ready(step, bytes, report.rows),
        Step::Checked(_, report) => problems(report),
    }
}

fn cameras(count: u64) -> String {
    match count {
        1 => "1 camera".to_owned(),
        many => format!("{many} cameras"),
    }
}

fn ready(step: &UseStateHandle<Step>, bytes: &JsValue, rows: u64) -> Html {
    if rows == 0 {
        return html! { <p class="empty">{ "There is no camera in the file." }</p> };
    }
    let onclick = {
        let (step, bytes) = (step.setter(), bytes.clone());
        Callback::from(move |_: MouseEvent| {
            let (step, bytes) = (step.clone(), bytes.clone());
            step.set(Step::Adding);
            spawn_local(async move { step.set(add(&bytes).await.unwrap_or_else(|error| failed(&error))) });
        })
    };
    html! {
        <>
            <p role="status">{ format!("The file is good: {}. Those whose row does not say otherwise are recorded at once.", cameras(rows)) }</p>
            <div class="row"><button type="button" {onclick}>{ format!("Add {}", cameras(rows)) }</button></div>
        </>
    }
}

fn problems(report: &ImportReport) -> Html {
    let count = report.problems.len();
    html! {
        <>
            <p class="error" role="alert">
                { format!("Nothing is added: {count} problem(s) in {} row(s). Mend the file and choose it again.", report.rows) }
            </p>
            <table class="diff">
                <thead><tr>
                    <th scope="col" class="number">{ "Line" }</th>
                    <th scope="col">{ "Column" }</th>
                    <th scope="col">{ "What is wrong" }</th>
                </tr></thead>
                <tbody>{ for report.problems.iter().take(SHOWN).map(problem) }</tbody>
            </table>
            if count > SHOWN {
                <p class="address">{ format!("{} more.", count - SHOWN) }</p>
            }
        </>
    }
}

fn problem(problem: &ImportProblem) -> Html {
    html! {
        <tr>
            <td class="number">{ problem.line }</td>
            <td>{ problem.field.as_deref().unwrap_or_default() }</td>
            <td>{ &problem.title }</td>
        </tr>
    }
}
