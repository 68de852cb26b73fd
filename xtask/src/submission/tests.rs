//! What is copied, and what is refused.

use std::fs;
use std::path::Path;

use super::archive::tar::tests::entry;
use super::copy::copy;
use super::holder::Holder;
use super::listed::read_listed;
use crate::mutations::Inputs;
use crate::request::{GradeRequest, Origin};
use crate::{repository, rubric};

fn stage_once(from: &Path, to: &Path) -> anyhow::Result<u64> {
    let patterns = ["Cargo.toml".to_owned(), "src/**/*.rs".to_owned()];
    copy(&read_listed(&Holder::open(from)?, Path::new(""), &patterns)?.files, to)
}

fn crate_in(folder: &Path) {
    fs::create_dir_all(folder.join("src")).unwrap();
    fs::write(folder.join("Cargo.toml"), "[package]").unwrap();
    fs::write(folder.join("src/main.rs"), "fn main() {}").unwrap();
}

#[test]
fn the_copy_follows_the_original() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    crate_in(from.path());
    fs::write(from.path().join("src/old.rs"), "").unwrap();
    fs::write(from.path().join("build.rs"), "fn main() { panic!() }").unwrap();
    let first = stage_once(from.path(), to.path()).unwrap();
    assert_eq!(stage_once(from.path(), to.path()).unwrap(), first);
    let before = fs::metadata(to.path().join("src/main.rs")).unwrap().modified().unwrap();

    fs::remove_file(from.path().join("src/old.rs")).unwrap();
    assert_ne!(stage_once(from.path(), to.path()).unwrap(), first);

    assert!(!to.path().join("src/old.rs").exists() && !to.path().join("build.rs").exists());
    assert_eq!(fs::metadata(to.path().join("src/main.rs")).unwrap().modified().unwrap(), before);
}

#[cfg(unix)]
#[test]
fn what_a_build_has_left_in_the_copy_is_not_followed() {
    use std::os::unix::fs::symlink;
    let (from, to, home) =
        (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    crate_in(from.path());
    fs::write(home.path().join("diary"), "").unwrap();
    for name in ["src", "other"] {
        symlink(home.path(), to.path().join(name)).unwrap();
    }
    symlink(home.path().join("diary"), to.path().join("Cargo.toml")).unwrap();

    stage_once(from.path(), to.path()).unwrap();

    assert_eq!(
        fs::read_dir(home.path()).unwrap().count(),
        1,
        "nothing was removed, nothing was written"
    );
    assert_eq!(fs::read(home.path().join("diary")).unwrap(), b"");
    assert_eq!(fs::read(to.path().join("src/main.rs")).unwrap(), b"fn main() {}");
    assert!(!to.path().join("other").exists());
}

/// Checks that a crate is taken without one of its files, and that the reason is given.
#[cfg(unix)]
#[track_caller]
fn leaves_out(spoil: impl FnOnce(&Path), says: &str) {
    let from = tempfile::tempdir().unwrap();
    crate_in(from.path());
    spoil(from.path());
    let patterns = ["Cargo.toml".to_owned(), "src/**/*.rs".to_owned()];
    let holder = Holder::open(from.path()).unwrap();
    let taken = read_listed(&holder, Path::new(""), &patterns).unwrap();
    let left: Vec<String> = taken.left.iter().map(ToString::to_string).collect();
    assert!(taken.files.contains_key(Path::new("src/main.rs")), "{left:?}");
    assert!(left.iter().any(|left| left.contains(says)), "{left:?}");
    assert!(taken.files.len() <= 200 && !taken.files.keys().any(|name| name.ends_with("x.rs")));
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_left_out() {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;
    let says = |name: &str| format!("src/{name} (it is not a regular file)");
    leaves_out(|folder| symlink("/etc/hostname", folder.join("src/x.rs")).unwrap(), &says("x.rs"));
    leaves_out(|folder| symlink("main.rs", folder.join("src/x.rs")).unwrap(), &says("x.rs"));
    leaves_out(|folder| symlink("/etc", folder.join("src/more")).unwrap(), &says("more"));
    leaves_out(|folder| symlink("..", folder.join("src/up")).unwrap(), &says("up"));
    leaves_out(|folder| _ = UnixListener::bind(folder.join("src/x.rs")).unwrap(), &says("x.rs"));
    let pipe = |folder: &Path| {
        let mut mkfifo = std::process::Command::new("mkfifo");
        assert!(mkfifo.arg(folder.join("src/x.rs")).status().unwrap().success());
    };
    leaves_out(pipe, &says("x.rs"));
}

#[cfg(unix)]
#[test]
fn too_much_is_left_out() {
    leaves_out(
        |folder| fs::File::create(folder.join("src/x.rs")).unwrap().set_len(1 << 40).unwrap(),
        "at most 1048576 are taken",
    );
    leaves_out(
        |folder| {
            fs::create_dir(folder.join("src/a")).unwrap();
            (0..300).for_each(|n| fs::write(folder.join(format!("src/a/m{n}.rs")), "").unwrap());
        },
        "at most 200 files are taken",
    );
    leaves_out(
        |folder| {
            let large = "/".repeat(1 << 20);
            (0..4).for_each(|n| fs::write(folder.join(format!("src/m{n}.rs")), &large).unwrap());
        },
        "at most 4194304 bytes are taken in all",
    );
    leaves_out(
        |folder| fs::create_dir_all(folder.join("src/a/b/c/d/e/f/g/h/i/j")).unwrap(),
        "deeper than 8 folders",
    );
}

#[cfg(unix)]
#[test]
fn names_must_mean_the_same_everywhere() {
    for (name, says) in [
        ("src/Main.rs", "the same file as src/main.rs"),
        ("src/aux.rs", "is a device"),
        ("src/a x.rs", "letters, digits"),
        ("src/a\nx.rs", "letters, digits"),
        ("src/éx.rs", "letters, digits"),
        ("src/a:x.rs", "letters, digits"),
        ("src/main (1).rs", "letters, digits"),
        ("src/._main.rs", "letters, digits"),
        ("src/.#main.rs", "letters, digits"),
        ("src/old version/x.rs", "src/old version (a name"),
        ("src/.old/x.rs", "src/.old (a name"),
    ] {
        let write = |folder: &Path| {
            let place = folder.join(name);
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            fs::write(place, "").unwrap();
        };
        leaves_out(write, says);
    }
}

#[cfg(unix)]
#[test]
fn a_name_that_is_no_text_is_left_out() {
    use std::os::unix::ffi::OsStrExt;
    let name = std::ffi::OsStr::from_bytes(b"src/m\x84in.rs");
    leaves_out(|folder| fs::write(folder.join(name), "").unwrap(), "letters, digits");
}

/// Submissions as lists: a name and a content in each line.
const TREES: [&str; 5] = [
    "echo_server/Cargo.toml=[package] name = \"a\"\necho_server/src/main.rs=fn main() {}\n\
     echo_server/src/net/mod.rs=use std::net;\necho_server/data/a.txt=x\n",
    "hw/20-practical/EchoServer.java=package a.b; class EchoServer { void main( }\nhw/a/b/C.java=package a.b;\n",
    "echo_server.py=import sys\nechoserver/__init__.py=x = 1\necho_client.py=if __name__ == x: y\n",
    "server/package.json={\"main\": \"./lib/server.js\"}\nserver/lib/server.js=require('net')\n",
    "src/server.c=int main(void) {}\nsrc/util.c=int x;\ninclude/util.h=int x;\nMakefile=all:\nmain.go=package main\n",
];

const WORDS: [&str; 16] = [
    "echo_server/",
    "src/",
    "main.rs=",
    "main.py=x\n",
    "target/",
    ".git/",
    "../",
    "a/b/c/d/e/f/g/h/i/",
    "con=",
    "\u{e9}",
    " (1)",
    "=todo!(\n",
    "Cargo.toml=",
    "server.zip=PK",
    "ECHO_SERVER.PY=x\n",
    "mod.rs=",
];

/// Whatever is handed in, it is staged or refused, and its copies hold no other names.
#[test]
fn a_bad_submission_is_refused_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("a.tar");
    let repository = repository::find().unwrap();
    let rubric = rubric::read(&repository, "echo").unwrap();
    let plan = rubric.plan(&[]).unwrap();
    let request = GradeRequest::of("echo", Origin::Submission(archive.clone()), 7);
    let inputs = Inputs { right: &TREES.map(str::as_bytes), words: &WORDS, one_in: 50 };
    inputs.check("submissions", |input| {
        fs::write(&archive, packed(&String::from_utf8_lossy(input)))?;
        let scratch = tempfile::tempdir_in(folder.path())?;
        let sources = super::stage(&repository, &rubric, &plan, &request, scratch.path())?;
        sources.fingerprints();
        assert!(sources.notes.iter().all(|note| !note.contains('\n')), "{:?}", sources.notes);
        Ok(())
    });
}

fn packed(tree: &str) -> Vec<u8> {
    let mut archive = Vec::new();
    for line in tree.lines() {
        let (name, content) = line.split_once('=').unwrap_or((line, ""));
        let is_name = !name.is_empty() && name.len() <= 100;
        if is_name {
            let mut file = entry(name, b'0', "", content.replace(';', ";\n").as_bytes());
            file[257..263].copy_from_slice(b"ustar\0");
            archive.extend(file);
        }
    }
    archive.extend([0; 1024]);
    archive
}
