//! Things found or made ready, one of each type.

use std::any::{Any, TypeId};
use std::collections::HashMap;

/// What conditions share without the engine's knowing of it: for the whole program, what they work
/// with, such as a resolver; for a message, what one found out and another asks for.
#[derive(Debug, Default)]
pub struct Facts {
    by_type: HashMap<TypeId, Box<dyn Any + Send + Sync>>,
}

impl Facts {
    /// Puts one in, in place of the one of its type.
    pub fn insert<T: Any + Send + Sync>(&mut self, fact: T) {
        self.by_type.insert(TypeId::of::<T>(), Box::new(fact));
    }

    /// Returns the one of this type.
    pub(crate) fn get<T: Any + Send + Sync>(&self) -> Option<&T> {
        self.by_type.get(&TypeId::of::<T>()).and_then(|fact| fact.downcast_ref())
    }
}
