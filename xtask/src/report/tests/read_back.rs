//! Reads the score back from each format.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use quick_xml::Reader;
use quick_xml::events::Event as Xml;
use serde_json::Value;

use super::runner::obeyed;

/// Returns score and maximum as a reader of the format finds them, from the points of each check if
/// it has them.
pub(super) fn read_back(format: &str, text: &str) -> Option<(u64, u64)> {
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

pub(super) fn json(text: &str) -> Value {
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

/// Returns the last value of a step's output, which GitHub keeps.
pub(super) fn decoded(outputs: &str, name: &str) -> Option<String> {
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
