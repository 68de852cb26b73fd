//! Golden files: the report that a student reads for each known mistake, in
//! `practicals/PRACTICAL/mistakes/evidence/MISTAKE.txt`.
//!
//! They show a person every change of words. Times, ports and other figures that differ from run to
//! run are left out. Another machine may still split a conversation differently, so a difference is
//! printed and is not an error.

use std::path::{Path, PathBuf};

use anstream::adapter::strip_str;
use anyhow::Context;

use crate::files;
use crate::grade::Grading;
use crate::report::human;

/// The golden files of one practical.
pub(super) struct Golden {
    folder: PathBuf,
    /// Overwrite the files.
    renew: bool,
}

impl Golden {
    pub(super) fn new(practical: &Path, renew: bool) -> Self {
        Self { folder: practical.join("mistakes").join("evidence"), renew }
    }

    /// Compares the report with the golden file; with `--renew-evidence` overwrites it.
    pub(super) fn agrees(&self, id: &str, grading: &Grading) -> anyhow::Result<bool> {
        let file = self.folder.join(format!("{id}.txt"));
        let now = what_stays(&strip_str(&human::render(grading)).to_string());
        if self.renew {
            std::fs::create_dir_all(&self.folder)
                .map_err(Into::into)
                .and_then(|()| files::write(&file, now.as_bytes()))
                .with_context(|| file.display().to_string())?;
            return Ok(true);
        }
        Ok(std::fs::read_to_string(&file).is_ok_and(|kept| kept == now))
    }
}

/// Returns the parts of a report that stay the same from run to run: the mistakes and the failed
/// checks, without what the program printed.
fn what_stays(report: &str) -> String {
    let is_idle = |line: &&str| {
        let word = line.trim_start();
        !["✓", "–", "Score", "again", "stderr"].iter().any(|begin| word.starts_with(begin))
    };
    let mut text = String::new();
    let mut skipping = false;
    for line in report.lines().take_while(|line| !line.starts_with("Confinement")) {
        // The continuation of a line that is left out is left out, too.
        skipping = !is_idle(&line)
            || skipping
                && (line.starts_with("                ") || line.trim_start().starts_with("| "));
        if !skipping {
            text += without_figures(line).trim_end();
            text.push('\n');
        }
    }
    while text.contains("\n\n\n") {
        text = text.replace("\n\n\n", "\n\n");
    }
    text
}

/// Removes a time at the end of a line and every long number: they differ from run to run.
fn without_figures(line: &str) -> String {
    let line = match line.strip_suffix(" ms").and_then(|line| line.rsplit_once(' ')) {
        Some((line, _time)) => line.trim_end(),
        None => line,
    };
    let mut text = String::new();
    let mut digits = String::new();
    for character in line.chars().chain([' ']) {
        if character.is_ascii_digit() {
            digits.push(character);
            continue;
        }
        text += if digits.len() > 4 { "#" } else { &digits };
        digits.clear();
        text.push(character);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_ports_are_left_out() {
        assert_eq!(
            without_figures("    a → \"x\"       1 byte       0.1 ms").trim_end(),
            "    a → \"x\"       1 byte"
        );
        assert_eq!(
            without_figures("listens on 127.0.0.1:40123").trim_end(),
            "listens on 127.0.0.1:#"
        );
        assert_eq!(
            without_figures("a message of 1025 bytes").trim_end(),
            "a message of 1025 bytes"
        );
    }

    #[test]
    fn what_passed_is_left_out_with_all_its_lines() {
        let report = "flow\n  ✓ passed  a\n  ✗ failed  b\n      again     one\n                two\n      got       x\n      stderr  | y\n              | z\n";
        assert_eq!(what_stays(report), "flow\n  ✗ failed  b\n      got       x\n");
    }
}
