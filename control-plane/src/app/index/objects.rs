//! The objects of a batch: what the index has to know of all of them is asked at once, and what is new is
//! written at once.
//!
//! Verdicts are those that the objects would get one after the other.

use std::collections::{BTreeSet, HashMap};

use wire::event::SealedObject;
use wire::{CameraId, NodeId, ObjectId, TimeRange, UnixMs};

use super::{Verdict, limits, not_assigned};
use crate::app::erasures::entomb;
use crate::domain::event::digest;
use crate::store::assigned::{self, Tenures};
use crate::store::days::{self, Footage};
use crate::store::{Connection, ObjectRow, ObjectState, StoreError, completeness, erasures, objects};

/// What an object is known by: its node, its camera, its digest.
type Identity = (NodeId, CameraId, Vec<u8>);

/// What is known before, and what is new.
pub(super) struct Objects {
    tenures: Tenures,
    erased: HashMap<CameraId, Vec<(TimeRange, String)>>,
    known: HashMap<ObjectId, Identity>,
    new: Vec<ObjectRow>,
}

impl Objects {
    /// Looks up what the verdicts on `sealed` depend on.
    pub(super) fn of<'a>(
        connection: &mut Connection,
        sealed: impl Iterator<Item = &'a SealedObject> + Clone,
    ) -> Result<Self, StoreError> {
        let ids: Vec<ObjectId> = sealed.clone().map(|object| object.id).collect();
        let mut found = Self {
            tenures: Tenures::new(),
            erased: HashMap::new(),
            known: HashMap::new(),
            new: Vec::new(),
        };
        if ids.is_empty() {
            return Ok(found);
        }
        let cameras: BTreeSet<CameraId> = sealed.map(|object| object.camera).collect();
        let cameras: Vec<CameraId> = cameras.into_iter().collect();
        found.tenures = assigned::tenures(connection, &cameras)?;
        for (camera, range, reason) in erasures::of_cameras(connection, &cameras)? {
            found.erased.entry(camera).or_default().push((range, reason));
        }
        for one in objects::identities(connection, &ids)? {
            found.known.insert(one.id, (one.node, one.camera, one.sha256));
        }
        Ok(found)
    }

    /// The verdict on one of them.
    pub(super) fn take(
        &mut self,
        connection: &mut Connection,
        object: &SealedObject,
        now: UnixMs,
    ) -> Result<Verdict, StoreError> {
        let known = self.tenures.get(&(object.camera, object.node));
        let granted = known.filter(|(_, tenure)| tenure.has(object.epoch));
        let (Some((organization, tenure)), Some(sha256), Ok(range)) = (
            granted,
            digest(&object.sha256),
            TimeRange::new(object.start, object.end),
        ) else {
            return Ok(not_assigned());
        };
        let organization = *organization;
        if let Some(reason) = self.erased(object.camera, range) {
            let stream = (object.camera, object.stream);
            entomb(connection, organization, stream, &[range], reason, now)?;
            return Ok(Verdict::Refused("footage of this time was erased".to_owned()));
        }
        let identity = (object.node, object.camera, sha256.to_vec());
        if let Some(known) = self.known.get(&object.id) {
            return Ok(if *known == identity {
                Verdict::Committed
            } else {
                Verdict::Refused("another object has this id".to_owned())
            });
        }
        if let Err(refusal) = tenure.footage(range, now) {
            return Ok(Verdict::Refused(refusal.to_string()));
        }
        self.known.insert(object.id, identity);
        self.new.push(ObjectRow {
            id: object.id,
            organization,
            camera: object.camera,
            stream: object.stream,
            node: object.node,
            epoch: object.epoch,
            previous: object.previous,
            start: object.start,
            end: object.end,
            bytes: object.bytes,
            sha256,
            init: object.init.clone(),
            tracks: object.tracks.clone(),
            segments: object.segments.clone(),
            state: ObjectState::Sealed,
        });
        Ok(Verdict::Committed)
    }

    /// Why footage of this time was erased, if it was.
    fn erased(&self, camera: CameraId, range: TimeRange) -> Option<&str> {
        let all = self.erased.get(&camera)?;
        let touched = all
            .iter()
            .find(|(erased, _)| erased.intersection(&range).is_some());
        touched.map(|(_, reason)| reason.as_str())
    }

    /// Writes what is new.
    pub(super) fn put(&self, connection: &mut Connection, now: UnixMs) -> Result<(), StoreError> {
        if self.new.is_empty() {
            return Ok(());
        }
        objects::insert_all(connection, &self.new, now)?;
        limits::watch(connection, &self.new, now)?;
        let footage = self.new.iter().filter_map(|row| {
            Some(Footage {
                id: row.id,
                organization: row.organization,
                camera: row.camera,
                stream: row.stream,
                range: TimeRange::new(row.start, row.end).ok()?,
            })
        });
        let footage: Vec<Footage> = footage.collect();
        for one in &footage {
            completeness::touched(connection, one.camera, one.stream, one.range, now)?;
        }
        days::add_all(connection, &footage)
    }
}
