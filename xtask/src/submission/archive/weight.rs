//! How much of an archive lies in which folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The most folders that are weighed.
const MOST_FOLDERS: usize = 50_000;

/// The sizes of all folders, with what is below them.
#[derive(Default)]
pub(super) struct Weight(BTreeMap<PathBuf, Size>);

#[derive(Default, Clone, Copy)]
pub(super) struct Size {
    pub(super) bytes: u64,
    pub(super) files: u64,
}

impl Weight {
    pub(super) fn add(&mut self, file: &Path, bytes: u64) {
        let is_full = self.0.len() > MOST_FOLDERS;
        for folder in file.ancestors().skip(1).filter(|_| !is_full) {
            let size = self.0.entry(folder.to_owned()).or_default();
            size.bytes = size.bytes.saturating_add(bytes);
            size.files += 1;
        }
    }

    /// Goes from the top into the folder that holds more than half, as far as there is one.
    pub(super) fn heaviest(&self, of: impl Fn(&Size) -> u64) -> String {
        let mut folder = Path::new("");
        while let Some(heavier) = self.heavier_part(folder, &of) {
            folder = heavier;
        }
        let size = self.0.get(folder).copied().unwrap_or_default();
        let name = match folder.as_os_str().is_empty() {
            true => "its top".to_owned(),
            false => crate::visible::line(&folder.display().to_string()),
        };
        let mib = size.bytes as f64 / 1024.0 / 1024.0;
        format!("{name} ({mib:.1} MiB in {} files)", size.files)
    }

    fn heavier_part(&self, folder: &Path, of: impl Fn(&Size) -> u64) -> Option<&Path> {
        let all = self.0.get(folder).map(&of)?;
        let mut inside = self.0.iter().filter(|(path, _)| path.parent() == Some(folder));
        inside.find(|(_, size)| of(size) > all / 2).map(|(path, _)| &**path)
    }
}
