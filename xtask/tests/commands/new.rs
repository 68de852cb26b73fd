//! A new practical, made in a copy of the repository: it verifies at once, takes a further check as
//! the README says, and the engine does not change for it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The repository as it would be cloned, without what git and cargo keep beside it.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let place = to.join(entry.file_name());
        match entry.file_name().to_str() {
            Some("target" | ".git") => {}
            _ if entry.file_type().unwrap().is_dir() => copy(&entry.path(), &place),
            _ => _ = fs::copy(entry.path(), place).unwrap(),
        }
    }
}

/// The content of every file below a folder.
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

    /// The commands as an author types them. What they build is kept from test to test, apart from
    /// everybody else's.
    fn xtask(&self, arguments: &[&str]) -> Output {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        Command::new(cargo)
            .arg("xtask")
            .args(arguments)
            .current_dir(self.folder.path())
            .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("new-practical"))
            .env_remove("CLICOLOR_FORCE")
            .output()
            .unwrap()
    }

    #[track_caller]
    fn ends(&self, arguments: &[&str], status: i32, says: &str) {
        let output = self.xtask(arguments);
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {said}");
        assert!(said.contains(says), "{arguments:?} does not say {says:?}: {said}");
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
    copy.ends(&["new", "greeting"], 0, "cargo xtask verify greeting");

    only_adds_the_practical(&copy, &before);
    copy.ends(&["verify", "greeting"], 0, "greeting: the grader holds");
    copy.ends(&["grade", "greeting", "--solution"], 0, "Score 100/100");
    copy.ends(&["list"], 0, "greeting: ");
    copy.ends(&["explain", "says_nothing"], 0, "Checks that fail for it");
    copy.ends(&["new", "greeting"], 2, "there is a practical \"greeting\" already");

    add_a_check(&copy);
    copy.ends(&["verify", "greeting"], 1, "no mistake fails greets_next_client");
    add_its_mistake(&copy);
    copy.ends(&["verify", "greeting"], 0, "greeting: the grader holds");
}

/// Every file that was there is as it was, but the register, to which lines were added that name
/// the practical's own.
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

/// As the README's section for authors says: a function, a line in the register, a row in the
/// rubric, a line in the handout.
fn add_a_check(copy: &Copy) {
    let checks = "tests/src/practicals/greeting/mod.rs";
    copy.edit(
        checks,
        "&[check!(flow, greets_client, greeting_server)]",
        "&[\n    check!(flow, greets_client, greeting_server),\n    check!(flow, greets_next_client, greeting_server),\n]",
    );
    copy.append(
        checks,
        "\n/// After one client comes the next.\nfn greets_next_client(server: &Program) -> Outcome {\n    let running = server.launch()?;\n    for _ in 0..2 {\n        running.connect()?.expect(b\"hello\\n\")?;\n    }\n    Ok(())\n}\n",
    );
    let rubric = "practicals/greeting/rubric.toml";
    copy.edit(rubric, "points = 100", "points = 60");
    copy.append(
        rubric,
        "\n[[check]]\nid     = \"greets_next_client\"\npoints = 40\nneeds  = [\"greets_client\"]\nclaim  = \"The next client is greeted, too.\"\nhint   = \"Accepting belongs in a loop.\"\n",
    );
    copy.edit(
        "practicals/greeting/README.md",
        "then the end of the stream. | 100 |",
        "then the end of the stream. | 60 |\n| flow | `greets_next_client` | The next client is greeted, too. | 40 |",
    );
}

/// And a mistake that fails it.
fn add_its_mistake(copy: &Copy) {
    let right =
        fs::read_to_string(copy.path("practicals/greeting/solution/greeting_server/src/main.rs"))
            .unwrap();
    let wrong = right.replace(
        "if let Err(error) = greet(client)",
        "if let Err(error) = greet(client).and_then(|()| Err::<(), _>(io::Error::other(\"one is enough\")))",
    );
    let wrong = wrong.replace(
        "eprintln!(\"{peer} is lost: {error}\");",
        "eprintln!(\"{peer} is lost: {error}\");\n            return Err(error);",
    );
    assert_ne!(right, wrong);
    fs::write(copy.path("practicals/greeting/mistakes/src/bin/greets_once.rs"), wrong).unwrap();
    copy.append(
        "practicals/greeting/mistakes/mistakes.toml",
        "\n[[mistake]]\nid      = \"greets_once\"\nprogram = \"greeting_server\"\ndoes    = \"ends after its first client\"\nfails   = [\"greets_next_client\"]\n",
    );
    let checks = "tests/src/practicals/greeting/mod.rs";
    copy.edit(checks, "&[rule!(says_nothing)]", "&[rule!(says_nothing), rule!(greets_once)]");
    copy.append(
        checks,
        "\nfn greets_once(seen: &Seen<'_>) -> Option<Diagnosis> {\n    let check = \"greets_next_client\";\n    seen.failed(check)?.verdict.ended.as_ref()?;\n    seen.name(\"greets_once\", \"after its first client the program ended\", &[check])\n}\n",
    );
    let explanations = "practicals/greeting/explanations.toml";
    let text = fs::read_to_string(copy.path(explanations)).unwrap();
    let row = &text[text.find("[[mistake]]").unwrap()..];
    let row = row
        .replace("says_nothing", "greets_once")
        .replace("\"greets_client\"", "\"greets_next_client\"");
    copy.append(explanations, &format!("\n{row}"));
}
