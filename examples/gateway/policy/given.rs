//! Variables that a program gives, with or without a session.

use std::collections::BTreeMap;

use event_expand::{HeaderForm, Variables};
use mail_types::exim::{Trust, Value, Variable};

/// Values of variables, and certificates. `h_NAME` is a header field; all other variables are unknown.
#[derive(Clone, Debug, Default)]
pub struct Given {
    values: BTreeMap<String, Value<'static>>,
    certificates: BTreeMap<String, Vec<u8>>,
}

impl Given {
    /// Gives a variable this value.
    pub fn set(&mut self, name: &str, value: &str, trust: Trust) {
        let value = Value::new(value.as_bytes().to_vec(), trust);
        self.values.insert(name.to_owned(), value);
    }

    /// Has a variable stand for a certificate, in DER.
    pub fn set_certificate(&mut self, name: &str, der: Vec<u8>) {
        self.set(name, "<cert>", Trust::Untrusted);
        self.certificates.insert(name.to_owned(), der);
    }

    /// Returns the variables and their values.
    pub(crate) fn values(&self) -> impl Iterator<Item = (&str, &Value<'static>)> {
        self.values.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Returns the text of a variable, if it is given.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        let value = self.values.get(name)?;
        Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
    }
}

impl Variables for Given {
    fn variable(&self, name: &str) -> Variable<'_> {
        match self.values.get(name) {
            Some(value) => Value::new(value.as_bytes(), value.trust()).into(),
            None => Variable::Unknown,
        }
    }

    /// The same text in all forms.
    fn header(&self, name: &str, _: HeaderForm) -> Variable<'_> {
        match self.variable(&format!("h_{name}")) {
            Variable::Unknown => Variable::Unset,
            value => value,
        }
    }

    fn certificate(&self, name: &str) -> Option<&[u8]> {
        self.certificates.get(name).map(Vec::as_slice)
    }
}
