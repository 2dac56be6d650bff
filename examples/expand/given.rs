//! Variables of the command line.

use std::collections::BTreeMap;

use event_expand::Variables;
use mail_types::exim::{Trust, Value, Variable};

/// The variables of the command line; all others are unknown.
#[derive(Debug, Default)]
pub(crate) struct Given(BTreeMap<String, Value<'static>>);

impl Given {
    pub(crate) fn set(&mut self, name: &str, value: &str, trust: Trust) {
        let value = Value::new(value.as_bytes().to_vec(), trust);
        self.0.insert(name.to_owned(), value);
    }
}

impl Variables for Given {
    fn variable(&self, name: &str) -> Variable<'_> {
        match self.0.get(name) {
            Some(value) => value.clone().into(),
            None => Variable::Unknown,
        }
    }
}
