//! `new`: a practical that verifies at once, to be changed step by step into the one that is
//! wanted.
//!
//! It is made of the files in `new/`, in which `PRACTICAL` stands for its name; and it is
//! registered by two places in the suite, which are all that the engine has to know of it.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::{PASSED, repository, terminal};

/// What stands for the new practical's name, in texts and in paths.
const NAME: &str = "PRACTICAL";

/// What stands for a package's name in its lock file.
const PACKAGE: &str = "PACKAGE";

/// The new files: where they go, and what is in them.
const FILES: [(&str, &str); 10] = [
    ("practicals/PRACTICAL/README.md", include_str!("new/README.md")),
    ("practicals/PRACTICAL/rubric.toml", include_str!("new/rubric.toml")),
    ("practicals/PRACTICAL/explanations.toml", include_str!("new/explanations.toml")),
    ("practicals/PRACTICAL/PRACTICAL_server/Cargo.toml", include_str!("new/crate.toml")),
    ("practicals/PRACTICAL/PRACTICAL_server/src/main.rs", include_str!("new/skeleton.rs.txt")),
    ("practicals/PRACTICAL/solution/PRACTICAL_server/Cargo.toml", include_str!("new/crate.toml")),
    (
        "practicals/PRACTICAL/solution/PRACTICAL_server/src/main.rs",
        include_str!("new/solution.rs.txt"),
    ),
    ("practicals/PRACTICAL/mistakes/Cargo.toml", include_str!("new/mistakes_crate.toml")),
    ("practicals/PRACTICAL/mistakes/mistakes.toml", include_str!("new/mistakes.toml")),
    ("practicals/PRACTICAL/mistakes/src/bin/says_nothing.rs", include_str!("new/mistake.rs.txt")),
];

/// The lock files, which continuous integration insists on, and their packages.
const LOCKS: [(&str, &str); 3] = [
    ("practicals/PRACTICAL/PRACTICAL_server/Cargo.lock", "PRACTICAL_server"),
    ("practicals/PRACTICAL/solution/PRACTICAL_server/Cargo.lock", "PRACTICAL_server"),
    ("practicals/PRACTICAL/mistakes/Cargo.lock", "PRACTICAL_mistakes"),
];

/// The checks, and the file that registers them.
const CHECKS: (&str, &str) = ("tests/src/PRACTICAL_server.rs", include_str!("new/checks.rs.txt"));
const REGISTER: &str = "tests/src/lib.rs";

pub(crate) fn run(name: &str) -> anyhow::Result<u8> {
    check_name(name)?;
    let root = repository::find()?.root().to_owned();
    let register = root.join(REGISTER);
    let shown = register.display();
    let text = std::fs::read_to_string(&register).with_context(|| {
        format!("{shown} cannot be read: a practical is made in the repository that has the checks")
    })?;
    let registered =
        registered(&text, name).with_context(|| format!("{shown} is not as it should be"))?;

    let files = files(name);
    if let Some((path, _)) = files.iter().find(|(path, _)| root.join(path).exists()) {
        bail!("{} is there already: choose another name", path.display());
    }
    for (path, content) in &files {
        write(&root.join(path), content)?;
    }
    write(&register, &registered)?; // last of all: what is registered is there
    terminal::print(&next_steps(name))?;
    Ok(PASSED)
}

/// It is a folder's name, and a part of the names of modules and packages.
fn check_name(name: &str) -> anyhow::Result<()> {
    const LONGEST: usize = 30;
    let is_word =
        name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if !is_word
        || !name.starts_with(|first: char| first.is_ascii_lowercase())
        || name.len() > LONGEST
    {
        bail!(
            "{name:?} cannot be a practical's name: at most {LONGEST} small letters, digits and _, a letter first"
        );
    }
    if suite::practical(name).is_some() {
        bail!("there is a practical {name:?} already (cargo xtask list)");
    }
    Ok(())
}

/// All files besides the register, by their paths in the repository.
fn files(name: &str) -> Vec<(PathBuf, String)> {
    const LOCK: &str = include_str!("new/lock.toml");
    let named = |text: &str| text.replace(NAME, name);
    let locks =
        LOCKS.iter().map(|(path, package)| (named(path), named(&LOCK.replace(PACKAGE, package))));
    let texts = FILES.iter().chain([&CHECKS]).map(|(path, text)| (named(path), named(text)));
    texts.chain(locks).map(|(path, text)| (PathBuf::from(path), text)).collect()
}

fn write(path: &Path, content: &str) -> anyhow::Result<()> {
    let folder = path.parent().context("a file without a folder")?;
    std::fs::create_dir_all(folder)
        .with_context(|| format!("{} cannot be made", folder.display()))?;
    std::fs::write(path, content).with_context(|| format!("{} cannot be written", path.display()))
}

/// The suite's first file, with the module of the new checks among the others and the practical
/// after all that are there.
fn registered(text: &str, name: &str) -> anyhow::Result<String> {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let list = lines
        .iter()
        .position(|line| line.starts_with("pub const PRACTICALS"))
        .context("no `PRACTICALS`")?;
    let end = (list..lines.len())
        .find(|&at| lines[at] == "];")
        .context("no line `];` after `PRACTICALS`")?;
    lines.insert(end, entry(name));

    let module = format!("mod {name}_server;");
    let is_module = |line: &String| line.starts_with("mod ");
    let later = lines.iter().position(|line| is_module(line) && *line > module);
    let last = lines.iter().rposition(is_module).map(|at| at + 1);
    let mut place = later.or(last).context("no line that begins with `mod `")?;
    while place > 0 && lines[place - 1].starts_with("#[") {
        place -= 1; // an attribute belongs to the module after it
    }
    lines.insert(place, module);
    Ok(lines.join("\n") + "\n")
}

fn entry(name: &str) -> String {
    format!(
        "    Practical {{\n        name: \"{name}\",\n        programs: &[\"{name}_server\"],\n        checks: &[{name}_server::CHECKS],\n        rules: &[{name}_server::RULES],\n    }},"
    )
}

fn next_steps(name: &str) -> String {
    format!(
        "practicals/{name} is there, and registered in {REGISTER}.

It verifies at once:
  cargo xtask verify {name}
  cargo xtask grade {name} --solution

Then, step by step:
  practicals/{name}/README.md                 what the students must do
  practicals/{name}/rubric.toml               title, session, points, claims, hints
  tests/src/{name}_server.rs                  the checks: the register first; then what names the mistakes
  practicals/{name}/solution/, {name}_server/ the programs, whole and unfinished
  practicals/{name}/mistakes/                 a program for each mistake, and its row
  practicals/{name}/explanations.toml         what a report says of each mistake
The README's section for authors says what a check needs, and what a program.
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUITE: &str = include_str!("../../tests/src/lib.rs");

    #[test]
    fn the_real_suite_can_register_a_practical() {
        for name in ["aaa", "middle", "zzz"] {
            let registered = registered(SUITE, name).unwrap();
            let modules: Vec<&str> =
                registered.lines().filter(|line| line.starts_with("mod ")).collect();
            assert!(modules.contains(&format!("mod {name}_server;").as_str()));
            assert!(modules.is_sorted(), "{modules:?}");
            assert!(registered.contains(&entry(name)));
            let without = registered
                .replace(&(entry(name) + "\n"), "")
                .replace(&format!("mod {name}_server;\n"), "");
            assert_eq!(without, SUITE);
        }
    }

    #[test]
    fn an_attribute_stays_with_its_module() {
        let text = "mod a;\n#[cfg(unix)]\nmod x;\npub const PRACTICALS: &[u8] = &[\n];\n";
        let registered = registered(text, "m").unwrap();
        assert!(
            registered.starts_with("mod a;\nmod m_server;\n#[cfg(unix)]\nmod x;\n"),
            "{registered}"
        );
    }

    #[test]
    fn names_are_words() {
        assert!(check_name("chat_2").is_ok());
        for wrong in ["", "Chat", "2chat", "chat-2", "../chat", "chat server", &"x".repeat(31)] {
            assert!(check_name(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn no_placeholder_is_left() {
        for (path, text) in files("chat") {
            assert!(
                !text.contains(NAME)
                    && !text.contains(PACKAGE)
                    && !path.to_string_lossy().contains(NAME)
            );
        }
    }
}
