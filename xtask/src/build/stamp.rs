//! Remembers what was built from which sources, so that nothing is built twice.

use std::path::{Path, PathBuf};

use crate::keyed::Keyed;
use crate::submission::StagedCrate;
use crate::{files, repository};
use anyhow::Context;

/// The record of one build. Asking cargo whether a file has changed takes longer than most checks,
/// and the harness has just copied the files.
pub(super) struct Stamp {
    file: PathBuf,
    key: String,
}

impl Stamp {
    /// The key includes the harness's executable, because a new compiler builds that anew, too.
    pub(super) fn of(staged: &StagedCrate, file: PathBuf) -> anyhow::Result<Self> {
        let harness = std::fs::metadata(repository::this_executable()?)?;
        let age = harness.modified()?.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let key = Keyed::default()
            .field(&staged.fingerprint.to_be_bytes())
            .field(&harness.len().to_be_bytes())
            .field(&age.as_nanos().to_be_bytes());
        Ok(Self { file, key: format!("{:016x}", key.finish()) })
    }

    /// Returns the file or folder that was built from exactly these sources, if it still exists.
    pub(super) fn built(&self) -> Option<PathBuf> {
        let text = std::fs::read_to_string(&self.file).ok()?;
        let (key, built) = text.split_once('\n')?;
        Some(PathBuf::from(built)).filter(|path| key == self.key && path.exists())
    }

    pub(super) fn write(&self, built: &Path) -> anyhow::Result<()> {
        // A path that is not UTF-8 cannot be stored: cargo is asked each time.
        if let Some(built) = built.to_str() {
            let record = format!("{}\n{built}", self.key);
            files::write(&self.file, record.as_bytes())
                .with_context(|| self.file.display().to_string())?;
        }
        Ok(())
    }
}
