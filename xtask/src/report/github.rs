//! For a step of GitHub Actions: the report for people, the annotations, and apart from them the
//! step's summary.
//!
//! The runner reads every line of a step and obeys what looks like a command. So whatever a program
//! printed stands where the runner obeys nothing until a token comes that nobody can guess.

use suite::Status;

use super::markdown;
use super::plain::{self, Spot};
use crate::grade::{Grade, GradedRow};

/// GitHub shows ten annotations of a kind for each step.
const MOST: usize = 10;

/// GitHub takes summaries of 1 MiB.
const LONGEST_SUMMARY: usize = 900_000;

/// What goes to the step's log.
pub(super) fn render(grade: &Grade) -> String {
    if grade.rows.is_empty() {
        return annotations(grade);
    }
    disarmed(&plain::report(grade), &grade.surroundings.token) + &annotations(grade)
}

/// The summary, in Markdown.
pub(super) fn summary(grade: &Grade) -> String {
    markdown::document(grade, LONGEST_SUMMARY) + "\n"
}

/// Text in which the runner obeys nothing. Without a token there is nothing to show.
pub(super) fn disarmed(text: &str, token: &str) -> String {
    if token.is_empty() {
        return "The report is not shown here: there is no random number to protect it with.\n"
            .to_owned();
    }
    format!("::stop-commands::{token}\n{}\n::{token}::\n", text.replace('\r', "\n").trim_end())
}

struct Annotation {
    spot: Option<Spot>,
    title: String,
    message: String,
}

fn annotations(grade: &Grade) -> String {
    if let Some(fault) = grade.fault() {
        let message = format!("{}. This costs no point.", plain::line(&fault));
        return command("error", &Annotation { spot: None, title: "No grade".to_owned(), message });
    }
    let mut all = errors(grade);
    let rest = all.len().saturating_sub(MOST);
    if rest > 0 {
        let left: Vec<String> = all.drain(MOST - 1..).map(|annotation| annotation.title).collect();
        let message = left.join("\n");
        all.push(Annotation { spot: None, title: format!("{} more", left.len()), message });
    }
    let score = format!("{}/{} points", grade.score(), grade.max_score());
    let verdict =
        if grade.passed() { "the pass mark is reached" } else { "the pass mark is not reached" };
    let score =
        Annotation { spot: None, title: score, message: format!("{}: {verdict}", grade.title) };
    all.iter().map(|annotation| command("error", annotation)).collect::<String>()
        + &command("notice", &score)
}

/// One for each root cause: a program that does not compile, a mistake, or else a check.
fn errors(grade: &Grade) -> Vec<Annotation> {
    let compiling = grade.compile_errors.iter().map(|errors| Annotation {
        spot: errors
            .errors
            .first()
            .and_then(|error| plain::spot_of_error(grade, &errors.program, error)),
        title: plain::unbuilt(errors),
        message: errors.errors.first().map(|error| plain::compile_error(error)).unwrap_or_default(),
    });
    let mistakes = grade.mistakes_to_tell().into_iter().map(|mistake| Annotation {
        spot: None,
        title: mistake.id.to_owned(),
        message: format!("{}\nChecks: {}", plain::mistake(&mistake), mistake.checks.join(", ")),
    });
    let failed = grade.rows.iter().filter(|row| {
        matches!(row.verdict.status, Status::Failed(_))
            && grade.mistake_of(row.verdict.check).is_none()
    });
    compiling.chain(mistakes).chain(failed.map(|row| check(grade, row))).collect()
}

fn check(grade: &Grade, row: &GradedRow) -> Annotation {
    Annotation {
        spot: plain::spot_of_panic(grade, row),
        title: format!("{} {}/{}", row.verdict.check, row.points(), row.max_points),
        message: plain::full_for_students(grade, row),
    }
}

fn command(kind: &str, annotation: &Annotation) -> String {
    let place = match &annotation.spot {
        Some(Spot { file, line }) => format!("file={},line={line},", property(file)),
        None => String::new(),
    };
    format!(
        "::{kind} {place}title={}::{}\n",
        property(&annotation.title),
        data(annotation.message.trim_end())
    )
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
