//! Where a language's toolchain really is: behind version managers' shims, and outside of what every program may read.
//!
//! A toolchain is the machine's own, and asked outside of any confinement; a submission is never asked.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A question to an interpreter whose answer is the folder that it lives in.
const QUESTIONS: &[(&str, &[&str])] = &[
    ("python", &["-I", "-c", "import sys; print(sys.base_prefix)"]),
    ("node", &["-p", "require('path').dirname(require('path').dirname(process.execPath))"]),
    ("go", &["env", "GOROOT"]),
    ("rustc", &["--print", "sysroot"]),
];

/// The folder that an interpreter needs besides its own file, where that is not the system's.
pub(crate) fn home_of(executable: &Path) -> Option<PathBuf> {
    if executable.starts_with("/usr") || executable.starts_with("/bin") {
        return None;
    }
    let name = executable.file_name()?.to_str()?;
    let (_, question) = QUESTIONS.iter().find(|(begins, _)| name.starts_with(begins))?;
    let said = ask(executable, question)?;
    std::fs::canonicalize(said.trim()).ok().filter(|folder| folder.components().count() > 2)
}

/// The executable itself where it is one, or what a version manager's shim of that name stands for.
pub(crate) fn behind_shims(executable: &Path) -> PathBuf {
    let is_script = std::fs::read(executable).is_ok_and(|bytes| bytes.starts_with(b"#!"));
    let name = executable.file_name().unwrap_or_default().to_owned();
    let home = home_of(executable).filter(|_| is_script);
    home.map(|home| home.join("bin").join(name)).filter(|real| real.is_file()).unwrap_or_else(|| executable.to_owned())
}

fn ask(executable: &Path, question: &[&str]) -> Option<String> {
    let output = Command::new(executable).args(question).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    String::from_utf8(output.stdout).ok().filter(|_| output.status.success())
}
