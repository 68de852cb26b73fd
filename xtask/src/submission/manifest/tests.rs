//! What of a student's manifest counts, and what is said of the rest.

use std::path::PathBuf;

use toml::Value;

use super::{Course, Merged, merge, packages};
use crate::mutations::Inputs;
use crate::submission::listed::Files;

const COURSE: &str = "[package]\nname = \"echo_server\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\
                      publish = false\n[dependencies]\nmio = { version = \"1\", features = [\"net\"] }\n";
const PACKAGE: &str =
    "[package]\nname = \"echo_server\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";

fn course() -> Course {
    let locked = [("mio", "1.2.4"), ("tokio", "1.40.0")];
    Course {
        name: "echo_server".to_owned(),
        manifest: COURSE.parse().unwrap(),
        lock: None,
        locked: locked.map(|(name, version)| (name.to_owned(), version.to_owned())).to_vec(),
        allowed: vec!["tokio".to_owned()],
        shared: vec!["framing".to_owned()],
        is_library: false,
    }
}

fn merged_with(files: &[&str], text: &str) -> anyhow::Result<Merged> {
    let files: Files = files.iter().map(|name| (PathBuf::from(name), Vec::new())).collect();
    merge(&course(), Some(("Cargo.toml", text.as_bytes())), &files, None)
}

fn merged(text: &str) -> Merged {
    merged_with(&["src/main.rs", "src/lib.rs"], text).unwrap()
}

/// Checks what is built at a path of keys.
#[track_caller]
fn counts(text: &str, path: &[&str], built: impl Into<Value>) {
    let merged = merged(text);
    let table: Value = merged.text.parse::<toml::Table>().unwrap().into();
    let value = path.iter().try_fold(&table, |at, key| at.get(*key));
    assert_eq!(value, Some(&built.into()), "{}", merged.text);
    assert_eq!(merged.ignored, []);
}

#[track_caller]
fn ignores(text: &str, keys: &[(&str, usize)]) {
    let merged = merged(text);
    let keys: Vec<_> = keys.iter().map(|(key, line)| ((*key).to_owned(), *line)).collect();
    assert_eq!(merged.ignored, keys, "{}", merged.text);
}

#[track_caller]
fn is_wrong(text: &str, says: &str) {
    let error = merged_with(&["src/main.rs"], text).unwrap_err().to_string();
    assert_eq!(error, says);
}

fn package(more: &str) -> String {
    format!("{PACKAGE}{more}")
}

#[test]
fn what_a_student_may_choose_counts() {
    let named = PACKAGE.replace("\"echo_server\"", "\"mine\"").replace("2024", "2018");
    counts(&named, &["package", "name"], "mine");
    counts(&named, &["package", "edition"], "2018");
    counts(&package("[features]\nx = []\n"), &["features", "x"], Vec::<Value>::new());
    counts(&package("[profile.dev]\nopt-level = 2\n"), &["profile", "dev", "opt-level"], 2);
    counts(&package("[lints.rust]\nunused = \"warn\"\n"), &["lints", "rust", "unused"], "warn");
    counts(&package("[lib]\nname = \"x\"\n"), &["lib", "name"], "x");
    counts(&package("[lib]\npath = \"./src//lib.rs\"\n"), &["lib", "path"], "src/lib.rs");
    counts(&package("\r\n[lib]\r\nname = \"x\"\r\n"), &["lib", "name"], "x");
    counts(&format!("\u{feff}{named}"), &["package", "name"], "mine");
    counts(
        &package("build = false\nautotests = false\n[workspace]\n"),
        &["package", "build"],
        false,
    );
}

#[test]
fn an_untouched_manifest_is_not_mentioned() {
    ignores(COURSE, &[]);
    ignores(PACKAGE, &[]);
}

#[test]
fn what_does_not_count_is_said_key_by_key() {
    ignores(
        &package("build = \"evil.rs\"\nlinks = \"x\"\n"),
        &[("package.build", 5), ("package.links", 6)],
    );
    ignores(&package("[patch.crates-io]\nmio = { path = \"/\" }\n"), &[("patch", 5)]);
    ignores(&package("[workspace]\nmembers = [\"x\"]\n"), &[("workspace", 5)]);
    ignores(&package("[lints]\nworkspace = true\n"), &[("lints.workspace", 6)]);
    ignores(&PACKAGE.replace(" = \"2024\"", ".workspace = true"), &[("package.edition", 4)]);
    ignores(&package("[lib]\nproc-macro = true\n"), &[("lib.proc-macro", 6)]);
    ignores(&package("[lib]\npath = \"/etc/passwd\"\n"), &[("lib.path", 6)]);
    ignores(&package("[lib]\npath = \"src/../../x.rs\"\n"), &[("lib.path", 6)]);
    ignores(&package("[[bin]]\nname = \"x\"\npath = \"../x.rs\"\n"), &[("bin.0.path", 7)]);
    ignores(&package("[dev-dependencies]\nx = \"1\"\n"), &[("dev-dependencies", 5)]);
    ignores(
        &package("[target.x.build-dependencies]\nx = \"1\"\n"),
        &[("target.x.build-dependencies", 5)],
    );
    let inherited = PACKAGE.replace("version = \"0.1.0\"", "version = { workspace = true }");
    ignores(&inherited, &[("package.version", 3)]);
}

#[test]
fn dependencies_count_where_the_rubric_allows_them() {
    let tokio = |spec: &str| package(&format!("[dependencies]\ntokio = {spec}\n"));
    let version = ["dependencies", "tokio", "version"];
    counts(&tokio("\"1\""), &version, "=1.40.0");
    counts(&tokio("{ version = \"1.40\", features = [\"full\"] }"), &version, "=1.40.0");
    ignores(&tokio("\"0.2\""), &[("dependencies.tokio.version", 6)]);
    ignores(&tokio("{ path = \"/\" }"), &[("dependencies.tokio.path", 6)]);
    ignores(
        &tokio("{ git = \"x\", branch = \"y\" }"),
        &[("dependencies.tokio.branch", 6), ("dependencies.tokio.git", 6)],
    );
    let renamed = package("[dependencies]\nx = { package = \"tokio\", version = \"1\" }\n");
    counts(&renamed, &["dependencies", "x", "package"], "tokio");
    let platform = package("[target.'cfg(unix)'.dependencies]\ntokio = \"1\"\n");
    counts(&platform, &["target", "cfg(unix)", "dependencies", "tokio", "version"], "=1.40.0");
}

#[test]
fn the_courses_dependencies_stay_and_get_features() {
    counts(PACKAGE, &["dependencies", "mio", "version"], "1");
    let more = package("[dependencies]\nmio = { version = \"1.2\", features = [\"os-poll\"] }\n");
    counts(
        &more,
        &["dependencies", "mio", "features"],
        vec![Value::from("net"), Value::from("os-poll")],
    );
    let renamed = package("[dependencies]\nx = { package = \"mio\", version = \"1\" }\n");
    counts(&renamed, &["dependencies", "x", "package"], "mio");
    let other = package("[dependencies]\nmio = { version = \"1\", default-features = true }\n");
    ignores(&other, &[("dependencies.mio.default-features", 6)]);
    let elsewhere = package("[dependencies]\nmio = { path = \"../mio\" }\n");
    ignores(&elsewhere, &[("dependencies.mio.path", 6)]);
    let library = package("[dependencies]\nframing = { path = \"../../framing\" }\n");
    counts(&library, &["dependencies", "framing", "path"], "../framing");
}

#[test]
fn a_dependency_that_is_not_allowed_is_told_with_its_line() {
    let merged = merged(&package(
        "[dependencies]\nrand = { version = \"0.8\", optional = true }\n[features]\nx = [\"dep:rand\", \"y\"]\ny = []\n",
    ));
    let [refused] = &merged.refused[..] else { panic!("{:?}", merged.refused) };
    assert_eq!(refused.name, "rand");
    assert!(refused.says.starts_with("Cargo.toml:6: the dependency rand does not count: "));
    assert!(refused.says.ends_with("it may use mio, tokio"), "{}", refused.says);
    assert!(!merged.text.contains("rand"), "{}", merged.text);
}

#[track_caller]
fn builds(files: &[&str], manifest: &str, path: &str) {
    let merged = merged_with(files, &package(manifest)).unwrap();
    let text = format!("[[bin]]\nname = \"echo_server\"\npath = \"{path}\"\n");
    assert!(merged.text.contains(&text), "{}", merged.text);
}

#[test]
fn the_program_is_the_one_with_its_name_or_the_only_one() {
    let row = |name: &str, path: &str| format!("[[bin]]\nname = \"{name}\"\npath = \"{path}\"\n");
    builds(&["src/main.rs"], "", "src/main.rs");
    builds(&["src/server.rs"], &row("mine", "src/server.rs"), "src/server.rs");
    builds(&["src/main.rs", "src/bin/x.rs"], "", "src/main.rs");
    builds(&["src/bin/x.rs", "src/bin/echo-server.rs"], "", "src/bin/echo-server.rs");
    builds(&["src/bin/x/main.rs"], "", "src/bin/x/main.rs");
    let two = row("x", "src/x.rs") + &row("echo_server", "src\\\\y.rs");
    builds(&["src/x.rs", "src/y.rs"], &two, "src/y.rs");
    builds(&["src/main.rs"], "[[bin]]\nname = \"echo_server\"\n", "src/main.rs");
    builds(&["src/main.rs"], &row("x", "/bin/x.rs"), "src/main.rs");
    let which = merged_with(&["src/bin/a.rs", "src/bin/b.rs"], PACKAGE).unwrap_err().to_string();
    assert_eq!(which, "Cargo.toml:1: it builds a, b: which one is echo_server? Give it this name");
}

#[test]
fn a_mistake_in_it_is_told_with_its_line() {
    is_wrong("", "Cargo.toml:1: there is no [package] in it");
    is_wrong("[package]\nedition = \"2024\"\n", "Cargo.toml:1: [package] has no `name`");
    let cut = is_cut_off(&PACKAGE[..40]);
    assert!(cut.starts_with("Cargo.toml:3: the manifest cannot be read: "), "{cut}");
    let edition = "Cargo.toml:4: the edition is one of [\"2015\", \"2018\", \"2021\", \"2024\"]";
    is_wrong(&PACKAGE.replace("\"2024\"", "2024"), edition);
    is_wrong(&PACKAGE.replace("2024", "2025"), edition);
    let name = "Cargo.toml:2: a package's name is letters, digits, - and _, a letter first";
    is_wrong(&PACKAGE.replace("echo_server", "../x"), name);
    is_wrong(&package("[bin]\nname = \"x\"\n"), "Cargo.toml:5: `bin` is a list: write [[bin]]");
    let row = package("[[bin]]\nname = \"x\"\npath = \"src/x.rs\"\n");
    is_wrong(&row, "Cargo.toml:7: there is no file src/x.rs");
    let feature = "Cargo.toml:6: `x` is a list of names: write x = []";
    is_wrong(&package("[features]\nx = \"y\"\n"), feature);
    let profile = "Cargo.toml:6: `opt-level` is a table: write [profile.opt-level]";
    is_wrong(&package("[profile]\nopt-level = 1\n"), profile);
    let spec = "Cargo.toml:6: write x = \"VERSION\", or x = { version = … }";
    is_wrong(&package("[dependencies]\nx = 1\n"), spec);
}

fn is_cut_off(text: &str) -> String {
    merged_with(&["src/main.rs"], text).unwrap_err().to_string()
}

#[test]
fn a_manifest_that_takes_long_to_read_is_refused() {
    let comments = "#\n".repeat(40_000);
    is_wrong(
        &package(&comments),
        "Cargo.toml: it has 80066 bytes; a manifest has at most 65536: shorten it",
    );
}

#[test]
fn what_is_no_text_is_told_with_its_line() {
    let read = merge(&course(), Some(("Cargo.toml", b"[package]\n\xff")), &Files::new(), None);
    let error = read.unwrap_err().to_string();
    assert_eq!(error, "Cargo.toml:2: this is not UTF-8: save the file as UTF-8");
}

#[test]
fn a_courses_dependency_stands_for_no_other_package() {
    let merged = merged(&package("[dependencies]\nmio = { package = \"evil\" }\n"));
    assert!(!merged.text.contains("evil"), "{}", merged.text);
    assert!(
        merged.refused[0].says.contains("the dependency evil does not count"),
        "{:?}",
        merged.refused
    );
}

const FULL: &str = "[package]\nname = \"mine\"\nversion = \"0.1.0\"\nedition = \"2021\"\nbuild = false\n\
    [lib]\nname = \"x\"\npath = \"src/lib.rs\"\n[[bin]]\nname = \"y\"\npath = \"src/main.rs\"\n\
    [dependencies]\nmio = { version = \"1\", features = [\"os-poll\"] }\nt = { package = \"tokio\", version = \"1\" }\n\
    [dependencies.framing]\npath = \"../framing\"\n[target.'cfg(unix)'.dependencies]\ntokio = \"1\"\n\
    [features]\ndefault = [\"dep:t\"]\n[profile.dev]\nopt-level = 1\n[lints.rust]\nunused = \"warn\"\n";

/// Keys that bring foreign code or files into a build.
const HOSTILE: [&str; 18] = [
    "build = \"evil.rs\"\n",
    "links = \"z\"\n",
    "path = \"/etc/passwd\"\n",
    "path = \"src/../../x.rs\"\n",
    "git = \"https://127.0.0.1/x\"\n",
    "registry = \"x\"\n",
    "registry-index = \"x\"\n",
    "package = \"evil\"\n",
    ", package = \"evil\"",
    ", git = \"https://127.0.0.1/x\"",
    ", path = \"/\"",
    "[build-dependencies]\nx = \"1\"\n",
    "[target.x.build-dependencies]\nx = \"1\"\n",
    "[patch.crates-io]\nmio = { path = \"/\" }\n",
    "[replace]\n",
    "[workspace]\nmembers = [\"/\"]\n",
    "proc-macro = true\n",
    "metadata.x = 1\n",
];

#[test]
fn no_manifest_brings_foreign_code_into_a_build() {
    let inputs = Inputs {
        right: &[FULL.as_bytes(), COURSE.as_bytes()],
        words: &HOSTILE,
        ..Inputs::default()
    };
    let files = ["src/main.rs", "src/lib.rs"].map(|name| (PathBuf::from(name), Vec::new()));
    let (course, files) = (course(), Files::from(files));
    inputs.check("manifests", |input| {
        let merged = merge(&course, Some(("Cargo.toml", input)), &files, None)?;
        let table: toml::Table = merged.text.parse()?;
        assert_eq!(foreign(&table), None, "{}", merged.text);
        Ok(())
    });
}

/// Returns what a merged manifest has that does not come from the course.
fn foreign(merged: &toml::Table) -> Option<String> {
    const TABLES: [&str; 9] = [
        "package",
        "lib",
        "bin",
        "dependencies",
        "target",
        "features",
        "profile",
        "lints",
        "workspace",
    ];
    let other = merged.keys().find(|key| !TABLES.contains(&key.as_str())).cloned();
    let is_own = |path: Option<&Value>| {
        path.is_none_or(|path| {
            path.as_str().is_some_and(|path| path.starts_with("src/") && !path.contains(".."))
        })
    };
    let targets = merged
        .get("lib")
        .into_iter()
        .chain(merged.get("bin").and_then(Value::as_array).into_iter().flatten());
    let target = targets.map(|target| target.get("path")).find(|path| !is_own(*path));
    let package = &merged["package"];
    let script = package.get("build").filter(|build| build.as_bool() != Some(false));
    let links = package.get("links").or_else(|| merged["workspace"].get("members"));
    other
        .or_else(|| target.flatten().map(Value::to_string))
        .or_else(|| script.or(links).map(Value::to_string))
        .or_else(|| foreign_dependency(merged))
}

fn foreign_dependency(merged: &toml::Table) -> Option<String> {
    const KEYS: [&str; 6] =
        ["version", "features", "default-features", "optional", "package", "path"];
    let platforms = merged.get("target").and_then(Value::as_table).into_iter().flatten();
    let tables = platforms.filter_map(|(_, platform)| platform.get("dependencies"));
    let tables = tables.chain(merged.get("dependencies")).filter_map(Value::as_table);
    let is_foreign = |(name, spec): &(&String, &Value)| {
        let package = spec.get("package").and_then(Value::as_str).unwrap_or(name);
        let is_known = ["mio", "tokio", "framing"].contains(&package);
        let is_elsewhere = spec.get("path").is_some_and(|path| path.as_str() != Some("../framing"));
        let keys = spec.as_table().into_iter().flat_map(toml::Table::keys);
        !is_known || is_elsewhere || keys.into_iter().any(|key| !KEYS.contains(&key.as_str()))
    };
    let mut all = tables.flatten();
    all.find(is_foreign).map(|(name, spec)| format!("{name} = {spec}"))
}

#[test]
fn a_bad_lock_file_is_no_panic() {
    const LOCK: &str = "version = 4\n[[package]]\nname = \"mio\"\nversion = \"1.2.4\"\n\
        source = \"registry+https://github.com/rust-lang/crates.io-index\"\nchecksum = \"00\"\n";
    let inputs = Inputs {
        right: &[LOCK.as_bytes()],
        words: &["[[package]]", "[package]", "name = 1"],
        ..Inputs::default()
    };
    inputs.check("lock files", |input| {
        packages(input);
        Ok(())
    });
}
