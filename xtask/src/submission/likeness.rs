//! How much a name in a submission is like a program's.

/// The most alike comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Likeness {
    Same,
    /// The same words, with other capitals or other signs between them.
    Spelling,
    /// The last word, which no other program of the practical has: `server`.
    Role,
}

impl Likeness {
    pub(super) fn of(programs: &[&str], program: &str, name: &str) -> Option<Self> {
        let roles = programs.iter().filter(|other| role(other) == role(program)).count();
        if name == program {
            Some(Self::Same)
        } else if folded(name) == folded(program) {
            Some(Self::Spelling)
        } else {
            (roles == 1 && folded(name) == role(program)).then_some(Self::Role)
        }
    }
}

fn role(program: &str) -> &str {
    program.rsplit('_').next().unwrap_or(program)
}

fn folded(name: &str) -> String {
    let letters = name.chars().filter(|letter| letter.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_alike() {
        for (name, likeness) in [
            ("echo_server", Some(Likeness::Same)),
            ("echo-server", Some(Likeness::Spelling)),
            ("Echo_Server", Some(Likeness::Spelling)),
            ("EchoServer", Some(Likeness::Spelling)),
            ("echo server", Some(Likeness::Spelling)),
            ("server", Some(Likeness::Role)),
            ("Server", Some(Likeness::Role)),
            ("echo_client", None),
            ("servers", None),
            ("", None),
        ] {
            let programs = ["echo_server", "echo_client"];
            assert_eq!(Likeness::of(&programs, "echo_server", name), likeness, "{name}");
        }
        assert_eq!(Likeness::of(&["a_server", "b_server"], "a_server", "server"), None);
    }
}
