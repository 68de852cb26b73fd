//! What `watch` shows: one failed check with its evidence, its explanation, or the whole report.

use suite::Status;

use super::again::{Begun, Came, Watched};
use crate::commands::explain;
use crate::grade::{GradedRow, Grading, NoGrade, Points};
use crate::plural::count;
use crate::report::human;
use crate::terminal::{BOLD, DIM, GREEN, RED, wrap};
use crate::{rubric, terminal, visible};

/// The lines of the keys: an empty one, theirs, and the one of the cursor.
const KEYS_ROWS: usize = 3;

/// The fewest lines of a check that are shown.
const LEAST_ROWS: usize = 6;

const KEYS: &str = "n next  p previous  h hint  e explain  a all  r run everything  q quit";

pub(super) struct View {
    /// The output is a terminal, which the view clears.
    live: bool,
    came: Option<Came>,
    /// The seconds to the verdict: from a save, if one began the grading.
    took: f64,
    after_save: bool,
    shown: Shown,
    /// The number of the failed check that is shown.
    at: usize,
    hints: usize,
}

#[derive(PartialEq, Eq)]
enum Shown {
    Check,
    Explanation,
    All,
}

impl View {
    pub(super) fn new(live: bool) -> Self {
        Self {
            live,
            came: None,
            took: 0.0,
            after_save: false,
            shown: Shown::Check,
            at: 0,
            hints: 0,
        }
    }

    pub(super) fn grading(&self) -> Option<&Grading> {
        match &self.came {
            Some(Came::Grading(grading)) => Some(grading),
            _ => None,
        }
    }

    /// Takes the result of a grading and returns whether there is something new to show. The check
    /// that the user looks at stays on the screen.
    pub(super) fn take(&mut self, came: Came, begun: Begun) -> anyhow::Result<bool> {
        if matches!(came, Came::Nothing) && self.came.is_some() {
            return Ok(self.live);
        }
        let looked_at = self.row().map(|row| row.verdict.check);
        self.took = begun.at.elapsed().as_secs_f64();
        self.after_save = begun.by_save;
        self.came = Some(came);
        let same = failed(self.grading()).position(|row| looked_at == Some(row.verdict.check));
        self.at = same.filter(|_| self.live && self.at > 0).unwrap_or(0);
        if self.row().map(|row| row.verdict.check) != looked_at {
            self.hints = 0;
        }
        self.shown = Shown::Check;
        Ok(true)
    }

    fn row(&self) -> Option<&GradedRow> {
        failed(self.grading()).nth(self.at)
    }

    /// Handles a key and returns whether it changed what is shown.
    pub(super) fn turn(&mut self, key: u8) -> bool {
        let count = failed(self.grading()).count();
        match key {
            b'n' | b'p' => {
                let to = if key == b'n' { self.at + 1 } else { self.at + count.saturating_sub(1) };
                self.at = to.checked_rem(count).unwrap_or(0);
                self.hints = 0;
                self.shown = Shown::Check;
            }
            b'h' => {
                let most = self.row().map_or(0, |row| row.hints.len());
                self.hints = (self.hints + 1).min(most);
                self.shown = Shown::Check;
            }
            b'e' => {
                self.shown =
                    if self.shown == Shown::Explanation { Shown::Check } else { Shown::Explanation }
            }
            b'a' => self.shown = if self.shown == Shown::All { Shown::Check } else { Shown::All },
            _ => return false,
        }
        true
    }

    pub(super) fn show(&self, watched: &Watched) -> anyhow::Result<()> {
        let mut text = match &self.came {
            Some(Came::Grading(grading)) => self.graded(grading, watched),
            Some(Came::Error(error)) => {
                let said = format!("{RED}error{RED:#}: {}", visible::line(error));
                wrap(&said, 0) + "Save again to grade again.\n"
            }
            Some(Came::Nothing) | None => String::new(),
        };
        text += &if self.live { format!("\n{DIM}{KEYS}{DIM:#}\n") } else { "\n".to_owned() };
        if self.live {
            terminal::clear_screen();
        }
        terminal::print(&text)
    }

    fn graded(&self, grading: &Grading, watched: &Watched) -> String {
        match self.shown {
            Shown::All => human::render(grading),
            Shown::Explanation => self.explanation(grading, watched),
            Shown::Check => {
                let (head, foot) = (self.head(grading), self.foot(grading));
                let around = head.lines().count() + foot.lines().count() + KEYS_ROWS;
                head + &self.fitting(&self.check(grading), around) + &foot
            }
        }
    }

    fn head(&self, grading: &Grading) -> String {
        let style = if grading.passed() { GREEN.bold() } else { RED };
        let score = format!("{style}Score {}{style:#}", Points::of(&grading.rows));
        let head = format!(
            "{}\n",
            human::spread(
                &format!("{BOLD}{}{BOLD:#}", visible::line(&grading.title)),
                &format!(
                    "{:.2} s{}",
                    self.took,
                    if self.after_save { " after the save" } else { "" }
                )
            )
        );
        let since =
            grading.since.as_ref().map_or_else(String::new, |since| wrap(&since.words(), 0));
        format!("{head}{score}\n{since}")
    }

    /// Cuts the end of what does not fit on the terminal, so that the score stays in sight.
    fn fitting(&self, text: &str, around: usize) -> String {
        let Some(rows) = terminal::rows().filter(|_| self.live) else { return text.to_owned() };
        let (all, most) = (text.lines().count(), rows.saturating_sub(around).max(LEAST_ROWS));
        if all <= most {
            return text.to_owned();
        }
        let shown = text.lines().take(most - 1).map(|line| format!("{line}\n"));
        let more = format!("{DIM}… {} more: a shows all{DIM:#}\n", count(all - most + 1, "line"));
        shown.collect::<String>() + &more
    }

    fn check(&self, grading: &Grading) -> String {
        if !grading.unbuilt.is_empty() {
            return grading.unbuilt.iter().map(human::unbuilt).collect();
        }
        let Some(row) = self.row() else {
            let all = if grading.passed() { "Everything holds." } else { "Nothing failed." };
            return format!("\n{all}\n");
        };
        let mistakes = grading.mistakes_to_tell();
        let mistake = mistakes.iter().find(|mistake| mistake.checks.contains(&row.verdict.check));
        let named = mistake.map_or_else(String::new, human::named);
        let shown = if mistake.is_some() { 0 } else { grading.hint_steps };
        let hints = row.hints.iter().skip(shown).take(self.hints);
        let hints: String = hints.map(|hint| human::labelled("hint", hint)).collect();
        format!("{named}\n{}{hints}", human::check(grading, row).trim_end().to_owned() + "\n")
    }

    fn foot(&self, grading: &Grading) -> String {
        let count = if grading.unbuilt.is_empty() { failed(Some(grading)).count() } else { 0 };
        let which = match count {
            0 => String::new(),
            1 => "\nThis is the only failed check.\n".to_owned(),
            count => format!("\nFailed check {} of {count}.\n", self.at + 1),
        };
        let no_grade = match &grading.outcome {
            Ok(_) => String::new(),
            Err(NoGrade(fault)) => wrap(&format!("No grade: {}", visible::line(fault)), 0),
        };
        which + &no_grade
    }

    fn explanation(&self, grading: &Grading, watched: &Watched) -> String {
        let Some(row) = self.row() else {
            return "Nothing failed: there is nothing to explain.\n".to_owned();
        };
        let id = row.verdict.check;
        let word = grading.mistake_of(id).map_or(id, |mistake| mistake.id);
        let rubric = rubric::read(&watched.grader.repository, &watched.request.practical).ok();
        rubric.and_then(|rubric| explain::explain(&rubric, word)).unwrap_or_default()
    }
}

/// Returns the failed checks in the order of the report.
fn failed(grading: Option<&Grading>) -> impl Iterator<Item = &GradedRow> {
    let rows = grading.into_iter().flat_map(|grading| &grading.rows);
    rows.filter(|row| matches!(row.verdict.status, Status::Failed(_)))
}
