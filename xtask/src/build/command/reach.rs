//! What a command line may read while it runs: its words decide it, never what a program asks for.
//!
//! Its files bring their folders along, because a program may have several files. So do the current
//! folder and the folder of an executable that is not on PATH. A home, the top of the file system,
//! the temporary folder and what contains one of these hold too much, and so does the course. Of a
//! folder that is shared, what git keeps in it is not.

use std::path::{Path, PathBuf};

use suite::Reach;

use super::find_executable;
use crate::{repository, toolchain};

/// The search path of programs that are confined.
const SEARCHED: &str = "/usr/local/bin:/usr/bin:/bin";

/// Returns what a command line may read.
pub(super) fn reach_of(executable: &Path, arguments: &[String], here: &Path) -> Reach {
    let mut reach = Reach::default();
    add_tool(&mut reach, executable);
    reach.read.extend(beside_executable(executable));
    reach.read.extend(parts_of(here));
    for word in words_of(arguments) {
        reach.read.extend(places_of(&word, here));
    }
    add_tools_on_path(&mut reach, executable, arguments, here);
    reach.read.sort();
    reach.read.dedup();
    reach
}

/// Adds an executable, and the folder that an interpreter needs.
fn add_tool(reach: &mut Reach, executable: &Path) {
    match toolchain::home_of(executable) {
        Some(home) => reach.read.push(home),
        None => reach.read.extend(std::fs::canonicalize(executable)),
    }
    reach.read.push(executable.to_owned());
}

/// Adds the interpreters that a shell or a wrapper starts by their names.
fn add_tools_on_path(reach: &mut Reach, executable: &Path, arguments: &[String], here: &Path) {
    let texts = wrappers(executable, arguments, here).into_iter().map(|(_, text)| text);
    let tokens = texts.chain(arguments.iter().filter(|word| word.contains(' ')).cloned());
    let tokens: Vec<String> = tokens.flat_map(|text| tokens_of(&text)).collect();
    let named = tokens.iter().filter(|token| toolchain::is_interpreter(token));
    let mut search = Vec::new();
    for tool in named.filter_map(|token| find_executable(token, here)) {
        let tool = toolchain::behind_shims(&tool);
        if toolchain::home_of(&tool).is_some() {
            add_tool(reach, &tool);
            search.extend(tool.parent().map(|folder| folder.display().to_string()));
        }
    }
    if !search.is_empty() {
        search.dedup();
        let path = format!("{}:{SEARCHED}", search.join(":"));
        reach.environment.push(("PATH".into(), path.into()));
    }
}

/// Returns the words that may name files: also those that a shell is given as one word.
fn words_of(arguments: &[String]) -> Vec<String> {
    let split = |word: &String| {
        let inner = shell_words::split(word).ok().filter(|_| word.contains(char::is_whitespace));
        inner.unwrap_or_default().into_iter().chain([word.clone()]).collect::<Vec<_>>()
    };
    let words = arguments.iter().flat_map(split);
    words
        .flat_map(|word| {
            word.split(['=', ':', ';', '&', '|']).map(str::to_owned).collect::<Vec<_>>()
        })
        .filter(|word| !word.is_empty())
        .collect()
}

/// Returns what a word makes readable: a file with what is beside it, or a folder.
fn places_of(word: &str, here: &Path) -> Vec<PathBuf> {
    let Ok(place) = std::fs::canonicalize(here.join(word)) else { return Vec::new() };
    match place.parent().filter(|_| place.is_file()) {
        Some(folder) => parts_of(folder).into_iter().chain([place.clone()]).collect(),
        None => parts_of(&place),
    }
}

/// Returns what is shared of the folder of an executable that is no tool.
fn beside_executable(executable: &Path) -> Vec<PathBuf> {
    let folder = executable.parent().filter(|_| !is_a_tool(executable));
    folder.map(parts_of).unwrap_or_default()
}

/// Returns whether an executable is on PATH, or an interpreter: it belongs to the machine.
fn is_a_tool(executable: &Path) -> bool {
    let folder = executable.parent().and_then(|folder| std::fs::canonicalize(folder).ok());
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut searched = std::env::split_paths(&path).map(std::fs::canonicalize);
    searched.any(|other| other.ok() == folder) || toolchain::home_of(executable).is_some()
}

/// Returns what of a folder is shared: all of it, or its entries without the course's and git's own.
fn parts_of(folder: &Path) -> Vec<PathBuf> {
    let Ok(folder) = std::fs::canonicalize(folder) else { return Vec::new() };
    if holds_a_home(&folder) {
        return Vec::new();
    }
    match course_within(&folder) {
        Course::All => Vec::new(),
        Course::These(names) => {
            entries(&folder, |name| !name.starts_with('.') && !names.contains(&name))
        }
        Course::None if folder.join(".git").exists() => entries(&folder, |name| name != ".git"),
        Course::None => vec![folder],
    }
}

/// Returns the entries of a folder that are shared, without links that lead out of it.
fn entries(folder: &Path, is_shared: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let is_within =
        |place: &PathBuf| std::fs::canonicalize(place).is_ok_and(|place| place.starts_with(folder));
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let shared = entries.filter(|entry| is_shared(&entry.file_name().to_string_lossy()));
    shared.map(|entry| entry.path()).filter(is_within).collect()
}

/// What of a folder belongs to the course.
enum Course {
    None,
    /// The entries of these names.
    These(&'static [&'static str]),
    All,
}

fn course_within(folder: &Path) -> Course {
    let root = repository::find().and_then(|found| Ok(std::fs::canonicalize(found.root())?));
    let Ok(root) = root else { return Course::None };
    if root != folder && root.starts_with(folder) {
        return Course::All;
    }
    let Ok(within) = folder.strip_prefix(root) else { return Course::None };
    let names: Vec<&str> = within.iter().filter_map(|name| name.to_str()).collect();
    match *names {
        [] => Course::These(&["practicals", "target", "tests", "xtask"]),
        ["practicals", _] => Course::These(&["mistakes", "solution", "rubric.toml"]),
        ["practicals"] | ["practicals", _, "mistakes" | "solution", ..] => Course::All,
        ["target" | "tests" | "xtask" | ".git", ..] => Course::All,
        _ => Course::None,
    }
}

/// Returns whether a folder is a home, the temporary folder or the top, or contains one of them.
fn holds_a_home(folder: &Path) -> bool {
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_else(|| "/".into());
    let mut private = [home, std::env::temp_dir(), "/home".into(), "/root".into(), "/tmp".into()]
        .into_iter()
        .chain(std::fs::read_dir("/home").into_iter().flatten().flatten().map(|it| it.path()));
    private.any(|place| {
        let place = std::fs::canonicalize(&place).unwrap_or(place);
        place.starts_with(folder)
    })
}

/// Returns a path that a command line needs and that its reach does not have.
pub(super) fn unreadable(
    executable: &Path,
    arguments: &[String],
    here: &Path,
    reach: &Reach,
) -> Option<PathBuf> {
    let modules = modules(arguments, here).into_iter().map(|path| vec![path]);
    let wrappers = wrappers(executable, arguments, here).into_iter();
    let named = wrappers.flat_map(|(folder, text)| paths_in(&text, &folder, here));
    let is_readable = |path: &PathBuf| {
        reach.read.iter().any(|place| path.starts_with(place)) || is_the_systems(path)
    };
    modules.chain(named).find_map(|places| {
        let places = places.iter().filter_map(|path| std::fs::canonicalize(path).ok());
        let places: Vec<PathBuf> = places.collect();
        places.first().filter(|_| !places.iter().any(is_readable)).cloned()
    })
}

fn is_the_systems(path: &Path) -> bool {
    ["/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc", "/dev", "/proc", "/sys", "/nix", "/gnu"]
        .iter()
        .any(|system| path.starts_with(system))
}

/// Returns what Python's `-m MODULE`, and the imports in its `-c CODE`, name in the current folder.
fn modules(arguments: &[String], here: &Path) -> Vec<PathBuf> {
    let after = |option: &str| {
        let at = arguments.iter().position(|word| word == option);
        at.and_then(|at| arguments.get(at + 1)).cloned()
    };
    let module = after("-m").into_iter();
    let code = after("-c").filter(|code| code.contains("import ")).unwrap_or_default();
    let names = module.chain(tokens_of(&code));
    let first = |name: String| name.split('.').next().unwrap_or_default().to_owned();
    let names = names.map(first).filter(|name| !name.is_empty() && !name.contains('/'));
    names
        .flat_map(|name| [here.join(format!("{name}.py")), here.join(name).join("__init__.py")])
        .collect()
}

/// The most bytes of a wrapper that are read.
const MOST_READ: u64 = 64 * 1024;

/// Returns the scripts for a shell among the words, with their folders.
fn wrappers(executable: &Path, arguments: &[String], here: &Path) -> Vec<(PathBuf, String)> {
    let words = words_of(arguments).into_iter().map(|word| here.join(word));
    let own = Some(executable.to_owned()).filter(|path| !is_a_tool(path));
    let files = own.into_iter().chain(words).filter(|path| path.is_file());
    let wrapper = |path: PathBuf| {
        use std::io::Read;
        let mut content = Vec::new();
        let file = std::fs::File::open(&path).ok()?;
        file.take(MOST_READ).read_to_end(&mut content).ok()?;
        let text = String::from_utf8(content).ok()?;
        let first = text.lines().next().unwrap_or_default();
        let is_for_a_shell = first.starts_with("#!") && first.contains("sh")
            || path.extension().is_some_and(|ending| ending == "sh");
        let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
        let folder = std::fs::canonicalize(&path).ok()?.parent()?.to_owned();
        is_for_a_shell.then(|| (folder, lines.collect::<Vec<_>>().join("\n")))
    };
    files.filter_map(wrapper).collect()
}

/// Returns the words of a script, without quotes and other signs.
fn tokens_of(text: &str) -> Vec<String> {
    let is_sign = |letter: char| letter.is_whitespace() || "'\"`()<>;|&=,{}$".contains(letter);
    text.split(is_sign).filter(|token| !token.is_empty()).map(str::to_owned).collect()
}

/// Returns the paths that a wrapper names. Each may be below the wrapper's folder, below the current
/// one, or absolute.
fn paths_in(text: &str, folder: &Path, here: &Path) -> Vec<Vec<PathBuf>> {
    let places = |token: String| {
        let below = token.trim_start_matches('/');
        let leads_above = below.starts_with("..");
        let mut places = vec![folder.join(below), here.join(below)];
        places.extend(token.starts_with('/').then(|| PathBuf::from(&token)));
        places.retain(|path| path.is_file() || leads_above && path.is_dir());
        places
    };
    let tokens = tokens_of(text).into_iter().filter(|token| token.contains(['.', '/']));
    tokens.map(places).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn nothing_of(folder: &Path) {
        assert_eq!(parts_of(folder), Vec::<PathBuf>::new(), "{}", folder.display());
    }

    #[test]
    fn homes_and_what_contains_them_hold_too_much() {
        let home = PathBuf::from(std::env::var_os("HOME").unwrap());
        for folder in [Path::new("/"), &home, &std::env::temp_dir()] {
            nothing_of(folder);
        }
        let own = tempfile::tempdir().unwrap();
        let folder = std::fs::canonicalize(own.path()).unwrap();
        assert_eq!(parts_of(own.path()), [folder]);
    }

    #[test]
    fn the_course_is_not_shared_wherever_a_program_is_called() {
        let root = repository::find().unwrap().root().to_owned();
        for (folder, courses) in [("", "xtask"), ("practicals/echo", "solution")] {
            let shared = parts_of(&root.join(folder));
            assert!(!shared.iter().any(|path| path.ends_with(courses)), "{shared:?}");
            assert!(!shared.contains(&root.join(folder)), "{shared:?}");
        }
        for folder in ["xtask", "xtask/src", "practicals", "practicals/echo/solution/echo_server"] {
            nothing_of(&root.join(folder));
        }
        nothing_of(root.parent().unwrap());
    }

    #[test]
    fn a_file_of_the_course_is_shared_without_what_is_beside_it() {
        let file = "practicals/echo/mistakes/other_languages/echo_server.py";
        let root = std::fs::canonicalize(repository::find().unwrap().root()).unwrap();
        assert_eq!(places_of(file, &root), [root.join(file)]);
        let readme = places_of("README.md", &root.join("practicals/echo"));
        assert!(!readme.iter().any(|path| path.ends_with("rubric.toml")), "{readme:?}");
    }

    #[cfg(unix)]
    #[test]
    fn what_git_keeps_and_what_links_lead_to_is_not_shared() {
        let own = tempfile::tempdir().unwrap();
        let folder = std::fs::canonicalize(own.path()).unwrap();
        std::fs::create_dir(folder.join(".git")).unwrap();
        std::fs::write(folder.join("server.py"), "").unwrap();
        std::os::unix::fs::symlink("/etc", folder.join("settings")).unwrap();
        assert_eq!(parts_of(&folder), [folder.join("server.py")]);
    }

    #[test]
    fn words_are_found_inside_words() {
        let words = |word: &str| words_of(&[word.to_owned()]);
        assert!(words("exec python3 'my server.py' {port}").contains(&"my server.py".to_owned()));
        assert!(words("--config=a.json").contains(&"a.json".to_owned()));
        assert!(tokens_of("\"$(dirname \"$0\")/server.py\"").contains(&"/server.py".to_owned()));
    }
}
