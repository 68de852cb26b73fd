//! Another process on the machine takes the address of a program before the program does.

use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};

use predicates::prelude::*;
use predicates::str::contains;

use crate::support::{folder_with, has, processes_with, python, xtask};

/// Binds each port that a process with this word on its command line is told, until `over`.
fn take_ports_of(word: &str, over: &AtomicBool) {
    let mut taken = Vec::new();
    while !over.load(Ordering::Relaxed) {
        for line in processes_with(word) {
            let port = line.split_whitespace().next_back().and_then(|last| last.parse().ok());
            taken.extend(port.and_then(|port: u16| TcpListener::bind(("127.0.0.1", port)).ok()));
        }
    }
}

#[test]
fn a_port_that_another_process_takes_costs_no_point() {
    if !has("python3") {
        return;
    }
    let server = python("time.sleep(0.15); listen(); serve()");
    let folder = folder_with(&[("echo_server.py", &server)]);
    let (name, over) = (folder.path().file_name().unwrap().display().to_string(), &false.into());
    std::thread::scope(|scope| {
        scope.spawn(|| take_ports_of(&format!("{name}/echo_server.py"), over));
        let mut grade = xtask("grade echo --only echoes_short_message --confine off --program");
        let path = folder.path().join("echo_server.py");
        grade.arg(format!("echo_server=python3 {} {{host}} {{port}}", path.display()));
        let output = grade.output();
        over.store(true, Ordering::Relaxed);
        let said = String::from_utf8(output.unwrap().stdout).unwrap();
        let is_fault =
            contains("another process has taken 127.0.0.1:").and(contains("1 failed").not());
        assert!(is_fault.eval(&said), "{said}");
    });
}
