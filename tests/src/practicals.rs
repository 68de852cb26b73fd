//! The practicals, each in a folder of its own that owns its checks, its facts and its rules.
//!
//! A new practical is one folder here, one folder in `practicals/` at the top of the repository,
//! and one line in the list below.

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
