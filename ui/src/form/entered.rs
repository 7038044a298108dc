//! What was typed into the form of a camera, and what is asked of the server with it. It touches no page.

use wire::GroupId;
use wire::api::{Camera, CameraPatch, NewCamera, ProbeCamera};
use wire::source::{Reader, Transport};

use crate::parts::list;

/// The fields as texts.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entered {
    pub(super) name: String,
    pub(super) url: String,
    pub(super) sub_url: String,
    pub(super) username: String,
    pub(super) password: String,
    pub(super) site: String,
    pub(super) time_zone: String,
    pub(super) node_labels: String,
    pub(super) copies: u8,
    pub(super) transport: Transport,
    pub(super) audio: bool,
    pub(super) tags: String,
    /// The group's id, or nothing for none; none while it could not be chosen.
    pub(super) group: Option<String>,
    pub(super) segment_s: String,
    pub(super) object_s: String,
    pub(super) notes: String,
}

/// Nothing where nothing was typed.
fn filled(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// A number of seconds that was typed; the server refuses what is too short or too long.
fn seconds(text: &str) -> Option<u32> {
    text.trim().parse().ok()
}

impl Entered {
    pub(super) fn new_camera(&self, allow_duplicate: bool) -> NewCamera {
        let usual = NewCamera::default();
        NewCamera {
            name: self.name.clone(),
            url: self.url.clone(),
            sub_url: filled(&self.sub_url),
            username: filled(&self.username),
            password: self.password(),
            site: self.site.clone(),
            time_zone: filled(&self.time_zone).unwrap_or_else(|| "UTC".to_owned()),
            transport: self.transport,
            reader: Reader::Auto,
            audio: self.audio,
            recording: true,
            copies: self.copies,
            node_labels: list(&self.node_labels),
            tags: list(&self.tags),
            group: self.group().flatten(),
            segment_s: seconds(&self.segment_s).unwrap_or(usual.segment_s),
            object_s: seconds(&self.object_s).unwrap_or(usual.object_s),
            notes: self.notes.trim().to_owned(),
            allow_duplicate,
        }
    }

    /// Only what differs from what is saved: what others change meanwhile stays.
    pub(super) fn patch(&self, camera: &Camera, allow_duplicate: bool) -> CameraPatch {
        let changed = |new: &str, old: &str| (new.trim() != old).then(|| new.trim().to_owned());
        // An empty field takes away what can be missing.
        let cleared =
            |new: &str, old: Option<&str>| changed(new, old.unwrap_or_default()).map(|text| filled(&text));
        let (labels, tags) = (list(&self.node_labels), list(&self.tags));
        let length = |typed: &str, old: u32| seconds(typed).filter(|new| *new != old);
        CameraPatch {
            name: changed(&self.name, &camera.name),
            url: changed(&self.url, &camera.url),
            sub_url: cleared(&self.sub_url, camera.sub_url.as_deref()),
            username: cleared(&self.username, camera.username.as_deref()),
            password: self.password(),
            site: cleared(&self.site, Some(&camera.site)),
            time_zone: changed(&self.time_zone, &camera.time_zone),
            transport: (self.transport != camera.transport).then_some(self.transport),
            audio: (self.audio != camera.audio).then_some(self.audio),
            copies: (self.copies != camera.copies).then_some(self.copies),
            node_labels: (labels != camera.node_labels).then(|| (!labels.is_empty()).then_some(labels)),
            tags: (tags != camera.tags).then(|| (!tags.is_empty()).then_some(tags)),
            group: self.group().filter(|group| *group != camera.group),
            segment_s: length(&self.segment_s, camera.segment_s),
            object_s: length(&self.object_s, camera.object_s),
            notes: cleared(&self.notes, Some(&camera.notes)),
            allow_duplicate,
            ..CameraPatch::default()
        }
    }

    pub(super) fn probe(&self) -> ProbeCamera {
        ProbeCamera {
            url: self.url.clone(),
            username: filled(&self.username),
            password: self.password(),
            transport: self.transport,
            reader: Reader::Auto,
        }
    }

    /// The group that was chosen, or that there is none; nothing when there was no choice.
    fn group(&self) -> Option<Option<GroupId>> {
        self.group.as_ref().map(|id| id.parse().ok())
    }

    /// As it was typed: a password may begin or end with a blank.
    fn password(&self) -> Option<String> {
        (!self.password.is_empty()).then(|| self.password.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saved() -> Camera {
        serde_json::from_value(serde_json::json!({
            "id": "018f0000-0000-7000-8000-000000000001", "name": "Yard", "url": "rtsp://10.0.0.2/1",
            "sub_url": "rtsp://10.0.0.2/2", "username": "reader", "site": "North", "tags": [], "group": null,
            "time_zone": "Europe/Berlin", "transport": "tcp", "reader": "auto", "audio": false,
            "recording": true, "copies": 2, "node_labels": ["gpu", "outdoor"], "segment_s": 6, "object_s": 60,
            "notes": "", "node": null, "state": null, "created": 0, "revision": 3,
        }))
        .unwrap()
    }

    fn unchanged(camera: &Camera) -> Entered {
        Entered {
            name: camera.name.clone(),
            url: camera.url.clone(),
            sub_url: camera.sub_url.clone().unwrap_or_default(),
            username: camera.username.clone().unwrap_or_default(),
            password: String::new(),
            site: camera.site.clone(),
            time_zone: camera.time_zone.clone(),
            node_labels: camera.node_labels.join(", "),
            copies: camera.copies,
            transport: camera.transport,
            audio: camera.audio,
            tags: camera.tags.join(", "),
            group: Some(String::new()),
            segment_s: camera.segment_s.to_string(),
            object_s: camera.object_s.to_string(),
            notes: camera.notes.clone(),
        }
    }

    #[test]
    fn only_what_was_changed_is_sent() {
        let camera = saved();
        assert_eq!(unchanged(&camera).patch(&camera, false), CameraPatch::default());
        let entered = Entered {
            copies: 1,
            site: "Harbour ".to_owned(),
            ..unchanged(&camera)
        };
        let expected = CameraPatch {
            copies: Some(1),
            site: Some(Some("Harbour".to_owned())),
            ..CameraPatch::default()
        };
        assert_eq!(entered.patch(&camera, false), expected);
    }

    #[test]
    fn what_could_not_be_chosen_stays() {
        let group = "018f0000-0000-7000-8000-000000000009";
        let camera = Camera {
            group: group.parse().ok(),
            tags: vec!["north".to_owned()],
            notes: "Loose".to_owned(),
            ..saved()
        };
        let entered = |group: Option<&str>| Entered {
            group: group.map(str::to_owned),
            ..unchanged(&camera)
        };
        assert_eq!(entered(None).patch(&camera, false), CameraPatch::default());
        assert_eq!(entered(Some(group)).patch(&camera, false), CameraPatch::default());
        let patch = Entered {
            tags: String::new(),
            notes: " ".to_owned(),
            segment_s: "4".to_owned(),
            ..entered(Some(""))
        }
        .patch(&camera, false);
        assert_eq!(
            (patch.group, patch.tags, patch.notes),
            (Some(None), Some(None), Some(None))
        );
        assert_eq!((patch.segment_s, patch.object_s), (Some(4), None));
    }

    #[test]
    fn what_was_emptied_is_cleared() {
        let camera = saved();
        let entered = Entered {
            sub_url: String::new(),
            username: String::new(),
            site: "  ".to_owned(),
            node_labels: " , ".to_owned(),
            ..unchanged(&camera)
        };
        let patch = entered.patch(&camera, false);
        assert_eq!(patch.sub_url, Some(None));
        assert_eq!(patch.username, Some(None));
        assert_eq!(patch.site, Some(None));
        assert_eq!(patch.node_labels, Some(None));
        assert_eq!(patch.time_zone, None);
    }

    #[test]
    fn a_new_camera_has_what_was_typed_and_nothing_empty() {
        let entered = Entered {
            sub_url: " ".to_owned(),
            username: String::new(),
            time_zone: String::new(),
            node_labels: "gpu,,outdoor ".to_owned(),
            ..unchanged(&saved())
        };
        let new = entered.new_camera(true);
        assert_eq!((new.sub_url, new.username, new.password), (None, None, None));
        assert_eq!(new.time_zone, "UTC");
        assert_eq!(new.node_labels, ["gpu", "outdoor"]);
        assert_eq!((new.copies, new.allow_duplicate), (2, true));
    }
}
