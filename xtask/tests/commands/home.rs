//! A checkout is graded as what is handed in: by the same manifest, with the same words.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{self, echo, root, xtask};
use crate::{copy, solution};

const ONLY: &str = "listens_on_given_address";

/// Makes a student's checkout of a practical whose programs are right.
fn checkout(practical: &str) -> TempDir {
    let checkout = tempfile::tempdir().unwrap();
    let from = root().join("practicals").join(practical);
    let to = checkout.path().join("practicals").join(practical);
    copy(&from, &to);
    let shared = "practicals/echo/explanations.toml"; // other practicals take rows from it
    fs::create_dir_all(checkout.path().join("practicals/echo")).unwrap();
    fs::copy(root().join(shared), checkout.path().join(shared)).unwrap();
    for program in fs::read_dir(from.join("solution")).unwrap().flatten() {
        copy(&program.path().join("src"), &to.join(program.file_name()).join("src"));
    }
    checkout
}

fn server(checkout: &TempDir) -> PathBuf {
    checkout.path().join("practicals/echo/echo_server")
}

/// Grades in the checkout, as a student does.
fn at_home(checkout: &TempDir, practical: &str, only: &str) -> Value {
    let mut grade = xtask(&format!("grade {practical} --seed 1 --only {only}"));
    support::report(grade.current_dir(checkout.path()))
}

/// Grades the same checkout from the instructor's repository.
fn handed_in(checkout: &TempDir, practical: &str, only: &str) -> Value {
    let mut grade = xtask(&format!("grade {practical} --seed 1 --only {only} --submission"));
    support::report(grade.arg(checkout.path()))
}

fn both(checkout: &TempDir) -> [Value; 2] {
    [at_home(checkout, "echo", ONLY), handed_in(checkout, "echo", ONLY)]
}

/// Returns what a report says of the submission, and of the one check.
fn said(report: &Value) -> String {
    format!("{} {}", report["notes"], report["checks"][0]["message"])
}

#[track_caller]
fn passes(report: &Value) {
    assert_eq!(report["score"], report["max_score"], "{report:#}");
}

#[track_caller]
fn says(report: &Value, words: &[&str]) {
    let said = said(report);
    assert!(words.iter().all(|word| said.contains(word)), "{said}");
}

/// Returns a source without the comment that must be its first item.
fn outer(source: &str) -> String {
    source.lines().filter(|line| !line.starts_with("//!")).map(|line| format!("{line}\n")).collect()
}

#[test]
fn what_a_manifest_may_say_counts_in_both() {
    let checkout = checkout("echo");
    let folder = server(&checkout);
    fs::rename(folder.join("src/main.rs"), folder.join("src/server.rs")).unwrap();
    fs::write(folder.join("src/lib.rs"), "#[cfg(feature = \"on\")]\npub fn on() {}\n").unwrap();
    let main = fs::read_to_string(folder.join("src/server.rs")).unwrap();
    let calls = "fn _calls() { mine::on(); let async = 1; let _ = async; }\n";
    fs::write(folder.join("src/server.rs"), format!("extern crate mine;\n{}{calls}", outer(&main)))
        .unwrap();
    fs::write(folder.join("src/main.rs"), "fn main() { a scratch file }\n").unwrap();
    let manifest = "\u{feff}[package]\r\nname = \"mine\"\r\nversion = \"0.1.0\"\r\nedition = \"2015\"\r\n\
                    [features]\r\ndefault = [\"on\"]\r\non = []\r\n[lints.rust]\r\nunused = \"allow\"\r\n\
                    [[bin]]\r\nname = \"echo-server\"\r\npath = \"src/server.rs\"\r\n";
    fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    for report in both(&checkout) {
        passes(&report);
        assert!(!said(&report).contains("Cargo.toml"), "{}", said(&report));
    }
}

#[test]
fn an_untouched_manifest_is_not_mentioned() {
    for report in both(&checkout("echo")) {
        passes(&report);
        assert!(!said(&report).contains("ignored"), "{}", said(&report));
    }
}

#[test]
fn what_does_not_count_is_said_in_both() {
    let checkout = checkout("echo");
    let folder = server(&checkout);
    let marker = checkout.path().join("marker");
    let evil = format!("fn main() {{ std::fs::write({marker:?}, \"\").unwrap() }}");
    fs::write(folder.join("build.rs"), evil).unwrap();
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    let manifest = manifest.replace("0.1.0", "9.0.0").replace("publish = false", "links = \"x\"")
        + "[patch.crates-io]\nmio = { path = \"/nowhere\" }\n[lib]\npath = \"/etc/hostname\"\n";
    fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    let keys = [
        "package.version (line 3)",
        "package.links (line 6)",
        "patch (line 7)",
        "lib.path (line 10)",
    ];
    for report in both(&checkout) {
        passes(&report);
        says(&report, &keys);
        says(&report, &["practicals/echo/echo_server/build.rs"]);
    }
    assert!(!marker.exists());
}

#[test]
fn a_manifest_that_is_cut_off_is_told_with_its_line_in_both() {
    let checkout = checkout("echo");
    fs::write(server(&checkout).join("Cargo.toml"), "[package]\nname = \"echo_server\"\nver")
        .unwrap();
    for report in both(&checkout) {
        assert_eq!(report["checks"][0]["status"], "unbuilt", "{report:#}");
        says(&report, &["practicals/echo/echo_server/Cargo.toml:3: the manifest cannot be read"]);
    }
}

/// Adds a line to the server's manifest, and one to its source.
fn depend(checkout: &TempDir, dependency: &str, code: &str) {
    let manifest = server(checkout).join("Cargo.toml");
    let text = fs::read_to_string(echo("solution/echo_server/Cargo.toml")).unwrap();
    fs::write(manifest, format!("{text}\n[dependencies]\n{dependency}\n")).unwrap();
    let main = server(checkout).join("src/main.rs");
    let text = fs::read_to_string(solution("echo_server")).unwrap();
    fs::write(main, format!("{text}\n{code}\n")).unwrap();
}

#[test]
fn a_dependency_that_does_not_count_is_told_in_both_and_leaves_nothing() {
    let checkout = checkout("echo");
    depend(&checkout, "rand = \"0.8\"", "");
    let place = "practicals/echo/echo_server/Cargo.toml:9: the dependency rand does not count";
    for report in both(&checkout) {
        passes(&report);
        says(&report, &[place]);
    }
    depend(&checkout, "rand = \"0.8\"", "#[allow(dead_code)]\nfn dice() -> u8 { rand::random() }");
    for report in both(&checkout) {
        assert_eq!(report["checks"][0]["status"], "unbuilt");
        let message = report["checks"][0]["message"].as_str().unwrap();
        assert!(message.contains(place) && message.contains("remove it"), "{message}");
    }
    depend(&checkout, "", "");
    both(&checkout).iter().for_each(passes);
}

/// Uses a library that is on every machine which can build the harness's practicals.
#[test]
fn a_dependency_that_the_rubric_allows_counts_in_the_courses_version() {
    let checkout = checkout("echo");
    let practical = checkout.path().join("practicals/echo");
    let rubric = fs::read_to_string(practical.join("rubric.toml")).unwrap();
    let allowed = rubric.replacen("files = [", "dependencies = [\"mio\"]\nfiles = [", 1);
    fs::write(practical.join("rubric.toml"), allowed).unwrap();
    let lock = root().join("practicals/multiconn/multiconn_server/Cargo.lock");
    fs::create_dir_all(practical.join("manifests")).unwrap();
    fs::copy(lock, practical.join("manifests/echo_server.lock")).unwrap();
    let mio =
        "mio = { version = \"1.0\", default-features = false, features = [\"net\", \"os-poll\"] }";
    depend(&checkout, mio, "#[allow(dead_code)]\nfn poll() { _ = mio::Poll::new(); }");
    let report = at_home(&checkout, "echo", ONLY);
    passes(&report);
    says(&report, &["mio.version (line 9)"]);
    let mut grade =
        xtask(&format!("grade echo --only {ONLY} --submission {}", checkout.path().display()));
    passes(&support::report(grade.current_dir(checkout.path())));
}

#[test]
fn a_lock_file_that_is_spoiled_does_not_block_a_checkout() {
    let checkout = checkout("multiconn");
    let folder = checkout.path().join("practicals/multiconn/multiconn_server");
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    fs::write(folder.join("Cargo.toml"), format!("{manifest}rand = \"0.8\"\n")).unwrap();
    fs::write(folder.join("Cargo.lock"), "version = 4\n[[package]]\nname = \"rand\"").unwrap();
    passes(&at_home(&checkout, "multiconn", ONLY));
    fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    passes(&at_home(&checkout, "multiconn", ONLY));
}

/// A checkout may have neither a solution nor the course's manifests in files of their own.
#[test]
fn a_checkout_of_nothing_but_skeletons_may_use_what_the_rubric_allows() {
    let checkout = checkout("multiconn");
    let practical = checkout.path().join("practicals/multiconn");
    for folder in ["solution", "mistakes"] {
        fs::remove_dir_all(practical.join(folder)).unwrap();
    }
    let report = at_home(&checkout, "multiconn", ONLY);
    passes(&report);
    assert!(!said(&report).contains("ignored"), "{}", said(&report));
}

/// Checks that every format names these places, and none a path of the harness's copy.
#[track_caller]
fn names_only(checkout: &TempDir, practical: &str, places: &[&str]) {
    let formats = ["json", "gradescope", "markdown", "html", "github", "ctrf", "autolab"];
    let reports = tempfile::tempdir().unwrap();
    let file = |format: &str| reports.path().join(format);
    let mut grade = xtask(&format!("grade {practical} --only {ONLY}"));
    for format in formats {
        grade.arg("--report").arg(format!("{format}={}", file(format).display()));
    }
    let output = grade.current_dir(checkout.path()).output().unwrap();
    let told = |format: &str| fs::read_to_string(file(format)).unwrap();
    let people = String::from_utf8_lossy(&output.stdout).into_owned();
    let texts: Vec<String> = formats.into_iter().map(told).chain([people]).collect();
    assert!(texts.iter().all(|text| !text.contains("target/")), "{texts:#?}");
    let told = |place: &&str| texts[1..].iter().all(|text| text.contains(*place));
    assert!(places.iter().all(told), "{texts:#?}");
}

fn replace(place: &Path, text: &str) {
    fs::remove_dir_all(place.parent().unwrap()).unwrap();
    fs::create_dir_all(place.parent().unwrap()).unwrap();
    fs::write(place, text).unwrap();
}

#[test]
fn a_compiler_names_the_students_own_files() {
    let checkout = checkout("echo");
    let main = server(&checkout).join("src/main.rs");
    replace(&main, "mod other;\nfn main() {}\n");
    let places = ["practicals/echo/echo_server/src/main.rs:1:1", "echo_server/src/other.rs"];
    names_only(&checkout, "echo", &places);
}

#[test]
fn a_shared_librarys_files_are_the_students_own() {
    let checkout = checkout("framing");
    let library = checkout.path().join("practicals/framing/framing/src/lib.rs");
    fs::write(library, "fn wrong() -> u8 { \"\" }\n").unwrap();
    names_only(&checkout, "framing", &["practicals/framing/framing/src/lib.rs:1:20"]);
}

#[cfg(unix)]
#[test]
fn a_traceback_and_a_c_compiler_name_the_students_own_files() {
    let checkout = checkout("echo");
    let folder = server(&checkout);
    fs::remove_dir_all(folder.join("src")).unwrap();
    fs::remove_file(folder.join("Cargo.toml")).unwrap();
    for (tool, file, text, place) in [
        ("python3", "echo_server.py", "\n1 / 0\n", "echo_server.py\", line 2"),
        ("cc", "main.c", "int main(void) { return x; }\n", "main.c:1:25"),
    ] {
        fs::write(folder.join(file), text).unwrap();
        if support::has(tool) {
            let place = place.replace('"', "");
            names_in_people_report(&checkout, &place);
        }
        fs::remove_file(folder.join(file)).unwrap();
    }
}

#[cfg(unix)]
#[track_caller]
fn names_in_people_report(checkout: &TempDir, place: &str) {
    let output = xtask(&format!("grade echo --only {ONLY}")).current_dir(checkout.path()).output();
    let text = String::from_utf8_lossy(&output.unwrap().stdout).replace('"', "");
    let place = format!("practicals/echo/echo_server/{place}");
    let joined = text.replace("\n              | ", "");
    assert!(joined.contains(&place) && !joined.contains("target/"), "{text}");
}

#[test]
fn a_lone_rust_file_is_named_as_it_is_called() {
    let folder = support::folder_with(&[("echo_server.rs", "fn main() { 1 + \"\" }\n")]);
    let output = xtask(&format!("grade echo --only {ONLY} --submission"))
        .arg(folder.path())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let place = folder.path().join("echo_server.rs:1:15").display().to_string();
    assert!(text.contains(&place) && !text.contains("src/main.rs"), "{text}");
}

#[test]
fn a_panic_names_the_students_own_file() {
    let checkout = checkout("echo");
    fs::write(server(&checkout).join("src/main.rs"), "fn main() { panic!(\"no\") }\n").unwrap();
    let report = at_home(&checkout, "echo", ONLY);
    let said = report["checks"][0]["stderr_tail"].as_str().unwrap();
    assert!(said.contains("panicked at practicals/echo/echo_server/src/main.rs:1:13"), "{said}");
    assert!(echo("echo_server").is_dir());
}
