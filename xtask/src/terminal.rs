//! Styles, output, and the display of progress.

use std::io::{IsTerminal, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use anstyle::{AnsiColor, Style};

use crate::columns;
use crate::plural::count;
use crate::visible;

pub(crate) const RED: Style = AnsiColor::Red.on_default().bold();
pub(crate) const GREEN: Style = AnsiColor::Green.on_default();
pub(crate) const YELLOW: Style = AnsiColor::Yellow.on_default();
pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const DIM: Style = Style::new().dimmed();

/// The width of output that is not for a terminal.
pub(crate) const WIDTH: usize = 80;

/// Returns the width of output, in columns: that of the terminal, within reason.
pub(crate) fn width() -> usize {
    const REASONABLE: std::ops::RangeInclusive<usize> = 40..=120;
    static FOUND: OnceLock<usize> = OnceLock::new();
    *FOUND.get_or_init(|| {
        let found = columns_of_terminal().filter(|columns| *columns > 0);
        found.map_or(WIDTH, |columns| columns.clamp(*REASONABLE.start(), *REASONABLE.end()))
    })
}

/// Returns the lines of the terminal; `None` as for the columns.
pub(crate) fn rows() -> Option<usize> {
    #[cfg(all(unix, not(test)))]
    return rustix::termios::tcgetwinsize(std::io::stdout()).ok().map(|size| size.ws_row.into());
    #[cfg(not(all(unix, not(test))))]
    None
}

/// Returns `None` where stdout is no terminal, or the system does not tell. Tests always see the
/// usual width.
fn columns_of_terminal() -> Option<usize> {
    #[cfg(all(unix, not(test)))]
    return rustix::termios::tcgetwinsize(std::io::stdout()).ok().map(|size| size.ws_col.into());
    #[cfg(not(all(unix, not(test))))]
    None
}

/// Moves to the beginning of the line and empties it.
pub(crate) const CLEAR_LINE: &str = "\r\x1b[K";

/// Returns whether progress is shown in one line that is overwritten.
pub(crate) fn is_live() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("CI").is_none()
}

/// Shows progress: on a terminal in one line that is overwritten, elsewhere in a line for each
/// step.
#[derive(Debug)]
pub(crate) struct Progress {
    live: bool,
    silent: bool,
    total: AtomicUsize,
    done: AtomicUsize,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self {
            live: is_live(),
            silent: false,
            total: AtomicUsize::new(0),
            done: AtomicUsize::new(0),
        }
    }

    /// Shows nothing.
    pub(crate) fn silent() -> Self {
        Self { live: false, silent: true, total: AtomicUsize::new(0), done: AtomicUsize::new(0) }
    }

    pub(crate) fn building(&self, programs: &[&str]) {
        if !programs.is_empty() {
            self.say(&format!("building {}", programs.join(" and ")));
        }
    }

    pub(crate) fn checking(&self, total: usize) {
        self.total.store(total, Ordering::Relaxed);
        self.say(&format!("running {}", count(total, "check")));
    }

    pub(crate) fn checked(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        if self.live {
            self.say(&format!("checked {done} of {}", self.total.load(Ordering::Relaxed)));
        }
    }

    /// Announces gradings of a program.
    pub(crate) fn grading(&self, name: &str, times: usize) {
        self.total.store(times, Ordering::Relaxed);
        self.done.store(0, Ordering::Relaxed);
        self.say(&format!("grading {name} {times} times"));
    }

    /// Counts a grading. Without a terminal, each tenth part is shown.
    pub(crate) fn graded(&self) {
        let total = self.total.load(Ordering::Relaxed);
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        if self.live || done.is_multiple_of((total / 10).max(1)) {
            self.say(&format!("graded {done} of {total}"));
        }
    }

    /// Removes the line from the terminal.
    pub(crate) fn clear(&self) {
        if self.live {
            _ = write!(std::io::stderr(), "{CLEAR_LINE}");
        }
    }

    fn say(&self, line: &str) {
        let mut stderr = std::io::stderr();
        _ = match (self.silent, self.live) {
            (true, _) => Ok(()),
            (false, true) => {
                let line = visible::line(line);
                write!(stderr, "\r\x1b[K{line} …").and_then(|()| stderr.flush())
            }
            (false, false) => writeln!(stderr, "{}", visible::line(line)),
        };
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Prints and ignores errors: the reader may have gone.
pub(crate) fn say(words: std::fmt::Arguments<'_>) {
    _ = write!(anstream::stdout(), "{}", visible::styled(&words.to_string()));
}

/// Prints a line.
pub(crate) fn say_line(words: std::fmt::Arguments<'_>) {
    say(format_args!("{words}\n"));
}

/// Prints the result of a command. A reader that stops early, like `head`, is no error.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    match write!(anstream::stdout(), "{}", visible::styled(text)) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

/// Prints a long text: on a terminal through the pager that the environment names, or `less`.
pub(crate) fn page(text: &str) -> anyhow::Result<()> {
    let rows = rows().filter(|rows| text.lines().count() >= *rows);
    if rows.is_some() && std::env::var_os("TERM").is_some_and(|term| term != "dumb") && paged(text)
    {
        return Ok(());
    }
    print(text)
}

/// Returns whether a pager has shown the text.
fn paged(text: &str) -> bool {
    use std::process::{Command, Stdio};
    let named = std::env::var("PAGER").ok().filter(|pager| !pager.trim().is_empty());
    let Ok(words) = shell_words::split(&named.unwrap_or_else(|| "less".to_owned())) else {
        return false;
    };
    let Some((pager, arguments)) = words.split_first() else { return false };
    let mut command = Command::new(pager);
    command.args(arguments).stdin(Stdio::piped());
    if std::env::var_os("LESS").is_none() {
        command.env("LESS", "FRX"); // ends at once if the text fits, shows colours, leaves the text there
    }
    let Ok(mut pager) = command.spawn() else { return false };
    if let Some(mut stdin) = pager.stdin.take() {
        let text = match anstream::stdout().current_choice() {
            anstream::ColorChoice::Never => {
                visible::text(&anstream::adapter::strip_str(text).to_string())
            }
            _ => visible::styled(text),
        };
        _ = stdin.write_all(text.as_bytes()); // a reader may stop early
    }
    pager.wait().is_ok()
}

/// Prints on stderr, and ignores errors.
pub(crate) fn warn(text: &str) {
    anstream::eprint!("{}", visible::styled(text));
}

/// Clears the terminal.
#[cfg(feature = "full")]
pub(crate) fn clear_screen() {
    _ = write!(std::io::stdout(), "\x1b[2J\x1b[H");
}

/// Wraps `text` to lines that fit, each with `indent` spaces before it.
pub(crate) fn wrap(text: &str, indent: usize) -> String {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && indent + columns::of(&line) + 1 + columns::of(word) > width() {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines.iter().map(|line| format!("{}{line}\n", " ".repeat(indent))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fit_the_width() {
        let text = "word ".repeat(100);
        let wrapped = wrap(&text, 6);
        assert!(
            wrapped
                .lines()
                .all(|line| line.chars().count() <= WIDTH && line.starts_with("      word"))
        );
        assert_eq!(wrapped.split_whitespace().count(), 100);
    }

    #[test]
    fn a_word_too_long_stands_alone() {
        let long = "x".repeat(WIDTH);
        assert_eq!(wrap(&format!("a {long} b"), 2).lines().count(), 3);
    }
}
