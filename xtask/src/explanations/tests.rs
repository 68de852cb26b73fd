use super::*;
use crate::mutations::Inputs;

const REAL: &str = include_str!("../../../practicals/echo/explanations.toml");

/// The names that are promised to everybody outside.
const NAMES: [&str; 47] = [
    "never_listens",
    "ignores_address",
    "listens_everywhere",
    "accepts_only",
    "reads_into_nothing",
    "replies_late",
    "reads_once",
    "drops_after_buffer",
    "stops_at_short_read",
    "waits_for_end",
    "waits_for_newline",
    "text_only",
    "stops_at_nul",
    "obeys_words",
    "trims_whitespace",
    "adds_newline",
    "greets",
    "decorates",
    "sends_whole_buffer",
    "partial_write",
    "one_client_ever",
    "one_client_at_a_time",
    "few_clients",
    "mixes_clients",
    "dies_on_reset",
    "dies_on_empty",
    "one_bad_client_stops_all",
    "holds_the_port",
    "drops_data_at_end",
    "never_closes",
    "closes_too_early",
    "spins",
    "panics_on_error",
    "misreports_errors",
    "client_reads_once",
    "client_stops_at_short_read",
    "client_prints_own_message",
    "client_text_only",
    "client_waits_for_end",
    "client_adds_newline",
    "client_decorates",
    "client_prints_whole_buffer",
    "client_replies_on_stderr",
    "client_waits_for_match",
    "client_hides_failure",
    "reads_past_the_end",
    "ends_after_some_clients",
];

fn echo() -> &'static Practical {
    suite::practical("echo").unwrap()
}

pub(crate) fn real() -> Explanations {
    parse(echo(), "explanations.toml", REAL).unwrap()
}

/// The real file with one thing changed in it.
fn changed(from: &str, to: &str) -> anyhow::Result<Explanations> {
    assert!(REAL.contains(from), "the explanations have no {from:?}");
    parse(echo(), "explanations.toml", &REAL.replacen(from, to, 1))
}

#[track_caller]
fn refused(from: &str, to: &str, says: &str) {
    let error = changed(from, to).map(|_| ()).unwrap_err().to_string();
    assert!(error.starts_with("explanations.toml") && error.contains(says), "{error}");
}

#[track_caller]
fn gap(from: &str, to: &str, says: &str) {
    let gaps = changed(from, to).unwrap().gaps();
    assert!(matches!(gaps.as_slice(), [gap] if gap.contains(says)), "{gaps:?}");
}

#[test]
fn every_name_has_a_row_and_every_row_a_name() {
    let ids: Vec<String> = real().mistake.into_iter().map(|row| row.id).collect();
    assert_eq!(ids, NAMES);
}

#[test]
fn nothing_is_missing_and_nothing_too_wide() {
    for practical in suite::PRACTICALS {
        let folder =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../practicals").join(practical.name);
        let explanations = read(practical, &folder).unwrap();
        assert_eq!(explanations.gaps(), Vec::<String>::new(), "{}", practical.name);
        let wordless: Vec<&str> =
            practical.mistakes().into_iter().filter(|id| explanations.of(id).is_none()).collect();
        assert_eq!(wordless, Vec::<&str>::new(), "{}", practical.name);
    }
}

/// What is read for the second practical, where this is its own file and the first one's is
/// real.
fn read_beside_the_real(own: &str) -> anyhow::Result<Explanations> {
    let [first, second, ..] = suite::PRACTICALS else { panic!("there is but one practical") };
    let folder = tempfile::tempdir().unwrap();
    for (practical, text) in [(first, REAL), (second, own)] {
        std::fs::create_dir(folder.path().join(practical.name)).unwrap();
        std::fs::write(folder.path().join(practical.name).join("explanations.toml"), text).unwrap();
    }
    read(second, &folder.path().join(second.name))
}

#[test]
fn what_is_the_same_elsewhere_is_taken_from_there() {
    let same = |practical: &str, mistakes: &str| {
        read_beside_the_real(&format!(
            "[[same]]\npractical = {practical:?}\nmistakes = [{mistakes}]\n"
        ))
    };
    let taken = same("echo", "\"panics_on_error\"").unwrap();
    let row = taken.of("panics_on_error").unwrap();
    assert_eq!(
        (row.from, row.says.as_str()),
        (Some("echo"), real().of("panics_on_error").unwrap().says.as_str())
    );
    assert!(
        !row.fails.is_empty() && !row.fails.iter().any(|id| id.starts_with("client")),
        "{:?}",
        row.fails
    );

    let refused =
        |practical, mistakes| same(practical, mistakes).map(drop).unwrap_err().to_string();
    assert!(refused("ecco", "").ends_with("there is no practical \"ecco\""));
    assert!(refused("echo", "\"shouts\"").ends_with("echo has no mistake \"shouts\""));
    assert!(
        refused("echo", "\"spins\", \"spins\"")
            .ends_with("the mistake \"spins\" has a row already")
    );
}

#[test]
fn a_picture_of_a_conversation_is_short() {
    for row in real().mistake {
        assert!((3..=8).contains(&row.wire.lines().count()), "{}:\n{}", row.id, row.wire);
    }
}

#[test]
fn an_unknown_key_is_named_with_its_line() {
    let line = REAL.lines().position(|line| line.starts_with("id ")).unwrap() + 1;
    refused(
        "id      =",
        "colour = 1\nid      =",
        &format!("explanations.toml:{line}: unknown field `colour`"),
    );
    refused("code.rust", "code.cobol", "unknown field `cobol`");
}

#[test]
fn a_second_row_is_refused() {
    refused("\"ignores_address\"", "\"never_listens\"", "\"never_listens\" has a row already");
}

#[test]
fn a_check_must_be_a_check() {
    refused(
        "fails   = [",
        "fails   = [\"shouts\", ",
        "never_listens fails \"shouts\", which is no check",
    );
}

#[test]
fn a_gap_is_named() {
    gap("locally = ", "locally = \"\" # ", "never_listens has no \"locally\"");
    gap("fails   = ", "fails   = [] # ", "never_listens has no \"fails\"");
    let wide = format!("wire    = '''\n{}\n", "x".repeat(VERBATIM + 1));
    gap("wire    = '''\n", &wide, "never_listens has a line of more than 72 columns: xxx");
    let long = format!("does    = \"{}", "x".repeat(ONE_LINE));
    gap("does    = \"", &long, "never_listens does not say in 50 columns what it does: xxx");
}

/// A small file is read more often in the same time than the real one.
const SMALL: &str = "[[mistake]]\nid = \"a\"\ndoes = \"b\"\nfails = [\"echoes_short_message\"]\nsays = \"c\"\n\
    try = \"d\"\nwire = \"\"\"\na → b\n\"\"\"\ncode = { rust = \"e\" }\nread = [\"f\"]\n\
    [[same]]\npractical = \"framing\"\nmistakes = [\"g\"]\n";

#[test]
fn a_bad_file_is_refused_in_one_line() {
    let practical = suite::practical("echo").unwrap();
    let words = ["[[mistake]]", "[[same]]", "python = \"x\"", "locally = \"y\"", "[a]", "→"];
    let inputs = Inputs { right: &[SMALL.as_bytes()], words: &words, ..Inputs::default() };
    inputs.check("explanations", |input| {
        let text = String::from_utf8_lossy(input);
        let explanations = parse(practical, "explanations.toml", &text)?;
        explanations.gaps();
        Ok(())
    });
}
