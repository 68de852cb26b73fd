//! A conversation as a sequence diagram: one SVG without external references, and the same in
//! words.
//!
//! Time runs down. Each peer of the grader has a lane, and the program's lane is at the right.
//! Arrows differ in shape and text, never only in colour. Several diagrams fit in one page.

mod arrows;
mod drawing;
#[cfg(test)]
mod tests;

use std::fmt::Write;

use suite::{Status, Verdict};

use crate::plural::count;
use crate::report::conversation::{self, IsAnswer, Line};
use crate::report::steps::{self, Direction};
use crate::report::{plain, preview};
use drawing::Drawing;

/// The largest width of a diagram, in pixels.
const WIDTH: f64 = 960.0;

/// The most lanes of peers; more peers share one lane.
const LANES: usize = 6;

/// The most rows; earlier rows are only counted.
const ROWS: usize = 40;

/// Returns the picture, or nothing if there was no conversation.
pub(crate) fn svg(verdict: &Verdict, is_answer: IsAnswer<'_>) -> String {
    Plan::of(verdict, is_answer).map_or_else(String::new, |plan| Drawing::new(&plan).whole())
}

/// Returns the same in words, a line for each row.
pub(crate) fn text(verdict: &Verdict, is_answer: IsAnswer<'_>) -> String {
    Plan::of(verdict, is_answer).map_or_else(String::new, |plan| plan.text())
}

/// What to draw, before the layout.
struct Plan<'a> {
    verdict: &'a Verdict,
    lines: Vec<Line<'a>>,
    /// The peers that have a lane.
    peers: Vec<&'a str>,
    /// The number of peers that share a lane.
    others: usize,
    /// The program is the client, and the peers are connections of the grader's server.
    accepts: bool,
}

impl<'a> Plan<'a> {
    fn of(verdict: &'a Verdict, is_answer: IsAnswer<'_>) -> Option<Self> {
        let focus = conversation::focus(verdict)?;
        let all = conversation::peers(focus.events);
        let mut peers = all.clone();
        if all.len() > LANES {
            let before = all.iter().take_while(|peer| **peer != focus.peer).last();
            let kept = [all.first(), before, Some(&focus.peer), focus.source.as_ref()];
            peers.retain(|peer| kept.contains(&Some(peer)));
        }
        Some(Self {
            verdict,
            lines: conversation::end(conversation::fold(focus.events, &peers, is_answer), ROWS),
            others: all.len() - peers.len(),
            peers,
            accepts: (verdict.transcript.iter())
                .any(|event| steps::of(event).connects(Direction::FromProgram)),
        })
    }

    /// Returns the names of the grader's side and of the program.
    fn names(&self) -> (&'static str, &'static str) {
        if self.accepts { ("server", "your client") } else { ("client", "your server") }
    }

    fn title(&self) -> String {
        let (_, program) = self.names();
        format!("{}: what went between {program} and the grader", self.verdict.check)
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for line in &self.lines {
            let at = at(line).map_or_else(String::new, |at| format!("{at}: "));
            _ = writeln!(text, "{at}{}", self.sentence(line));
        }
        for (label, said) in outcome(self.verdict) {
            _ = writeln!(text, "{label} {said}");
        }
        text
    }

    /// Returns a line as a sentence.
    fn sentence(&self, line: &Line<'_>) -> String {
        let (peer, program) = self.names();
        match line {
            Line::Step(event) => {
                let name = format!("{peer} {}", event.peer);
                let bytes = format!("{}: {}", count(event.bytes, "byte"), preview(event));
                let sentence = steps::of(event).sentence.replace("{peer}", &name);
                sentence.replace("{program}", program).replace("{bytes}", &bytes)
            }
            Line::Answered { peer: name, .. } | Line::Streamed { peer: name, .. } => {
                format!("{peer} {name}: {}.", line.words())
            }
            line => format!("{}.", line.words()),
        }
    }
}

/// Returns what was expected and observed, with labels.
fn outcome(verdict: &Verdict) -> Vec<(&'static str, String)> {
    let Status::Failed(failure) = &verdict.status else { return Vec::new() };
    let mut parts = vec![
        ("Expected:", plain::line(&failure.expected)),
        ("Got:", plain::line(&failure.observed)),
    ];
    parts.extend(conversation::whose(verdict).map(|whose| ("Whose:", whose)));
    parts
}

fn at(line: &Line<'_>) -> Option<String> {
    line.at().map(|at| format!("{:.1} ms", at.as_secs_f64() * 1e3))
}
