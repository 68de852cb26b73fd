//! Finds toolchains, also behind the shims of version managers.
//!
//! Toolchains belong to the machine and run outside the sandbox; nothing of a submission does.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use suite::Fault;

/// Arguments that make an interpreter print its folder.
const QUESTIONS: &[(&str, &[&str])] = &[
    ("python", &["-I", "-c", "import sys; print(sys.base_prefix)"]),
    ("node", &["-p", "require('path').dirname(require('path').dirname(process.execPath))"]),
    ("go", &["env", "GOROOT"]),
    ("rustc", &["--print", "sysroot"]),
];

/// Returns the folder that an interpreter needs besides its own file, unless it is the system's.
pub(crate) fn home_of(executable: &Path) -> Option<PathBuf> {
    if executable.starts_with("/usr") || executable.starts_with("/bin") {
        return None;
    }
    let name = executable.file_name()?.to_str()?;
    let (_, question) = QUESTIONS.iter().find(|(begins, _)| name.starts_with(begins))?;
    let said = ask(executable, question)?;
    std::fs::canonicalize(said.trim()).ok().filter(|folder| folder.components().count() > 2)
}

/// Returns whether a word is an interpreter's name.
pub(crate) fn is_interpreter(word: &str) -> bool {
    let is_version =
        |rest: &str| rest.chars().all(|letter| letter.is_ascii_digit() || letter == '.');
    QUESTIONS.iter().any(|(begins, _)| word.strip_prefix(begins).is_some_and(is_version))
}

/// Returns the executable behind a version manager's shim, or the executable itself.
pub(crate) fn behind_shims(executable: &Path) -> PathBuf {
    let is_script = std::fs::read(executable).is_ok_and(|bytes| bytes.starts_with(b"#!"));
    let name = executable.file_name().unwrap_or_default().to_owned();
    let home = home_of(executable).filter(|_| is_script);
    home.map(|home| home.join("bin").join(name))
        .filter(|real| real.is_file())
        .unwrap_or_else(|| executable.to_owned())
}

/// Returns the folder of the Rust toolchain that built this harness, or of the one on PATH. No
/// settings are read.
pub(crate) fn rust() -> anyhow::Result<PathBuf> {
    let of_cargo = std::env::var_os("CARGO")
        .and_then(|cargo| Some(Path::new(&cargo).parent()?.parent()?.to_owned()));
    let has_libraries = |folder: &PathBuf| folder.join("lib/rustlib").is_dir();
    match of_cargo.filter(|folder| is_whole(folder) && has_libraries(folder)) {
        Some(folder) => Ok(folder),
        None => rust_on_path()?.filter(|folder| is_whole(folder)).context(NO_CARGO),
    }
}

pub(crate) const NO_CARGO: &str =
    "there is no cargo on PATH: install Rust (https://rustup.rs), then open a new terminal";

fn is_whole(folder: &Path) -> bool {
    ["cargo", "rustc"].iter().all(|name| folder.join("bin").join(name).is_file())
}

/// Asks the rustc on PATH. That it cannot be started is the machine's fault, unless there is none.
fn rust_on_path() -> anyhow::Result<Option<PathBuf>> {
    let mut question = Command::new("rustc");
    question.args(["--print", "sysroot"]).current_dir(std::env::temp_dir()).stdin(Stdio::null());
    let said = match question.output() {
        Ok(output) => String::from_utf8(output.stdout).unwrap_or_default(),
        Err(error) if is_none(error.kind()) => return Ok(None),
        Err(error) => bail!(Fault(format!("rustc cannot be started: {error}"))),
    };
    Ok(Some(PathBuf::from(said.trim())).filter(|_| !said.is_empty()))
}

/// Returns whether a program on PATH that cannot be started is none for this user.
fn is_none(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NotFound | ErrorKind::PermissionDenied)
}

/// Variables that change what cargo builds, by what their names begin with. Other variables of
/// cargo say where it finds what it downloads.
const BUILD_SETTINGS: [&str; 8] = [
    "CARGO_BUILD_",
    "CARGO_TARGET_",
    "CARGO_PROFILE_",
    "CARGO_ENCODED_",
    "CARGO_INCREMENTAL",
    "CARGO_UNSTABLE_",
    "RUSTC",
    "RUSTFLAGS",
];

/// Removes the machine's settings for builds from the environment of a cargo: the same sources must
/// build on every machine.
pub(crate) fn without_build_settings(command: &mut Command) -> &mut Command {
    let is_setting = |name: &str| BUILD_SETTINGS.iter().any(|begins| name.starts_with(begins));
    for (name, _) in std::env::vars_os().filter(|(name, _)| is_setting(&name.to_string_lossy())) {
        command.env_remove(name);
    }
    command
}

fn ask(executable: &Path, question: &[&str]) -> Option<String> {
    let output = suite::without_settings(&mut Command::new(executable))
        .args(question)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    String::from_utf8(output.stdout).ok().filter(|_| output.status.success())
}
