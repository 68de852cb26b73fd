//! Messages whose bytes mean something to the server.

use crate::engine::compare::describe;
use crate::engine::diagnose::{Failed, Findings};
use crate::engine::received::Ending;
use crate::engine::verdict::Diagnosis;
use crate::practicals::shared::echo_server::facts::Answer;

pub(super) const VALUES: &str = "echoes_every_byte_value";
const WORDS: &str = "obeys_no_words";

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

    /// It consists of blanks alone, and nothing of it came back.
    fn is_trimmed_away(&self) -> bool {
        self.came.is_empty() && self.message.trim_ascii().is_empty()
    }
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
    let is_known =
        |answer: &Answer| answer.has_nul() || answer.is_trimmed() || answer.is_decorated();
    let others_known = answers.iter().all(|answer| !answer.message.is_ascii() || is_known(answer));
    if others_known { findings.name("text_only", first.how(), &[VALUES]) } else { None }
}

pub(super) fn stops_at_nul(findings: &Findings<'_>) -> Option<Diagnosis> {
    let words = answers(findings, WORDS);
    let with_nul: Vec<&Answer> = words.into_iter().filter(|answer| answer.has_nul()).collect();
    let inside =
        with_nul.iter().find(|answer| answer.stops_at_nul() && answer.message.len() > 1)?;
    if with_nul.iter().any(|answer| !answer.stops_at_nul()) {
        return None;
    }
    let values = answers(findings, VALUES);
    let only_nul = !values.is_empty() && values.iter().all(|answer| answer.has_nul());
    findings.name("stops_at_nul", inside.how(), if only_nul { &[WORDS, VALUES] } else { &[WORDS] })
}

pub(super) fn trims_whitespace(findings: &Findings<'_>) -> Option<Diagnosis> {
    let words = answers(findings, WORDS);
    let trimmed = words.iter().find(|answer| answer.is_trimmed())?;
    let is_explained = |answer: &&Answer| answer.is_trimmed() || answer.is_trimmed_away();
    let explained: &[&str] = match answers(findings, VALUES).iter().all(is_explained) {
        true => &[WORDS, VALUES],
        false => &[WORDS],
    };
    findings.name("trims_whitespace", trimmed.how(), explained)
}

pub(super) fn obeys_words(findings: &Findings<'_>) -> Option<Diagnosis> {
    let words = answers(findings, WORDS);
    let trims = words.iter().any(|answer| answer.is_trimmed());
    let is_explained = |answer: &Answer| {
        answer.has_nul() || answer.is_trimmed() || trims && answer.is_trimmed_away()
    };
    let obeyed = words.iter().find(|answer| !is_explained(answer))?;
    findings.name("obeys_words", obeyed.how(), &[WORDS])
}
