//! Other ways to write a header than the one that was agreed on.

/// A way to write the length of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    LittleEndian,
    /// The header's two bytes are counted, too.
    CountsHeader,
    TextDigits,
}

/// A fact: a body of this length came back when its header was written in this way.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TakesHeader(pub(super) Way, pub(super) usize);

impl Way {
    pub(super) const ALL: [Self; 3] = [Self::LittleEndian, Self::CountsHeader, Self::TextDigits];

    /// Writes the header for a body of this length.
    pub(super) fn header(self, length: usize) -> Vec<u8> {
        let length = length as u16;
        match self {
            Self::LittleEndian => length.to_le_bytes().to_vec(),
            Self::CountsHeader => (length + 2).to_be_bytes().to_vec(),
            Self::TextDigits => format!("{length:02}").into_bytes(),
        }
    }
}
