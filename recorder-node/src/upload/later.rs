//! Objects that failed by themselves wait a growing while, so that they neither hold up the others nor are
//! tried for ever at full speed.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use wire::ObjectId;

const FIRST: Duration = Duration::from_secs(5);
const MOST: Duration = Duration::from_secs(600);

/// The objects that wait.
#[derive(Debug, Default)]
pub(super) struct Later(HashMap<ObjectId, (Instant, Duration)>);

impl Later {
    /// It failed: its wait doubles.
    pub(super) fn failed(&mut self, id: ObjectId, now: Instant) {
        let wait = self.0.get(&id).map_or(FIRST, |(_, wait)| (*wait * 2).min(MOST));
        self.0.insert(id, (now + wait, wait));
    }

    /// It is over with this one.
    pub(super) fn forget(&mut self, id: ObjectId) {
        self.0.remove(&id);
    }

    /// Those whose time has not come.
    pub(super) fn waiting(&self, now: Instant) -> impl Iterator<Item = ObjectId> {
        self.0
            .iter()
            .filter(move |(_, (until, _))| *until > now)
            .map(|(id, _)| *id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_ten_minutes() {
        let (mut later, start) = (Later::default(), Instant::now());
        let id = ObjectId::generate();
        let mut now = start;
        let mut waits = Vec::new();
        for _ in 0..10 {
            later.failed(id, now);
            assert_eq!(later.waiting(now).collect::<Vec<_>>(), [id]);
            let wait = later.0[&id].1;
            now += wait;
            assert_eq!(later.waiting(now).count(), 0);
            waits.push(wait.as_secs());
        }
        assert_eq!(waits, [5, 10, 20, 40, 80, 160, 320, 600, 600, 600]);
        later.forget(id);
        later.failed(id, now);
        assert_eq!(later.0[&id].1, FIRST);
    }
}
