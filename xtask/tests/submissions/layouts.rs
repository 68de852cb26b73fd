//! Where students put their programs, how they call and divide them, and what is said where none is
//! found.

use std::fs;
use std::path::Path;

use crate::languages::{JAVA, NODE};
use crate::support::{echo, folder_with, grade, has, report, xtask};
use crate::{RIGHT_PYTHON, SOLUTION, text};

const ONE: &str = "--only echoes_short_message";

/// Grades a submission with these files: one check passes, and a note names the main file.
#[track_caller]
fn is_found(files: &[(&str, &str)], language: &str, main: &str) {
    let folder = folder_with(files);
    passes(folder.path(), &format!("echo_server is {language}, from {main}"));
}

#[track_caller]
fn passes(place: &Path, note: &str) {
    let report = report(&mut grade(ONE, place));
    let notes: Vec<&str> =
        report["notes"].as_array().unwrap().iter().map(|note| note.as_str().unwrap()).collect();
    assert!(report["passed"] == true && notes.contains(&note), "{note}: {report:#}");
}

#[test]
fn a_name_that_is_only_like_the_programs_is_taken_if_it_is_the_only_one() {
    if !has("python3") {
        return;
    }
    let right = text(RIGHT_PYTHON);
    for main in [
        "echo-server.py",
        "EchoServer.py",
        "echo server.py",
        "server.py",
        "echo-server/main.py",
        "Echo_Server/echo_server.py",
        "EchoServer/app.py",
        "echo_server/server.py",
        "server/__init__.py",
        "hand-in/week 20/my work/echo_server.py",
        "hw/a/b/echo_server/main.py",
        "practicals/echo/server.py",
    ] {
        let others = ("echo-client/main.py", "raise SystemExit(1)");
        is_found(&[(main, &right), others, ("README.md", "# Echo")], "Python", main);
    }
}

#[test]
fn the_whole_submission_may_be_one_program() {
    if has("python3") {
        let folder = folder_with(&[("echo-server/app.py", &text(RIGHT_PYTHON))]);
        passes(&folder.path().join("echo-server"), "echo_server is Python, from app.py");
        is_found(&[("app.py", &text(RIGHT_PYTHON))], "Python", "app.py");
    }
}

#[test]
fn several_rust_programs_may_share_a_crate() {
    let main = format!("{}\nmod bytes;\n", text(SOLUTION));
    let manifest = "[package]\nname = \"practical\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
    let folder = folder_with(&[
        ("Cargo.toml", manifest),
        ("src/main.rs", "compile_error!(\"not this one\");"),
        ("src/bin/echo_client.rs", "compile_error!(\"not this one\");"),
        ("src/bin/echo_server.rs", &main),
        ("src/bin/bytes/mod.rs", "const _: &str = include_str!(\"../../../words.txt\");"),
        ("words.txt", "words"),
    ]);
    passes(folder.path(), "echo_server is Rust, from src/bin/echo_server.rs");
}

#[test]
fn a_lone_rust_file_may_have_another_name() {
    is_found(&[("src/server.rs", &text(SOLUTION))], "Rust", "src/server.rs");
}

#[test]
fn a_python_package_is_started_as_one() {
    if has("python3") {
        let right = text(RIGHT_PYTHON);
        let main = "from .server import run\nimport limits\nrun()\n";
        let server = indented(&right);
        let files = [
            ("echo_server/__init__.py", ""),
            ("echo_server/__main__.py", main),
            ("echo_server/server.py", &server),
            ("echo_server/limits.py", "MOST = 10"),
        ];
        is_found(&files, "a Python package", "echo_server/__main__.py");
    }
}

/// Makes a function of a program, which must not have a `__future__` import.
fn indented(program: &str) -> String {
    let quoted = format!("{program:?}").replace("\\'", "'");
    format!("def run():\n    exec({quoted}, {{'__name__': '__main__'}})\n")
}

#[test]
fn two_c_files_need_no_makefile() {
    if !has("cc") {
        return;
    }
    let right = text("mistakes/other_languages/echo_server.c");
    let main = format!("#include \"net.h\"\n{right}\nint more(void) {{ return most(); }}\n");
    let net = "#include <math.h>\n#include \"net.h\"\nint most(void) { return (int)sqrt(100); }\n";
    for file in ["echo_server/main.c", "echo_server/server.c", "echo_server/src/echo_server.c"] {
        let files = [
            (file, &*main),
            ("echo_server/include/net.h", "int most(void);\n"),
            ("echo_server/net.c", net),
            ("echo_server/net_old.c", net),
            ("echo_server/unfinished.c", "this is no C"),
            ("echo_server/test.c", "int main(void) { return 1; }"),
        ];
        is_found(&files, "C", file);
    }
    let files =
        [("src/echo_server.c", &*main), ("include/net.h", "int most(void);\n"), ("src/net.c", net)];
    is_found(&files, "C", "src/echo_server.c");
}

#[test]
fn what_the_second_c_file_does_wrong_is_told() {
    if has("cc") {
        let files = [
            ("echo_server/main.c", "int most(void);\nint main(void) { return most(); }\n"),
            ("echo_server/net.c", "int most(void) { return limit; }\n"),
        ];
        let folder = folder_with(&files);
        let assert = grade(ONE, &folder).assert().code(1);
        assert.stdout(predicates::str::contains("limit"));
    }
}

#[test]
fn java_may_be_in_a_package() {
    if !has("javac") {
        return;
    }
    let java = JAVA.replace("() -> echo(client)", "() -> Echo.echo(client)");
    let java = format!("package net.echo;\n{java}");
    let echo = "package net.echo;\nclass Echo {\n  static void echo(java.net.Socket client) {\n    \
        EchoServer.echo(client);\n  }\n}\n";
    for folder in ["src/main/java/net/echo", "echo_server/src/main/java/net/echo", "20-practical"] {
        let main = format!("{folder}/EchoServer.java");
        let files = [(&*main, &*java), (&*format!("{folder}/Echo.java"), echo), ("pom.xml", "")];
        is_found(&files, "Java", &main);
    }
}

#[test]
fn node_begins_where_its_manifest_says() {
    if has("node") {
        let manifest = "{ \"name\": \"x\", \"main\": \"lib/start\" }";
        let files = [
            ("echo_server/package.json", manifest),
            ("echo_server/lib/start.js", NODE),
            ("echo_server/index.js", "process.exit(1);"),
        ];
        is_found(&files, "Node", "echo_server/lib/start.js");
    }
}

#[test]
fn a_program_reads_what_lies_beside_its_source() {
    if !has("python3") {
        return;
    }
    let reads = "import json, os\n\
        assert json.load(open('settings.json'))['most'] == 1\n\
        here = os.path.dirname(os.path.abspath(__file__))\n\
        assert open(os.path.join(here, 'texts', 'hello.txt')).read() == 'hello'\n";
    let main = format!("{reads}{}", text(RIGHT_PYTHON));
    let files = |folder: &str| {
        [
            (format!("{folder}echo_server.py"), main.clone()),
            (format!("{folder}settings.json"), "{\"most\": 1}".to_owned()),
            (format!("{folder}texts/hello.txt"), "hello".to_owned()),
        ]
    };
    for folder in ["", "echo_server/", "20-practical/"] {
        let files = files(folder);
        let files: Vec<(&str, &str)> =
            files.iter().map(|(name, content)| (&**name, &**content)).collect();
        is_found(&files, "Python", &format!("{folder}echo_server.py"));
    }
}

#[test]
fn a_crate_reads_what_lies_beside_its_sources() {
    let reads = "    assert_eq!(std::fs::read_to_string(\"words.txt\").unwrap(), TEXT);\n";
    let begin = "fn main() -> ExitCode {\n";
    let main = text(SOLUTION).replace(begin, &format!("{begin}{reads}"))
        + "\nconst TEXT: &str = include_str!(\"../words.txt\");\n";
    assert!(main.contains(reads), "the solution begins as it did");
    let files = [("echo_server/src/main.rs", &*main), ("echo_server/words.txt", "words")];
    is_found(&files, "Rust", "echo_server/src/main.rs");
}

/// A checkout has the skeleton, too.
#[test]
fn a_program_beside_an_unwritten_skeleton_is_taken() {
    if !has("python3") {
        return;
    }
    let skeleton = fs::read_to_string(echo("echo_server/src/main.rs")).unwrap();
    for main in [
        "practicals/echo/echo_server.py",
        "practicals/echo/server.py",
        "20-practical/echo-server.py",
    ] {
        let files =
            [("practicals/echo/echo_server/src/main.rs", &*skeleton), (main, &text(RIGHT_PYTHON))];
        is_found(&files, "Python", main);
    }
}

/// Checks what is said where a program is not found.
#[track_caller]
fn is_told(files: &[(&str, &str)], make: impl FnOnce(&Path), says: &str) {
    let folder = folder_with(files);
    make(folder.path());
    let assert = grade(ONE, &folder).assert().code(2);
    let stderr = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert!(stderr.contains(says), "{stderr}");
}

#[test]
fn the_nearest_thing_is_named() {
    let nothing = |_: &Path| {};
    is_told(
        &[("echo_server.rb", "")],
        nothing,
        "echo_server.rb: for Ruby give --program 'echo_server=ruby ",
    );
    is_told(&[("src/EchoServer.kt", "")], nothing, "src/EchoServer.kt: for Kotlin give --program");
    is_told(&[("hw/server.ts", "")], nothing, "hw/server.ts: for TypeScript give --program");
    is_told(
        &[("echo_server/a.txt", "")],
        nothing,
        "echo_server has no main file, or several: it has a.txt",
    );
    is_told(
        &[("echo_server", "\x7fELF")],
        nothing,
        "echo_server has no ending that names its language",
    );
    is_told(&[("hand-in.zip", "PK")], nothing, "hand-in.zip is an archive in it");
    is_told(
        &[("a/echo_server.py", ""), ("b/echo_server.py", "")],
        nothing,
        "it could be each of a/echo_server.py, b/echo_server.py: name one of them echo_server",
    );
    let empty = |folder: &Path| fs::create_dir(folder.join("echo_server")).unwrap();
    is_told(
        &[(".gitmodules", "")],
        empty,
        "echo_server is empty: a submodule that was not fetched",
    );
    let link =
        |folder: &Path| std::os::unix::fs::symlink("/etc", folder.join("echo_server")).unwrap();
    is_told(&[], link, "echo_server is a link or no regular file");
}

/// At home the same is left out and said, with paths from the top of the checkout on.
#[test]
fn a_checkout_is_searched_in_the_same_way() {
    if !has("python3") {
        return;
    }
    let skeleton = fs::read_to_string(echo("echo_server/src/main.rs")).unwrap();
    let course = folder_with(&[
        ("practicals/echo/rubric.toml", &text("rubric.toml")),
        ("practicals/echo/explanations.toml", &text("explanations.toml")),
        ("practicals/echo/echo_server/src/main.rs", &skeleton),
        ("practicals/echo/solution/echo_server.py", "raise SystemExit(1)"),
        ("practicals/echo/mistakes/other_languages/server.py", "raise SystemExit(1)"),
        ("practicals/echo/server.py", &text(RIGHT_PYTHON)),
        ("practicals/echo/my server.py", ""),
    ]);
    let mut grade = xtask(&format!("grade echo {ONE}"));
    let report = report(grade.current_dir(course.path()));
    let said = format!("{:#}", report["notes"]);
    assert_eq!(report["passed"], true, "{report:#}");
    assert!(said.contains("echo_server is Python, from practicals/echo/server.py"), "{said}");
    assert!(said.contains("practicals/echo/my server.py (a name is letters"), "{said}");
}
