//! Which cameras of the list are to be asked about, and when. Pure: it is told the time and asks nobody.
//!
//! A fact about a camera asks about that camera alone; when there are many, the whole list is asked for, the
//! more cameras the more rarely. A node says every five seconds how its cameras are, so that what a fact
//! announces may be seen only some seconds later: such cameras are looked at for a while.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use player::state;
use wire::CameraId;
use wire::api::{Camera, Event, EventKind};

/// Up to so many cameras are asked about one by one.
const FEW: usize = 4;
/// A camera that something was told of is looked at for so long.
const AFTERMATH_MS: i64 = 10_000;

/// Pauses between two questions: so long, and so much longer for each camera of the list.
struct Pause {
    ms: i64,
    per_camera_ms: i64,
}

/// After facts about many cameras.
const NEWS: Pause = Pause {
    ms: 1_000,
    per_camera_ms: 5,
};
/// While cameras are not yet what is planned for them, or the stream of facts is away.
const SOON: Pause = Pause {
    ms: 3_000,
    per_camera_ms: 5,
};
/// While nothing is told.
const CALM: Pause = Pause {
    ms: 15_000,
    per_camera_ms: 15,
};
/// Between two questions about few cameras.
const FEW_MS: i64 = 500;
const FEW_SOON_MS: i64 = 3_000;

/// What to ask now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ask {
    Nothing,
    Some(Vec<CameraId>),
    All,
}

/// What was told and asked so far.
#[derive(Debug, Default)]
pub(super) struct Watch {
    is_open: bool,
    is_all_due: bool,
    /// Told of since they were asked about.
    told: BTreeSet<CameraId>,
    /// Until when they are looked at.
    looked_at: BTreeMap<CameraId, i64>,
    asked_all: Option<i64>,
    asked_some: i64,
}

impl Watch {
    /// The stream of facts is open, or not; when it opens, anything may have changed meanwhile.
    pub(super) fn opened(&mut self, is_open: bool) {
        self.is_open = is_open;
        self.is_all_due |= is_open;
    }

    /// Something happened.
    pub(super) fn told(&mut self, fact: &Event, now: i64) {
        match (fact.kind, fact.camera) {
            (
                EventKind::GapOpened
                | EventKind::LedgerUnknown
                | EventKind::FootageErased
                | EventKind::NodeRefused
                | EventKind::NodeEnrolled
                | EventKind::OrganizationErased,
                _,
            ) => {}
            (EventKind::CameraCreated | EventKind::CameraDeleted, _) | (_, None) => self.is_all_due = true,
            (_, Some(camera)) => self.look_at(camera, now),
        }
    }

    /// A camera is to be asked about now and for a while.
    pub(super) fn look_at(&mut self, camera: CameraId, now: i64) {
        self.told.insert(camera);
        self.looked_at.insert(camera, now + AFTERMATH_MS);
    }

    /// The whole list is to be asked for at once, as after something that a person did.
    pub(super) fn all_at_once(&mut self) {
        self.is_all_due = true;
        self.asked_all = None;
    }

    /// What to ask now, which counts as asked.
    pub(super) fn next(&mut self, now: i64, list: &[Rc<Camera>]) -> Ask {
        self.looked_at.retain(|_, until| *until > now);
        let ask = self.due(now, list);
        match &ask {
            Ask::Nothing => {}
            Ask::Some(_) => self.asked_some = now,
            Ask::All => {
                self.asked_all = Some(now);
                self.asked_some = now;
                self.is_all_due = false;
            }
        }
        if ask != Ask::Nothing {
            self.told.clear();
        }
        ask
    }

    fn due(&self, now: i64, list: &[Rc<Camera>]) -> Ask {
        let Some(asked_all) = self.asked_all else {
            return Ask::All;
        };
        // A clock that was set back must not end all questions.
        let since = |asked: i64| if now < asked { i64::MAX } else { now - asked };
        let is_over = |pause: Pause| since(asked_all) >= pause.ms + pause.per_camera_ms * list.len() as i64;
        let mut unsettled: BTreeSet<CameraId> = self.looked_at.keys().copied().collect();
        let settling = list.iter().filter(|camera| state::is_settling(camera));
        unsettled.extend(settling.map(|camera| camera.id));
        let many_told = self.is_all_due || self.told.len() > FEW;
        let many_unsettled = !self.is_open || unsettled.len() > FEW;
        if (many_told && is_over(NEWS)) || (many_unsettled && is_over(SOON)) || is_over(CALM) {
            return Ask::All;
        }
        if !many_told && !self.told.is_empty() && since(self.asked_some) >= FEW_MS {
            return Ask::Some(self.told.iter().copied().collect());
        }
        if !many_unsettled && !unsettled.is_empty() && since(self.asked_some) >= FEW_SOON_MS {
            return Ask::Some(unsettled.into_iter().collect());
        }
        Ask::Nothing
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn id(number: usize) -> String {
        format!("018f0000-0000-7000-8000-{number:012}")
    }

    fn camera_id(number: usize) -> CameraId {
        id(number).parse().unwrap()
    }

    fn cameras(count: usize, state: &str) -> Vec<Rc<Camera>> {
        let camera = |number| {
            json!({
                "id": id(number), "name": "Yard", "url": "rtsp://10.0.0.2/1", "sub_url": null,
                "username": null, "site": "", "tags": [], "group": null, "time_zone": "UTC",
                "transport": "tcp", "reader": "auto", "audio": false, "recording": true, "segment_s": 6,
                "object_s": 60, "notes": "", "node": id(0), "node_online": true, "created": 0,
                "revision": 1, "state": { "state": state },
                "planned": { "recording": true, "reason": "switch" },
            })
        };
        let list = (1..=count).map(|number| serde_json::from_value(camera(number)).unwrap());
        list.map(Rc::new).collect()
    }

    fn fact(kind: &str, camera: Option<usize>) -> Event {
        let camera = camera.map(id);
        serde_json::from_value(json!({ "id": 1, "happened": 0, "kind": kind, "camera": camera, "data": {} }))
            .unwrap()
    }

    /// With the stream open and the list asked for at 0.
    fn calm(list: &[Rc<Camera>]) -> Watch {
        let mut watch = Watch::default();
        watch.opened(true);
        assert_eq!(watch.next(0, list), Ask::All);
        watch
    }

    /// Questions within a time, looked for twice a second.
    fn asked(watch: &mut Watch, list: &[Rc<Camera>], until: i64) -> Vec<(i64, Ask)> {
        let ticks = (500..=until).step_by(500);
        let all = ticks.map(|now| (now, watch.next(now, list)));
        all.filter(|(_, ask)| *ask != Ask::Nothing).collect()
    }

    #[test]
    fn in_calm_the_list_is_asked_for_rarely_the_more_so_the_longer_it_is() {
        let few = cameras(3, "recording");
        assert_eq!(asked(&mut calm(&few), &few, 60_000).len(), 3);
        let many = cameras(1000, "recording");
        assert_eq!(asked(&mut calm(&many), &many, 60_000).len(), 2);
    }

    #[test]
    fn without_the_stream_the_list_is_asked_for_as_before() {
        let few = cameras(3, "recording");
        let mut watch = calm(&few);
        watch.opened(false);
        let asked = asked(&mut watch, &few, 60_000);
        assert!((15..=20).contains(&asked.len()), "{asked:?}");
    }

    #[test]
    fn a_fact_asks_about_its_camera_at_once_and_for_some_seconds() {
        let list = cameras(1000, "recording");
        let mut watch = calm(&list);
        watch.told(&fact("recording.started", Some(7)), 400);
        let asked = asked(&mut watch, &list, 15_000);
        let one = Ask::Some(vec![camera_id(7)]);
        assert_eq!(asked.first(), Some(&(500, one.clone())));
        assert!(asked.iter().all(|(_, ask)| *ask == one), "{asked:?}");
        assert!((3..=5).contains(&asked.len()), "{asked:?}");
    }

    #[test]
    fn a_storm_of_facts_makes_few_questions() {
        let list = cameras(1000, "recording");
        let mut watch = calm(&list);
        let mut questions = 0;
        for now in (500..60_000).step_by(500) {
            for camera in 1..=50 {
                watch.told(&fact("recording.ended", Some(camera)), now);
            }
            questions += usize::from(watch.next(now, &list) != Ask::Nothing);
        }
        assert!((8..=10).contains(&questions), "{questions}");
        // A thousand cameras that are about to record are no storm either.
        let list = cameras(1000, "connecting");
        let asked = asked(&mut calm(&list), &list, 60_000);
        assert!(
            asked.len() <= 8 && asked.iter().all(|(_, ask)| *ask == Ask::All),
            "{asked:?}"
        );
    }

    #[test]
    fn facts_that_may_concern_any_camera_ask_for_the_list_and_others_for_nothing() {
        let list = cameras(3, "recording");
        for kind in [
            "camera.created",
            "camera.deleted",
            "node.offline",
            "organization.changed",
        ] {
            let mut watch = calm(&list);
            watch.told(&fact(kind, None), 100);
            assert_eq!(asked(&mut watch, &list, 3_000), [(1500, Ask::All)], "{kind}");
        }
        let mut watch = calm(&list);
        watch.told(&fact("gap.opened", Some(1)), 100);
        watch.told(&fact("node.refused", None), 100);
        assert_eq!(asked(&mut watch, &list, 3_000), []);
    }

    #[test]
    fn what_a_person_did_is_seen_at_once() {
        let list = cameras(1000, "recording");
        let mut watch = calm(&list);
        watch.all_at_once();
        assert_eq!(watch.next(1, &list), Ask::All);
        // And a clock that is set back by an hour ends nothing.
        assert_eq!(watch.next(-3_600_000, &list), Ask::All);
    }
}
