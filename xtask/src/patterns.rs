//! File patterns, like `src/**/*.rs`: `*` stands for any part of a name, `**` for any folders.

use std::path::Path;

use anyhow::Context;
use glob::MatchOptions;

const OPTIONS: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: false,
};

#[derive(Debug)]
pub(crate) struct Pattern {
    whole: glob::Pattern,
    parts: Vec<glob::Pattern>,
}

impl Pattern {
    pub(crate) fn new(text: &str) -> anyhow::Result<Self> {
        let pattern = |text| {
            glob::Pattern::new(text).with_context(|| format!("{text:?} is not a file pattern"))
        };
        let parts = text.split('/').map(pattern).collect::<anyhow::Result<_>>()?;
        Ok(Self { whole: pattern(text)?, parts })
    }

    /// Whether it names this path.
    pub(crate) fn matches(&self, path: &Path) -> bool {
        self.whole.matches_with(&path.to_string_lossy(), OPTIONS)
    }

    /// Whether it may name something in this folder.
    pub(crate) fn may_match_in(&self, folder: &Path) -> bool {
        let fixed = self.parts.iter().take_while(|part| part.as_str() != "**");
        let fits = folder
            .iter()
            .zip(fixed)
            .all(|(name, part)| part.matches_with(&name.to_string_lossy(), OPTIONS));
        let has_any_folders = self.parts.iter().any(|part| part.as_str() == "**");
        fits && (has_any_folders || folder.iter().count() < self.parts.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mutations::Inputs;

    #[test]
    fn a_bad_pattern_is_refused_in_one_line() {
        let right: [&[u8]; 2] = [b"src/**/*.rs", b"a?[!b-d]/c*"];
        let words = ["**", "/", "[", "]", "***", "*a*b*c"];
        Inputs { right: &right, words: &words, ..Inputs::default() }.check(
            "file patterns",
            |input| {
                let pattern = Pattern::new(&String::from_utf8_lossy(input))?;
                for path in
                    ["src/net/wire.rs", "a/b/c/d/e/f/g", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"]
                {
                    _ = (pattern.matches(Path::new(path)), pattern.may_match_in(Path::new(path)));
                }
                Ok(())
            },
        );
    }

    fn pattern(text: &str) -> Pattern {
        Pattern::new(text).unwrap()
    }

    #[test]
    fn patterns_name_files() {
        for (text, path, named) in [
            ("Cargo.toml", "Cargo.toml", true),
            ("Cargo.toml", "src/Cargo.toml", false),
            ("src/**/*.rs", "src/main.rs", true),
            ("src/**/*.rs", "src/net/wire.rs", true),
            ("src/**/*.rs", "src/net/deep/wire.rs", true),
            ("src/**/*.rs", "src/main.rs.bak", false),
            ("src/**/*.rs", "build.rs", false),
            ("*.py", "echo_server.py", true),
            ("*.py", "more/echo_server.py", false),
            ("solution/**", "solution/echo_server/src/main.rs", true),
            ("solution/**", "solutions.txt", false),
        ] {
            assert_eq!(pattern(text).matches(Path::new(path)), named, "{text} {path}");
        }
        assert!(Pattern::new("src/**.rs").is_err());
    }

    #[test]
    fn only_folders_that_may_hold_something_are_entered() {
        assert!(pattern("src/**/*.rs").may_match_in(Path::new("src/net")));
        assert!(!pattern("src/**/*.rs").may_match_in(Path::new("target")));
        assert!(!pattern("Cargo.toml").may_match_in(Path::new("src")));
        assert!(pattern("**/*.h").may_match_in(Path::new("any/folder")));
    }
}
