//! Texts that occur many times, kept once.

use std::collections::HashMap;
use std::sync::Arc;

/// The texts, and their numbers.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    numbers: HashMap<Arc<str>, u32>,
    kept: Vec<Arc<str>>,
    octets: usize,
}

/// The octets that a text takes beside its own.
const OVERHEAD: usize = 64;

impl Texts {
    /// Returns the number of a text.
    pub(super) fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = u32::try_from(self.kept.len()).unwrap_or(u32::MAX);
        let text: Arc<str> = text.into();
        self.octets = self.octets.saturating_add(text.len() + OVERHEAD);
        self.kept.push(Arc::clone(&text));
        self.numbers.insert(text, number);
        number
    }

    pub(super) fn text(&self, number: u32) -> &str {
        usize::try_from(number).ok().and_then(|at| self.kept.get(at)).map_or("", |text| text)
    }

    /// Returns the octets of all texts.
    pub(super) fn octets(&self) -> usize {
        self.octets
    }
}
