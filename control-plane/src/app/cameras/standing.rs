//! What is planned for cameras at the moment of asking, and what people said of it.

use std::collections::HashMap;

use wire::api::{LicenceExceeded, Planned, PlannedReason, RecordingOverride};
use wire::{CameraId, OrganizationId, StreamKind, UnixMs};

use crate::app::overrides::shown;
use crate::app::wishes::{Wishes, has_sub, permit};
use crate::domain::licence::{Excess, Limits};
use crate::domain::plan::{Situation, Wish, why};
use crate::store::holds::RecordingRule;
use crate::store::licences::LicenceRow;
use crate::store::overrides::OverrideRow;
use crate::store::{CameraRow, Connection, StoreError, excess, holds, licences, overrides};

/// What decides about some cameras of an organization.
pub(super) struct Standing {
    wishes: Wishes,
    overrides: Vec<OverrideRow>,
    rule: Option<RecordingRule>,
    licences: HashMap<CameraId, LicenceRow>,
    told: HashMap<(CameraId, StreamKind), Excess>,
    now: UnixMs,
}

/// How a camera stands.
pub(super) struct Stands {
    /// What is planned now.
    pub(super) planned: Planned,
    /// What somebody said of that.
    pub(super) said: Option<RecordingOverride>,
    /// What is recorded beyond its licence.
    pub(super) exceeded: Vec<LicenceExceeded>,
}

impl Standing {
    /// Reads it, of these cameras or of all.
    ///
    /// # Errors
    /// Those of the database.
    pub(super) fn read(
        c: &mut Connection,
        organization: OrganizationId,
        cameras: Option<&[CameraId]>,
        now: UnixMs,
    ) -> Result<Self, StoreError> {
        let licences = licences::assigned(c, organization, cameras)?.into_iter();
        let overrides = overrides::standing(c, organization, cameras, now)?;
        Ok(Self {
            wishes: Wishes::with(c, organization, cameras, &overrides)?,
            overrides,
            rule: holds::rule(c, organization)?,
            licences: licences.filter_map(|one| Some((one.camera?, one))).collect(),
            told: excess::told(c, organization, cameras)?,
            now,
        })
    }

    /// How a camera stands.
    pub(super) fn of(&self, row: &CameraRow) -> Stands {
        Stands {
            planned: self.planned(row),
            said: self.said(row),
            exceeded: self.exceeded(row),
        }
    }

    /// What people were told today or yesterday, as far as it is beyond the licence of now.
    fn exceeded(&self, row: &CameraRow) -> Vec<LicenceExceeded> {
        let needs = self.rule.is_some_and(|rule| rule.needs_licences);
        let Some(licence) = self.licences.get(&row.id).filter(|_| needs) else {
            return Vec::new();
        };
        let limits = Limits::from(&licence.plan);
        let exceeded = |stream| {
            let told = self
                .told
                .get(&(row.id, stream))
                .filter(|told| told.is_recent(self.now));
            let beyond = told?.beyond(&limits)?;
            Some(LicenceExceeded {
                stream,
                width: Some(beyond.width).filter(|pixels| *pixels > 0),
                height: Some(beyond.height).filter(|pixels| *pixels > 0),
                bitrate_bps: Some(beyond.bitrate_bps).filter(|bitrate| *bitrate > 0),
            })
        };
        [StreamKind::Main, StreamKind::Sub]
            .into_iter()
            .filter_map(exceeded)
            .collect()
    }

    /// What is planned for a camera now.
    fn planned(&self, row: &CameraRow) -> Planned {
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
    fn said(&self, row: &CameraRow) -> Option<RecordingOverride> {
        let mut own = self.overrides.iter().filter(|one| one.camera == row.id);
        let covers = |one: &&OverrideRow| one.planned().covers(self.now);
        own.rfind(covers).map(shown)
    }
}
