//! For a step of GitHub Actions: the report for people, the annotations and the step's summary.
//!
//! The runner reads every line of a step and obeys commands in it. So the output of a program is
//! between two tokens, where the runner obeys nothing; the token is random.

use suite::Status;

use super::markdown;
use super::plain::{self, Spot};
use crate::grade::{Grade, GradedRow, Grading, NoGrade};

/// GitHub shows ten annotations of a kind for each step.
const MOST: usize = 10;

/// GitHub accepts summaries of 1 MiB.
const LONGEST_SUMMARY: usize = 900_000;

/// Returns the text for the step's log.
pub(super) fn render(grading: &Grading) -> String {
    if grading.rows.is_empty() {
        return annotations(grading);
    }
    disarmed(&plain::report(grading), &grading.surroundings.token) + &annotations(grading)
}

/// Returns the summary in Markdown.
pub(super) fn summary(grading: &Grading) -> String {
    markdown::document(grading, LONGEST_SUMMARY) + "\n"
}

/// Returns text in which the runner obeys nothing. Without a token nothing is shown.
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

fn annotations(grading: &Grading) -> String {
    match &grading.outcome {
        Ok(grade) => root_causes(grading) + &score(grading, grade),
        Err(NoGrade(fault)) => {
            let message = format!("{}. This costs no point.", plain::line(fault));
            command("error", &Annotation { spot: None, title: "No grade".to_owned(), message })
        }
    }
}

fn score(grading: &Grading, grade: &Grade) -> String {
    let verdict =
        if grade.passed() { "the pass mark is reached" } else { "the pass mark is not reached" };
    let (title, message) =
        (format!("{} points", grade.points), format!("{}: {verdict}", plain::line(&grading.title)));
    command("notice", &Annotation { spot: None, title, message })
}

fn root_causes(grading: &Grading) -> String {
    let mut all = errors(grading);
    let rest = all.len().saturating_sub(MOST);
    if rest > 0 {
        let left: Vec<String> = all.drain(MOST - 1..).map(|annotation| annotation.title).collect();
        let message = left.join("\n");
        all.push(Annotation { spot: None, title: format!("{} more", left.len()), message });
    }
    all.iter().map(|annotation| command("error", annotation)).collect()
}

/// Returns an annotation for each root cause: a program that was not built, a mistake, or a check
/// without one.
fn errors(grading: &Grading) -> Vec<Annotation> {
    let unbuilt = grading.unbuilt.iter().map(|unbuilt| {
        let first = unbuilt.details().first();
        Annotation {
            spot: first.and_then(|error| plain::spot_of_error(grading, &unbuilt.program, error)),
            title: plain::unbuilt(unbuilt),
            message: first.map(|error| plain::compile_error(error)).unwrap_or_default(),
        }
    });
    let mistakes = grading.mistakes_to_tell().into_iter().map(|mistake| Annotation {
        spot: None,
        title: mistake.id.to_owned(),
        message: format!("{}\nChecks: {}", plain::mistake(&mistake), mistake.checks.join(", ")),
    });
    let failed = grading.rows.iter().filter(|row| {
        matches!(row.verdict.status, Status::Failed(_))
            && grading.mistake_of(row.verdict.check).is_none()
    });
    unbuilt.chain(mistakes).chain(failed.map(|row| check(grading, row))).collect()
}

fn check(grading: &Grading, row: &GradedRow) -> Annotation {
    Annotation {
        spot: plain::spot_of_panic(grading, row),
        title: format!("{} {}/{}", row.verdict.check, row.points(), row.max_points),
        message: plain::full_for_students(grading, row),
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
