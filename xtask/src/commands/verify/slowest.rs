//! The wall times of the gradings of a verification: the slowest are listed.

use std::sync::Mutex;
use std::time::Duration;

use crate::grade::Grading;
use crate::terminal;

/// How many are listed.
const LISTED: usize = 10;

/// No grading may take longer on an idle machine.
const LONGEST: Duration = Duration::from_secs(30);

/// The wall time of each grading, by the program that was graded.
#[derive(Debug, Default)]
pub(super) struct Slowest(Mutex<Vec<(String, Duration)>>);

impl Slowest {
    pub(super) fn add(&self, name: &str, grading: &Grading) {
        let mut all = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        all.push((name.to_owned(), grading.duration));
    }

    /// Lists the slowest programs. Returns a complaint for each that took too long, unless other
    /// work kept the machine busy.
    pub(super) fn conclude(&self, jobs: usize) -> Vec<String> {
        let mut all = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        all.sort_by_key(|(_, time)| std::cmp::Reverse(*time));
        if all.is_empty() {
            return Vec::new();
        }
        terminal::say_line(format_args!("\nthe slowest programs"));
        for (name, time) in all.iter().take(LISTED) {
            terminal::say_line(format_args!("{:7.2} s  {name}", time.as_secs_f64()));
        }
        let too_long = too_long(&all);
        let is_shared = jobs > 1 || load().is_some_and(|load| load > MOST_LOAD);
        if is_shared && !too_long.is_empty() {
            terminal::say_line(format_args!(
                "more than {} s is no complaint here: other gradings, or other work, kept the \
                 machine busy; --jobs 1 grades each program alone",
                LONGEST.as_secs()
            ));
            return Vec::new();
        }
        too_long
    }
}

fn too_long(all: &[(String, Duration)]) -> Vec<String> {
    let longer = all.iter().filter(|(_, time)| *time > LONGEST);
    let complaint = |(name, time): &(String, Duration)| {
        format!(
            "{name}: its grading took {:.0} s; at most {} s are allowed",
            time.as_secs_f64(),
            LONGEST.as_secs()
        )
    };
    longer.map(complaint).collect()
}

/// Above this load other work slows the gradings down. One grading keeps a few threads busy.
const MOST_LOAD: f64 = 4.0;

/// Returns the number of tasks that ran or waited for a processor, on average over the last five
/// minutes (proc_loadavg(5)). Only Linux shows it.
fn load() -> Option<f64> {
    std::fs::read_to_string("/proc/loadavg").ok()?.split(' ').nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grading_of_half_a_minute_is_too_long() {
        let all = [("quick", 29), ("slow", 31)]
            .map(|(name, seconds)| (name.to_owned(), Duration::from_secs(seconds)));
        assert_eq!(too_long(&all), ["slow: its grading took 31 s; at most 30 s are allowed"]);
    }
}
