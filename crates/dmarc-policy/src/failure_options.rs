//! The failures that a domain owner wants reports on: the tag `fo` of section 4.7 of RFC 9989.

use std::fmt;

/// The failures that call for a report: the tag `fo`, section 4.7.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "RFC 9989 section 4.7 has just these")]
#[expect(clippy::struct_excessive_bools, reason = "the tag has four flags")]
pub struct FailureOptions {
    /// If any method gives no aligned pass (`1`), not only if all do (`0`).
    pub any: bool,
    /// If a signature fails, aligned or not (`d`).
    pub dkim: bool,
    /// If SPF fails, aligned or not (`s`).
    pub spf: bool,
    /// If all methods fail (`0`, the default).
    pub all: bool,
}

impl Default for FailureOptions {
    fn default() -> Self {
        Self { any: false, dkim: false, spf: false, all: true }
    }
}

impl FailureOptions {
    pub(crate) fn parse(value: &[u8]) -> Option<Self> {
        let mut options = Self { any: false, dkim: false, spf: false, all: false };
        for part in value.split(|&octet| octet == b':') {
            let slot = match part.trim_ascii() {
                b"0" => &mut options.all,
                b"1" => &mut options.any,
                b"d" | b"D" => &mut options.dkim,
                b"s" | b"S" => &mut options.spf,
                _ => return None,
            };
            if std::mem::replace(slot, true) {
                return None;
            }
        }
        (!(options.all && options.any)).then_some(options)
    }
}

impl fmt::Display for FailureOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [(self.all, "0"), (self.any, "1"), (self.dkim, "d"), (self.spf, "s")];
        let mut before = "";
        for (_, part) in parts.into_iter().filter(|(set, _)| *set) {
            write!(f, "{before}{part}")?;
            before = ":";
        }
        Ok(())
    }
}
