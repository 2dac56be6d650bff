//! The faults of texts in a configuration.

use event_expand::{HostCall, MatchListError, TemplateError};
use thiserror::Error;

use super::language::Missing;
#[cfg(feature = "gateway")]
use super::unquoted::Unquoted;

/// A text is not valid in a configuration. Positions are in bytes, after the expansion of macros and
/// the joining of lines.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub(crate) enum LanguageError {
    #[error(transparent)]
    Template(#[from] TemplateError),
    #[error("byte {at}: the lookup {name}: {missing}")]
    Lookup { at: usize, name: &'static str, missing: Missing },
    #[error("byte {at}: the lookup {name}: {why}")]
    Query { at: usize, name: &'static str, why: String },
    #[cfg(feature = "gateway")]
    #[error(
        "byte {at}: the lookup {name}: the name of the file has an untrusted value: write the name without it"
    )]
    UntrustedFile { at: usize, name: &'static str },
    #[error(
        "byte {at}: acl: the name of the list is an untrusted value: write the name itself, and pass the value as an argument"
    )]
    UntrustedAcl { at: usize },
    #[cfg(feature = "gateway")]
    #[error(transparent)]
    Unquoted(#[from] Unquoted),
    #[error("byte {at}: {} is not available here", call.as_str())]
    Call { at: usize, call: HostCall },
    #[error("byte {at}: certextract: ${variable} is not a certificate here")]
    NoCertificate { at: usize, variable: String },
    #[error("byte {at}: acl: there is no list [[acl.{name}]]")]
    NoAcl { at: usize, name: String },
    #[error("byte {at}: certextract: {why}")]
    Certificate { at: usize, why: String },
    #[error("byte {at}: lookup_directories is empty, so that a list may read no file")]
    ListFile { at: usize },
    #[error("byte {at}: {file}: {why}")]
    File { at: usize, file: String, why: String },
    #[error("byte {at}: header fields are not available here")]
    NoHeader { at: usize },
    #[error(transparent)]
    List(#[from] MatchListError),
    #[error("item {item} (+{name}): no such list in the table {kind}")]
    UnknownList { item: usize, kind: &'static str, name: String },
}

impl LanguageError {
    /// Returns the position, if the fault has one.
    #[cfg(feature = "gateway")]
    pub(crate) fn at(&self) -> Option<usize> {
        match self {
            Self::Template(error) => Some(error.at()),
            Self::Unquoted(error) => Some(error.at),
            Self::UntrustedFile { at, .. }
            | Self::UntrustedAcl { at }
            | Self::Lookup { at, .. }
            | Self::Query { at, .. }
            | Self::Call { at, .. }
            | Self::NoCertificate { at, .. }
            | Self::NoAcl { at, .. }
            | Self::Certificate { at, .. }
            | Self::ListFile { at }
            | Self::File { at, .. }
            | Self::NoHeader { at } => Some(*at),
            Self::List(_) | Self::UnknownList { .. } => None,
        }
    }
}
