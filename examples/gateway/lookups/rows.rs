//! The results of databases, in Exim's form.

use mail_types::exim::LookupResult;

use super::engines::EngineError;

/// The text of rows.
#[derive(Debug)]
pub(super) struct Rows {
    text: Vec<u8>,
    count: usize,
    most: usize,
    most_bytes: usize,
}

impl Rows {
    pub(super) fn new(most: usize, most_bytes: usize) -> Self {
        Self { text: Vec::new(), count: 0, most, most_bytes }
    }

    /// Starts the next row.
    pub(super) fn row(&mut self) -> Result<(), EngineError> {
        if self.count == self.most {
            return Err(EngineError::Rows { limit: self.most });
        }
        if self.count > 0 {
            self.text.push(b'\n');
        }
        self.count += 1;
        self.within()
    }

    /// Writes the single value of a row, unchanged.
    pub(super) fn value(&mut self, value: &[u8]) -> Result<(), EngineError> {
        self.text.extend_from_slice(value);
        self.within()
    }

    /// Writes one of several values, with its name and a blank after it; the value is quoted if it is
    /// empty, has white space in it or begins with a quote.
    pub(super) fn pair(&mut self, name: &[u8], value: &[u8]) -> Result<(), EngineError> {
        self.text.extend_from_slice(name);
        self.text.push(b'=');
        let blank = |b: &u8| matches!(b, b' ' | b'\t' | b'\n' | b'\r');
        if value.is_empty() || value.starts_with(b"\"") || value.iter().any(blank) {
            self.text.push(b'"');
            for &byte in value {
                if matches!(byte, b'"' | b'\\') {
                    self.text.push(b'\\');
                }
                self.text.push(byte);
            }
            self.text.push(b'"');
        } else {
            self.text.extend_from_slice(value);
        }
        self.text.push(b' ');
        self.within()
    }

    pub(super) fn found(self) -> LookupResult {
        if self.count == 0 { LookupResult::Nothing } else { LookupResult::Value(self.text) }
    }

    fn within(&self) -> Result<(), EngineError> {
        let limit = self.most_bytes;
        if self.text.len() > limit { Err(EngineError::Bytes { limit }) } else { Ok(()) }
    }
}

/// The result of a change: the number of rows.
pub(super) fn changed(rows: u64) -> LookupResult {
    LookupResult::Value(rows.to_string().into_bytes())
}
