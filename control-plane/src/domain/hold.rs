//! Time in which a camera is to be recorded and may not be: the ledger shows it as a gap with its cause.
//!
//! A hold begins where the node's permission ended, which may be before anybody looked, and ends where its
//! next window begins. It lasts however often windows open and close meanwhile: the ledger shows what of it
//! was planned. Pure: the planner brings what it knows, and keeps what comes out in its transaction.

use wire::coverage::GapCause;
use wire::plan::{Plan, PlanEntry};
use wire::{CameraId, OrganizationId, TimeRange, UnixMs};

use super::plan::PlanCamera;

/// A hold that has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenHold {
    /// The camera that is held back.
    pub camera: CameraId,
    /// Why.
    pub cause: GapCause,
    /// Since when.
    pub start: UnixMs,
}

/// What is to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// A hold begins.
    Open {
        /// Whose camera it is.
        organization: OrganizationId,
        /// The hold.
        hold: OpenHold,
    },
    /// A hold is over.
    Close {
        /// The hold.
        hold: OpenHold,
        /// First instant after it.
        end: UnixMs,
    },
}

/// Brings holds in line with what cameras may do at `now`. `kept` are the plans before the decision,
/// `planned` those after it.
#[must_use]
pub fn changes(
    cameras: &[PlanCamera],
    open: &[OpenHold],
    kept: &[Plan],
    planned: &[Plan],
    now: UnixMs,
) -> Vec<Change> {
    let mut changes = Vec::new();
    for hold in open {
        let camera = cameras.iter().find(|camera| camera.place.id == hold.camera);
        let goes_on = camera.and_then(|camera| cause(camera, now)) == Some(hold.cause);
        if !goes_on {
            let begun = window_at(planned, hold.camera, now).map(|window| window.start());
            let end = begun.unwrap_or(now).max(hold.start);
            changes.push(Change::Close { hold: *hold, end });
        }
    }
    for camera in cameras {
        let Some(cause) = cause(camera, now) else {
            continue;
        };
        let mut open = open.iter().filter(|hold| hold.camera == camera.place.id);
        let start = match open.next() {
            Some(hold) if hold.cause == cause => continue,
            Some(_) => now,
            None => last_end(kept, camera.place.id, now).unwrap_or(now),
        };
        changes.push(Change::Open {
            organization: camera.organization,
            hold: OpenHold {
                camera: camera.place.id,
                cause,
                start,
            },
        });
    }
    changes
}

/// Why a camera that is to be recorded may not be.
fn cause(camera: &PlanCamera, now: UnixMs) -> Option<GapCause> {
    (camera.wish.is_any(now) && !camera.permit.at(now)).then_some(camera.denied)
}

fn entries(plans: &[Plan], camera: CameraId) -> impl Iterator<Item = &PlanEntry> {
    let entries = plans.iter().flat_map(|plan| &plan.entries);
    entries.filter(move |entry| entry.camera == camera)
}

fn window_at(plans: &[Plan], camera: CameraId, now: UnixMs) -> Option<TimeRange> {
    let mut windows = entries(plans, camera).flat_map(|entry| &entry.windows);
    windows.find(|window| window.contains(now)).copied()
}

/// Where a node stopped by itself.
fn last_end(plans: &[Plan], camera: CameraId, now: UnixMs) -> Option<UnixMs> {
    let ends = entries(plans, camera).filter_map(|entry| entry.until);
    ends.filter(|until| *until <= now).max()
}

#[cfg(test)]
mod tests;
