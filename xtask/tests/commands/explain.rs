//! `list`, `explain` and `--help`: what can be looked up.

use predicates::prelude::*;
use predicates::str::contains;

use crate::reports::FILES;
use crate::support::xtask;

fn printed(words: &str) -> String {
    let assert = xtask(words).assert().code(0);
    String::from_utf8_lossy(&assert.get_output().stdout).into_owned()
}

fn rows(text: &str) -> usize {
    text.lines().filter(|line| line.starts_with("  ")).count()
}

#[test]
fn list_shows_every_check_with_its_points() {
    assert_eq!(rows(&printed("list")), 31 + 37 + 28);
}

#[test]
fn explain_knows_checks_and_mistakes() {
    let check = xtask("explain echoes_every_size").assert().code(0);
    check.stdout(contains("To try").and(contains("needs").not()));
    xtask("explain reads_once").assert().code(0).stdout(contains("How to mend it"));
}

#[test]
fn explain_lists_all_mistakes() {
    for words in ["explain", "explain mistakes"] {
        let text = printed(words);
        assert_eq!(rows(text.split("\nThe mistakes that ").next().unwrap_or_default()), 47);
        assert!(text.contains("\nAs in echo: never_listens, "), "{text}");
    }
}

#[test]
fn help_is_help() {
    assert!(printed("--help").contains("cargo xtask grade PRACTICAL"));
    let help = printed("grade --help");
    assert!(help.contains("--submission DIR"), "{help}");
    assert!(FILES.iter().all(|(format, _)| help.contains(format)), "{help}");
    assert!(help.lines().all(|line| line.len() <= 80), "{help}");
}
