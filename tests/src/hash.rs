//! FNV-1a: a hash that is the same on every machine and in every release.

/// A hash in the making.
#[derive(Debug, Clone, Copy)]
pub struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    /// Adds these bytes.
    pub fn bytes(self, bytes: &[u8]) -> Self {
        let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        Self(bytes.iter().fold(self.0, step))
    }

    /// Adds the number of these bytes, then the bytes: "ab", "c" and "a", "bc" differ.
    pub fn field(self, bytes: &[u8]) -> Self {
        self.bytes(&bytes.len().to_be_bytes()).bytes(bytes)
    }

    /// Returns the hash of all that was added.
    pub fn finish(self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_fnv_1a() {
        assert_eq!(Fnv::default().bytes(b"foobar").finish(), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn fields_do_not_run_together() {
        let hash = |fields: [&[u8]; 2]| {
            fields.iter().fold(Fnv::default(), |hash, field| hash.field(field)).finish()
        };
        assert_ne!(hash([b"ab", b"c"]), hash([b"a", b"bc"]));
    }
}
