//! What a command line may read while it runs: its words decide it, never what a program asks for.
//!
//! Its files bring their folders along, because a program may have several files. So do the current
//! folder and the folder of an executable that is not on PATH. A home, the top of the file system,
//! the temporary folder and what contains one of these hold too much, and so does the course.

use std::path::{Component, Path, PathBuf};

use suite::Reach;

use super::find_executable;
use crate::{repository, toolchain};

/// The search path of programs that are confined.
const SEARCHED: &str = "/usr/local/bin:/usr/bin:/bin";

/// Returns what a command line may read.
pub(super) fn reach_of(executable: &Path, arguments: &[String], here: &Path) -> Reach {
    let mut reach = Reach::default();
    add_tool(&mut reach, executable);
    reach.read.extend(folder_of_own(executable));
    reach.read.extend(shared_parts(here));
    for word in words_of(arguments) {
        reach.read.extend(place_of(&word, here));
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

/// Returns what a word makes readable: a file's folder, or the file alone where that holds too much.
fn place_of(word: &str, here: &Path) -> Option<PathBuf> {
    let place = std::fs::canonicalize(here.join(word)).ok()?;
    let beside = place.parent().filter(|folder| place.is_file() && !is_too_much(folder));
    Some(beside.unwrap_or(&place).to_owned()).filter(|place| place.is_file() || !is_too_much(place))
}

/// Returns the folder of an executable that is no tool.
fn folder_of_own(executable: &Path) -> Option<PathBuf> {
    let folder = std::fs::canonicalize(executable.parent()?).ok()?;
    (!is_a_tool(executable) && !is_too_much(&folder)).then_some(folder)
}

/// Returns whether an executable is on PATH, or an interpreter: it belongs to the machine.
fn is_a_tool(executable: &Path) -> bool {
    let folder = executable.parent().and_then(|folder| std::fs::canonicalize(folder).ok());
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut searched = std::env::split_paths(&path).map(std::fs::canonicalize);
    searched.any(|other| other.ok() == folder) || toolchain::home_of(executable).is_some()
}

/// Returns what of a folder is shared: all of it, or its entries without the course's own.
fn shared_parts(here: &Path) -> Vec<PathBuf> {
    let Ok(here) = std::fs::canonicalize(here) else { return Vec::new() };
    match course_within(&here) {
        Some(courses) if !holds_a_home(&here) => {
            let entries = std::fs::read_dir(&here).into_iter().flatten().flatten();
            let names = entries.map(|entry| entry.file_name());
            let is_shared = |name: &std::ffi::OsString| {
                let name = name.to_string_lossy();
                !name.starts_with('.') && !courses.contains(&&*name)
            };
            names.filter(is_shared).map(|name| here.join(name)).collect()
        }
        _ if is_too_much(&here) => Vec::new(),
        _ => vec![here],
    }
}

/// Returns which entries of this folder belong to the course, if the folder is one of its own.
fn course_within(here: &Path) -> Option<&'static [&'static str]> {
    let repository = repository::find().ok()?;
    let root = std::fs::canonicalize(repository.root()).ok()?;
    let within: Vec<_> = here.strip_prefix(root).ok()?.components().collect();
    let practicals = Component::Normal("practicals".as_ref());
    match within.as_slice() {
        [] => Some(&["practicals", "target", "tests", "xtask"]),
        [top, _] if *top == practicals => Some(&["mistakes", "solution", "rubric.toml"]),
        _ => None,
    }
}

/// Returns whether a folder holds too much to be shared.
fn is_too_much(folder: &Path) -> bool {
    let repository = repository::find().map(|repository| repository.root().to_owned()).ok();
    let Some(root) = repository.and_then(|root| std::fs::canonicalize(root).ok()) else {
        return holds_a_home(folder);
    };
    let courses = ["target", "practicals", "tests", "xtask"].map(|name| root.join(name));
    holds_a_home(folder) || root.starts_with(folder) || courses.iter().any(|own| own == folder)
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

    #[test]
    fn homes_and_what_contains_them_hold_too_much() {
        let home = PathBuf::from(std::env::var_os("HOME").unwrap());
        let root = repository::find().unwrap().root().to_owned();
        for folder in [Path::new("/"), &home, &std::env::temp_dir(), &root, &root.join("target")] {
            assert!(is_too_much(folder), "{}", folder.display());
        }
        let own = tempfile::tempdir().unwrap();
        assert!(!is_too_much(own.path()));
    }

    #[test]
    fn the_course_is_not_shared_where_it_is_the_current_folder() {
        let root = repository::find().unwrap().root().to_owned();
        for (folder, courses) in [("", "xtask"), ("practicals/echo", "solution")] {
            let shared = shared_parts(&root.join(folder));
            assert!(!shared.iter().any(|path| path.ends_with(courses)), "{shared:?}");
            assert!(!shared.contains(&root.join(folder)), "{shared:?}");
        }
        assert_eq!(shared_parts(&root.join("xtask")), Vec::<PathBuf>::new());
    }

    #[test]
    fn words_are_found_inside_words() {
        let words = |word: &str| words_of(&[word.to_owned()]);
        assert!(words("exec python3 'my server.py' {port}").contains(&"my server.py".to_owned()));
        assert!(words("--config=a.json").contains(&"a.json".to_owned()));
        assert!(tokens_of("\"$(dirname \"$0\")/server.py\"").contains(&"/server.py".to_owned()));
    }
}
