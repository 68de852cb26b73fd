//! Names of files.

use std::path::Path;

use crate::visible;

/// Returns a name that is safe to print.
pub(super) fn visible(path: &Path) -> String {
    visible::line(&path.display().to_string())
}

/// The rule for names in a copy.
const RULE: &str = "a name is letters, digits, dots, _ and -";

/// Returns why a path cannot be in a copy: a name must mean the same file on every system, and a
/// device on none.
pub(super) fn fault_of_name(path: &Path) -> Option<&'static str> {
    const DEVICES: [&str; 4] = ["con", "aux", "nul", "prn"];
    let Some(text) = path.to_str() else { return Some(RULE) };
    let lower = text.to_ascii_lowercase();
    lower.split('/').find_map(|name| {
        let well_formed =
            name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
        let stem = name.split('.').next().unwrap_or_default();
        if !well_formed || name.starts_with(['.', '-']) || name.ends_with('.') || name.len() > 100 {
            return Some(RULE);
        }
        DEVICES.contains(&stem).then_some("on some systems this is a device")
    })
}

/// Folders in which tools keep their output.
const MADE: [&str; 15] = [
    ".git",
    ".hg",
    ".svn",
    ".idea",
    ".vscode",
    ".vs",
    ".gradle",
    ".venv",
    ".mypy_cache",
    ".pytest_cache",
    "__MACOSX",
    "__pycache__",
    "node_modules",
    "target",
    "venv",
];

/// Returns whether a folder is a tool's. A folder of sources may be called `target`, too.
pub(super) fn is_made(folder: &Path) -> bool {
    let name = folder.file_name().unwrap_or_default();
    let is_in_sources = || folder.parent().is_some_and(|above| above.iter().any(|it| it == "src"));
    MADE.iter().any(|made| name == *made) && !(name == "target" && is_in_sources())
}

/// Returns whether a file or folder is hidden, like the `._main.rs` that macOS adds to archives.
pub(super) fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}

/// Returns whether an editor, a system or a tool has made it, not a student.
pub(super) fn is_a_tools(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    is_hidden(path) || is_made(path) || name.ends_with('~') || name.starts_with('#')
}
