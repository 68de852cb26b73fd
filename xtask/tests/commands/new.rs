//! `new`, in a copy of the repository: the new practical verifies at once, takes another check as
//! the README says, and leaves the engine as it was.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::copy;
use crate::support::root;

/// Returns the content of every file below a folder.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            found.extend(contents(&entry.path()));
        } else {
            found.insert(entry.path(), fs::read(entry.path()).unwrap());
        }
    }
    found
}

struct Copy {
    folder: tempfile::TempDir,
}

impl Copy {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy(root(), folder.path());
        Self { folder }
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    /// Runs a command as an author types it. Its target folder serves only this test, and stays
    /// for the next run.
    fn xtask(&self, words: &str) -> Output {
        Command::new(env!("CARGO"))
            .arg("xtask")
            .args(words.split_whitespace())
            .current_dir(self.folder.path())
            .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("new-practical"))
            .env_remove("CLICOLOR_FORCE")
            .output()
            .unwrap()
    }

    #[track_caller]
    fn ends(&self, words: &str, status: i32, says: &str) {
        let output = self.xtask(words);
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert_eq!(output.status.code(), Some(status), "{words:?}: {said}");
        assert!(said.contains(says), "{words:?} does not say {says:?}: {said}");
    }

    #[track_caller]
    fn edit(&self, file: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.path(file)).unwrap();
        assert!(text.contains(from), "{file} has no {from:?}");
        fs::write(self.path(file), text.replacen(from, to, 1)).unwrap();
    }

    fn append(&self, file: &str, more: &str) {
        let text = fs::read_to_string(self.path(file)).unwrap();
        fs::write(self.path(file), text + more).unwrap();
    }
}

#[test]
fn a_new_practical_verifies_at_once_and_takes_another_check() {
    if !cfg!(target_os = "linux") {
        println!("skipped: one system's proof is enough, and this one builds the harness anew");
        return;
    }
    let copy = Copy::new();
    let before = contents(copy.folder.path());
    copy.ends("new greeting", 0, "cargo xtask verify greeting");

    only_adds_the_practical(&copy, &before);
    copy.ends("verify greeting", 0, "greeting: the grader holds");
    copy.ends("grade greeting --solution", 0, "Score 100/100");
    copy.ends("list", 0, "greeting: ");
    copy.ends("explain says_nothing", 0, "Checks that fail for it");
    copy.ends("new greeting", 2, "there is a practical \"greeting\" already");

    add_a_check(&copy);
    copy.ends("verify greeting", 1, "no mistake fails greets_next_client");
    add_its_mistake(&copy);
    copy.ends("verify greeting", 0, "greeting: the grader holds");
}

/// Checks that each earlier file is as it was. Only the register has more: the practical's line.
fn only_adds_the_practical(copy: &Copy, before: &BTreeMap<PathBuf, Vec<u8>>) {
    let after = contents(copy.folder.path());
    let changed: Vec<&PathBuf> =
        before.iter().filter(|(path, text)| after[*path] != **text).map(|(path, _)| path).collect();
    let register = copy.path("tests/src/practicals.rs");
    assert_eq!(changed, [&register]);
    let is_new = |path: &&PathBuf| !before.contains_key(*path);
    let own = [copy.path("practicals/greeting"), copy.path("tests/src/practicals/greeting/mod.rs")];
    for path in after.keys().filter(is_new) {
        assert!(own.iter().any(|own| path.starts_with(own)), "{}", path.display());
    }
    let (old, new) =
        (String::from_utf8_lossy(&before[&register]), String::from_utf8_lossy(&after[&register]));
    let mut rest = old.lines().peekable();
    let added: Vec<&str> = new.lines().filter(|line| rest.next_if_eq(line).is_none()).collect();
    assert_eq!((rest.next(), added), (None, vec!["    greeting,"]));
}

const CHECKS: &str = "tests/src/practicals/greeting/mod.rs";

/// Does what the README's section for authors says: a function, a line in the register, a row in
/// the rubric, a line in the handout.
fn add_a_check(copy: &Copy) {
    let one = "&[check!(flow, greets_client, greeting_server)]";
    copy.edit(CHECKS, one, TWO_CHECKS);
    copy.append(CHECKS, CHECK);
    let rubric = "practicals/greeting/rubric.toml";
    copy.edit(rubric, "points = 100", "points = 60");
    copy.append(rubric, ROW_OF_THE_CHECK);
    let last = "then the end of the stream. | 100 |";
    copy.edit("practicals/greeting/README.md", last, LAST_AND_NEXT);
}

const TWO_CHECKS: &str = "\
&[
    check!(flow, greets_client, greeting_server),
    check!(flow, greets_next_client, greeting_server),
]";

const CHECK: &str = r#"
/// After one client comes the next.
fn greets_next_client(server: &Program) -> Outcome {
    let running = server.launch()?;
    for _ in 0..2 {
        running.connect()?.expect(b"hello\n")?;
    }
    Ok(())
}
"#;

const ROW_OF_THE_CHECK: &str = r#"
[[check]]
id     = "greets_next_client"
points = 40
needs  = ["greets_client"]
claim  = "The next client is greeted, too."
hint   = "Accepting belongs in a loop."
"#;

const LAST_AND_NEXT: &str = "\
then the end of the stream. | 60 |
| flow | `greets_next_client` | The next client is greeted, too. | 40 |";

/// Adds a mistake that fails the check, with its row, its rule and its explanation.
fn add_its_mistake(copy: &Copy) {
    let solution = copy.path("practicals/greeting/solution/greeting_server/src/main.rs");
    let right = fs::read_to_string(solution).unwrap();
    let wrong = right.replace("if let Err(error) = greet(client)", GREETS_AND_FAILS);
    let goes_on = "eprintln!(\"{peer} is lost: {error}\");";
    let wrong = wrong.replace(goes_on, &format!("{goes_on}\n            return Err(error);"));
    assert_ne!(right, wrong);
    fs::write(copy.path("practicals/greeting/mistakes/src/bin/greets_once.rs"), wrong).unwrap();
    copy.append("practicals/greeting/mistakes/mistakes.toml", ROW_OF_THE_MISTAKE);

    copy.edit(CHECKS, "&[rule!(says_nothing)]", "&[rule!(says_nothing), rule!(greets_once)]");
    copy.append(CHECKS, RULE);
    let explanations = "practicals/greeting/explanations.toml";
    let text = fs::read_to_string(copy.path(explanations)).unwrap();
    let row = text[text.find("[[mistake]]").unwrap()..].replace("says_nothing", "greets_once");
    let row = row.replace("\"greets_client\"", "\"greets_next_client\"");
    copy.append(explanations, &format!("\n{row}"));
}

const GREETS_AND_FAILS: &str = r#"if let Err(error) =
            greet(client).and_then(|()| Err::<(), _>(io::Error::other("one is enough")))"#;

const ROW_OF_THE_MISTAKE: &str = r#"
[[mistake]]
id      = "greets_once"
program = "greeting_server"
does    = "ends after its first client"
fails   = ["greets_next_client"]
"#;

const RULE: &str = r#"
fn greets_once(findings: &Findings<'_>) -> Option<Diagnosis> {
    let check = "greets_next_client";
    findings.failed(check)?.verdict.ended.as_ref()?;
    findings.name("greets_once", "after its first client the program ended", &[check])
}
"#;
