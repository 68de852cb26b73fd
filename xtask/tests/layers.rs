//! The modules of xtask have an order: none names, directly or by way of others, one that names it.
//!
//! A module at the top is one node with all that is below it. What only tests name does not count.
//! `main.rs` may name all, and nothing of it is named.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Who names whom.
type Graph = BTreeMap<String, BTreeSet<String>>;

#[test]
fn no_module_names_one_that_names_it() {
    let graph = graph(&sources());
    assert!(graph["grader"].contains("submission") && graph["commands"].contains("grader"));
    assert_eq!(circle(&graph), None);
}

#[test]
fn nothing_of_main_is_named() {
    let sources = sources();
    let tops = tops(&sources);
    for (module, code) in sources.iter().filter(|(module, _)| !module.is_empty()) {
        let strangers: Vec<String> =
            named(module, code).into_iter().filter(|name| !tops.contains(name)).collect();
        assert_eq!(strangers, Vec::<String>::new(), "{} names them in main.rs", module.join("::"));
    }
}

// ---- the graph ----

/// The code of each module but of those that are tests, by its path.
fn sources() -> BTreeMap<Vec<String>, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let read = |file: &PathBuf| {
        let path = file.strip_prefix(&root).unwrap().with_extension("");
        let names = path.iter().map(|name| name.to_str().unwrap().to_owned());
        let module: Vec<String> = names.filter(|name| name != "main" && name != "mod").collect();
        (module, plain(&std::fs::read_to_string(file).unwrap()))
    };
    let all: BTreeMap<Vec<String>, String> = rust_files(&root).iter().map(read).collect();
    let tests: Vec<Vec<String>> = all
        .iter()
        .flat_map(|(module, code)| {
            let below = |name: String| [module.as_slice(), &[name]].concat();
            without_tests(code).1.into_iter().map(below).collect::<Vec<_>>()
        })
        .collect();
    let is_test = |module: &Vec<String>| tests.iter().any(|test| module.starts_with(test));
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

fn tops(sources: &BTreeMap<Vec<String>, String>) -> BTreeSet<String> {
    sources.keys().filter_map(|module| module.first().cloned()).collect()
}

fn graph(sources: &BTreeMap<Vec<String>, String>) -> Graph {
    let tops = tops(sources);
    let mut graph = Graph::new();
    for (module, code) in sources {
        let Some(top) = module.first() else { continue };
        let others = named(module, code).into_iter().filter(|name| name != top);
        let others = others.filter(|name| tops.contains(name));
        graph.entry(top.clone()).or_default().extend(others);
    }
    graph
}

/// A way from a module back to itself.
fn circle(graph: &Graph) -> Option<Vec<String>> {
    let mut done = BTreeSet::new();
    graph.keys().find_map(|start| circle_from(start, graph, &mut Vec::new(), &mut done))
}

fn circle_from<'a>(
    at: &'a String,
    graph: &'a Graph,
    way: &mut Vec<&'a String>,
    done: &mut BTreeSet<&'a String>,
) -> Option<Vec<String>> {
    if let Some(begin) = way.iter().position(|before| *before == at) {
        return Some(way[begin..].iter().copied().chain([at]).cloned().collect());
    }
    if done.contains(at) {
        return None;
    }
    way.push(at);
    let found = graph.get(at).into_iter().flatten();
    let circle = found.into_iter().find_map(|next| circle_from(next, graph, way, done));
    way.pop();
    done.insert(at);
    circle
}

// ---- what a module names ----

/// The first names of all paths from the crate's root: `crate::a::b`, `crate::{a, b::c}`, and
/// `super::a` where that is the root.
fn named(module: &[String], code: &str) -> BTreeSet<String> {
    let roots = ["crate::".to_owned(), "super::".repeat(module.len())];
    let mut names = BTreeSet::new();
    for root in &roots[..if module.is_empty() { 1 } else { 2 }] {
        for (at, _) in code.match_indices(root.as_str()) {
            let is_whole = !code[..at].ends_with(|c: char| c.is_alphanumeric() || "_:".contains(c));
            if is_whole {
                names.extend(first_names(&code[at + root.len()..]));
            }
        }
    }
    names.remove("super");
    names
}

fn first_names(path: &str) -> Vec<String> {
    let word = |text: &str| {
        let text = text.trim_start();
        text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>()
    };
    let Some(group) = path.strip_prefix('{') else { return vec![word(path)] };
    let mut depth = 0;
    let parts = group[..end_of_block(path) - 2].split(|c: char| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == ',' && depth == 0
    });
    parts.map(word).filter(|name| !name.is_empty()).collect()
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
fn without_tests(code: &str) -> (String, Vec<String>) {
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
fn plain(code: &str) -> String {
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

// ---- the finder finds ----

#[track_caller]
fn finds(edges: &[(&str, &str)], expected: Option<&str>) {
    let mut graph = Graph::new();
    for (from, to) in edges {
        graph.entry((*from).to_owned()).or_default().insert((*to).to_owned());
    }
    assert_eq!(circle(&graph).map(|way| way.join(" ")).as_deref(), expected);
}

#[test]
fn a_circle_is_found_and_its_edges_are_named() {
    finds(&[("a", "b"), ("b", "c"), ("a", "c"), ("d", "a")], None);
    finds(&[("a", "b"), ("b", "c"), ("c", "d"), ("d", "b")], Some("b c d b"));
    finds(&[("a", "a")], Some("a a"));
}

#[track_caller]
fn names(module: &str, code: &str, expected: &[&str]) {
    let module: Vec<String> = module.split("::").map(str::to_owned).collect();
    let names = named(&module, &without_tests(&plain(code)).0);
    assert_eq!(names, expected.iter().map(|name| (*name).to_owned()).collect());
}

#[test]
fn every_way_to_name_a_module_is_read() {
    names("a", "use crate::b::{C, D};\nfn f() -> crate::e::F { crate::g::h() }", &["b", "e", "g"]);
    names("a", "use crate::{\n    b,\n    c::{self, D},\n    e::F,\n};", &["b", "c", "e"]);
    names("a", "use super::b;", &["b"]);
    names("a::c", "use super::b;\nuse super::super::d;", &["d"]);
    names(
        "a",
        "// crate::b\n/* crate::c */ const D: &str = \"crate::\\\"e\"; pub(crate) fn f() {}",
        &[],
    );
}

#[test]
fn what_only_tests_name_is_not_read() {
    let tests = "use crate::b;\n#[cfg(test)]\nmod tests {\n    use crate::c;\n    fn f() { crate::d::e() }\n}\nuse crate::f;";
    names("a", tests, &["b", "f"]);
    names("a", "#[cfg(test)]\nuse crate::{b, c};\nuse crate::d;", &["d"]);
    let file = "#[cfg(all(test, feature = \"full\"))]\nmod sample;\nmod plain;";
    assert_eq!(without_tests(file).1, ["sample"]);
}
