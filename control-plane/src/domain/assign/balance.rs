//! Evening out the load: few cameras at a time, and only where it makes a difference.

use wire::NodeId;

use super::{Place, Presence, Run, TooMany, obstacle};

/// Moves cameras from nodes with many to nodes with few, where loads differ by two at least and by more
/// than a fifth: at most a tenth of a node's cameras, but one. The old assignments stay for now.
pub(super) fn even_out(run: &mut Run<'_>, places: &mut [&mut Place], too_many: &TooMany) {
    // One that does not report may be back in a moment, with all of its cameras.
    let online = run.nodes.iter().filter(|node| node.presence == Presence::Online);
    let mut donors: Vec<NodeId> = online.map(|node| node.id).collect();
    donors.sort_by_key(|node| (std::cmp::Reverse(run.load(*node)), *node));
    // What moves counts at both ends until the old assignments end; this is how it will be then.
    let mut planned = run.load.clone();
    for donor in donors {
        let most = (run.load(donor) / 10).max(1);
        let mut moved = 0;
        for place in places.iter_mut() {
            if moved == most {
                break;
            }
            let load = planned.get(&donor).copied().unwrap_or(0);
            let Some(receiver) = receiver(run, &planned, place, (donor, load), too_many) else {
                continue;
            };
            let name = run.node(donor).map_or("another node", |node| node.name.as_str());
            let reason = format!("to even out the load: {name} had {load} cameras");
            run.open(place, receiver, reason);
            *planned.entry(receiver).or_default() += 1;
            planned.entry(donor).and_modify(|load| *load -= 1);
            moved += 1;
        }
    }
}

/// Where a camera of `donor` goes.
fn receiver(
    run: &Run<'_>,
    planned: &std::collections::BTreeMap<NodeId, usize>,
    place: &Place,
    (donor, load): (NodeId, usize),
    too_many: &TooMany,
) -> Option<NodeId> {
    let is_movable = place.wanted > 0
        && place.held.len() == place.wanted
        && place.held.iter().any(|held| held.node == donor)
        && place
            .held
            .iter()
            .all(|held| run.wrong(place, held, too_many).is_none());
    if !is_movable {
        return None;
    }
    let lower = |node: NodeId| planned.get(&node).copied().unwrap_or(0);
    let free = run.nodes.iter().filter(|node| {
        let has_it = place.held.iter().any(|held| held.node == node.id);
        let is_worth_it = load >= lower(node.id) + 2 && (load - lower(node.id)) * 5 > load;
        !has_it && is_worth_it && obstacle(place, node, run.load(node.id)).is_none()
    });
    free.min_by_key(|node| (lower(node.id), node.id))
        .map(|node| node.id)
}
