//! The practicals, each in a folder of its own that owns its checks, its facts and its rules.
//!
//! A new practical is one folder here, one folder in `practicals/` at the top of the repository,
//! and one line in the list below.

mod shared;

use crate::engine::check::Practical;

/// Declares the module of each practical, and lists the practicals in the order of the course.
macro_rules! practicals {
    ($($name:ident,)*) => {
        $(mod $name;)*

        /// Every practical, in the order of the course.
        pub const PRACTICALS: &[&Practical] = &[$(&$name::REGISTER),*];
    };
}

practicals! {
    echo,
    multiconn,
    framing,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::verdict::{Diagnosis, Failure, Status, Verdict};

    /// What each practical names if every check of every practical came to this.
    fn named(status: &Status) -> impl Iterator<Item = (&'static str, Vec<Diagnosis>)> {
        let checks = PRACTICALS.iter().flat_map(|practical| practical.checks());
        let verdicts: Vec<Verdict> =
            checks.map(|check| Verdict::new(check.id, status.clone())).collect();
        PRACTICALS.iter().map(move |practical| (practical.name, practical.diagnose(&verdicts)))
    }

    #[test]
    fn a_right_program_has_no_name() {
        for (practical, named) in named(&Status::Passed) {
            assert_eq!(named, [], "{practical}");
        }
    }

    #[test]
    fn a_failure_without_facts_has_no_name() {
        // That a reset stops a server which lives on needs no fact besides the verdict.
        const NEEDS_NONE: &str = "one_bad_client_stops_all";
        let failure = Failure::new("something", "something else");
        for (practical, named) in named(&Status::Failed(failure)) {
            let all_need_none = named.iter().all(|diagnosis| diagnosis.mistake == NEEDS_NONE);
            assert!(all_need_none, "{practical}: {named:?}");
        }
    }
}
