//! Who names whom, and whether there is a circle in it.

use std::collections::{BTreeMap, BTreeSet};

/// Who names whom.
pub(crate) type Graph = BTreeMap<String, BTreeSet<String>>;

/// Returns a way from a module back to itself.
pub(crate) fn circle(graph: &Graph) -> Option<Vec<String>> {
    let mut done = BTreeSet::new();
    graph.keys().find_map(|start| circle_from(start, graph, &mut Vec::new(), &mut done))
}

fn circle_from<'a>(
    at: &'a String,
    graph: &'a Graph,
    way: &mut Vec<&'a String>,
    done: &mut BTreeSet<&'a String>,
) -> Option<Vec<String>> {
    if let Some(begin) = way.iter().position(|before| *before == at) {
        return Some(way[begin..].iter().copied().chain([at]).cloned().collect());
    }
    if done.contains(at) {
        return None;
    }
    way.push(at);
    let found = graph.get(at).into_iter().flatten();
    let circle = found.into_iter().find_map(|next| circle_from(next, graph, way, done));
    way.pop();
    done.insert(at);
    circle
}
