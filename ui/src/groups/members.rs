//! Which cameras are in a group: a box for each.

use wire::api::{Camera, Group};
use wire::{CameraId, GroupId};
use yew::prelude::*;

use crate::api;
use crate::entry::{Tick, Ticks};
use crate::sheet::{Sheet, Typed, use_sending};

#[derive(Debug, Clone, PartialEq, Properties)]
pub(super) struct MembersProps {
    pub(super) group: Group,
    pub(super) cameras: Vec<Camera>,
    pub(super) on_done: Callback<()>,
    pub(super) on_cancel: Callback<()>,
}

#[component]
pub(super) fn Members(props: &MembersProps) -> Html {
    let sending = use_sending();
    // As they were when it was opened: boxes do not jump while somebody ticks.
    let cameras = use_state_eq(|| props.cameras.clone());
    let group = props.group.id;
    let ticks: Vec<Tick> = cameras.iter().map(|camera| tick(camera, group)).collect();
    let on_send = {
        let (sending, cameras, on_done) = (sending.clone(), cameras.clone(), props.on_done.clone());
        Callback::from(move |typed: Typed| {
            let wanted: Vec<CameraId> = typed
                .ticked("cameras")
                .iter()
                .filter_map(|id| id.parse().ok())
                .collect();
            let on_done = on_done.clone();
            sending.send(api::move_cameras(moves(&cameras, group, &wanted)), move |_| {
                on_done.emit(());
            });
        })
    };
    html! {
        <Sheet title={format!("Cameras in {}", props.group.name)} save="Save" sending={sending.clone()} {on_send}
            on_cancel={props.on_cancel.clone()}>
            if ticks.is_empty() {
                <p>{ "There are no cameras yet." }</p>
            } else {
                <p class="address">{ "A camera is in one group at most: ticked here, it leaves the one that it is in." }</p>
                <div class="scrolled" tabindex="0" role="group" aria-label="Cameras"><Ticks label="Cameras" name="cameras" {ticks} /></div>
            }
        </Sheet>
    }
}

fn tick(camera: &Camera, group: GroupId) -> Tick {
    let elsewhere = camera.group.is_some_and(|other| other != group);
    let remark = if elsewhere { " (in another group)" } else { "" };
    Tick {
        value: camera.id.to_string(),
        text: format!("{}{remark}", camera.name),
        first: camera.group == Some(group),
    }
}

/// What has to be done so that exactly these cameras are in the group.
fn moves(cameras: &[Camera], group: GroupId, wanted: &[CameraId]) -> Vec<(CameraId, Option<GroupId>)> {
    let changed = cameras.iter().filter_map(|camera| {
        let (is_in, is_wanted) = (camera.group == Some(group), wanted.contains(&camera.id));
        (is_in != is_wanted).then_some((camera.id, is_wanted.then_some(group)))
    });
    changed.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_cameras_that_come_or_go_are_moved() {
        let id = |n: u8| format!("018f0000-0000-7000-8000-00000000000{n}");
        let (here, other): (GroupId, GroupId) = (id(8).parse().unwrap(), id(9).parse().unwrap());
        let camera = |n: u8, group: Option<GroupId>| -> Camera {
            serde_json::from_value(serde_json::json!({
                "id": id(n), "name": "Yard", "url": "rtsp://10.0.0.2/1", "sub_url": null, "username": null,
                "site": "", "tags": [], "group": group, "time_zone": "UTC", "transport": "tcp", "reader": "auto",
                "audio": false, "recording": true, "segment_s": 6, "object_s": 60, "notes": "", "node": null,
                "state": null, "created": 0, "revision": 3,
            }))
            .unwrap()
        };
        let cameras = [
            camera(1, Some(here)),
            camera(2, Some(here)),
            camera(3, Some(other)),
            camera(4, None),
        ];
        let wanted = [cameras[1].id, cameras[2].id];
        assert_eq!(
            moves(&cameras, here, &wanted),
            [(cameras[0].id, None), (cameras[2].id, Some(here))]
        );
    }
}
