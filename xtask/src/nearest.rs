//! What was meant by a word that is not known.

/// Returns a known word that holds what was typed, begins like it, or has its letters in another
/// order.
pub(crate) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let alike = |other: &&str| other.bytes().zip(word.bytes()).take_while(|(a, b)| a == b).count();
    let holds = known.iter().find(|other| !word.is_empty() && other.contains(word));
    let begins = || known.iter().max_by_key(|other| alike(other)).filter(|other| alike(other) >= 4);
    let twisted = || known.iter().find(|other| letters(other) == letters(word));
    holds.or_else(begins).or_else(twisted).copied()
}

fn letters(word: &str) -> Vec<u8> {
    let mut letters = word.as_bytes().to_vec();
    letters.sort_unstable();
    letters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_is_nearly_right_is_recognised() {
        let known = ["reads_once", "client", "spins"];
        assert_eq!(nearest("read_once", &known), Some("reads_once"));
        assert_eq!(nearest("once", &known), Some("reads_once"));
        assert_eq!(nearest("clinet", &known), Some("client"));
        assert_eq!(nearest("zzz", &known), None);
    }
}
