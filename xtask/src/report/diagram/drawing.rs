//! The layout of a diagram.

use std::fmt::Write;

use suite::Event;

use super::{Plan, WIDTH, at, outcome};
use crate::columns;
use crate::plural::count;
use crate::report::conversation::Line;
use crate::report::preview;
use crate::report::steps::{self, Act, Direction, Step};
use crate::visible;

/// The width of the times, left of the lanes.
const TIMES: f64 = 84.0;
/// The space between the outer lanes and the edge or the times.
const SIDE: f64 = 74.0;
const HEAD: f64 = 56.0;
const ROW: f64 = 36.0;
/// The width of a character in the style's font.
const CHARACTER: f64 = 7.3;
/// The line height of the text at the end.
const LEADING: f64 = 18.0;

const STYLE: &str = "\
.conversation{--paper:#ffffff;--ink:#1b1f24;--soft:#59636e;--line:#b8c0c9;--to:#0a58a8;--from:#6b3a96;--bad:#b3261e;--band:#fdeeec;\
font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace}\
@media (prefers-color-scheme:dark){.conversation{--paper:#15191e;--ink:#e6e9ed;--soft:#9aa4af;--line:#4a535d;--to:#7db8ff;\
--from:#cda4f4;--bad:#ff8a80;--band:#3a1f1e}}\
.conversation .paper{fill:var(--paper)}\
.conversation text{fill:var(--ink);stroke:var(--paper);stroke-width:4px;stroke-linejoin:round;paint-order:stroke}\
.conversation .failed text{stroke:var(--band)}\
.conversation .head{font-weight:600}\
.conversation .soft{fill:var(--soft)}\
.conversation .fold{fill:var(--soft);font-style:italic}\
.conversation .wrong{fill:var(--bad);font-weight:600;stroke:none}\
.conversation .said{stroke:none}\
.conversation .life{stroke:var(--line);stroke-width:2}\
.conversation .many{stroke-dasharray:2 4}\
.conversation .band{fill:var(--band);stroke:var(--bad)}\
.conversation .to{stroke:var(--to);fill:none;stroke-width:1.7}\
.conversation .from{stroke:var(--from);fill:none;stroke-width:1.7}\
.conversation .both{stroke:var(--soft);fill:none;stroke-width:1.7}\
.conversation .bad{stroke:var(--bad);fill:none;stroke-width:2}\
.conversation .thin{stroke-width:1.1}\
.conversation .end{stroke-dasharray:9 4}\
.conversation .nothing{stroke-dasharray:1.5 4.5;stroke-linecap:round}\
.conversation .to.full{fill:var(--to)}.conversation .from.full{fill:var(--from)}.conversation .both.full{fill:var(--soft)}";

/// A diagram that is being drawn.
pub(super) struct Drawing<'a> {
    plan: &'a Plan<'a>,
    width: f64,
    /// The space between two lanes.
    pub(super) gap: f64,
    pub(super) svg: String,
}

impl<'a> Drawing<'a> {
    pub(super) fn new(plan: &'a Plan<'a>) -> Self {
        let gaps = (plan.peers.len() + usize::from(plan.others > 0)) as f64;
        let room = WIDTH - TIMES - 2.0 * SIDE;
        let gap = (room / gaps).min(if gaps < 2.0 { 440.0 } else { 330.0 });
        Self { plan, width: TIMES + 2.0 * SIDE + gaps * gap, gap, svg: String::new() }
    }

    pub(super) fn whole(mut self) -> String {
        let said = self.outcome_lines();
        let bottom = HEAD + ROW * self.plan.lines.len() as f64 + 14.0;
        let box_height =
            if said.is_empty() { 0.0 } else { LEADING * (said.len() as f64 + 1.0) + 12.0 };
        let height = bottom + box_height + 12.0;
        self.open(height);
        if !said.is_empty() {
            self.failed_row();
        }
        self.lanes(bottom);
        let plan = self.plan;
        for (number, line) in plan.lines.iter().enumerate() {
            let is_failed = !said.is_empty() && number + 1 == plan.lines.len();
            self.svg += if is_failed { "<g class=\"failed\">\n" } else { "<g>\n" };
            self.row(HEAD + ROW * (number as f64 + 0.75), line);
            self.svg += "</g>\n";
        }
        if !said.is_empty() {
            self.outcome(bottom + 4.0, box_height, &said);
        }
        self.svg + "</svg>\n"
    }

    fn open(&mut self, height: f64) {
        let id = escape(self.plan.verdict.check);
        let (title, description) = (escape(&self.plan.title()), escape(&self.plan.text()));
        let width = self.width;
        _ = write!(
            self.svg,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"conversation\" role=\"img\" \
             aria-labelledby=\"{id}-title {id}-text\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" \
             height=\"{height:.0}\" style=\"max-width:100%;height:auto\">\n\
             <title id=\"{id}-title\">{title}</title>\n<desc id=\"{id}-text\">{description}</desc>\n<style>{STYLE}</style>\n\
             <rect class=\"paper\" width=\"{width:.0}\" height=\"{height:.0}\" rx=\"8\"/>\n"
        );
    }

    /// Returns the position of a peer's lane. The first may be shared, the last is the program's.
    fn lane(&self, peer: Option<&str>) -> f64 {
        let shared = usize::from(self.plan.others > 0);
        let number = match peer {
            Some(name) => {
                self.plan.peers.iter().position(|peer| *peer == name).map_or(0, |at| at + shared)
            }
            None => self.plan.peers.len() + shared,
        };
        TIMES + SIDE + self.gap * number as f64
    }

    fn lanes(&mut self, bottom: f64) {
        let (peer, program) = self.plan.names();
        if self.plan.others > 0 {
            self.life(self.lane(Some("")), HEAD, bottom, true);
            self.words(self.lane(Some("")), 28.0, "head", &format!("{} more", self.plan.others));
        }
        for name in self.plan.peers.clone() {
            let x = self.lane(Some(name));
            let (from, to) = self.span(name, bottom);
            self.life(x, from, to, false);
            self.words(x, 28.0, "head", &format!("{peer} {name}"));
        }
        self.life(self.lane(None), HEAD - 14.0, bottom, false);
        self.words(self.lane(None), 28.0, "head", program);
    }

    /// Returns the ends of a lane's line: where its peer connects, and where it goes.
    fn span(&self, peer: &str, bottom: f64) -> (f64, f64) {
        let place = |is_wanted: fn(Step) -> bool| {
            let is_it = |line: &Line<'_>| matches!(line, Line::Step(event) if event.peer == peer && is_wanted(steps::of(event)));
            self.plan.lines.iter().position(is_it).map(|number| HEAD + ROW * (number as f64 + 0.75))
        };
        (place(Step::is_first).unwrap_or(HEAD - 14.0), place(Step::is_last).unwrap_or(bottom))
    }

    fn life(&mut self, x: f64, from: f64, to: f64, many: bool) {
        let many = if many { " many" } else { "" };
        _ = writeln!(self.svg, "<path class=\"life{many}\" d=\"M{x:.1} {from:.1}V{to:.1}\"/>");
    }

    /// Marks the row in which the check failed, which is the last one.
    fn failed_row(&mut self) {
        let y = HEAD + ROW * (self.plan.lines.len() as f64 - 1.0) + 5.0;
        _ = writeln!(
            self.svg,
            "<rect class=\"band\" x=\"6\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"5\"/>",
            self.width - 12.0,
            ROW - 1.0
        );
    }

    fn row(&mut self, y: f64, line: &Line<'_>) {
        if let Some(at) = at(line) {
            _ = writeln!(
                self.svg,
                "<text class=\"soft\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{at}</text>",
                TIMES - 4.0,
                y + 4.0
            );
        }
        let program = self.lane(None);
        match line {
            Line::Earlier(_) => self.words((TIMES + self.width) / 2.0, y, "fold", &line.words()),
            Line::Step(event) => self.step(y, event),
            Line::Answered { peer, .. } | Line::Streamed { peer, .. } => {
                self.both_ways(y, self.lane(Some(peer)), program, &line.words())
            }
            Line::Others { answered: 0, .. } => {
                let x = self.lane(Some(""));
                self.arrow(y, x, program, "both");
                self.words((x + program) / 2.0, y - 7.0, "fold", &line.words());
            }
            Line::Others { .. } => self.both_ways(y, self.lane(Some("")), program, &line.words()),
        }
    }

    fn both_ways(&mut self, y: f64, from: f64, to: f64, words: &str) {
        self.arrow(y, from, to, "both");
        self.head(y, from, -1.0, "both full");
        self.words((from + to) / 2.0, y - 7.0, "fold", words);
    }

    fn step(&mut self, y: f64, event: &Event) {
        let Step { direction, act, words, .. } = steps::of(event);
        let (peer, program) = (self.lane(Some(&event.peer)), self.lane(None));
        let (from, to, side) = match direction {
            Direction::ToProgram => (peer, program, "to"),
            Direction::FromProgram => (program, peer, "from"),
        };
        match act {
            Act::Connects => self.open_arrow(y, from, to, &format!("{side} thin")),
            Act::IsRefused => self.broken_arrow(y, to, from, "bad"),
            Act::SendsBytes => self.arrow(y, from, to, side),
            Act::EndsStream | Act::Closes => self.last_arrow(y, from, to, side),
            Act::Resets => self.broken_arrow(y, from, to, "bad"),
            Act::Waits => self.no_arrow(y, from, to, "bad"),
        }
        let (middle, words) = match act {
            Act::SendsBytes => {
                let words = format!("{} {}", preview(event), count(event.bytes, "byte"));
                ((from + to) / 2.0, words)
            }
            Act::Waits => (program - self.gap / 2.0, format!("{words} for {}", event.peer)),
            _ => ((from + to) / 2.0, words.to_owned()),
        };
        self.words(middle, y - 7.0, "label", &words);
    }

    pub(super) fn path(&mut self, class: &str, d: &str) {
        _ = writeln!(self.svg, "<path class=\"{class}\" d=\"{d}\"/>");
    }

    /// Writes words centred, moved if they would leave the picture.
    fn words(&mut self, middle: f64, y: f64, class: &str, words: &str) {
        let half = columns::of(words) as f64 * CHARACTER / 2.0;
        let least = if y < HEAD { half } else { TIMES + half };
        let most = if y < HEAD { self.width - 8.0 } else { self.lane(None) - 12.0 };
        let x = middle.min(most - half).max(least + 4.0);
        _ = writeln!(
            self.svg,
            "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"middle\">{}</text>",
            escape(words)
        );
    }

    /// Returns what was expected and observed in lines that fit.
    fn outcome_lines(&self) -> Vec<(&'static str, String)> {
        let fits = ((self.width - TIMES - 40.0) / CHARACTER) as usize;
        let mut lines = Vec::new();
        for (label, said) in outcome(self.plan.verdict) {
            for (number, line) in wrapped(&said, fits).into_iter().enumerate() {
                lines.push((if number == 0 { label } else { "" }, line));
            }
        }
        lines
    }

    fn outcome(&mut self, top: f64, height: f64, lines: &[(&str, String)]) {
        _ = writeln!(
            self.svg,
            "<rect class=\"band\" x=\"6\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{height:.1}\" rx=\"5\"/>\n\
             <text class=\"wrong\" x=\"18\" y=\"{:.1}\">✗ Here the check fails</text>",
            self.width - 12.0,
            top + LEADING + 2.0
        );
        for (number, (label, line)) in lines.iter().enumerate() {
            let y = top + LEADING * (number as f64 + 2.0) + 4.0;
            _ = writeln!(
                self.svg,
                "<text class=\"wrong\" x=\"18\" y=\"{y:.1}\">{label}</text><text class=\"said\" x=\"{:.1}\" y=\"{y:.1}\">{}</text>",
                TIMES + 10.0,
                escape(line)
            );
        }
    }
}

/// Wraps text to lines of at most `most` columns and cuts wider words.
fn wrapped(text: &str, most: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for mut word in text.split_whitespace() {
        while !word.is_empty() {
            let (piece, rest) = columns::split(word, most);
            let last = lines.len() - 1;
            match columns::of(&lines[last]) {
                0 => lines[last].push_str(piece),
                width if width + 1 + columns::of(piece) <= most => {
                    lines[last] = format!("{} {piece}", lines[last])
                }
                _ => lines.push(piece.to_owned()),
            }
            word = rest;
        }
    }
    lines
}

/// Escapes text for XML. XML 1.0 allows no control characters, not even escaped.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in visible::text(text).chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            character => escaped.push(character),
        }
    }
    escaped
}
