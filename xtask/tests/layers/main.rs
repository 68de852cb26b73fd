//! The modules of xtask and of the suite have an order: none names, directly or by way of others, one
//! that names it. In the suite, moreover, the order is that of the layers.
//!
//! What only tests name does not count. The root of a crate may name all, and is named by none.

mod code;
mod graph;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use code::{Names, named, plain, sources, without_tests};
use graph::{Graph, circle};

/// The layers of the suite, the lowest first. A layer names itself and lower ones.
const LAYERS: [&[&str]; 7] = [
    &["fault"],
    &["hash"],
    &["observe"],
    &["sandbox"],
    &["engine"],
    &["practicals", "shared"],
    &["practicals"],
];

// ---- xtask ----

#[test]
fn no_module_of_xtask_names_one_that_names_it() {
    let graph = graph_of(&read("xtask/src"), |path| path.first().cloned());
    assert!(graph["grader"].contains("submission") && graph["commands"].contains("grader"));
    assert_eq!(circle(&graph), None);
}

#[test]
fn nothing_of_main_is_named() {
    nothing_of_the_root_is_named("xtask/src");
}

// ---- the suite ----

#[test]
fn no_module_of_the_suite_names_one_that_names_it() {
    let graph = graph_of(&read("tests/src"), unit);
    assert!(graph["engine::judge"].contains("engine::program"));
    assert_eq!(circle(&graph), None);
}

#[test]
fn each_layer_of_the_suite_names_lower_ones_only() {
    assert_eq!(edges_upwards(&read("tests/src")), Vec::<String>::new());
}

#[test]
fn nothing_of_the_suites_root_is_named() {
    nothing_of_the_root_is_named("tests/src");
}

/// Returns the node of the graph to which a path of the suite belongs: a practical, or a file of
/// another layer with all that is below it.
fn unit(path: &Names) -> Option<String> {
    let length = match path.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => return None,
        ["practicals", "shared", ..] => 3,
        _ => 2,
    };
    // An item that the layer's own file has is not a module: it begins with a capital letter.
    let is_module = |name: &&String| !name.starts_with(|c: char| c.is_uppercase());
    let names: Vec<&str> =
        path.iter().take(length).take_while(is_module).map(String::as_str).collect();
    Some(names.join("::"))
}

fn layer(path: &[String]) -> Option<usize> {
    let is_below = |layer: &&[&str]| {
        path.len() >= layer.len() && path.iter().zip(layer.iter()).all(|(a, b)| a == b)
    };
    LAYERS.iter().position(is_below)
}

/// Returns the edges that go up, or from one practical to another.
fn edges_upwards(sources: &BTreeMap<Names, String>) -> Vec<String> {
    let mut edges = Vec::new();
    for (module, code) in sources.iter().filter(|(module, _)| !module.is_empty()) {
        for path in named(module, code, &children(sources, module)) {
            let goes_up = layer(&path).is_none_or(|to| Some(to) > layer(module));
            let practicals = [module, &path].map(|path| path.get(1).filter(|_| is_practical(path)));
            let crosses = matches!(practicals, [Some(a), Some(b)] if a != b);
            if goes_up || crosses {
                edges.push(format!("{} names {}", module.join("::"), path.join("::")));
            }
        }
    }
    edges
}

fn is_practical(path: &[String]) -> bool {
    layer(path) == Some(LAYERS.len() - 1)
}

// ---- both ----

fn read(folder: &str) -> BTreeMap<Names, String> {
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join(folder))
}

fn children(sources: &BTreeMap<Names, String>, module: &[String]) -> BTreeSet<String> {
    let below = |path: &&Names| path.len() == module.len() + 1 && path.starts_with(module);
    sources.keys().filter(below).filter_map(|path| path.last().cloned()).collect()
}

fn graph_of(sources: &BTreeMap<Names, String>, unit: impl Fn(&Names) -> Option<String>) -> Graph {
    let mut graph = Graph::new();
    let units: BTreeSet<String> = sources.keys().filter_map(&unit).collect();
    for (module, code) in sources {
        let Some(from) = unit(module) else { continue };
        let paths = named(module, code, &children(sources, module));
        let others = paths.iter().filter_map(&unit).filter(|to| *to != from && units.contains(to));
        graph.entry(from.clone()).or_default().extend(others);
    }
    graph
}

#[track_caller]
fn nothing_of_the_root_is_named(folder: &str) {
    let sources = read(folder);
    let tops = children(&sources, &[]);
    for (module, code) in sources.iter().filter(|(module, _)| !module.is_empty()) {
        let names = named(module, code, &children(&sources, module));
        let strangers: Vec<&Names> = names.iter().filter(|path| !tops.contains(&path[0])).collect();
        assert_eq!(strangers, Vec::<&Names>::new(), "{} names them", module.join("::"));
    }
}

// ---- the finders find ----

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

fn names_of(path: &str) -> Names {
    path.split("::").map(str::to_owned).collect()
}

#[track_caller]
fn goes_up(module: &str, code: &str, expected: &[&str]) {
    let sources = BTreeMap::from([(names_of(module), code.to_owned())]);
    assert_eq!(edges_upwards(&sources), expected);
}

#[test]
fn an_edge_upwards_is_found() {
    goes_up("engine::wait", "use crate::observe::Tree;\nuse super::context::Context;", &[]);
    goes_up(
        "observe::linux",
        "use crate::engine::wait;",
        &["observe::linux names crate::engine::wait".replace("crate::", "").as_str()],
    );
    goes_up(
        "practicals::shared::rest",
        "use crate::practicals::echo;",
        &["practicals::shared::rest names practicals::echo"],
    );
    goes_up(
        "practicals::framing::server",
        "use super::framed;\nuse crate::practicals::echo::client;",
        &["practicals::framing::server names practicals::echo::client"],
    );
    goes_up("engine::judge", "use crate::Verdict;", &["engine::judge names Verdict"]);
}

#[track_caller]
fn names(module: &str, code: &str, expected: &[&str]) {
    let code = without_tests(&plain(code)).0;
    let found = named(&names_of(module), &code, &BTreeSet::from(["child".to_owned()]));
    let found: Vec<String> = found.iter().map(|path| path.join("::")).collect();
    assert_eq!(found, expected);
}

#[test]
fn every_way_to_name_a_module_is_read() {
    let code = "use crate::b::{C, D};\nfn f() -> crate::e::F { crate::g::h() }";
    names("a", code, &["b::C", "b::D", "e::F", "g::h"]);
    let code = "use crate::{\n    b,\n    c::{self, D},\n    e::F,\n};";
    names("a", code, &["b", "c::D", "c::self", "e::F"]);
    names("a", "use super::b;", &["b"]);
    names("a::c", "use super::b;\nuse super::super::d;", &["a::b", "d"]);
    names("a", "pub use child::{B, C};\nuse std::fmt;", &["a::child::B", "a::child::C"]);
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

// ---- the document ----

#[test]
fn every_place_that_the_architecture_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let text = std::fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap();
    let quoted = text.split('`').skip(1).step_by(2);
    let is_place =
        |word: &&str| ["tests/", "xtask/", "practicals/"].iter().any(|p| word.starts_with(p));
    let places: Vec<String> =
        quoted.filter(is_place).map(|place| place.replace("NAME", "echo")).collect();
    assert!(places.len() > 10, "{places:?}");
    for place in places {
        assert!(root.join(&place).exists(), "ARCHITECTURE.md names {place}, and it is not there");
    }
}
