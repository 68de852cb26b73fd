//! Names of files.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

/// Returns a name that is safe to print.
pub(super) fn visible(path: &Path) -> String {
    path.display().to_string().escape_debug().to_string()
}

/// Checks that a name means the same file on every system, and a device on none.
pub(super) fn check_name<'a>(
    path: &Path,
    others: impl Iterator<Item = &'a PathBuf>,
) -> anyhow::Result<()> {
    const DEVICES: [&str; 4] = ["con", "aux", "nul", "prn"];
    let text = path
        .to_str()
        .with_context(|| format!("{}: a name is letters, digits, dots, _ and -", visible(path)))?;
    let lower = text.to_ascii_lowercase();
    for name in lower.split('/') {
        let well_formed =
            name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
        let stem = name.split('.').next().unwrap_or_default();
        if !well_formed || name.starts_with(['.', '-']) || name.ends_with('.') || name.len() > 100 {
            bail!("{}: a name is letters, digits, dots, _ and -", visible(path));
        }
        if DEVICES.contains(&stem) {
            bail!("{}: on some systems this is a device", visible(path));
        }
    }
    match others.into_iter().find(|other| other.to_string_lossy().to_ascii_lowercase() == lower) {
        Some(other) => {
            bail!("{} and {} are one file on some systems", visible(path), visible(other))
        }
        None => Ok(()),
    }
}
