//! What is set for a camera: where it is, how it is recorded, by which nodes.

use wire::api::{Camera, Group};
use wire::source::Transport;
use yew::prelude::*;

use crate::api;
use crate::loaded::use_loaded_for;

#[derive(Debug, Clone, PartialEq, Properties)]
pub(crate) struct SettingsProps {
    pub(crate) camera: Camera,
}

#[component]
pub(crate) fn Settings(props: &SettingsProps) -> Html {
    // For their names: who may not know of the group is not told that there is one.
    let (groups, _) = use_loaded_for((), 0, |()| api::groups());
    let groups = groups.value().map_or(&[][..], Vec::as_slice);
    html! {
        <section aria-label="Settings">
            <h3>{ "Settings" }</h3>
            <dl class="facts">
                { for facts(&props.camera, groups).into_iter().map(|(name, text)| html! { <><dt>{ name }</dt><dd>{ text }</dd></> }) }
            </dl>
        </section>
    }
}

fn facts(camera: &Camera, groups: &[Group]) -> Vec<(&'static str, String)> {
    let or = |text: &str, other: &str| if text.is_empty() { other } else { text }.to_owned();
    let copies = if camera.copies > 1 {
        "two nodes at once"
    } else {
        "one node"
    };
    let transport = match camera.transport {
        Transport::Tcp => "TCP",
        Transport::Udp => "UDP",
    };
    let sound = if camera.audio { "with sound" } else { "no sound" };
    let group = groups.iter().find(|group| Some(group.id) == camera.group);
    vec![
        ("Address", camera.url.clone()),
        (
            "Sub stream",
            or(camera.sub_url.as_deref().unwrap_or_default(), "none"),
        ),
        ("Connection", format!("{transport}, {sound}")),
        ("Site", or(&camera.site, "none")),
        ("Time zone", camera.time_zone.clone()),
        ("Recorded by", copies.to_owned()),
        (
            "Labels of its nodes",
            or(&camera.node_labels.join(", "), "any node will do"),
        ),
        (
            "Group",
            group.map_or_else(|| "none".to_owned(), |group| group.name.clone()),
        ),
        ("Tags", or(&camera.tags.join(", "), "none")),
        (
            "Cut",
            format!(
                "segments of {} s in objects of {} s",
                camera.segment_s, camera.object_s
            ),
        ),
        ("Notes", or(&camera.notes, "none")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_set_is_said_too() {
        let camera: Camera = serde_json::from_value(serde_json::json!({
            "id": "018f0000-0000-7000-8000-000000000001", "name": "Yard", "url": "rtsp://10.0.0.2/1",
            "sub_url": null, "username": null, "site": "", "tags": [], "group": null, "time_zone": "UTC",
            "transport": "udp", "reader": "auto", "audio": true, "recording": true, "copies": 2,
            "node_labels": ["gpu", "outdoor"], "segment_s": 6, "object_s": 60, "notes": "", "node": null,
            "state": null, "created": 0, "revision": 3,
        }))
        .unwrap();
        let facts = facts(&camera, &[]);
        let said = |name| facts.iter().find(|(other, _)| *other == name).unwrap().1.as_str();
        assert_eq!(said("Sub stream"), "none");
        assert_eq!(said("Site"), "none");
        assert_eq!(said("Connection"), "UDP, with sound");
        assert_eq!(said("Recorded by"), "two nodes at once");
        assert_eq!(said("Labels of its nodes"), "gpu, outdoor");
        assert_eq!((said("Tags"), said("Notes")), ("none", "none"));
        assert_eq!(said("Cut"), "segments of 6 s in objects of 60 s");
    }
}
