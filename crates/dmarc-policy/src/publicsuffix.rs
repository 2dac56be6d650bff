//! A list of public suffixes that is read at run time, by the crate `publicsuffix`.

use std::fmt;

use mail_types::smtp::Domain;
use publicsuffix::{List, Psl as _};
use thiserror::Error;

use crate::SuffixList;

/// A list in the format of `https://publicsuffix.org/list/`, such as the file of the option
/// `dmarc_tld_file`.
///
/// ```
/// use dmarc_policy::{SuffixFile, SuffixList};
///
/// let list = "// ===BEGIN ICANN DOMAINS===\ncom\nco.uk\n*.ck\n!www.ck\n// ===END ICANN DOMAINS===\n";
/// let list = SuffixFile::parse(list)?;
/// let org = |domain: &str| Ok::<_, mail_types::smtp::DomainError>(list.org_domain(&domain.parse()?).to_owned());
/// assert_eq!(org("a.b.example.co.uk")?, "example.co.uk");
/// assert_eq!(org("a.www.ck")?, "www.ck");
/// assert_eq!(org("co.uk")?, "co.uk");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct SuffixFile {
    list: List,
}

impl SuffixFile {
    /// Reads the text of a list, its private section included: the operator of a private suffix
    /// does not speak for its customers.
    ///
    /// # Errors
    ///
    /// [`SuffixFileError`] if it has no rule, an invalid rule, or no comments that separate the
    /// registries' suffixes from private ones.
    pub fn parse(text: &str) -> Result<Self, SuffixFileError> {
        let list: List = text.parse().map_err(|_| SuffixFileError)?;
        if list.is_empty() { Err(SuffixFileError) } else { Ok(Self { list }) }
    }
}

impl SuffixList for SuffixFile {
    fn org_domain<'d>(&self, domain: &'d Domain) -> &'d str {
        let text = domain.as_str();
        let found = self.list.domain(text.as_bytes());
        let length = found.map_or(text.len(), |found| found.as_bytes().len());
        text.get(text.len() - length..).unwrap_or(text)
    }
}

impl fmt::Debug for SuffixFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SuffixFile").finish_non_exhaustive()
    }
}

/// A text is not a list of public suffixes.
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
#[error("not a public suffix list: no rules or no section markers")]
#[non_exhaustive]
pub struct SuffixFileError;
