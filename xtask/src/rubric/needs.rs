//! The needs of checks.

use std::collections::BTreeMap;

use super::file::{CheckRow, Source};

/// Checks that every need is a check, that no check needs itself by way of others, and that none
/// waits for a hidden one: those run last.
pub(super) fn check(source: &Source<'_>, rows: &[CheckRow]) -> anyhow::Result<()> {
    let by_id: BTreeMap<&str, &CheckRow> =
        rows.iter().map(|row| (row.id.as_ref().as_str(), row)).collect();
    let mut needs = rows.iter().flat_map(|row| &row.needs);
    if let Some(need) = needs.find(|need| !by_id.contains_key(need.as_ref().as_str())) {
        let what = format!("needs {:?}, which is no check", need.as_ref());
        return Err(source.wrong(Some(need.span()), what));
    }
    let mut shown = rows.iter().filter(|row| !row.hidden).flat_map(|row| &row.needs);
    if let Some(need) = shown.find(|need| by_id[need.as_ref().as_str()].hidden) {
        let what = format!(
            "needs {:?}, which is hidden: it runs after all others; hide this one too",
            need.as_ref()
        );
        return Err(source.wrong(Some(need.span()), what));
    }
    for row in rows {
        if let Some(circle) = circle(row.id.as_ref(), &by_id) {
            let what = format!("needs go in a circle: {}", circle.join(" → "));
            return Err(source.wrong(Some(row.id.span()), what));
        }
    }
    Ok(())
}

/// Returns the way from a check through its needs back to itself.
fn circle<'a>(start: &'a str, by_id: &BTreeMap<&'a str, &'a CheckRow>) -> Option<Vec<&'a str>> {
    let mut seen = Vec::new();
    let mut ways = vec![vec![start]];
    while let Some(way) = ways.pop() {
        for need in &by_id[way[way.len() - 1]].needs {
            let need = need.as_ref().as_str();
            let further = [way.as_slice(), &[need]].concat();
            if need == start {
                return Some(further);
            }
            if !seen.contains(&need) {
                seen.push(need);
                ways.push(further);
            }
        }
    }
    None
}
