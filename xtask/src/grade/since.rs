//! The difference between two gradings of the same programs.

use crate::plural::count;

/// What got better and what got worse since the same programs were last graded.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Since {
    pub(crate) better: Vec<&'static str>,
    pub(crate) worse: Vec<&'static str>,
    /// What had passed and has no result now: it did not compile, or could not be found out.
    pub(crate) undecided: Vec<&'static str>,
    /// Whether some checks have their first result.
    pub(crate) has_new: bool,
    /// The difference in points.
    pub(crate) points: i64,
}

impl Since {
    /// Returns the difference in a sentence.
    pub(crate) fn words(&self) -> String {
        let points = match self.points {
            0 if self.is_empty() && self.has_new => {
                return "Since last time: no change in the checks that were graded then."
                    .to_owned();
            }
            0 if self.is_empty() => return "Since last time: no change.".to_owned(),
            0 => "as many points".to_owned(),
            1.. => format!("{} more", count(self.points.unsigned_abs() as usize, "point")),
            _ => format!("{} fewer", count(self.points.unsigned_abs() as usize, "point")),
        };
        let part = |label: &str, ids: &[&str]| {
            if ids.is_empty() { String::new() } else { format!(" {label}: {}.", listed(ids)) }
        };
        format!(
            "Since last time: {points}.{}{}{}",
            part("Better", &self.better),
            part("Worse", &self.worse),
            part("Passed last time, no result now", &self.undecided)
        )
    }

    fn is_empty(&self) -> bool {
        [&self.better, &self.worse, &self.undecided].into_iter().all(Vec::is_empty)
    }
}

/// Lists the first few ids and the number of the others.
fn listed(ids: &[&str]) -> String {
    const SHOWN: usize = 5;
    match ids.len().saturating_sub(SHOWN) {
        0 => ids.join(", "),
        more => format!("{} and {more} more", ids[..SHOWN].join(", ")),
    }
}
