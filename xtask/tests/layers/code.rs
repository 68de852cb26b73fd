//! What a module names, read from its text.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A path from the crate's root, without the crate's name.
pub(crate) type Names = Vec<String>;

/// Returns the code of each module below `root`, by its path, without comments and tests.
pub(crate) fn sources(root: &Path) -> BTreeMap<Names, String> {
    let read = |file: &PathBuf| {
        let path = file.strip_prefix(root).unwrap().with_extension("");
        let names = path.iter().map(|name| name.to_str().unwrap().to_owned());
        let module: Names =
            names.filter(|name| !["main", "lib", "mod"].contains(&name.as_str())).collect();
        (module, plain(&std::fs::read_to_string(file).unwrap()))
    };
    let all: BTreeMap<Names, String> = rust_files(root).iter().map(read).collect();
    let tests_of = |(module, code): (&Names, &String)| {
        let below = |name: String| [module.as_slice(), &[name]].concat();
        without_tests(code).1.into_iter().map(below).collect::<Vec<_>>()
    };
    let tests: Vec<Names> = all.iter().flat_map(tests_of).collect();
    let is_test = |module: &Names| tests.iter().any(|test| module.starts_with(test));
    let kept = all.into_iter().filter(|(module, _)| !is_test(module));
    kept.map(|(module, code)| (module, without_tests(&code).0)).collect()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let below = folders.iter().flat_map(|folder| rust_files(folder));
    let is_rust = |file: &PathBuf| file.extension().is_some_and(|ending| ending == "rs");
    files.into_iter().filter(is_rust).chain(below).collect()
}

/// Returns all paths that a module names: those that begin with `crate::`, with `super::`, or, in a
/// `use`, with the name of a child in `children`.
pub(crate) fn named(module: &[String], code: &str, children: &BTreeSet<String>) -> BTreeSet<Names> {
    let mut found = BTreeSet::new();
    let mut add = |root: &[String], at: usize| {
        let paths = expand(&code[at..]).into_iter();
        found.extend(paths.map(|path| [root, &path].concat()));
    };
    for (at, _) in whole(code, "crate::") {
        add(&[], at + "crate::".len());
    }
    for up in 1..=module.len() {
        let root = "super::".repeat(up);
        for (at, _) in whole(code, &root) {
            if !code[at + root.len()..].starts_with("super::") {
                add(&module[..module.len() - up], at + root.len());
            }
        }
    }
    for (at, _) in code.match_indices("use ") {
        let path = &code[at + "use ".len()..];
        if children.iter().any(|child| path.starts_with(&format!("{child}::"))) {
            add(module, at + "use ".len());
        }
    }
    found
}

/// Where `root` begins a path.
fn whole<'a>(code: &'a str, root: &'a str) -> impl Iterator<Item = (usize, &'a str)> {
    let is_whole =
        |at: usize| !code[..at].ends_with(|c: char| c.is_alphanumeric() || "_:$".contains(c));
    code.match_indices(root).filter(move |(at, _)| is_whole(*at))
}

/// Returns the paths that stand at the beginning: `a::b`, or those of a group, `{a, b::{c, d}}`.
fn expand(code: &str) -> Vec<Names> {
    let code = code.trim_start();
    if let Some(group) = code.strip_prefix('{') {
        let mut depth = 0;
        let parts = group[..end_of_block(code) - 2].split(|c: char| {
            depth += i32::from(c == '{') - i32::from(c == '}');
            c == ',' && depth == 0
        });
        return parts.filter(|part| !part.trim().is_empty()).flat_map(expand).collect();
    }
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let end = code.find(|c| !is_name(c)).unwrap_or(code.len());
    let name = code[..end].to_owned();
    match code[end..].strip_prefix("::") {
        Some(rest) if rest.starts_with(|c| is_name(c) || c == '{') => {
            let below = expand(rest).into_iter();
            below.map(|path| [vec![name.clone()], path].concat()).collect()
        }
        _ => vec![vec![name]],
    }
}

/// Where a block that begins at the first brace ends.
fn end_of_block(code: &str) -> usize {
    let mut depth = 0;
    let closes = |(_, c): &(usize, char)| {
        depth += i32::from(*c == '{') - i32::from(*c == '}');
        *c == '}' && depth == 0
    };
    code.char_indices().find(closes).map_or(code.len(), |(at, _)| at + 1)
}

/// Code without what is for tests only, and the names of the modules that are.
pub(crate) fn without_tests(code: &str) -> (String, Vec<String>) {
    let (mut kept, mut modules) = (String::new(), Vec::new());
    let mut rest = code;
    while let Some(at) =
        ["#[cfg(test)]", "#[cfg(all(test"].iter().filter_map(|a| rest.find(a)).min()
    {
        kept += &rest[..at];
        let item = rest[at..].split_once(")]").map_or("", |(_, item)| item);
        let end = item.find([';', '{']).unwrap_or(item.len());
        let (head, is_use) = (&item[..end], item.trim_start().starts_with("use "));
        modules.extend(head.split_once("mod ").map(|(_, name)| name.trim().to_owned()));
        rest = match item[end..].starts_with('{') && !is_use {
            true => &item[end_of_block(item)..],
            false => item.split_once(';').map_or("", |(_, rest)| rest),
        };
    }
    (kept + rest, modules)
}

/// Code without comments and without what stands in quotation marks.
pub(crate) fn plain(code: &str) -> String {
    let mut plain = String::new();
    let mut rest = code;
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |at| at + 2),
            'r' if rest.starts_with("r#\"") => {
                rest[3..].find("\"#").map_or(rest.len(), |at| at + 5)
            }
            '"' => 1 + end_of_quoted(&rest[1..], '"'),
            '\'' if rest.starts_with("'\\") => 1 + end_of_quoted(&rest[1..], '\''),
            '\'' if rest.chars().nth(2) == Some('\'') => first_chars(rest, 3),
            _ => {
                plain.push(first);
                first.len_utf8()
            }
        };
        rest = &rest[end..];
    }
    plain
}

fn first_chars(text: &str, count: usize) -> usize {
    text.chars().take(count).map(char::len_utf8).sum()
}

fn end_of_quoted(text: &str, mark: char) -> usize {
    let mut escaped = false;
    let ends = |(_, c): &(usize, char)| {
        let ends = *c == mark && !escaped;
        escaped = *c == '\\' && !escaped;
        ends
    };
    text.char_indices().find(ends).map_or(text.len(), |(at, _)| at + 1)
}
