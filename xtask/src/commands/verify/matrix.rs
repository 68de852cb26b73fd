//! Mistakes × checks, as a table.

use suite::Status;

use crate::grade::Grading;
use crate::rubric::{FULL_MARKS, Rubric};
use crate::terminal;

/// The table, printed line by line.
pub(super) struct Matrix {
    checks: Vec<&'static str>,
    /// The width of the column of names.
    width: usize,
}

impl Matrix {
    pub(super) fn new(rubric: &Rubric, names: impl Iterator<Item = usize>) -> Self {
        let width = names.max().unwrap_or_default() + 2;
        let checks: Vec<&'static str> = rubric.checks.iter().map(|row| row.check.id).collect();
        let digits = |divisor: usize| -> String {
            (1..=checks.len()).map(|n| char::from(b'0' + (n / divisor % 10) as u8)).collect()
        };
        terminal::say_line(format_args!(
            "\n{:width$}{}\n{:width$}{}",
            "",
            digits(10),
            "",
            digits(1)
        ));
        Self { checks, width }
    }

    pub(super) fn row(&self, name: &str, grading: &Grading) {
        let sign = |id: &&str| match grading
            .rows
            .iter()
            .find(|row| row.verdict.check == *id)
            .map(|row| &row.verdict.status)
        {
            None => ' ',
            Some(Status::Passed) => '.',
            Some(Status::Failed(_)) => 'X',
            Some(Status::Skipped(_)) => 's',
            Some(Status::Unseen(_)) => '?',
            Some(Status::Unbuilt | Status::Fault(_)) => '!',
        };
        let signs: String = self.checks.iter().map(sign).collect();
        let time = grading.duration.as_secs_f64();
        terminal::say_line(format_args!("{name:width$}{signs}  {time:5.2} s", width = self.width));
    }

    pub(super) fn legend(&self) {
        terminal::say_line(format_args!(
            "\nX failed   . passed   s skipped for its needs   ? cannot be seen here   ! fault"
        ));
        for (at, check) in self.checks.iter().enumerate() {
            let end = if at % 2 == 1 || at + 1 == self.checks.len() { "\n" } else { "" };
            terminal::say(format_args!("{:>3} {check:<34}{end}", at + 1));
        }
        terminal::say_line(format_args!("\nfull marks are {FULL_MARKS} points"));
    }
}
