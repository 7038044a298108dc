//! Why a camera is recorded at an instant, or why it is not.

use wire::coverage::GapCause;
use wire::{JobId, UnixMs};

use super::wanted::{ENDLESS, OverrideKind, PlanOverride, Wish};
use crate::domain::licence::Permit;

/// What a camera does at an instant, as planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Situation {
    /// Recorded, by its switch.
    Switch,
    /// Recorded, by a job.
    Job(JobId),
    /// Recorded, because somebody said so.
    Asked,
    /// Not: nothing asks for it.
    Idle,
    /// Not: somebody paused it.
    Paused,
    /// Not: no licence permits it.
    Unlicensed,
    /// Not: its organization is suspended, or being deleted.
    Suspended,
    /// Not: no node has it.
    NoNode,
}

/// A situation, and until when it stays so if nobody changes anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Why {
    /// What is so.
    pub situation: Situation,
    /// First instant after; none when it goes on, or when nobody knows.
    pub until: Option<UnixMs>,
}

/// What is planned at `now`.
#[must_use]
pub fn why(wish: &Wish, permit: Permit, denied: GapCause, has_node: bool, now: UnixMs) -> Why {
    let because = |situation, until: Option<UnixMs>| Why {
        situation,
        until: until.filter(|until| *until < ENDLESS),
    };
    let said: Option<&PlanOverride> = wish.overrides.iter().rfind(|one| one.covers(now));
    let mut open = None;
    let mut next = None;
    for stream in wish.streams() {
        let regular = wish.regular(*stream, now);
        let due = wish.due(*stream, &regular);
        let begun = due.iter().find(|range| range.contains(now)).map(|range| {
            let base = regular.iter().find(|one| one.range.contains(now));
            (range.end(), base.map(|base| base.job))
        });
        open = open.or(begun);
        let later = due
            .iter()
            .map(wire::TimeRange::start)
            .filter(|start| *start > now);
        next = later.chain(next).min();
    }
    if !permit.at(now) && denied == GapCause::Operator {
        return because(Situation::Suspended, None);
    }
    let Some((end, base)) = open else {
        let paused = said.filter(|one| one.kind == OverrideKind::Pause);
        return match paused {
            Some(pause) => because(Situation::Paused, pause.end),
            None => because(Situation::Idle, next),
        };
    };
    if !permit.at(now) {
        return because(Situation::Unlicensed, permit.next_change(now));
    }
    let end = permit.next_change(now).map_or(end, |ends| ends.min(end));
    // Who asks for a recording while it is paused is why there is one, whatever would be recorded otherwise.
    let is_paused = || {
        wish.overrides
            .iter()
            .any(|one| one.kind == OverrideKind::Pause && one.covers(now))
    };
    let situation = match (base, said) {
        _ if !has_node => return because(Situation::NoNode, None),
        (Some(_), Some(said)) if said.kind == OverrideKind::Record && is_paused() => Situation::Asked,
        (Some(Some(job)), _) => Situation::Job(job),
        (Some(None), _) => Situation::Switch,
        (None, _) => Situation::Asked,
    };
    because(situation, Some(end))
}
