//! Why there is no program to check. The words for it are made where reports are.

/// A program that cannot be run.
#[derive(Debug, Clone)]
pub(crate) struct Unbuilt {
    pub(crate) program: String,
    /// Where its sources are, or where they were looked for.
    pub(crate) origin: String,
    pub(crate) reason: Reason,
}

#[derive(Debug, Clone)]
pub(crate) enum Reason {
    /// The submission has no such program; where to put it.
    Missing(String),
    /// The harness does not take its files, and why.
    Refused(String),
    /// The build reached a limit: which one, with the figure.
    OverLimit(String),
    /// Each error as the compiler renders it, the first one first.
    DoesNotCompile(Vec<String>),
}

impl Unbuilt {
    /// Returns what there is to read beside the reason: the compiler's errors, or one sentence.
    pub(crate) fn details(&self) -> &[String] {
        match &self.reason {
            Reason::Missing(text) | Reason::Refused(text) => std::slice::from_ref(text),
            Reason::OverLimit(_) => &[],
            Reason::DoesNotCompile(errors) => errors,
        }
    }
}
