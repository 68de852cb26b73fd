//! The needs of checks.

use std::collections::BTreeMap;

use super::file::{CheckRow, Source};

/// Checks that every need is a check, and that no check needs itself by way of others.
pub(super) fn check(source: &Source<'_>, rows: &[CheckRow]) -> anyhow::Result<()> {
    let by_id: BTreeMap<&str, &CheckRow> =
        rows.iter().map(|row| (row.id.as_ref().as_str(), row)).collect();
    let mut needs = rows.iter().flat_map(|row| &row.needs);
    if let Some(need) = needs.find(|need| !by_id.contains_key(need.as_ref().as_str())) {
        let what = format!("needs {:?}, which is no check", need.as_ref());
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
