//! All formats side by side: each looks like its snapshot, all say the same score, none turns a
//! fault into a grade, and no program writes into its own report.

mod hostile;
mod read_back;
pub(super) mod readers;
mod runner;
mod words;

use std::path::Path;

use super::sample;
use super::{FORMATS, Render, RenderText, github, html};
use crate::explanations::NamedMistake;
use crate::grade::{GradedRow, Grading};
use read_back::{decoded, json, read_back};
use runner::{Obeyed, obeyed};

fn render(format: &str, grading: &Grading) -> String {
    let (_, render) = texts().find(|(name, _)| *name == format).unwrap();
    render(grading)
}

/// Returns the text formats; the capture has its own tests.
fn texts() -> impl Iterator<Item = (&'static str, RenderText)> {
    FORMATS.iter().filter_map(|(name, render)| match render {
        Render::Text(render) => Some((*name, *render)),
        Render::Bytes(_) => None,
    })
}

// ---- how they look ----

/// Compares text with its snapshot. `SNAPSHOTS=write cargo test -p xtask --all-features` overwrites
/// the snapshots; review the difference then.
#[track_caller]
fn looks_like(name: &str, text: &str) {
    let text = text.replace(html::STYLE, "…\n");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/report/snapshots").join(name);
    if std::env::var_os("SNAPSHOTS").is_some_and(|word| word == "write") {
        std::fs::write(&file, &text).unwrap();
    }
    assert_eq!(
        text,
        std::fs::read_to_string(&file).unwrap_or_default(),
        "{}\n{text}",
        file.display()
    );
}

#[test]
fn each_format_looks_like_its_snapshot() {
    for (name, render) in texts() {
        looks_like(&format!("{name}.txt"), &render(&sample::grade()));
    }
    looks_like("summary.txt", &github::summary(&sample::grade()));
}

/// A terminal shows the first thing to do last, for a mistake, for a program that does not compile,
/// and for a fault.
#[test]
fn the_terminal_looks_like_its_snapshot() {
    let unbuilt = sample::grade();
    let failed = Grading { unbuilt: Vec::new(), ..sample::grade() };
    let all = [failed, unbuilt, sample::with_a_fault()]
        .map(|grading| anstream::adapter::strip_str(&super::screen::render(&grading)).to_string());
    looks_like("screen.txt", &all.join("====\n"));
}

#[test]
fn each_format_says_a_fault_like_its_snapshot() {
    let text = |grading: &Grading| {
        texts()
            .map(|(name, render)| format!("==== {name}\n{}", render(grading)))
            .collect::<String>()
    };
    looks_like("fault.txt", &text(&sample::with_a_fault()));
    looks_like("broken_off.txt", &text(&sample::broken_off()));
}

// ---- what they say ----

#[test]
fn all_formats_say_the_same_score() {
    let grading = sample::grade();
    assert_eq!(grading.outcome.as_ref().unwrap().points.to_string(), "7/25");
    for (name, render) in texts() {
        assert_eq!(read_back(name, &render(&grading)), Some((7, 25)), "{name}");
    }
    assert_eq!(read_back("summary", &github::summary(&grading)), Some((7, 25)));
}

#[test]
fn every_format_says_what_the_programs_ran_under() {
    for (name, render) in texts() {
        let text = render(&sample::grade());
        let text = decoded(&text, "result").unwrap_or(text).replace("\\u003a", ":");
        for said in ["onfinement", "none", "left out: notes.txt"] {
            assert!(text.contains(said), "{name}: {said} in\n{text}");
        }
    }
    assert!(github::summary(&sample::grade()).contains("left out: notes.txt"));
}

#[test]
fn a_fault_is_a_score_in_no_format() {
    for grading in [sample::with_a_fault(), sample::broken_off()] {
        for (name, render) in texts() {
            assert_eq!(read_back(name, &render(&grading)), None, "{name}");
        }
        assert_eq!(read_back("summary", &github::summary(&grading)), None);
    }
    assert_eq!(json(&super::gradescope::unfinished()).get("score"), None);
}

#[test]
fn a_fault_is_an_error_where_the_format_has_a_word_for_it() {
    let grading = sample::with_a_fault();
    assert_eq!(
        json(&render("json", &grading))["fault"],
        "echoes could not be found out: no descriptors left"
    );
    assert!(render("junit", &grading).contains("<error type=\"fault\""));
    assert_eq!(json(&render("prairielearn", &grading))["gradable"], false);
    assert_eq!(
        json(&decoded(&render("github-classroom", &grading), "result").unwrap())["status"],
        "error"
    );
    assert_eq!(obeyed(&render("github", &grading))[0].name, "error");
    assert_eq!(json(&render("ctrf", &grading))["results"]["summary"]["other"], 1);
}

#[test]
fn what_a_hidden_check_saw_is_in_no_report_that_students_read() {
    for (name, render) in texts().filter(|(name, _)| *name != "gradescope") {
        let text = render(&sample::grade());
        let text = decoded(&text, "result").filter(|_| name == "github-classroom").unwrap_or(text);
        assert!(!text.contains("the secret answer"), "{name}");
    }
    assert!(!github::summary(&sample::grade()).contains("the secret answer"));
    let results = json(&render("gradescope", &sample::grade()));
    let secret =
        results["tests"].as_array().unwrap().iter().find(|test| test["name"] == "secret").unwrap();
    assert_eq!(secret["visibility"], "hidden");
}

#[test]
fn a_mistake_that_only_a_hidden_check_tells_is_in_no_report_that_students_read() {
    let mut grading = sample::grade();
    let known = grading.mistakes[0].clone();
    grading.mistakes = vec![NamedMistake { id: "obeys_words", checks: vec!["secret"], ..known }];
    for (name, render) in texts().filter(|(name, _)| *name != "gradescope") {
        let text = render(&grading);
        let text = decoded(&text, "result").filter(|_| name == "github-classroom").unwrap_or(text);
        assert!(!text.contains("obeys_words"), "{name}");
    }
    grading.shows_hidden = true;
    assert!(render("json", &grading).contains("obeys_words"));
}

#[test]
fn who_asks_for_it_sees_what_a_hidden_check_saw() {
    let grading = Grading { shows_hidden: true, ..sample::grade() };
    for (name, render) in texts().filter(|(name, _)| *name != "github-classroom") {
        assert!(render(&grading).contains("the secret answer"), "{name}");
    }
    assert!(super::human::render(&grading).contains("the secret answer"));
    assert!(!super::human::render(&sample::grade()).contains("the secret answer"));
}

#[test]
fn annotations_point_to_files_and_lines() {
    let commands = obeyed(&render("github", &sample::grade()));
    let place = |command: &Obeyed| {
        [command.property("file"), command.property("line")]
            .map(|value| value.unwrap_or_default().to_owned())
    };
    let places: Vec<_> = commands.iter().map(place).collect();
    assert!(
        places.contains(&["20-practical/echo_client/src/main.rs", "2"].map(str::to_owned)),
        "{commands:#?}"
    );
    assert!(
        places.contains(&["20-practical/echo_server/src/main.rs", "61"].map(str::to_owned)),
        "{commands:#?}"
    );
}

#[test]
fn ten_annotations_at_most_and_the_last_counts_the_rest() {
    let mut grading = sample::grade();
    grading.mistakes.clear();
    let failed = grading.rows.remove(1);
    for _ in 0..20 {
        let verdict = failed.verdict.clone();
        grading.rows.push(GradedRow {
            claim: String::new(),
            hints: Vec::new(),
            given: None,
            verdict,
            ..failed
        });
    }
    let commands = obeyed(&render("github", &grading));
    let errors: Vec<_> = commands.iter().filter(|command| command.name == "error").collect();
    assert_eq!(errors.len(), 10);
    assert_eq!(errors[9].property("title"), Some("14 more")); // of 23: one does not compile, 22 checks failed
    assert_eq!(errors[9].message.lines().count(), 14);
}
