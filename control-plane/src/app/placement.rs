//! Why a camera is where it is.

use std::time::Instant;

use wire::access::Right;
use wire::api::{OtherNode, PlacedNode, Placement};
use wire::{CameraId, UnixMs};

use super::Caller;
use super::presence::Watch;
use super::wishes::{Wishes, address, copies};
use crate::domain::assign::{Node, Place, loads, obstacle, unfit};
use crate::store::assignments::AssignmentRow;
use crate::store::{Connection, assignments, cameras, holds, licences};
use crate::{AppState, Error};

/// Explains which nodes record a camera, and why the others do not.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`].
pub async fn explain(
    state: &AppState,
    caller: &Caller,
    camera: CameraId,
    now: UnixMs,
) -> Result<Placement, Error> {
    let caller = caller.clone();
    let watch = Watch::now(state);
    let look = move |c: &mut Connection| {
        let row = caller.camera(c, camera, None)?;
        caller.require(Right::ReadNodes)?;
        let organization = caller.organization;
        let rule = holds::rule(c, organization)?;
        let licence = licences::assigned(c, organization, Some(&[camera]))?.pop();
        let own = assignments::of_camera(c, camera)?;
        let place = Place {
            id: row.id,
            site: row.site.clone(),
            address: address(&row.url),
            labels: row.node_labels.clone(),
            wanted: copies(&row, rule.as_ref(), licence.as_ref()),
            epoch: row.epoch,
            held: own.iter().map(|one| one.held).collect(),
        };
        let all = every_place(c, &caller, now)?;
        let (nodes, at) = (assignments::nodes(c, Some(organization))?, Instant::now());
        let nodes: Vec<Node> = nodes.into_iter().map(|node| watch.seen(node, at)).collect();
        Ok(explained(&place, &own, &nodes, &all))
    };
    state.store.look(look).await
}

/// Every camera of the organization that something is to be recorded of, as far as loads go.
fn every_place(c: &mut Connection, caller: &Caller, now: UnixMs) -> Result<Vec<Place>, Error> {
    let rows = cameras::all(c, caller.organization)?;
    let wishes = Wishes::read(c, caller.organization, None, now)?;
    let mut open = assignments::open(c, caller.organization)?;
    let place = |row: &crate::store::CameraRow| Place {
        id: row.id,
        site: String::new(),
        address: None,
        labels: Vec::new(),
        wanted: usize::from(wishes.of(row).is_any(now)),
        epoch: row.epoch,
        held: open.remove(&row.id).unwrap_or_default(),
    };
    Ok(rows.iter().map(place).collect())
}

fn explained(place: &Place, own: &[AssignmentRow], nodes: &[Node], all: &[Place]) -> Placement {
    let load = loads(all.iter());
    let load = |node: &Node| load.get(&node.id).copied().unwrap_or(0);
    let placed = own.iter().map(|one| {
        let node = nodes.iter().find(|node| node.id == one.held.node);
        PlacedNode {
            node: one.held.node,
            name: node.map_or_else(String::new, |node| node.name.clone()),
            epoch: one.held.epoch,
            since: one.held.since,
            reason: one.reason.clone(),
            trouble: node
                .and_then(|node| unfit(place, node))
                .map(|why| why.to_string()),
        }
    });
    let others = nodes.iter().filter(|node| {
        let has_it = own.iter().any(|one| one.held.node == node.id);
        !node.is_removed && !has_it
    });
    let other = |node: &Node| OtherNode {
        node: node.id,
        name: node.name.clone(),
        why_not: obstacle(place, node, load(node)).map_or_else(
            || "it could take it; the camera stays where it is".to_owned(),
            |why| why.to_string(),
        ),
        cameras: load(node) as u64,
    };
    Placement {
        camera: place.id,
        copies: u32::try_from(place.wanted).unwrap_or(u32::MAX),
        nodes: placed.collect(),
        others: others.map(other).collect(),
    }
}
