//! What is copied, and what is refused.

use std::fs;
use std::path::Path;

use super::copy::copy;
use super::holder::Holder;
use super::listed::read_listed;

fn stage_once(from: &Path, to: &Path) -> anyhow::Result<u64> {
    let patterns = ["Cargo.toml".to_owned(), "src/**/*.rs".to_owned()];
    let files = read_listed(&Holder::open(from)?, Path::new(""), &patterns)?;
    copy(&files, to)
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

#[cfg(unix)]
#[track_caller]
fn refuses(spoil: impl FnOnce(&Path), says: &str) {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    crate_in(from.path());
    spoil(from.path());
    let error = format!("{:#}", stage_once(from.path(), to.path()).unwrap_err());
    assert!(error.contains(says), "{error}");
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_refused() {
    let main = |folder: &Path| folder.join("src/main.rs");
    let link = |to: &'static str| {
        move |folder: &Path| {
            fs::remove_file(main(folder)).unwrap();
            std::os::unix::fs::symlink(to, main(folder)).unwrap();
        }
    };
    refuses(link("/etc/hostname"), "src/main.rs is not a regular file");
    refuses(
        |folder| std::os::unix::fs::symlink("/etc", folder.join("src/more")).unwrap(),
        "src/more is not a regular file",
    );
    refuses(
        |folder| {
            _ = std::process::Command::new("mkfifo")
                .arg(folder.join("src/pipe.rs"))
                .status()
                .unwrap()
        },
        "src/pipe.rs is not a regular file",
    );
}

#[cfg(unix)]
#[test]
fn too_much_is_refused() {
    refuses(
        |folder| fs::File::create(folder.join("src/large.rs")).unwrap().set_len(1 << 40).unwrap(),
        "at most 1048576 are taken",
    );
    refuses(
        |folder| (0..300).for_each(|n| fs::write(folder.join(format!("src/m{n}.rs")), "").unwrap()),
        "more than 200 files",
    );
    refuses(
        |folder| fs::create_dir_all(folder.join("src/a/b/c/d/e/f/g/h/i/j")).unwrap(),
        "deeper than 8 folders",
    );
}

#[cfg(unix)]
#[test]
fn names_must_mean_the_same_everywhere() {
    for (name, says) in [
        ("src/Main.rs", "are one file on some systems"),
        ("src/aux.rs", "is a device"),
        ("src/a b.rs", "letters, digits"),
        ("src/a\nb.rs", "letters, digits"),
        ("src/é.rs", "letters, digits"),
        ("src/a:b.rs", "letters, digits"),
    ] {
        refuses(|folder| fs::write(folder.join(name), "").unwrap(), says);
    }
}
