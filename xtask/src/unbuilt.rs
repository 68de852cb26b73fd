//! Why there is no program to check. Reports put it into words.

/// A program that cannot be run.
#[derive(Debug, Clone)]
pub(crate) struct Unbuilt {
    pub(crate) program: String,
    /// Where its sources are, or where the harness looked for them.
    pub(crate) origin: String,
    pub(crate) reason: Reason,
}

#[derive(Debug, Clone)]
pub(crate) enum Reason {
    /// The submission has no such program. Says where to put it.
    Missing(String),
    /// The harness does not take its files. Says why.
    Refused(String),
    /// The build reached this limit.
    OverLimit(String),
    /// Each error as the compiler renders it, the first one first.
    DoesNotCompile(Vec<String>),
    /// It uses a dependency that does not count. Says which and where, and then each error as the
    /// compiler renders it.
    MissesDependency(Vec<String>),
}

impl Unbuilt {
    /// Returns the compiler's errors, or one sentence about the reason.
    pub(crate) fn details(&self) -> &[String] {
        match &self.reason {
            Reason::Missing(text) | Reason::Refused(text) => std::slice::from_ref(text),
            Reason::OverLimit(_) => &[],
            Reason::DoesNotCompile(errors) | Reason::MissesDependency(errors) => errors,
        }
    }
}
