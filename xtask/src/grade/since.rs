//! The difference between two gradings of the same programs.

/// What got better and what got worse since the same programs were last graded.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Since {
    pub(crate) better: Vec<&'static str>,
    pub(crate) worse: Vec<&'static str>,
    /// The points that this makes.
    pub(crate) points: i64,
}

impl Since {
    /// In a sentence.
    pub(crate) fn words(&self) -> String {
        let points = match self.points {
            0 if self.better.is_empty() && self.worse.is_empty() => {
                return "Since last time: no change.".to_owned();
            }
            0 => "as many points".to_owned(),
            1.. => format!("{} more", counted(self.points.unsigned_abs())),
            _ => format!("{} fewer", counted(self.points.unsigned_abs())),
        };
        let part = |label: &str, ids: &[&str]| {
            if ids.is_empty() { String::new() } else { format!(" {label}: {}.", listed(ids)) }
        };
        format!(
            "Since last time: {points}.{}{}",
            part("Better", &self.better),
            part("Worse", &self.worse)
        )
    }
}

fn counted(points: u64) -> String {
    format!("{points} point{}", if points == 1 { "" } else { "s" })
}

/// The first few, and how many more.
fn listed(ids: &[&str]) -> String {
    const SHOWN: usize = 5;
    match ids.len().saturating_sub(SHOWN) {
        0 => ids.join(", "),
        more => format!("{} and {more} more", ids[..SHOWN].join(", ")),
    }
}
