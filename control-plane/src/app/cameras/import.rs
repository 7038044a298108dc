//! Many cameras from one file: all of them, or none and a word on each bad row.

use std::collections::HashMap;

use sha2::{Digest, Sha256};
use wire::access::Right;
use wire::api::{Camera, ImportProblem, ImportReport};
use wire::{ObjectId, UnixMs};

use super::{fields, shown};
use crate::app::{Caller, Once};
use crate::domain::import::{Parsed, parse, problem};
use crate::store::audit::{self, AuditRow};
use crate::store::cameras::{groups, room, taken_addresses};
use crate::store::facts::FactKind;
use crate::store::{CameraRow, Connection, StoreError, cameras, facts, windows};
use crate::{AppState, Error};

/// A row on its way to become a camera.
struct Candidate {
    line: u64,
    row: CameraRow,
    shown: Camera,
    group: Option<String>,
}

/// What identifies a file among requests.
#[must_use]
pub fn digest(file: &[u8]) -> String {
    hex::encode(Sha256::digest(file))
}

/// Adds the cameras of a CSV file, or only says what would be wrong.
///
/// # Errors
/// [`Error::Forbidden`], those of the database. What is wrong with the file is in the report.
pub async fn import(
    state: &AppState,
    caller: &Caller,
    once: Once,
    file: Vec<u8>,
    is_dry: bool,
    now: UnixMs,
) -> Result<ImportReport, Error> {
    caller.require(Right::ManageCameras)?;
    let (rows, candidates, problems) = read(state, caller, file, now).await?;
    let organization = caller.organization;
    let caller = caller.clone();
    if is_dry || !problems.is_empty() {
        return state
            .store
            .look(move |c| {
                let problems = judged(c, &caller, candidates, problems)?.1;
                Ok(report(rows, 0, problems))
            })
            .await;
    }
    let report = state
        .store
        .patient()
        .transaction(move |c| {
            if once.made_before(c, &caller, now)?.is_some() {
                return Ok(report(rows, rows, Vec::new()));
            }
            let (cameras, problems) = judged(c, &caller, candidates, problems)?;
            if !problems.is_empty() {
                return Ok(report(rows, 0, problems));
            }
            add(c, &caller, cameras, now)?;
            let report = report(rows, rows, Vec::new());
            let import = ObjectId::generate();
            caller.note(
                c,
                "camera.import",
                import,
                (None::<&ImportReport>, Some(&report)),
                now,
            )?;
            once.made(c, &caller, *import.as_bytes(), now)?;
            Ok(report)
        })
        .await?;
    state.replan.organization(organization);
    Ok(report)
}

fn report(rows: u64, created: u64, mut problems: Vec<ImportProblem>) -> ImportReport {
    problems.sort_by_key(|problem| problem.line);
    ImportReport {
        rows,
        created,
        problems,
    }
}

type Read = (u64, Vec<Candidate>, Vec<ImportProblem>);

/// Parses and encrypts, where that blocks nobody.
async fn read(state: &AppState, caller: &Caller, file: Vec<u8>, now: UnixMs) -> Result<Read, Error> {
    let (state, caller) = (state.clone(), caller.clone());
    let work = move || {
        let Parsed { rows, good, problems } = parse(&file, state.config.cameras.allow_loopback);
        let candidates = good.into_iter().map(|row| {
            let composed = fields::row(&state, &caller, &row.new, row.checked, now)?;
            Ok(Candidate {
                line: row.line,
                shown: shown(&state, composed.clone())?,
                row: composed,
                group: row.group,
            })
        });
        Ok((rows, candidates.collect::<Result<_, Error>>()?, problems))
    };
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::Internal(error.into()))?
}

/// Rows with what the API will show of each, and what is wrong.
type Judged = (Vec<(CameraRow, Camera)>, Vec<ImportProblem>);

/// The cameras with their groups, and every problem: those of the file and those with what is there.
fn judged(
    c: &mut Connection,
    caller: &Caller,
    candidates: Vec<Candidate>,
    mut problems: Vec<ImportProblem>,
) -> Result<Judged, StoreError> {
    let organization = caller.organization;
    let (groups, taken) = (groups(c, organization)?, taken_addresses(c, organization)?);
    let room = room(c, organization)?;
    let left = usize::try_from(room.left()).unwrap_or(usize::MAX);
    if let Some(first) = candidates.get(left) {
        let title = format!(
            "the organization has {} cameras and may have {} more: this file has {}",
            room.used,
            left,
            candidates.len()
        );
        problems.push(problem(first.line, None, "quota_exceeded", title));
    }
    let mut seen: HashMap<String, u64> = HashMap::new();
    let mut rows = Vec::with_capacity(candidates.len());
    for Candidate {
        line,
        mut row,
        mut shown,
        group,
    } in candidates
    {
        if let Some(name) = group {
            row.group = groups.get(&name).copied();
            if row.group.is_none() {
                let title = "there is no group of this name: make it first";
                problems.push(problem(line, Some("group"), "unknown_group", title));
            }
        }
        if let Some(other) = taken.get(&row.address_key) {
            let title = format!("camera {other} has this address already");
            problems.push(problem(line, Some("url"), "duplicate_camera", title));
        }
        match seen.get(&row.address_key) {
            Some(before) => {
                let title = format!("line {before} has this address already");
                problems.push(problem(line, Some("url"), "duplicate_in_file", title));
            }
            None => drop(seen.insert(row.address_key.clone(), line)),
        }
        shown.group = row.group;
        rows.push((row, shown));
    }
    Ok((rows, problems))
}

/// Adds them all, each with its line in the audit log.
fn add(
    c: &mut Connection,
    caller: &Caller,
    cameras: Vec<(CameraRow, Camera)>,
    now: UnixMs,
) -> Result<(), StoreError> {
    let entry = |(row, after): &(CameraRow, Camera)| {
        caller.entry("camera.create", row.id, (None::<&Camera>, Some(after)))
    };
    let entries: Vec<AuditRow> = cameras.iter().map(entry).collect::<Result<_, _>>()?;
    let rows: Vec<CameraRow> = cameras.into_iter().map(|(row, _)| row).collect();
    cameras::insert_all(c, &rows)?;
    windows::open_all(c, &rows, now)?;
    let told: Vec<_> = rows.iter().map(|row| (row.id, None, super::told(row))).collect();
    facts::add_all(c, caller.organization, FactKind::CameraCreated, &told, now)?;
    audit::insert_all(c, &entries, now)
}
