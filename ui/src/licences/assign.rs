//! Forms that give a licence to a camera, or move it to another one.

use player::api as shared;
use wire::CameraId;
use wire::api::{Camera, Licence};
use yew::prelude::*;

use crate::api;
use crate::entry::Choice;
use crate::loaded::{use_loaded_for, when_loaded};
use crate::sheet::{Sheet, Typed, use_sending_with};

#[derive(Debug, Clone, PartialEq, Properties)]
pub(crate) struct AssignProps {
    pub(crate) licence: Licence,
    pub(crate) on_done: Callback<()>,
    pub(crate) on_cancel: Callback<()>,
}

/// Offers the cameras that have no licence.
#[component]
pub(crate) fn Assign(props: &AssignProps) -> Html {
    let sending = use_sending_with(&[("camera_licensed", "camera")]);
    let (bare, _) = use_loaded_for((), 0, |()| without_licence());
    let licence = &props.licence;
    let on_send = {
        let (sending, licence, on_done) = (sending.clone(), licence.clone(), props.on_done.clone());
        Callback::from(move |typed: Typed| {
            let Some(to) = typed.parsed::<CameraId>("camera") else {
                return sending.refuse("camera", "choose a camera");
            };
            let (licence, on_done) = (licence.clone(), on_done.clone());
            let doing = async move {
                match licence.camera {
                    Some(from) => api::transfer_licence(&licence, from, to).await,
                    None => api::assign_licence(&licence, to).await,
                }
            };
            sending.send(doing, move |_| on_done.emit(()));
        })
    };
    let (title, save) = match licence.camera {
        Some(_) => (format!("Move {} to another camera", licence.name), "Move"),
        None => (format!("Assign {}", licence.name), "Assign"),
    };
    let beside: &[&str] = &["camera", "to"];
    html! {
        { when_loaded(&bare, |cameras| html! {
            <Sheet {title} {save} sending={sending.clone()} {beside} {on_send} on_cancel={props.on_cancel.clone()}>
                if licence.camera.is_some() {
                    <p>{ "The camera that has it now is recorded no more, unless it needs none." }</p>
                }
                if cameras.is_empty() {
                    <p class="address">{ "Every camera has a licence." }</p>
                }
                <Choice label="Camera without a licence" name="camera" options={options(cameras)}
                    error={sending.said_of("camera").or(sending.said_of("to"))} />
            </Sheet>
        }) }
    }
}

fn options(cameras: &[Camera]) -> Vec<(String, String)> {
    let first = (String::new(), "Choose…".to_owned());
    let each = cameras
        .iter()
        .map(|camera| (camera.id.to_string(), camera.name.clone()));
    std::iter::once(first).chain(each).collect()
}

/// Cameras that have no licence.
async fn without_licence() -> Result<Vec<Camera>, shared::ApiError> {
    let taken = api::assigned_licences().await?;
    let mut cameras = shared::cameras().await?;
    cameras.retain(|camera| !taken.iter().any(|licence| licence.camera == Some(camera.id)));
    Ok(cameras)
}
