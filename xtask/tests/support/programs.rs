//! Programs for `--program`.

use std::fmt::Display;
use std::process::Command;

use tempfile::TempDir;

use super::{echo, folder_with};

/// What each server in Python begins with: a socket, and the parts of a right server.
const PYTHON: &str = "\
import os, select, selectors, signal, socket, sys, threading, time
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
def listen(host=None, port=None):
    s.bind((host or sys.argv[1], port or int(sys.argv[2]))); s.listen()
def echo(c):
    try:
        while data := c.recv(65536): c.sendall(data)
    except OSError: pass
    c.close()
def serve():
    while True: threading.Thread(target=echo, args=(s.accept()[0],), daemon=True).start()
";

/// Tells whether a program is installed; otherwise says that the test is skipped.
pub(crate) fn has(program: &str) -> bool {
    let output = Command::new(program).arg("--version").output();
    let there = output.is_ok_and(|output| output.status.success());
    if !there {
        println!("skipped: there is no {program} here");
    }
    there
}

/// Returns `--program=NAME=COMMAND`, with the places of the address.
pub(crate) fn program(name: &str, command: impl Display) -> String {
    format!("--program={name}={command} {{host}} {{port}}")
}

/// Returns the source of a server in Python that does this, indented as its first line is.
pub(crate) fn python(body: &str) -> String {
    let body = body.trim_start_matches('\n');
    let spaces = |line: &str| line.len() - line.trim_start().len();
    let lines = body.lines().map(|line| &line[spaces(line).min(spaces(body))..]);
    PYTHON.lines().chain(lines).flat_map(|line| [line, "\n"]).collect()
}

/// Compiles a right server in C, and returns its `--program` option with its folder.
pub(crate) fn c_server() -> Option<(TempDir, String)> {
    if !has("cc") {
        return None;
    }
    let folder = folder_with(&[]);
    let executable = folder.path().join("echo_server");
    let source = echo("mistakes/other_languages/echo_server.c");
    let mut cc = Command::new("cc");
    cc.args(["-O1", "-pthread", "-o"]).arg(&executable).arg(source);
    assert!(cc.status().unwrap().success());
    Some((folder, program("echo_server", executable.display())))
}
