//! Messages whose bytes mean something to the server.

use crate::engine::compare::describe;
use crate::engine::diagnose::{Failed, Findings};
use crate::engine::received::Ending;
use crate::engine::verdict::Diagnosis;
use crate::practicals::shared::echo_server::facts::{Alone, Answer};

pub(super) const VALUES: &str = "echoes_every_byte_value";
pub(super) const WORDS: &str = "obeys_no_words";

impl Answer {
    /// Says what came of the message.
    pub(super) fn how(&self) -> String {
        let asked = describe(&self.message);
        match self.ending {
            _ if self.died => format!("your server stopped after it received {asked}"),
            Some(Ending::EndOfStream) => {
                format!("your server closed the connection after it received {asked}")
            }
            Some(Ending::Reset) => {
                format!("your server reset the connection after it received {asked}")
            }
            _ if self.came == self.message => {
                format!("your server answered nothing more after it had sent back {asked}")
            }
            _ if self.came.is_empty() => format!("your server did not answer {asked}"),
            _ => format!("{asked} came back as {}", describe(&self.came)),
        }
    }

    fn has_nul(&self) -> bool {
        self.message.contains(&0)
    }

    /// It came back up to its first NUL.
    fn stops_at_nul(&self) -> bool {
        let nul = self.message.iter().position(|byte| *byte == 0);
        nul.is_some_and(|at| self.came == self.message[..at])
    }

    /// It came back without some of the blanks at its ends.
    fn is_trimmed(&self) -> bool {
        let (message, came) = (self.message.as_slice(), self.came.as_slice());
        let (core, without_first) = (message.trim_ascii(), message.trim_ascii_start());
        let is_beginning = message.starts_with(came) || without_first.starts_with(came);
        let cut = is_beginning && came.len() < message.len();
        !core.is_empty() && cut && came.trim_ascii() == core
            || came == without_first && came != message
    }

    /// It came back, and other bytes stood in it.
    pub(super) fn is_decorated(&self) -> bool {
        !self.came.is_empty() && !self.message.starts_with(&self.came) && !self.is_trimmed()
    }

    /// It came back with other line ends, as far as it was read.
    fn has_other_line_ends(&self) -> bool {
        let (lf, crlf): (&[u8], &[u8]) = (b"\n", b"\r\n");
        let others = [(lf, crlf), (crlf, lf), (b"\r", lf), (b"\r", crlf)];
        let mut others = others.map(|(from, to)| replace(&self.message, from, to)).into_iter();
        let whole = |other: &Vec<u8>| self.came.len() == other.len().min(self.message.len());
        self.came != self.message
            && others.any(|other| whole(&other) && other.starts_with(&self.came))
    }

    /// It consists of blanks alone, and nothing of it came back.
    fn is_trimmed_away(&self) -> bool {
        self.came.is_empty() && self.message.trim_ascii().is_empty()
    }
}

/// Returns these bytes with every `from` replaced.
fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut replaced = Vec::new();
    let mut rest = bytes;
    while let Some((first, more)) = rest.split_first() {
        match rest.strip_prefix(from) {
            Some(after) => {
                replaced.extend_from_slice(to);
                rest = after;
            }
            None => {
                replaced.push(*first);
                rest = more;
            }
        }
    }
    replaced
}

/// Returns whether a byte of this message breaks the server alone, and is no NUL.
fn has_a_meaning(findings: &Findings<'_>, answer: &Answer) -> bool {
    let alone = findings.failed(VALUES).into_iter().flat_map(Failed::facts::<Alone>);
    let mut bytes = alone.map(|Alone(byte)| *byte);
    answer.message.is_ascii() && bytes.any(|byte| byte != 0 && answer.message.contains(&byte))
}

/// Returns what came of the messages that failed in this check.
pub(super) fn answers<'a>(findings: &Findings<'a>, check: &str) -> Vec<&'a Answer> {
    findings.failed(check).into_iter().flat_map(Failed::facts).collect()
}

/// The first bytes that are no text fail; all before them came back, or fail for another reason
/// that is known.
pub(super) fn text_only(findings: &Findings<'_>) -> Option<Diagnosis> {
    let answers = answers(findings, VALUES);
    let first = answers.iter().find(|answer| answer.message.first() == Some(&0x80))?;
    let is_known = |answer: &Answer| {
        answer.has_nul()
            || answer.is_trimmed()
            || answer.is_decorated()
            || has_a_meaning(findings, answer)
    };
    let others_known = answers.iter().all(|answer| !answer.message.is_ascii() || is_known(answer));
    if others_known { findings.name("text_only", first.how(), &[VALUES]) } else { None }
}

pub(super) fn stops_at_nul(findings: &Findings<'_>) -> Option<Diagnosis> {
    let words = answers(findings, WORDS);
    let values = answers(findings, VALUES);
    let with_nul: Vec<&Answer> = words.into_iter().filter(|answer| answer.has_nul()).collect();
    let inside = match with_nul.iter().find(|answer| answer.stops_at_nul()) {
        Some(_) => with_nul.iter().copied().find(|answer| answer.message.len() > 1)?,
        None => stops_at_nul_alone(findings, &values)?,
    };
    if with_nul.iter().any(|answer| !answer.stops_at_nul()) {
        return None;
    }
    let only_nul = !values.is_empty() && values.iter().all(|answer| answer.has_nul());
    findings.name("stops_at_nul", inside.how(), if only_nul { &[WORDS, VALUES] } else { &[WORDS] })
}

/// Returns the values among which a NUL breaks the server, if nothing else does.
fn stops_at_nul_alone<'a>(findings: &Findings<'a>, values: &[&'a Answer]) -> Option<&'a Answer> {
    let first = values.first().filter(|first| first.has_nul() && first.stops_at_nul())?;
    let alone: Vec<&Alone> = findings.failed(VALUES)?.facts().collect();
    (values.len() == 1 && alone == [&Alone(0)]).then_some(first)
}

pub(super) fn trims_whitespace(findings: &Findings<'_>) -> Option<Diagnosis> {
    let words = answers(findings, WORDS);
    let trimmed =
        words.iter().find(|answer| answer.is_trimmed() && !answer.has_other_line_ends())?;
    let is_explained = |answer: &&Answer| answer.is_trimmed() || answer.is_trimmed_away();
    let explained: &[&str] = match answers(findings, VALUES).iter().all(is_explained) {
        true => &[WORDS, VALUES],
        false => &[WORDS],
    };
    findings.name("trims_whitespace", trimmed.how(), explained)
}

/// Returns the first word that came back with other line ends, if no word failed in another way.
pub(super) fn with_other_line_ends<'a>(findings: &Findings<'a>) -> Option<&'a Answer> {
    let words = answers(findings, WORDS);
    let all = words.iter().all(|answer| answer.has_other_line_ends() || answer.has_nul());
    words.into_iter().find(|answer| all && answer.has_other_line_ends())
}

pub(super) fn obeys_words(findings: &Findings<'_>) -> Option<Diagnosis> {
    let words = answers(findings, WORDS);
    let trims = words.iter().any(|answer| answer.is_trimmed());
    let is_explained = |answer: &Answer| {
        answer.has_nul()
            || answer.is_trimmed()
            || answer.has_other_line_ends()
            || trims && answer.is_trimmed_away()
    };
    let word = words.into_iter().find(|answer| !is_explained(answer));
    let values = answers(findings, VALUES);
    let has_other_cause = |answer: &Answer| {
        answer.is_trimmed() || trims && has_blank(answer) || answer.is_decorated()
    };
    let is_obeyed = |answer: &Answer| has_a_meaning(findings, answer) && !has_other_cause(answer);
    let value = values.iter().find(|answer| is_obeyed(answer));
    let explained: &[&str] = if value.is_some() { &[WORDS, VALUES] } else { &[WORDS] };
    let because =
        word.map(Answer::how).or_else(|| value.map(|value| obeyed_byte(findings, value)))?;
    findings.name("obeys_words", because, explained)
}

fn has_blank(answer: &Answer) -> bool {
    answer.message.iter().any(u8::is_ascii_whitespace)
}

fn obeyed_byte(findings: &Findings<'_>, answer: &Answer) -> String {
    let alone = findings.failed(VALUES).into_iter().flat_map(Failed::facts::<Alone>);
    let byte = alone.map(|Alone(byte)| *byte).find(|byte| answer.message.contains(byte));
    Answer { message: byte.into_iter().collect(), ..answer.clone() }.how()
}
