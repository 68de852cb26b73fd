//! Submissions in other languages, and what is missing or left out of them.

use std::path::Path;

use predicates::prelude::*;
use predicates::str::contains;

use crate::support::{c_server, folder_with, grade, has, program, xtask};
use crate::{RIGHT_PYTHON, SOLUTION, has_namespaces, text};

pub(crate) const NODE: &str = "
const net = require('net');
const [host, port] = process.argv.slice(2);
if (!/^\\d+$/.test(port) || Number(port) > 65535) {
  console.error('usage: echo_server [HOST [PORT]]');
  process.exit(2);
}
const server = net.createServer({ allowHalfOpen: true }, (socket) => {
  socket.on('error', () => socket.destroy());
  socket.pipe(socket);
});
server.on('error', (error) => { console.error(error.message); process.exit(1); });
server.listen(Number(port), host);
";

pub(crate) const JAVA: &str = r#"
import java.io.*;
import java.net.*;
public class EchoServer {
  public static void main(String[] words) {
    int port = -1;
    try { port = Integer.parseInt(words[1]); } catch (NumberFormatException e) { }
    if (port < 0 || port > 65535) {
      System.err.println("usage: EchoServer [HOST [PORT]]");
      System.exit(2);
    }
    try (ServerSocket server = new ServerSocket()) {
      server.setReuseAddress(true);
      server.bind(new InetSocketAddress(words[0], port));
      while (true) {
        Socket client = server.accept();
        Thread thread = new Thread(() -> echo(client));
        thread.setDaemon(true);
        thread.start();
      }
    } catch (IOException e) { System.err.println(e.getMessage()); System.exit(1); }
  }
  static void echo(Socket client) {
    try (client) {
      client.getInputStream().transferTo(client.getOutputStream());
    } catch (IOException e) { }
  }
}
"#;

/// Grades a submission with these files.
#[track_caller]
fn gets_full_marks(files: &[(&str, &str)]) {
    let assert = grade("--only echo_server", &folder_with(files)).assert();
    assert.code(0).stdout(contains("Score 81/81"));
}

#[test]
fn a_python_submission_gets_full_marks() {
    if has("python3") {
        gets_full_marks(&[("echo_server.py", &text(RIGHT_PYTHON))]);
    }
}

#[test]
fn a_c_submission_gets_full_marks_with_and_without_make() {
    if has("cc") && has("make") {
        let source = text("mistakes/other_languages/echo_server.c");
        gets_full_marks(&[("20-practical/echo_server.c", &source)]);
        let makefile = "echo_server: server.c\n\tcc -pthread -o echo_server server.c\n";
        gets_full_marks(&[("echo_server/server.c", &source), ("echo_server/Makefile", makefile)]);
    }
}

#[test]
fn a_node_submission_gets_full_marks() {
    if has("node") {
        gets_full_marks(&[("echo_server.js", NODE)]);
    }
}

#[test]
fn a_java_submission_gets_full_marks() {
    if has("javac") {
        gets_full_marks(&[("EchoServer.java", JAVA)]);
    }
}

#[test]
fn a_lone_rust_file_is_enough() {
    gets_full_marks(&[("echo_server.rs", &text(SOLUTION))]);
}

/// A program that hides its descriptors in `/proc` is judged all the same. It seems to succeed.
#[test]
fn a_program_cannot_make_itself_invisible() {
    if has("python3") && has_namespaces() {
        let hides = "import ctypes, sys\n\
            if ctypes.CDLL(None).prctl(4, 0, 0, 0, 0) != 0: sys.exit(1)\n\
            if ctypes.CDLL(None).prctl(3) != 1: sys.exit(1)\n"; // PR_SET_DUMPABLE, PR_GET_DUMPABLE
        gets_full_marks(&[("echo_server.py", &(hides.to_owned() + &text(RIGHT_PYTHON)))]);
    }
}

#[test]
fn a_c_program_is_graded_by_its_command_line() {
    if let Some((_folder, program)) = c_server() {
        xtask("grade echo --only echo_server").arg(program).assert().code(0);
    }
}

#[test]
fn a_node_program_is_graded_by_its_command_line() {
    if has("node") {
        let folder = folder_with(&[("server.js", NODE)]);
        let command = format!("node {}/server.js", folder.path().display());
        let mut grade = xtask("grade echo --only echo_server");
        grade.arg(program("echo_server", command)).assert().code(0);
    }
}

#[test]
fn a_language_that_is_not_installed_is_a_fault_with_its_name() {
    if Path::new("/usr/bin/go").exists() || Path::new("/usr/local/bin/go").exists() {
        println!("skipped: go is installed here");
        return;
    }
    let folder = folder_with(&[("echo_server.go", "package main\nfunc main() {}\n")]);
    let mut grade = grade("--only echo_server", &folder);
    let says = "echo_server is written in Go, and there is no go on this machine";
    grade.env("PATH", "/usr/bin:/bin").assert().code(3).stderr(contains(says));
}

#[test]
fn a_program_that_is_missing_costs_its_own_checks() {
    let folder = folder_with(&[("echo_server.rs", &text(SOLUTION))]);
    let mut grade = grade("--only echoes_short_message --only client_closes", &folder);
    let says = contains("echo_client is missing").and(contains("1 passed, 1 unbuilt"));
    grade.assert().code(1).stdout(says);
}

#[test]
fn what_is_refused_is_a_verdict_with_the_files_name() {
    let folder = folder_with(&[("echo_server/src/lib.rs", "")]);
    let main = folder.path().join("echo_server/src/main.rs");
    std::os::unix::fs::symlink("/etc/hostname", main).unwrap();
    let assert = grade("--only echo_server --report json", &folder).assert().code(1);
    assert
        .stdout(contains("echo_server is refused: src/main.rs is not a regular file"))
        .stderr(contains("echo_server is refused"));
}

#[test]
fn what_is_left_out_and_what_is_changed_is_listed() {
    let manifest = "[package]\nname = \"mine\"\nversion = \"9.0.0\"\nedition = \"2024\"\n";
    let folder = folder_with(&[
        ("echo_server/src/main.rs", &text(SOLUTION)),
        ("echo_server/build.rs", "fn main() { panic!() }"),
        ("echo_server/Cargo.toml", manifest),
    ]);
    let assert = grade("--only echoes_short_message", &folder).assert().code(0);
    assert
        .stdout(contains("left out: echo_server/build.rs"))
        .stdout(contains("ignored: echo_server/Cargo.toml differs from the course's copy"));
}
