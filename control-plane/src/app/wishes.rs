//! When cameras are to be recorded, read from the database for the rules that decide about it.
//!
//! [`follow`] keeps what should exist of a camera, in the transaction of every change of it: the ledger is
//! right at once, whether anybody plans or not.

use std::collections::{HashMap, HashSet};

use url::Url;
use wire::api::OrganizationState;
use wire::coverage::GapCause;
use wire::licence::LicenceFeature;
use wire::plan::RetryPolicy;
use wire::{CameraId, OrganizationId, StreamKind, UnixMs};

use crate::domain::licence::Permit;
use crate::domain::plan::{PlanJob, PlanOverride, Wish, reconcile};
use crate::domain::schedule::{Rule, zone};
use crate::store::holds::{self, RecordingRule};
use crate::store::jobs::{self, JobRow};
use crate::store::licences::{self, LicenceRow};
use crate::store::overrides::{self, OverrideRow};
use crate::store::{CameraRow, Connection, StoreError, windows};

/// What many cameras of an organization are to do.
#[derive(Debug, Default)]
pub struct Wishes {
    jobs: HashMap<CameraId, Vec<JobRow>>,
    overrides: HashMap<CameraId, Vec<PlanOverride>>,
    /// Cameras with a job that cannot be read.
    unreadable: HashSet<CameraId>,
}

impl Wishes {
    /// Reads them; for `cameras` only, when given.
    ///
    /// # Errors
    /// Those of the database.
    pub fn read(
        c: &mut Connection,
        organization: OrganizationId,
        cameras: Option<&[CameraId]>,
        now: UnixMs,
    ) -> Result<Self, StoreError> {
        let overrides = overrides::standing(c, organization, cameras, now)?;
        Self::with(c, organization, cameras, &overrides)
    }

    /// Like [`Wishes::read`], with the overrides that stand.
    ///
    /// # Errors
    /// Those of the database.
    pub fn with(
        c: &mut Connection,
        organization: OrganizationId,
        cameras: Option<&[CameraId]>,
        overrides: &[OverrideRow],
    ) -> Result<Self, StoreError> {
        let mut wishes = Self::default();
        let (jobs, unreadable) = jobs::enabled(c, organization, cameras)?;
        for one in unreadable {
            let (job, camera, error) = (one.job, one.camera, one.error);
            tracing::error!(%job, %camera, %error, "a stored job that cannot be read is left out");
            wishes.unreadable.insert(camera);
        }
        for job in jobs {
            wishes.jobs.entry(job.camera).or_default().push(job);
        }
        for one in overrides {
            let of_camera = wishes.overrides.entry(one.camera).or_default();
            of_camera.push(one.planned());
        }
        Ok(wishes)
    }

    /// What one camera is to do; nothing when it is deleted.
    #[must_use]
    pub fn of(&self, row: &CameraRow) -> Wish {
        if row.deleted.is_some() {
            return Wish::default();
        }
        let jobs = self.jobs.get(&row.id).into_iter().flatten();
        Wish {
            switch: row.recording,
            jobs: jobs.filter_map(|job| planned(job, &row.time_zone)).collect(),
            overrides: self.overrides.get(&row.id).cloned().unwrap_or_default(),
            has_sub: row.sub_url.is_some(),
        }
    }

    /// Whether a job of a camera is left out because it cannot be read.
    #[must_use]
    pub fn is_incomplete(&self, row: &CameraRow) -> bool {
        let mut jobs = self.jobs.get(&row.id).into_iter().flatten();
        self.unreadable.contains(&row.id) || jobs.any(|job| planned(job, &row.time_zone).is_none())
    }

    /// A job's name.
    #[must_use]
    pub fn job_name(&self, camera: CameraId, id: wire::JobId) -> Option<&str> {
        let mut jobs = self.jobs.get(&camera).into_iter().flatten();
        jobs.find(|job| job.id == id).map(|job| job.name.as_str())
    }
}

/// A job as the planner knows it; one that cannot be read any more is left out.
fn planned(job: &JobRow, of_camera: &str) -> Option<PlanJob> {
    let name = job.time_zone.as_deref().unwrap_or(of_camera);
    match (Rule::try_from(&job.schedule), zone(name)) {
        (Ok(rule), Ok(zone)) => Some(PlanJob {
            id: job.id,
            rule,
            zone,
            streams: job.streams,
            pre_roll_s: job.pre_roll_s,
            retry: RetryPolicy {
                alert_after: job.alert_after,
                longest_pause_ms: job.longest_pause_s.saturating_mul(1000),
            },
        }),
        _ => {
            tracing::error!(job = %job.id, "a stored job that is not valid is left out");
            None
        }
    }
}

/// Brings what should exist of a camera in line with its row, its jobs and its overrides.
///
/// # Errors
/// Those of the database.
pub fn follow(c: &mut Connection, row: &CameraRow, now: UnixMs) -> Result<(), StoreError> {
    let wishes = Wishes::read(c, row.organization, Some(&[row.id]), now)?;
    let kept = windows::not_over(c, row.organization, Some(row.id), now)?;
    let mut wish = wishes.of(row);
    if wish.has_sub {
        let rule = holds::rule(c, row.organization)?;
        let licence = licences::of_camera(c, row.organization, row.id)?;
        wish.has_sub = has_sub(row, rule.as_ref(), licence.as_ref());
    }
    keep_expected(c, row, &wish, &kept, now)
}

/// The same with what was read already.
///
/// # Errors
/// Those of the database.
pub fn keep_expected(
    c: &mut Connection,
    row: &CameraRow,
    wish: &Wish,
    kept: &windows::NotOver,
    now: UnixMs,
) -> Result<(), StoreError> {
    for stream in [StreamKind::Main, StreamKind::Sub] {
        let wanted = if wish.streams().contains(&stream) {
            wish.expected(stream, wish.regular(stream, now))
        } else {
            Vec::new()
        };
        let before = kept.get(&(row.id, stream)).map_or(&[][..], Vec::as_slice);
        for change in reconcile(before, &wanted, now) {
            windows::change(c, row.organization, (row.id, stream), change)?;
        }
    }
    Ok(())
}

/// When a camera may be recorded, and what is said of the other time.
#[must_use]
pub fn permit(rule: Option<&RecordingRule>, licence: Option<&LicenceRow>) -> (Permit, GapCause) {
    let permit = match rule {
        Some(rule) if rule.state != OrganizationState::Active => return (Permit::Never, GapCause::Operator),
        Some(rule) if rule.needs_licences => {
            Permit::of(licence.map(|licence| (&licence.validity, licence.plan.features.as_slice())))
        }
        _ => Permit::Always,
    };
    (permit, GapCause::Unlicensed)
}

/// How many nodes record a camera at once: more than one only with a licence for it, where licences count.
#[must_use]
pub fn copies(row: &CameraRow, rule: Option<&RecordingRule>, licence: Option<&LicenceRow>) -> usize {
    if includes(LicenceFeature::Redundant, rule, licence) {
        usize::from(row.copies.max(1))
    } else {
        1
    }
}

/// Whether a camera's sub stream may be recorded: only with a licence for it, where licences count.
#[must_use]
pub fn has_sub(row: &CameraRow, rule: Option<&RecordingRule>, licence: Option<&LicenceRow>) -> bool {
    row.sub_url.is_some() && includes(LicenceFeature::SubStream, rule, licence)
}

fn includes(feature: LicenceFeature, rule: Option<&RecordingRule>, licence: Option<&LicenceRow>) -> bool {
    let needs = rule.is_some_and(|rule| rule.needs_licences);
    !needs || licence.is_some_and(|licence| licence.plan.features.contains(&feature))
}

/// The address in a camera's URL; none when it is a name.
#[must_use]
pub fn address(url: &str) -> Option<std::net::IpAddr> {
    let url = Url::parse(url).ok()?;
    url.host_str()?.trim_matches(['[', ']']).parse().ok()
}
