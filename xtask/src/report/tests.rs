//! Every format beside the others: how each of them looks, that all say the same score, that none
//! makes a grade of a fault, and that no program writes into its own report. What other people's
//! readers make of them is in `tests/consumers`.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use quick_xml::Reader;
use quick_xml::events::Event as Xml;
use serde_json::Value;

use super::sample::{self, HOSTILE, TOKEN};
use super::{FORMATS, Render, RenderText, github, html};
use crate::explanations::NamedMistake;
use crate::grade::Grading;

fn render(format: &str, grading: &Grading) -> String {
    let (_, render) = texts().find(|(name, _)| *name == format).unwrap();
    render(grading)
}

/// The formats that are text: all but the capture, which has tests of its own.
fn texts() -> impl Iterator<Item = (&'static str, RenderText)> {
    FORMATS.iter().filter_map(|(name, render)| match render {
        Render::Text(render) => Some((*name, *render)),
        Render::Bytes(_) => None,
    })
}

// ---- how they look ----

/// `SNAPSHOTS=write cargo test -p xtask --all-features` writes them anew; then look at the
/// difference.
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

/// Score and maximum as a reader of the format finds them, from its points for each check where it
/// has them.
fn read_back(format: &str, text: &str) -> Option<(u64, u64)> {
    match format {
        "json" => points(&json(text), "score", "max_score"),
        "gradescope" => gradescope(&json(text)),
        "classroom50" if text.is_empty() => None,
        "classroom50" => {
            let result = json(text);
            let sums = (sum(&result["tests"], "score"), sum(&result["tests"], "max-score"));
            (points(&result, "score", "max-score")? == sums).then_some(sums)
        }
        "github-classroom" => {
            let result = json(&decoded(text, "result")?);
            let max = result["max_score"].as_u64().filter(|max| *max > 0)?;
            Some((sum(&result["tests"], "score"), max))
        }
        "github" => {
            let commands = obeyed(text);
            let notice = commands.iter().find(|command| command.name == "notice")?;
            slashed(notice.property("title")?)
        }
        "html" => {
            slashed(text.split_once("<p class=\"score ")?.1.split_once('>')?.1.split_once(':')?.0)
        }
        "markdown" | "summary" => slashed(text.lines().next()?),
        "ctrf" => ctrf(&json(text)["results"]),
        "prairielearn" => prairielearn(&json(text)),
        "autolab" => {
            let scores = autolab(text.trim_end().lines().last()?)?;
            let points =
                scores["scores"].as_object()?.values().map(|score| score.as_u64().unwrap()).sum();
            Some((points, 25)) // it knows no maximum
        }
        "junit" => junit(text),
        other => panic!("no reader for {other}"),
    }
}

fn gradescope(results: &Value) -> Option<(u64, u64)> {
    let sums = (sum(results.get("tests")?, "score"), sum(&results["tests"], "max_score"));
    (results["score"].as_u64()? == sums.0).then_some(sums)
}

fn ctrf(results: &Value) -> Option<(u64, u64)> {
    let tests = results["tests"].as_array()?.iter().map(|test| test["extra"].clone());
    let tests = Value::Array(tests.filter(|extra| !extra.is_null()).collect());
    let sums = (sum(&tests, "score"), sum(&tests, "max_score"));
    (points(&results["extra"], "score", "max_score")? == sums).then_some(sums)
}

fn prairielearn(results: &Value) -> Option<(u64, u64)> {
    let sums = (sum(results.get("tests")?, "points"), sum(&results["tests"], "max_points"));
    let share = results["score"].as_f64()?;
    (results["gradable"] == true && (share * sums.1 as f64).round() as u64 == sums.0)
        .then_some(sums)
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn points(value: &Value, score: &str, max: &str) -> Option<(u64, u64)> {
    Some((value.get(score)?.as_u64()?, value.get(max)?.as_u64()?))
}

fn sum(tests: &Value, key: &str) -> u64 {
    tests.as_array().unwrap().iter().map(|test| test[key].as_u64().unwrap()).sum()
}

/// `… 7/25 points …`
fn slashed(text: &str) -> Option<(u64, u64)> {
    let word = text.split_whitespace().find(|word| word.contains('/'))?;
    let (score, max) = word.split_once('/')?;
    Some((score.parse().ok()?, max.parse().ok()?))
}

/// The last value of a step's output, as GitHub keeps it.
fn decoded(outputs: &str, name: &str) -> Option<String> {
    let lines = outputs.lines().rev().find_map(|line| line.strip_prefix(&format!("{name}=")))?;
    Some(String::from_utf8(BASE64_STANDARD.decode(lines).unwrap()).unwrap())
}

/// Autolab's reader first puts quotation marks round each word before a colon.
fn autolab(line: &str) -> Option<Value> {
    let word = |c: char| c.is_ascii_alphanumeric();
    let pieces: Vec<&str> = line.split(':').collect();
    let mut quoted = String::new();
    for (at, piece) in pieces.iter().enumerate() {
        let start = piece.trim_end_matches(word).len();
        match at + 1 < pieces.len() && start < piece.len() {
            true => quoted += &format!("{}\"{}\":", &piece[..start], &piece[start..]),
            false => quoted += &format!("{piece}{}", if at + 1 < pieces.len() { ":" } else { "" }),
        }
    }
    serde_json::from_str(&quoted).ok()
}

fn junit(text: &str) -> Option<(u64, u64)> {
    let mut reader = Reader::from_str(text);
    let mut sums = None;
    loop {
        match reader.read_event().unwrap() {
            Xml::Eof => return sums,
            Xml::Empty(element) if element.name().as_ref() == "property" => {
                let attribute = |name: &str| {
                    element.try_get_attribute(name).unwrap().unwrap().value.into_owned()
                };
                let value: u64 = attribute("value").parse().unwrap_or_default();
                let (score, max) = sums.unwrap_or((0, 0));
                sums = match attribute("name").as_str() {
                    "score" => Some((score + value, max)),
                    "max_score" => Some((score, max + value)),
                    _ => sums,
                };
            }
            _ => {}
        }
    }
}

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

// ---- what GitHub's runner makes of a log ----

#[derive(Debug, PartialEq, Eq)]
struct Obeyed {
    name: String,
    properties: Vec<(String, String)>,
    message: String,
}

impl Obeyed {
    fn property(&self, key: &str) -> Option<&str> {
        self.properties.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }
}

/// The commands that a runner finds in what a step prints. Both of its notations count: `::name
/// key=value::text` at the beginning of a line, whatever space stands before it, and `##[name
/// key=value]text` anywhere in one.
fn obeyed(log: &str) -> Vec<Obeyed> {
    let mut obeyed = Vec::new();
    let mut token: Option<String> = None;
    for line in log.split(['\n', '\r']) {
        let Some(command) = new_notation(line).or_else(|| old_notation(line)) else { continue };
        match &token {
            Some(waiting) if *waiting == command.name => token = None,
            Some(_) => {}
            None if command.name == "stop-commands" => token = Some(command.message),
            None => obeyed.push(command),
        }
    }
    assert_eq!(token, None, "commands are stopped and never resumed");
    obeyed
}

fn new_notation(line: &str) -> Option<Obeyed> {
    let (head, message) = line.trim_start().strip_prefix("::")?.split_once("::")?;
    Some(parsed(head, message, ','))
}

fn old_notation(line: &str) -> Option<Obeyed> {
    let (_, rest) = line.split_once("##[")?;
    let (head, message) = rest.split_once(']')?;
    Some(parsed(head, message, ';'))
}

fn parsed(head: &str, message: &str, between: char) -> Obeyed {
    let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
    let unescaped = |text: &str| {
        let pairs = [("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")];
        pairs.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
    };
    let property =
        |pair: &str| pair.split_once('=').map(|(key, value)| (key.to_owned(), unescaped(value)));
    Obeyed {
        name: name.to_owned(),
        properties: properties.split(between).filter_map(property).collect(),
        message: unescaped(message),
    }
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
        grading.rows.push(crate::grade::GradedRow {
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

// ---- hostile programs ----

#[test]
fn the_runner_obeys_nothing_that_a_program_printed() {
    let unarmed = obeyed(&HOSTILE.join("\n").replace("::stop-commands::0", ""));
    assert!(unarmed.len() > 5, "the model of the runner finds nothing to obey: {unarmed:?}");

    let commands = obeyed(&render("github", &sample::hostile()));
    assert!(
        commands.iter().all(|command| ["error", "notice"].contains(&command.name.as_str())),
        "{commands:#?}"
    );
    let titles: Vec<_> =
        commands.iter().map(|command| command.property("title").unwrap()).collect();
    let right = obeyed(&render("github", &sample::grade()));
    let expected: Vec<_> = right.iter().map(|command| command.property("title").unwrap()).collect();
    assert_eq!(titles, expected);
    let log = github::disarmed("::error::x\r::add-mask::y\n##[error]z", TOKEN);
    assert_eq!(obeyed(&log), []);
    assert!(!github::disarmed("::error::x", "").contains("error::"));
}

#[test]
fn a_hostile_program_changes_no_score_and_no_shape() {
    let (plain, hostile) = (sample::grade(), sample::hostile());
    for (name, render) in texts() {
        let text = render(&hostile);
        assert_eq!(read_back(name, &text), Some((7, 25)), "{name}");
        assert!(text.len() < 400_000, "{name}: {} bytes", text.len());
        let forbidden = |c: char| {
            c.is_control() && c != '\n' && c != '\t' || "\u{202e}\u{feff}\u{fffe}".contains(c)
        };
        let shown = if name == "json" { json(&text)["score"].to_string() } else { text.clone() };
        assert_eq!(shown.chars().find(|c| forbidden(*c)), None, "{name}");
        if text.starts_with('{') {
            assert_eq!(shape(&json(&text), ""), shape(&json(&render(&plain)), ""), "{name}");
        }
    }
    assert_eq!(elements(&render("junit", &hostile)), elements(&render("junit", &plain)));
    assert_eq!(
        render("github-classroom", &hostile).lines().count(),
        render("github-classroom", &plain).lines().count()
    );
}

/// What evidence there is for a failure.
const EVIDENCE: &[&str] = &["transcript", "blocked_in", "stderr_tail", "filePath", "line"];

/// Everything of a report but its words and its evidence: keys, numbers, and that there is a word.
fn shape(value: &Value, key: &str) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.iter().filter(|(key, _)| !EVIDENCE.contains(&key.as_str()));
            members.map(|(key, value)| (key.clone(), shape(value, key))).collect()
        }
        Value::Array(values) => values.iter().map(|value| shape(value, key)).collect(),
        Value::String(word)
            if ["name", "id", "status", "visibility", "test-name"].contains(&key) =>
        {
            word.clone().into()
        }
        Value::String(_) => "".into(),
        other => other.clone(),
    }
}

fn elements(xml: &str) -> Vec<String> {
    let mut reader = Reader::from_str(xml);
    let mut names = Vec::new();
    loop {
        match reader.read_event().unwrap() {
            Xml::Eof => return names,
            Xml::Start(element) | Xml::Empty(element) => {
                names.push(element.name().as_ref().to_owned());
            }
            _ => {}
        }
    }
}

#[test]
fn a_page_holds_nothing_that_runs_or_comes_from_elsewhere() {
    for grading in
        [sample::grade(), sample::hostile(), sample::with_a_fault(), sample::broken_off()]
    {
        let page = render("html", &grading);
        let page = page.replace(" xmlns=\"http://www.w3.org/2000/svg\"", "");
        let tags: Vec<&str> =
            page.split('<').skip(1).filter_map(|tag| tag.split('>').next()).collect();
        for word in ["script", "img", "link", "iframe", "base", "/details><", "!--"] {
            assert!(!tags.iter().any(|tag| tag.starts_with(word)), "{word}");
        }
        for tag in &tags {
            let handler =
                tag.split_whitespace().any(|word| word.starts_with("on") && word.contains('='));
            assert!(!handler && !tag.contains("://"), "{tag}");
        }
        assert_eq!(
            tags.iter().filter(|tag| tag.starts_with("details")).count(),
            page.matches("</details>").count()
        );
        assert!(page.contains("default-src 'none'"));
    }
}

/// Outside of its blocks of code a hostile report in Markdown has the lines that any report has.
#[test]
fn nothing_breaks_out_of_a_block_of_code() {
    for report in [render("markdown", &sample::hostile()), github::summary(&sample::hostile())] {
        let outside = outside_of_code(&report);
        for word in ["<script", "<img", "\n## ✅", "[link](", "@everyone", "#1"] {
            assert!(!outside.contains(word), "{word} in\n{outside}");
        }
        assert_eq!(outside.matches("<details").count(), 4);
        assert_eq!(outside.matches("</details>").count(), 4);
    }
}

fn outside_of_code(markdown: &str) -> String {
    let mut fence: Option<usize> = None;
    let mut outside = String::new();
    for line in markdown.lines() {
        let ticks = line.len() - line.trim_start_matches('`').len();
        match fence {
            None if ticks >= 3 => fence = Some(ticks),
            None => outside += &format!("{line}\n"),
            Some(opened) if ticks >= opened && line.trim_end().len() == ticks => fence = None,
            Some(_) => {}
        }
    }
    assert_eq!(fence, None, "a block of code has no end");
    outside
}

#[test]
fn a_long_report_in_markdown_fits_and_says_what_it_leaves_out() {
    let mut grading = sample::hostile();
    for _ in 0..100 {
        let failed = &grading.rows[1];
        let verdict = suite::Verdict {
            stderr_tail: failed.verdict.stderr_tail[..100].to_vec(),
            ..verdict(failed)
        };
        let row = crate::grade::GradedRow {
            claim: String::new(),
            hints: Vec::new(),
            given: None,
            verdict,
            ..*failed
        };
        grading.rows.push(row);
    }
    let comment = render("markdown", &grading);
    assert!(
        comment.len() < 60_000 && comment.contains("are left out here"),
        "{} bytes",
        comment.len()
    );
    assert!(github::summary(&grading).len() < 1_000_000);
}

fn verdict(row: &crate::grade::GradedRow) -> suite::Verdict {
    suite::Verdict {
        transcript: row.verdict.transcript.clone(),
        ..suite::Verdict::new("echoes", row.verdict.status.clone())
    }
}

// ---- other people's readers ----

/// `tests/consumers/read.mjs` reads every report with what other projects read it with, or against
/// the fields that they document, and prints what score it found.
#[test]
fn other_peoples_readers_accept_every_report() {
    if std::process::Command::new("node").arg("--version").output().is_err() {
        println!("skipped: no node here");
        return;
    }
    let Some(readers) = readers() else { return };
    let reports = tempfile::tempdir().unwrap();
    for (sample, grading) in [
        ("plain", sample::grade()),
        ("hostile", sample::hostile()),
        ("fault", sample::with_a_fault()),
        ("broken_off", sample::broken_off()),
    ] {
        let folder = reports.path().join(sample);
        std::fs::create_dir(&folder).unwrap();
        for (name, render) in texts() {
            std::fs::write(folder.join(name), render(&grading)).unwrap();
        }
    }
    let output =
        std::process::Command::new("node").arg(&readers).arg(reports.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let scores = json(&said);
    for (sample, formats) in scores.as_object().unwrap() {
        for (format, score) in formats.as_object().unwrap() {
            let expected =
                if ["plain", "hostile"].contains(&sample.as_str()) { "7/25" } else { "none" };
            assert_eq!(score, expected, "{sample} {format}");
        }
    }
    println!("{said}");
}

/// Installs the readers once, below the target folder.
pub(super) fn readers() -> Option<PathBuf> {
    static READERS: std::sync::OnceLock<Option<PathBuf>> = std::sync::OnceLock::new();
    READERS.get_or_init(install_readers).clone()
}

fn install_readers() -> Option<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/consumers");
    if !source.is_dir() {
        println!("skipped: {} is not here", source.display());
        return None;
    }
    let executable = std::env::current_exe().unwrap();
    let folder = executable
        .ancestors()
        .find(|folder| folder.ends_with("target") || folder.join("CACHEDIR.TAG").exists())?;
    let folder = folder.join("consumers");
    std::fs::create_dir_all(&folder).unwrap();
    for entry in std::fs::read_dir(&source).unwrap().map(Result::unwrap) {
        std::fs::copy(entry.path(), folder.join(entry.file_name())).unwrap();
    }
    std::fs::copy(
        source.join("../../schema/verdict.schema.json"),
        folder.join("verdict.schema.json"),
    )
    .unwrap();
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let lock = std::fs::read(folder.join("package-lock.json")).unwrap();
    let stamp = folder.join("installed");
    if std::fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return Some(folder.join("read.mjs"));
    }
    let install = [
        "ci",
        "--loglevel=error",
        "--no-audit",
        "--no-fund",
        "--ignore-scripts",
        "--fetch-retries=0",
    ];
    match std::process::Command::new(npm).args(install).current_dir(&folder).output() {
        Ok(output) if output.status.success() => std::fs::write(stamp, lock).unwrap(),
        Ok(output) => {
            println!(
                "skipped: npm cannot install the readers: {}",
                String::from_utf8_lossy(&output.stderr)
            );
            return None;
        }
        Err(_) => {
            println!("skipped: no npm here");
            return None;
        }
    }
    Some(folder.join("read.mjs"))
}
