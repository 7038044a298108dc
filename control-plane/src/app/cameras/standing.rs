//! What is planned for cameras at the moment of asking, and what people said of it.

use std::collections::HashMap;

use wire::api::{Planned, PlannedReason, RecordingOverride};
use wire::{CameraId, OrganizationId, UnixMs};

use crate::app::overrides::shown;
use crate::app::wishes::{Wishes, has_sub, permit};
use crate::domain::plan::{Situation, Wish, why};
use crate::store::holds::RecordingRule;
use crate::store::licences::LicenceRow;
use crate::store::overrides::OverrideRow;
use crate::store::{CameraRow, Connection, StoreError, holds, licences, overrides};

/// What decides about some cameras of an organization.
pub(super) struct Standing {
    wishes: Wishes,
    overrides: Vec<OverrideRow>,
    rule: Option<RecordingRule>,
    licences: HashMap<CameraId, LicenceRow>,
    now: UnixMs,
}

impl Standing {
    /// Reads it.
    ///
    /// # Errors
    /// Those of the database.
    pub(super) fn read(
        c: &mut Connection,
        organization: OrganizationId,
        cameras: &[CameraId],
        now: UnixMs,
    ) -> Result<Self, StoreError> {
        let licences = licences::assigned(c, organization, Some(cameras))?.into_iter();
        Ok(Self {
            wishes: Wishes::read(c, organization, Some(cameras), now)?,
            overrides: overrides::standing_rows(c, organization, Some(cameras), now)?,
            rule: holds::rule(c, organization)?,
            licences: licences.filter_map(|one| Some((one.camera?, one))).collect(),
            now,
        })
    }

    /// What is planned for a camera now.
    pub(super) fn planned(&self, row: &CameraRow) -> Planned {
        let (rule, licence) = (self.rule.as_ref(), self.licences.get(&row.id));
        let (permit, denied) = permit(rule, licence);
        let wish = Wish {
            has_sub: has_sub(row, rule, licence),
            ..self.wishes.of(row)
        };
        let why = why(&wish, permit, denied, row.node.is_some(), self.now);
        let (recording, reason, job) = match why.situation {
            Situation::Switch => (true, PlannedReason::Switch, None),
            Situation::Job(job) => (true, PlannedReason::Job, self.wishes.job_name(row.id, job)),
            Situation::Asked => (true, PlannedReason::Override, None),
            Situation::Idle if self.wishes.is_incomplete(row) => (false, PlannedReason::UnreadableJob, None),
            Situation::Idle => (false, PlannedReason::Idle, None),
            Situation::Paused => (false, PlannedReason::Paused, None),
            Situation::Unlicensed => (false, PlannedReason::Unlicensed, None),
            Situation::Suspended => (false, PlannedReason::Suspended, None),
            Situation::NoNode => (false, PlannedReason::NoNode, None),
        };
        Planned {
            recording,
            reason,
            job: job.map(str::to_owned),
            until: why.until,
        }
    }

    /// What somebody said of a camera's recording that is in force now.
    pub(super) fn said(&self, row: &CameraRow) -> Option<RecordingOverride> {
        let mut own = self.overrides.iter().filter(|one| one.camera == row.id);
        let covers = |one: &&OverrideRow| one.planned().covers(self.now);
        own.rfind(covers).map(shown)
    }
}
