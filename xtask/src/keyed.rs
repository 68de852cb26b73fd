//! A hash of what students choose. Its key is a secret of this machine, so no student can make two
//! submissions that have the same one. It holds from grading to grading on this machine alone.

use std::hash::Hasher;
#[allow(deprecated, reason = "the standard library has no other SipHash that takes a key")]
use std::hash::SipHasher;
use std::path::Path;
use std::sync::OnceLock;

use crate::{files, repository};

/// A hash in the making.
#[derive(Debug, Clone)]
#[allow(deprecated, reason = "as above")]
pub(crate) struct Keyed(SipHasher);

type Key = [u8; 16];

impl Default for Keyed {
    fn default() -> Self {
        static KEY: OnceLock<Key> = OnceLock::new();
        Self::with(*KEY.get_or_init(|| {
            let file = repository::target().ok().map(|target| target.join("hash-key"));
            file.map_or_else(fresh, |file| kept(&file))
        }))
    }
}

impl Keyed {
    #[allow(deprecated, reason = "as above")]
    fn with(key: Key) -> Self {
        let half = |at: usize| u64::from_le_bytes(std::array::from_fn(|byte| key[at + byte]));
        Self(SipHasher::new_with_keys(half(0), half(8)))
    }

    /// Adds the number of these bytes, then the bytes: "ab", "c" and "a", "bc" differ.
    pub(crate) fn field(mut self, bytes: &[u8]) -> Self {
        self.0.write(&bytes.len().to_be_bytes());
        self.0.write(bytes);
        self
    }

    /// Returns the hash of all that was added.
    pub(crate) fn finish(self) -> u64 {
        self.0.finish()
    }
}

/// Returns the key that the file has, or a new one, which is kept there. Without a file nothing that
/// was built before is found again.
fn kept(file: &Path) -> Key {
    if let Some(key) = std::fs::read(file).ok().and_then(|bytes| bytes.try_into().ok()) {
        return key;
    }
    let key = fresh();
    _ = file.parent().map(std::fs::create_dir_all);
    _ = files::write(file, &key);
    key
}

fn fresh() -> Key {
    let mut key = Key::default();
    // Without random bytes the key is known, and everything else works.
    _ = getrandom::fill(&mut key);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_kept_and_differs_on_each_machine() {
        let folder = tempfile::tempdir().unwrap();
        let [one, other] = ["one/key", "other/key"].map(|name| folder.path().join(name));
        assert_eq!(kept(&one), kept(&one));
        assert_ne!(kept(&one), kept(&other));
        let hash = |file: &Path| Keyed::with(kept(file)).field(b"the same").finish();
        assert_ne!(hash(&one), hash(&other));
    }

    #[test]
    fn fields_do_not_run_together() {
        let hash = |fields: [&[u8]; 2]| {
            let begun = Keyed::with(Key::default());
            fields.iter().fold(begun, |hash, field| hash.field(field)).finish()
        };
        assert_ne!(hash([b"ab", b"c"]), hash([b"a", b"bc"]));
    }
}
