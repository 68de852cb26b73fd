//! What the checks of one run have learned about a program by trying: each thing once.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

type Cell = Arc<OnceLock<Arc<dyn Any + Send + Sync>>>;

/// Values by their type. Checks run at the same time: the first that asks tries, the others wait
/// for what it learns.
#[derive(Debug, Default)]
pub(crate) struct Learned {
    cells: Mutex<HashMap<TypeId, Cell>>,
}

impl Learned {
    /// Returns the value of this type, which `learn` makes where it is not known yet.
    pub(crate) fn get_or_learn<T>(&self, learn: impl FnOnce() -> T) -> Arc<T>
    where
        T: Any + Send + Sync,
    {
        let cell = {
            let mut cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
            cells.entry(TypeId::of::<T>()).or_default().clone()
        };
        let known = cell.get_or_init(|| Arc::new(learn())).clone();
        known.downcast().unwrap_or_else(|_| unreachable!("a cell has the type of its key"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thing_is_learned_once() {
        let learned = Learned::default();
        assert_eq!(*learned.get_or_learn(|| 1_u8), 1);
        assert_eq!(*learned.get_or_learn(|| 2_u8), 1);
        assert_eq!(*learned.get_or_learn(|| "other"), "other");
    }
}
